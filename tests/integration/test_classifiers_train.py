"""Training end to end on a handful of items, and the encoder against its reference."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from classifiers.artifact import read
from classifiers.card import write_card
from classifiers.dataset import read_corpus, read_items
from classifiers.encoder import BaseModel, Reading
from classifiers.errors import TrainingError
from classifiers.evaluate import evaluate
from classifiers.finetuning import CONTINUING, Progress, Recipe
from classifiers.labels import LABELS
from classifiers.match import is_match
from classifiers.match_training import LEAST, LEAST_HELD
from classifiers.model import Classifier
from classifiers.network import Batch, Network
from classifiers.train import _network_of, train
from classifiers.verdict import Example

FIXTURES = Path(__file__).parents[2] / "fixtures"
TEXTS = {
    "lead": ["Please quote forty boxes for our shop", "How much is a new roof? We want one"],
    "support": ["My order arrived broken", "The invoice charges me twice, please refund"],
    "solicitation": ["We sell SEO packages to firms like yours", "Sponsor our trade fair"],
    "spam": ["Claim your crypto prize now", "Your mailbox is full, verify your password here"],
    "personal": ["Mum here, dinner on Sunday?", "Your dentist: the appointment is at nine"],
    "misdial": ["Sorry, wrong number", "Is that the pizza place? No? Sorry"],
    "job_applicant": ["I attach my CV for the post", "Are you hiring drivers? I can start now"],
    "internal": ["Team, the Monday meeting moves to ten", "IT: laptops are patched tonight"],
    "irrelevant": ["Out of office until Monday", "Delivery to the recipient failed"],
}


def lines(split: str, suffix: str) -> str:
    return "\n".join(
        json.dumps(
            {
                "id": f"{split}-{label}-{n}",
                "channel": "call" if n % 2 else "email",
                "text": f"{text}{suffix}",
                "label": label,
                "source": split,
            }
        )
        for label, texts in TEXTS.items()
        for n, text in enumerate(texts)
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "train-a.jsonl").write_text(lines("train", ""))
    (folder / "dev-b.jsonl").write_text(lines("dev", ", thanks"))
    (folder / "test-c.jsonl").write_text(lines("test", ", bye"))
    return folder


@pytest.mark.parametrize("form", ["lora", "full"])
def test_trains_writes_and_loads(
    corpus: Path, tmp_path: Path, form: Literal["lora", "full"]
) -> None:
    steps: list[Progress] = []
    recipe = Recipe(form=form, epochs=2, rate=3e-4)
    done = train(corpus, tmp_path / "m", recipe=recipe, progress=steps.append)
    assert done.test is not None
    assert done.dev.macro_f1.value > 0.6
    assert [s.epoch for s in steps if s.dev_macro_f1 is not None] == [1, 2]

    manifest, weights = read(tmp_path / "m")
    assert manifest.name_version == done.model
    assert manifest.corpus["items"]["train"]["lead"] == 2
    assert manifest.metrics["dev"]["macro_f1"]["value"] == done.dev.macro_f1.value
    assert weights.stat().st_size < (4e6 if form == "lora" else 12e6)

    loaded = Classifier.load(tmp_path / "m")
    dev = read_items(corpus / "dev-b.jsonl")
    stored = evaluate(dev, loaded.classify([item.example for item in dev]))
    assert stored.confusion == done.dev.confusion
    assert stored.calibration_error == pytest.approx(done.dev.calibration_error, abs=0.01)
    said = loaded.classify([Example("email", f"{TEXTS[label][0]}, thanks") for label in LABELS])
    right = sum(verdict.label == label for verdict, label in zip(said, LABELS, strict=True))
    assert right >= 6


def test_same_seed_same_model(corpus: Path, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        train(corpus, tmp_path / name, epochs=1, seed=5, threads=1, version="1")
        written.append(read(tmp_path / name)[1].read_bytes())
    assert written[0] == written[1]


def test_a_network_is_trained_on_from_where_another_ended(corpus: Path, tmp_path: Path) -> None:
    begun = train(corpus, tmp_path / "one", recipe=Recipe(epochs=2, rate=3e-4), version="1")
    on = train(corpus, tmp_path / "two", start=tmp_path / "one", version="2")
    with pytest.raises(TrainingError, match="no training item is by nobody"):
        train(corpus, tmp_path / "two", start=tmp_path / "one", newer=["nobody"])
    training = read(tmp_path / "two")[0].training
    assert (training["from"], training["epochs"]) == (begun.model, 1)
    afresh = train(corpus, tmp_path / "three", recipe=CONTINUING, version="3")
    other = read(tmp_path / "three")[0].training
    assert "from" not in other
    assert on.dev.macro_f1.value >= afresh.dev.macro_f1.value
    assert training["history"][0]["loss"] < other["history"][0]["loss"]


def test_without_an_epoch_a_network_stays_what_it_was(corpus: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path / "one", epochs=1, version="1")
    train(corpus, tmp_path / "two", start=tmp_path / "one", epochs=0, version="2")
    examples = [Example("email", text) for texts in TEXTS.values() for text in texts]
    before, after = (
        Classifier.load(tmp_path / name, runtime="torch").logits(examples)[0]
        for name in ("one", "two")
    )
    assert after == pytest.approx(before, abs=1e-4)
    assert "the network of triage-minilm@1" in card_of(corpus, tmp_path / "two")


def card_of(corpus: Path, model: Path) -> str:
    write_card(model.parent / "card.md", model=model, corpus_dir=corpus, measured=[])
    return (model.parent / "card.md").read_text()


def test_a_model_learns_whose_inquiry_it_is(corpus: Path, tmp_path: Path) -> None:
    shipped = FIXTURES / "corpus"
    whole = read_corpus(shipped)
    known = [i for i in whole.train if i.id in whole.profiles and len(i.example.text) < 160]
    held = [i for i in whole.dev if i.example.business and len(i.example.text) < 300]
    short = {"", *(item.id for item in (*known[:LEAST], *held[: LEAST_HELD + 10]))}
    folder = tmp_path / "corpus"
    shutil.copytree(corpus, folder)
    for kind in ("train-*", "dev-*", "profiles-*"):
        for file in shipped.glob(kind):
            written = file.read_text().rstrip("\n").split("\n")
            kept = [line for line in written if json.loads(line).get("id", "") in short]
            (folder / file.name).write_text("\n".join(kept))
    train(folder, tmp_path / "m", recipe=Recipe(epochs=1), version="1")
    manifest, file = read(tmp_path / "m")
    assert manifest.match is not None
    model = Classifier.load(tmp_path / "m")
    asked = "Please quote for four new tyres on our delivery van, and fit them this week."
    tyres, ballet, name = model.classify(
        [
            Example("email", asked, business=business)
            for business in ("Tyres and wheels, fitted", "Ballet and tap for children", "Kestrel")
        ]
    )
    assert tyres.scores["misdial"] < ballet.scores["misdial"]
    assert name.scores["misdial"] < ballet.scores["misdial"]
    begun = _network_of(tmp_path / "m")
    assert not any(is_match(key) for key in begun)  # it is the other network that is trained on
    assert file.stat().st_size < 16e6


def test_what_a_network_has_not_read_is_shown_twice(corpus: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path / "one", epochs=1, version="1")
    steps = []
    for newer in ((), ("train",)):
        seen: list[Progress] = []
        train(
            corpus, tmp_path / "two", start=tmp_path / "one", newer=newer, version="2",
            recipe=replace(CONTINUING, batch=9), progress=seen.append,
        )  # fmt: skip
        steps.append(seen[-1].steps)
    assert steps == [2, 4]  # of 18 items


def test_card_is_written_from_the_figures(corpus: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path / "m", epochs=1, version="7")
    extra = tmp_path / "elsewhere.jsonl"
    extra.write_text(lines("x", "!"))
    out = tmp_path / "docs" / "card.md"
    write_card(out, model=tmp_path / "m", corpus_dir=corpus, measured=[extra])
    page = out.read_text()
    assert "triage-minilm@7" in page
    assert all(f"### {name}" in page for name in ("dev", "test", "elsewhere"))
    assert all(f"| {label} |" in page for label in LABELS)


def test_too_little_to_train_on_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({"id": 1, "channel": "call", "text": "hi", "label": "lead"}))
    with pytest.raises(TrainingError, match="do not suffice"):
        train(file, tmp_path / "m")


@pytest.mark.filterwarnings("ignore")  # of the reference implementation
def test_encoder_computes_what_the_reference_does() -> None:
    from transformers import BertModel

    base = BaseModel()
    network = Network(len(LABELS)).eval()
    network.load_base(base.weights)
    reference = BertModel.from_pretrained(base.folder, local_files_only=True).eval()
    texts = base.windows([("email", "Hello there, " * 40), ("phone call", "hi")], Reading())
    with torch.inference_mode():
        ours = network.pool(Batch.of(texts))
        for row, [window] in zip(ours, texts, strict=True):
            theirs = reference(torch.tensor([list(window)])).last_hidden_state.mean(dim=1)[0]
            assert torch.allclose(row, theirs, atol=1e-5)
