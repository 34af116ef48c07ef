"""The behavioural suite is what it says: pairs, over all labels, and unknown to training."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from classifiers.behaviour import described, examine, read_pairs
from classifiers.dataset import near_duplicates, read_corpus
from classifiers.errors import CorpusError
from classifiers.labels import LABELS
from classifiers.model import verdicts
from classifiers.verdict import Example, Verdict

FIXTURES = Path(__file__).parents[2] / "fixtures"
PAIRS = read_pairs(FIXTURES / "behaviour")
SIDES = [side for pair in PAIRS for side in (pair.a, pair.b)]


def test_enough_pairs_of_both_kinds_over_all_labels_and_channels() -> None:
    assert len(PAIRS) >= 140
    assert len({pair.id for pair in PAIRS}) == len(PAIRS)
    kinds = Counter(pair.kind for pair in PAIRS)
    assert min(kinds["invariance"], kinds["direction"]) >= 60
    labels = Counter(side.label for side in SIDES)
    assert all(labels[label] >= 10 for label in LABELS)
    assert Counter(side.example.channel for side in SIDES)["call"] >= 80
    assert {side.source for side in SIDES} == {"pairs"}


def test_no_side_is_known_to_training_or_another_pair() -> None:
    corpus = read_corpus(FIXTURES / "corpus")
    assert near_duplicates(SIDES, (*corpus.train, *corpus.dev, *corpus.test)) == []
    firsts = [pair.a for pair in PAIRS]
    assert near_duplicates(firsts, firsts) == []


def side(text: str) -> dict[str, Any]:
    return {"channel": "email", "body": text}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "both"}, "expected invariance or direction"),
        ({"label_b": "spam"}, "do not fit the kind"),
        ({"label_a": "sale"}, "`label` is 'sale'"),
        ({"b": side("one")}, "the same"),
        ({"b": {"channel": "fax", "body": ""}}, "`channel`"),
    ],
)
def test_a_wrong_pair_is_named(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    file = tmp_path / "pairs.jsonl"
    right = {
        "id": "1", "kind": "invariance", "topic": "t", "a": side("one"), "b": side("two"),
        "label_a": "lead", "label_b": "lead", "writer": "w",
    }  # fmt: skip
    file.write_text(json.dumps(right))
    assert read_pairs(file)[0].b.example.text == "two"
    file.write_text(f"{json.dumps(right)}\n{json.dumps(right | change)}")
    with pytest.raises(CorpusError, match=f"line 2: .*{problem}"):
        read_pairs(file)


def test_a_pair_passes_only_if_both_labels_are_right() -> None:
    import numpy as np

    from classifiers.calibration import AbstainRule

    def always_lead(examples: list[Example]) -> list[Verdict]:
        rows = np.full((len(examples), len(LABELS)), 0.01)
        rows[:, LABELS.index("lead")] = 0.92
        return verdicts(rows, AbstainRule(), "m@1")

    found = examine(PAIRS, always_lead)  # type: ignore[arg-type]
    right = sum(pair.a.label == pair.b.label == "lead" for pair in PAIRS)
    assert (found.passed, len(found.failures)) == (right, len(PAIRS) - right)
    assert sum(passed for passed, _ in found.topics.values()) == right
    assert sum(total for _, total in found.topics.values()) == len(PAIRS)
    letter, label, said, confidence, _ = described(found.failures[0])[0]
    assert (letter, said, confidence) == ("a", "lead", 0.92)
    assert label
