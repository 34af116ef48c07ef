"""The shipped model on minimal pairs: what must not change a label does not, what must does."""

from __future__ import annotations

from pathlib import Path

from classifiers.behaviour import examine, read_pairs
from classifiers.model import Classifier

PAIRS = Path(__file__).parents[2] / "fixtures" / "behaviour"
REQUIRED = 0.95


def test_the_shipped_model_behaves() -> None:
    found = examine(read_pairs(PAIRS), Classifier.load(threads=1).classify)
    failed = ", ".join(outcome.pair.id for outcome in found.failures)
    assert found.share >= REQUIRED, f"{found.passed} of {len(found.outcomes)} pass; not: {failed}"
