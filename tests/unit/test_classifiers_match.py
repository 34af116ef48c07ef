"""What a match shifts, how it is learned what it means, and which businesses are known to fit."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from classifiers.calibration import softmax
from classifiers.dataset import Item, read_corpus
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError, CorpusError
from classifiers.finetuning import Recipe
from classifiers.inference import Torch
from classifiers.labels import LABELS
from classifiers.match import Matcher, MatchRule, nearness
from classifiers.match_training import (
    Matching,
    fit_matcher,
    fit_rule,
    known_profiles,
    twins,
)
from classifiers.network import Network, reduced_tensors
from classifiers.profiles import Profiles, read_profiles
from classifiers.verdict import Example
from classifiers.weights import base_weights

LEAD, SUPPORT, MISDIAL = (LABELS.index(name) for name in ("lead", "support", "misdial"))
RULE = MatchRule(10.0, -4.0, {"lead": (0.5, 0.1), "support": (0.1, 0.0), "misdial": (-0.6, 0.2)})
CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"


def item(name: str, label: str, business: str = "", text: str = "Four tyres, please") -> Item:
    return Item(name, Example("email", text, business=business), label)  # type: ignore[arg-type]


def test_a_near_business_makes_a_lead_and_a_far_one_a_misdial() -> None:
    said = np.tile(np.full(len(LABELS), 1 / len(LABELS)), (2, 1))
    far, near = RULE.shifted(said, np.array([-5.0, 5.0]))
    assert far.argmax() == MISDIAL
    assert near.argmax() == LEAD
    others = [i for i in range(len(LABELS)) if i not in (LEAD, SUPPORT, MISDIAL)]
    assert np.ptp(far[others]) == pytest.approx(0)
    assert [far.sum(), near.sum()] == pytest.approx([1, 1])


def test_the_nearest_part_of_a_text_counts_most() -> None:
    assert nearness(np.array([0.4])) == pytest.approx(0.4)
    assert 0.55 < nearness(np.array([0.0, 0.6, 0.1])) <= 0.6


def test_what_is_no_lead_support_or_misdial_is_not_compared() -> None:
    """A model whose runtime cannot be asked: it would fail if anything were compared."""
    matcher = Matcher(None, BaseModel(), RULE)  # type: ignore[arg-type]
    said = np.full((2, len(LABELS)), 0.005)
    said[:, LABELS.index("spam")] = 0.96
    said[1] = np.eye(len(LABELS))[LEAD]
    examples = [Example("email", "You won", business="Bakery"), Example("email", "Bread please")]
    assert matcher.probabilities(said, examples) is said  # the second names no business


def test_what_is_compared_is_what_was_asked_of_each() -> None:
    network = Network(1)
    base = BaseModel()
    network.load_base(base.weights)
    matcher = Matcher(Torch(network.eval()), base, RULE)
    asked = "We need four new tyres fitted on our delivery van tomorrow."
    examples = [
        Example("email", asked, business="Tyres fitted at your home or depot"),
        Example("email", asked, business="Children's ballet classes"),
        Example("call", f"{'It rains again. ' * 80}{asked}", business="Tyre fitters"),
    ]
    alone = [float(matcher.logits([example])[0]) for example in examples]
    together = matcher.logits(examples)
    assert together == pytest.approx(alone, abs=1e-3)
    assert together[0] > together[1] + 1
    assert together[2] > together[1] + 1  # what is far down a long text is found
    said = np.tile(softmax(np.eye(len(LABELS))[[LEAD]] * 3), (3, 1))
    shifted = matcher.probabilities(said, examples)
    assert shifted[0, MISDIAL] < shifted[1, MISDIAL]


def test_what_somebody_wrote_down_joins_what_a_label_says() -> None:
    items = [
        item("a", "lead", "Tyres"),
        item("b", "misdial", "Bakery"),
        item("c", "spam", "Bakery"),
        item("d", "lead"),
        item("e", "support"),
    ]
    further = {"a": Profiles(("Garage",), ("Shoes",)), "e": Profiles((), ("Bank",))}
    assert known_profiles(items, further) == {
        "a": Profiles(("Tyres", "Garage"), ("Shoes",)),
        "b": Profiles((), ("Bakery",)),
        "e": Profiles((), ("Bank",)),
    }
    found = {(i.id, i.example.business): i.label for i in twins(items, further)}
    assert found == {("a", "Garage"): "lead", ("a", "Shoes"): "misdial", ("e", "Bank"): "misdial"}


def test_the_rule_follows_from_held_out_items() -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat([LEAD, SUPPORT, MISDIAL], 60)
    logits = np.where(truth == MISDIAL, -2.0, 2.0) + rng.normal(size=len(truth))
    unsure = np.log(np.full((len(truth), len(LABELS)), 0.02))
    unsure[:, [LEAD, MISDIAL]] = np.log(0.43)
    unsure[truth == SUPPORT, SUPPORT] = np.log(0.6)
    matching = Matching(Network(1), 9.0, -3.0)
    rule = fit_rule(matching, softmax(unsure), logits, truth)
    assert (rule.scale, rule.bias) == (9.0, -3.0)
    assert rule.shifts["lead"][0] > 0 > rule.shifts["misdial"][0]
    before = softmax(unsure).argmax(axis=1) == truth
    after = rule.shifted(softmax(unsure), logits).argmax(axis=1) == truth
    assert after.mean() > before.mean() + 0.2

    turned = fit_rule(matching, softmax(unsure), -logits, truth)
    assert turned.shifts["lead"][0] == turned.shifts["misdial"][0] == 0  # never the other way


def test_what_is_kept_of_a_training_is_small_and_nearly_the_same() -> None:
    base, network = BaseModel(), Network(1)
    network.load_base(base.weights)
    for part in (network.words, network.positions, network.head):
        part.requires_grad_(False)
    before = network.encoder.layers[0].linear1.weight.detach().clone()
    with torch.no_grad():
        change = torch.randn(1536, 3) @ torch.randn(3, 384) / 50
        network.encoder.layers[0].linear1.weight += change
    kept = reduced_tensors(network, base.weights, 4)
    name = "encoder.layers.0.linear1.weight"
    up, down = kept[f"{name}.up"].float(), kept[f"{name}.down"].float()
    assert torch.allclose(up @ down, change, atol=2e-3)
    assert torch.allclose(before + up @ down, network.encoder.layers[0].linear1.weight, atol=2e-3)
    assert not any(name.startswith(("words", "positions", "head")) for name in kept)
    safetensors.torch.save(kept)  # as a model folder holds them


def test_too_few_known_businesses_teach_nothing(tmp_path: Path) -> None:
    lines = [{"id": str(n), "channel": "email", "text": "x", "label": "lead"} for n in range(3)]
    (tmp_path / "train-a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert fit_matcher(read_corpus(tmp_path), BaseModel()) is None


def test_training_brings_texts_and_their_businesses_together() -> None:
    corpus = read_corpus(CORPUS)
    known = [i for i in corpus.train if i.id in corpus.profiles and len(i.example.text) < 160]
    small = corpus.__class__(tuple(known[:220]), profiles=corpus.profiles)
    base, losses = BaseModel(), []
    recipe = Recipe(epochs=2, batch=24, rate=2e-4)
    found = fit_matcher(small, base, recipe, lambda step: losses.append(step.loss))
    assert found is not None
    assert losses[-1] < 0.8 * losses[0]
    some = small.train[:60]
    right = [i for i in twins(some, corpus.profiles) if i.label != "misdial"]
    wrong = [i for i in twins(some, corpus.profiles) if i.label == "misdial"]
    before = Network(1)
    before.load_base(base.weights)
    trained, plain = found.matcher(base), Matching(before.eval(), 10.0, 0.0).matcher(base)

    def apart(matcher: Matcher) -> float:
        near, far = (matcher.logits([i.example for i in items]) for items in (right, wrong))
        return float((near[:, None] > far[None]).mean())

    assert apart(trained) > apart(plain) + 0.1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2"),
        ('{"right": "Tyres"}', "`id`"),
        ('["a"]', "expected an object"),
        ('{"id": "a", "same": "Tyres"}', "`right` or `wrong`"),
        ('{"name": "Kestrel", "tells": "no"}', "`tells`, true or false"),
        ('{"name": "Kestrel", "tells": false, "split": "dve"}', "one of train, calibration"),
        ('{"id": "a", "wrong": 3}', "`wrong` is 3"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "profiles-1.jsonl"
    file.write_text(f'{{"id": "a", "right": "Tyres"}}\n{line}\n')
    with pytest.raises(CorpusError, match=told) as caught:
        read_profiles([file])
    assert "profiles-1.jsonl, line 2" in str(caught.value)


def test_a_rule_without_its_matcher_is_refused() -> None:
    base = BaseModel()
    weights = base_weights(base.weights)
    assert Matcher.of({}, None, base, weights) is None
    with pytest.raises(ArtifactError, match="matcher is missing"):
        Matcher.of({}, RULE, base, weights)


def test_profiles_of_unknown_items_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train-a.jsonl").write_text(
        json.dumps({"id": "a", "channel": "email", "text": "x", "label": "lead"})
    )
    (tmp_path / "profiles-1.jsonl").write_text('{"id": "b", "right": "Tyres"}\n')
    with pytest.raises(CorpusError, match="'b'"):
        read_corpus(tmp_path)


def test_profiles_are_part_of_what_a_corpus_is(tmp_path: Path) -> None:
    (tmp_path / "train-a.jsonl").write_text(
        json.dumps({"id": "a", "channel": "email", "text": "x", "label": "lead"})
    )
    before = read_corpus(tmp_path).sha256
    (tmp_path / "profiles-1.jsonl").write_text('{"id": "a", "right": "Tyres", "wrong": "Shoes"}\n')
    corpus = read_corpus(tmp_path)
    assert corpus.profiles == {"a": Profiles(("Tyres",), ("Shoes",))}
    assert corpus.sha256 != before


def test_the_shipped_profiles_are_of_leads_support_and_misdials_that_no_test_item_is() -> None:
    corpus = read_corpus(CORPUS)
    labels = {i.id: i.label for i in (*corpus.train, *corpus.dev, *corpus.calibration)}
    assert len(corpus.profiles) > 2000
    assert {labels[name] for name in corpus.profiles} == {"lead", "support", "misdial"}
    for name, profiles in corpus.profiles.items():
        assert not set(profiles.right) & set(profiles.wrong), name
