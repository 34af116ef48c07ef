"""The tagger: marks and tokens, noise that keeps marks right, heads with and without torch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import tag_artifact
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError, CorpusError
from classifiers.ranking import BUCKETS, Ranking
from classifiers.runtime import Runtime
from classifiers.tag_calibration import calibrate
from classifiers.tag_heads import Ensemble
from classifiers.tag_marks import FIGURES, SPANS, Marked, noisy, pools_of, read_marked
from classifiers.tag_model import Context, Tagger, base_encoder
from classifiers.tag_training import (
    Read,
    TagRecipe,
    arrays_of,
    finish,
    fit_ensemble,
    studies_of,
)
from classifiers.tagger import REACH, TagHeads, batch_of
from classifiers.tagging import (
    LAYOUT,
    MOST,
    TAPS,
    WINDOW,
    covered,
    layout_of,
    read_tokens,
    stretches,
    vectors_of,
    windows_of,
    words_of,
)
from classifiers.verdict import Example

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
MAIL = """Hello,

we are 38 people at Lakeland Title and need lunch every Thursday, around $45 a head.

Dana Kowalczyk
Lakeland Title & Escrow"""


@pytest.fixture(scope="module")
def base() -> BaseModel:
    return BaseModel()


@pytest.fixture(scope="module")
def encoder(base: BaseModel) -> Runtime:
    return base_encoder(base, 1, "torch")


@pytest.fixture(scope="module")
def leads() -> list[Marked]:
    return read_marked([CORPUS / "dev-e.jsonl"])


def example(text: str = MAIL) -> Example:
    return Example("email", text, "lunch")


def test_every_mark_is_the_words_it_says(leads: list[Marked]) -> None:
    assert len(leads) > 30
    for lead in leads:
        for name, (start, end) in lead.spans.items():
            assert lead.text[start:end].strip(), (lead.id, name)
            if name in FIGURES and FIGURES[name].search(lead.text, start, end):
                assert FIGURES[name].fullmatch(lead.text[start:end]), lead.text[start:end]


def test_a_mark_that_is_not_there_is_refused(tmp_path: Path) -> None:
    evidence = [{"field": "body", "quote": "Jo", "start": 3, "end": 5}]
    row = {
        "id": "x", "channel": "email", "body": "Hi, Jo", "label": "lead",
        "signals": {"contact_name": {"value": "Jo", "evidence": evidence}},
    }  # fmt: skip
    file = tmp_path / "train-x.jsonl"
    file.write_text(json.dumps(row))
    with pytest.raises(CorpusError, match=r"train-x\.jsonl, line 1: signals: contact_name"):
        read_marked([file])
    row["signals"]["contact_name"]["evidence"][0]["start"] = 4  # type: ignore[index]
    file.write_text(json.dumps(row))
    assert read_marked([file])[0].spans["contact_name"] == (6, 8)


def words_in(value: str) -> set[str]:
    """Noise may take the punctuation out of a value, and put one value into another."""
    return set(re.findall(r"\w+", value.lower()))


def test_noise_keeps_marks_on_their_words(leads: list[Marked]) -> None:
    pools = pools_of(leads)
    known = {word for pool in pools.values() for value in pool for word in words_in(value)}
    rng = Random(7)
    changed = 0
    for lead in leads * 3:
        copy = noisy(lead, pools, rng)
        changed += copy.text != lead.text
        for name, (start, end) in copy.spans.items():
            quote = copy.text[start:end]
            assert quote == quote.strip()
            if name in pools and copy.text.count("\n") == lead.text.count("\n"):
                assert words_in(quote) <= known, (lead.id, name, quote)
    assert changed > len(leads)


def test_windows_read_every_token_of_a_text_that_is_not_endless(base: BaseModel) -> None:
    text = "Line of some words, number {}.\n" * 300
    tokens = read_tokens([(example(), text)], base)[0]
    windows = windows_of(tokens, base)
    read = set().union(*(range(window.start, window.end) for window in windows))
    assert read == set(range(len(tokens.ids)))
    assert all(len(window.ids) <= WINDOW for window in windows)
    endless = read_tokens([(example(), text * 20)], base)[0]
    assert len(windows_of(endless, base)) == MOST


def test_layout_tells_capitals_lines_and_who_speaks(base: BaseModel) -> None:
    text = "Agent: Hello?\nCaller: It is DANA, 614.\n> quoted\n"
    tokens = read_tokens([(Example("call", text), text)], base)[0]
    by_word = {
        text[start:end]: row.tolist()
        for (start, end), row in zip(tokens.offsets.tolist(), tokens.layout, strict=True)
    }
    assert by_word["Hello"][0] == 2
    assert by_word["61"][0] == 4
    assert by_word["Hello"][4] == 2
    assert by_word["61"][4] == 1
    assert by_word["quoted"][4] == 3
    assert by_word["Caller"][1] == 1
    assert layout_of("", []).shape == (0, len(LAYOUT))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(max_size=80), data=st.data())
def test_covered_tokens_give_their_words_back(
    base: BaseModel, text: str, data: st.DataObject
) -> None:
    tokens = read_tokens([(example(), text)], base)[0]
    if not len(tokens.ids):
        return
    first = data.draw(st.integers(0, len(tokens.ids) - 1))
    start, end = words_of(text, tokens, first, first + 1)
    assert 0 <= start <= tokens.offsets[first, 0] <= tokens.offsets[first, 1] <= end <= len(text)
    inside = covered(tokens, (start, end))
    assert inside[0] <= first < max(inside[1], first + 1)


def test_scores_become_stretches_of_whole_words(base: BaseModel) -> None:
    tokens = read_tokens([(example(), MAIL)], base)[0]
    scores = np.tile([0.98, 0.01, 0.01], (len(tokens.ids), 1))
    first, after = covered(tokens, (MAIL.index("Kowalczyk"), MAIL.index("Kowalczyk") + 9))
    assert after - first > 1  # several pieces
    scores[first] = (0.1, 0.8, 0.1)
    start, end, score = stretches(MAIL, tokens, "contact_name", scores)[0]
    assert (MAIL[start:end], score) == ("Kowalczyk", 0.8)
    assert stretches(MAIL, tokens, "contact_name", scores[:0]) == []


def test_figures_are_chosen_whole(base: BaseModel) -> None:
    text = "we are two hundred and twenty people, budget 12-15k, not 07700 900123"
    tokens = read_tokens([(example(), text)], base)[0]
    scores = np.tile([0.9, 0.05, 0.05], (len(tokens.ids), 1))
    scores[covered(tokens, (text.index("twenty"), text.index("twenty") + 6))[0]] = (0.2, 0.1, 0.7)
    start, end, _ = stretches(text, tokens, "company_size", scores)[0]
    assert text[start:end] == "two hundred and twenty"
    budgets = [text[start:end] for start, end, _ in stretches(text, tokens, "budget", scores)]
    assert "12-15k" in [match[0] for match in FIGURES["budget"].finditer(text)]
    assert budgets[0] == "two hundred and twenty"


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("not over sixty thousand", "sixty thousand"),
        ("R38 000 a month", "R38 000"),
        ("about £55k - £70k in all", "£55k - £70k"),
        ("up to half a million", "half a million"),
        ("max. EUR 2.100 per month", "EUR 2.100"),
        ("eighteen to twenty lakhs", "eighteen to twenty lakhs"),
    ],
)
def test_money_as_people_write_it(text: str, figure: str) -> None:
    assert [match[0] for match in FIGURES["budget"].finditer(text)] == [figure]


def test_without_torch_the_heads_say_the_same(base: BaseModel, encoder: Runtime) -> None:
    torch.manual_seed(3)
    heads = TagHeads().eval()
    for text in (MAIL, MAIL * 6):
        tokens = read_tokens([(example(), text)], base)[0]
        vectors = vectors_of(tokens, base, encoder)
        assert vectors.shape == (len(tokens.ids), 384 * len(TAPS))
        with torch.inference_mode():
            said = heads(batch_of([torch.from_numpy(vectors)], [torch.from_numpy(tokens.layout)]))
        scores = Ensemble.of(arrays_of([heads]), REACH).scores(vectors, tokens)
        np.testing.assert_allclose(scores.tags, said.tags[0].softmax(-1).numpy(), atol=1e-4)
        np.testing.assert_allclose(scores.attention, said.attention[0].exp().numpy(), atol=1e-4)
        for found, logits in zip(scores.classes, said.classes, strict=True):
            np.testing.assert_allclose(found, logits[0].numpy(), atol=1e-3)


def test_a_text_without_words_has_no_scores_to_read(base: BaseModel, encoder: Runtime) -> None:
    tokens = read_tokens([(example(""), "")], base)[0]
    ensemble = Ensemble.of(arrays_of([TagHeads()]), REACH)
    scores = ensemble.scores(vectors_of(tokens, base, encoder), tokens)
    assert scores.tags.shape == (0, len(SPANS), 3)
    assert all(np.isfinite(logits).all() for logits in scores.classes)


def test_layers_are_read_alike_by_every_runtime(base: BaseModel) -> None:
    pytest.importorskip("openvino")
    tokens = read_tokens([(example(), MAIL)], base)[0]
    one, other = (
        vectors_of(tokens, base, base_encoder(base, 1, kind)) for kind in ("torch", "openvino")
    )
    likeness = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert likeness.min() > 0.99


def test_training_learns_marks_and_an_artifact_keeps_them(
    base: BaseModel, encoder: Runtime, leads: list[Marked], tmp_path: Path
) -> None:
    few = [lead for lead in leads if "contact_name" in lead.spans and len(lead.text) < 600][:4]
    recipe = TagRecipe(epochs=60, copies=0, batch=4, heads=2)
    studies = studies_of(few, base, encoder, recipe)
    heads = fit_ensemble(studies, recipe)
    ranking = Ranking(np.linspace(-1, 1, BUCKETS + 1), 0.25)
    numbers = Ensemble.of(arrays_of(heads), REACH)
    seen = [
        Read(lead, Context(one.tokens, one.vectors), numbers.scores(one.vectors, one.tokens))
        for lead, (one,) in zip(few, studies, strict=True)
    ]
    trained = finish(
        tmp_path, few, seen, heads, lambda read: ({"company": ranking}, {"company": 0.5}), {}
    )
    assert trained.ranked == {"company": 0.5}
    tagger = Tagger.load(tmp_path, runtime="torch")
    assert tagger.ranking["company"].floor == 0.25
    np.testing.assert_allclose(tagger.ranking["company"].weights, ranking.weights, atol=1e-3)
    read = tagger.read([(lead.example, lead.text) for lead in few])
    found = calibrate(list(zip(few, read, strict=True)))[2]
    assert found["contact_name"] >= 0.75
    for lead, said in zip(few, read, strict=True):
        assert set(said.spans) == set(SPANS)
        for stretch in (one for spans in said.spans.values() for one in spans):
            assert 0 <= stretch.start < stretch.end <= len(lead.text)
            assert 0 <= stretch.probability <= 1
        for choice in said.choices.values():
            assert sum(choice.probabilities.values()) == pytest.approx(1)
            assert choice.shown[0] < choice.shown[1]

    kept = tag_artifact.kept(tmp_path)
    (tmp_path / tag_artifact.TENSORS).write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match="damaged"):
        tag_artifact.read(tmp_path)
    tag_artifact.restore(tmp_path, kept)
    assert tag_artifact.read(tmp_path)[0].version == trained.version


def test_what_is_no_tagger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no tagger"):
        tag_artifact.read(tmp_path)
    (tmp_path / tag_artifact.MANIFEST).write_text("{}")
    with pytest.raises(ArtifactError, match="not a tagger's manifest"):
        tag_artifact.read(tmp_path)
    assert not tag_artifact.present(tmp_path / "elsewhere")
