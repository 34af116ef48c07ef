from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support import stored
from triage.review.figures import agreement, share
from triage.review.priority import drawn, priority, suspicion
from triage.store.reviews import Pair
from triage.store.settlements import Neighbour, Settled


def settled(**values: object) -> Settled:
    found = Settled(
        "inq_1", datetime(2026, 3, 1, tzinfo=UTC), "file", "spam", "", None, False,
        stored.verdict("spam", 0.9),
    )  # fmt: skip
    return replace(found, **values)  # type: ignore[arg-type]


def test_the_interval_is_exact() -> None:
    """Against values of Clopper and Pearson's interval from tables."""
    none, some = share(0, 300), share(3, 100)
    assert [none.low, none.high] == pytest.approx([0.0, 0.01222], abs=1e-5)
    assert [some.low, some.high] == pytest.approx([0.00623, 0.08518], abs=1e-5)
    assert (share(0, 0).low, share(0, 0).high, share(0, 0).value) == (0.0, 1.0, None)


def test_agreement_is_beyond_chance() -> None:
    pairs = [Pair("lead", "lead", 1), Pair("spam", "spam", 2), Pair("lead", "spam", 1)]
    found = agreement(pairs)
    assert (found.pairs, found.same) == (4, 3)
    assert found.kappa == pytest.approx(0.5)
    assert found.disputed == (("lead", "spam", 1),)
    assert agreement(pairs[:1]).kappa is None


def test_priority_grows_with_doubt_stake_and_suspicion() -> None:
    sure = settled(verdict=stored.verdict("spam", 0.99))
    unsure = settled(verdict=stored.verdict("spam", 0.4))
    lead = settled(verdict=stored.verdict("lead", 0.4), score=90)
    assert priority(sure) < priority(unsure) < priority(lead)
    assert priority(unsure) < priority(unsure, 0.5)
    assert priority(replace(lead, held=True)) < priority(sure, 1.0)
    assert 0 <= priority(sure) <= priority(lead, 1.0) <= 1


def test_suspicion_counts_what_people_said() -> None:
    spam, lead = Neighbour("a", "spam", True), Neighbour("b", "lead", True)
    unsaid = Neighbour("c", "lead", False)
    assert suspicion(settled(), [unsaid]) == 0
    assert suspicion(settled(), [lead]) == 0.5
    assert suspicion(settled(), [lead, spam, unsaid]) == pytest.approx(1 / 3)


def test_a_draw_is_always_the_same_and_about_the_share() -> None:
    ids = [f"inq_{number}" for number in range(5000)]
    found = [name for name in ids if drawn(name, 0.1, "audit")]
    assert 400 < len(found) < 600
    assert found == [name for name in ids if drawn(name, 0.1, "audit")]
    second = {name for name in ids if drawn(name, 0.1, "second")}
    assert len(second & set(found)) < 100
