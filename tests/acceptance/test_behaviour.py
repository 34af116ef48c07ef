"""The shipped model on minimal pairs: what must not change a label does not, what must does."""

from __future__ import annotations

from pathlib import Path

from classifiers.behaviour import examine, read_pairs
from classifiers.model import Classifier

PAIRS = Path(__file__).parents[2] / "fixtures" / "behaviour"
# The aim is 0.95. Model 1.0.0 passed 65 %, 2.0.0 76 %, 3.0.0 77 %, 4.0.0 71 %, which was right on
# four of a hundred real inquiries more (docs/experiments.md), 5.0.0 73 %. 6.0.0 passes 83 %: none
# may ship that passes fewer, but for some near a border that another processor rounds otherwise.
REACHED = 0.81


def test_the_shipped_model_passes_no_fewer_pairs_than_it_did() -> None:
    found = examine(read_pairs(PAIRS), Classifier.load(threads=1).classify)
    failed = ", ".join(outcome.pair.id for outcome in found.failures)
    assert found.share >= REACHED, f"{found.passed} of {len(found.outcomes)} pass; not: {failed}"
