"""Few examples on top of a trained model: none change nothing, chance teaches nothing."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.calibration import softmax
from classifiers.dataset import Item
from classifiers.errors import ArtifactError
from classifiers.fewshot import (
    Division,
    choose_strength,
    directions,
    fit_change,
    held_out,
    near_groups,
    split,
)
from classifiers.own import method_for
from classifiers.verdict import Example

RNG = np.random.default_rng(3)
HEAD = RNG.normal(size=(3, 12))
VECTORS = RNG.normal(size=(90, 12))
TRAINED = 3 * VECTORS @ HEAD.T
SAID = TRAINED.argmax(axis=1)
GROUPS = np.arange(90)


def test_no_examples_change_nothing() -> None:
    none = fit_change(VECTORS[:0], TRAINED[:0], SAID[:0], 10.0)
    assert (none.logits(VECTORS, TRAINED) == TRAINED).all()
    kept = fit_change(VECTORS, TRAINED, SAID, 0.0)
    assert (kept.logits(VECTORS, TRAINED) == TRAINED).all()


def test_fewer_examples_change_less() -> None:
    truth = (SAID + 1) % 3
    sizes = [
        float(np.abs(fit_change(VECTORS[:n], TRAINED[:n], truth[:n], 1.0).weights).sum())
        for n in (1, 10, 90)
    ]
    assert sizes == sorted(sizes)


def test_what_the_business_calls_otherwise_is_learned() -> None:
    truth = np.where(SAID == 1, 2, SAID)  # it has one label for two
    inputs = VECTORS @ directions(VECTORS, HEAD)
    assert choose_strength(inputs, TRAINED, truth, GROUPS) > 0
    right = (held_out(inputs, TRAINED, truth, GROUPS).argmax(axis=1) == truth).mean()
    assert (truth == SAID).mean() < 0.8
    assert right > 0.9


def test_a_model_that_is_right_is_left_alone() -> None:
    drawn = np.array([RNG.choice(3, p=row) for row in softmax(TRAINED)])
    assert choose_strength(VECTORS[:30], TRAINED[:30], drawn[:30], GROUPS[:30]) == 0


def test_near_duplicates_stay_on_one_side() -> None:
    text = "we would like a quote for boxes delivered to the shop by friday noon, number {}"
    items = [Item(str(n), Example("email", text.format(n))) for n in range(4)]
    items += [Item("x", Example("email", "the heater in flat two stopped again last night"))]
    groups = near_groups(items)
    assert len(set(groups[:4].tolist())) == 1
    assert groups[4] != groups[0]
    groups = np.repeat(np.arange(30), 3)
    for fitted, held in split(SAID, groups):
        assert not set(groups[fitted].tolist()) & set(groups[held].tolist())
        assert len(fitted) + len(held) == 90


@pytest.mark.parametrize("truth", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 0, 0, 0, 1, 1, 2]])
def test_rare_labels_can_be_split_too(truth: list[int]) -> None:
    labels = np.array(truth)
    held = [index for _, part in split(labels, np.arange(len(labels))) for index in part.tolist()]
    assert sorted(held) == list(range(len(labels)))
    assert split(labels, np.zeros(len(labels), dtype=np.int64)) == []


def test_own_labels_are_told_apart_and_stored() -> None:
    own = ["trade" if vector[0] > 0 else "retail" for vector in VECTORS]
    found = Division.fit(VECTORS, own)
    assert np.mean([a == b for a, b in zip(found.said(VECTORS), own, strict=True)]) > 0.95
    tensors = found.arrays("lead")
    names = {"retail": "lead", "trade": "lead"}
    assert Division.of(tensors, names)["lead"].said(VECTORS) == found.said(VECTORS)
    assert Division.of({}, {}) == {}
    with pytest.raises(ArtifactError, match="missing"):
        Division.of({}, names)
    with pytest.raises(ArtifactError, match="do not fit"):
        Division.of(tensors, names | {"third": "lead"})


def test_the_method_follows_from_the_count() -> None:
    assert [method_for(n)[0] for n in (20, 299, 300)] == ["few-shot", "few-shot", "fine-tuning"]
