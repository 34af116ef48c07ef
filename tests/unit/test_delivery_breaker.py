"""When a destination is left alone, and when it is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from triage.delivery.answer import Answer
from triage.delivery.breaker import Breaker
from triage.settings import DeliveryRules

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RULES = DeliveryRules(breaker_after=3, breaker_pause=10, breaker_longest=25)
GOOD = Answer(accepted=True, status=204, error="", duration_s=0.1)


def answered(status: int | None, retry_after: float | None = None) -> Answer:
    return Answer(
        accepted=False, status=status, error="no", duration_s=0.1, retry_after=retry_after
    )


def tried(breaker: Breaker, answer: Answer | None, now: datetime = NOW) -> bool:
    assert breaker.enter(4, now)
    return breaker.leave(answer, now)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_at_most_so_many_are_under_way() -> None:
    breaker = Breaker(RULES)
    assert [breaker.enter(2, NOW) for _ in range(3)] == [True, True, False]
    breaker.leave(GOOD, NOW)
    assert breaker.enter(2, NOW)


@pytest.mark.parametrize("status", [None, 500, 503, 408, 429])
def test_failures_in_a_row_open_it_and_one_try_asks_whether_it_is_back(
    status: int | None,
) -> None:
    breaker = Breaker(RULES)
    assert [tried(breaker, answered(status)) for _ in range(3)] == [False, False, True]
    assert not breaker.enter(4, after(9))
    assert breaker.enter(4, after(11))
    assert not breaker.enter(4, after(11))  # one at a time
    assert breaker.leave(GOOD, after(12))
    assert breaker.room(4, after(12)) == 4
    assert breaker.failures == 0


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_is_wrong_with_a_message_is_not_the_destinations_fault(status: int) -> None:
    breaker = Breaker(RULES)
    assert not any(tried(breaker, answered(status)) for _ in range(10))
    assert breaker.room(4, NOW) == 4


def test_pauses_double_up_to_a_bound_and_begin_anew_after_success() -> None:
    breaker = Breaker(RULES)
    now, pauses = NOW, []
    for _ in range(3):
        tried(breaker, answered(500), now)
    for _ in range(4):
        assert breaker.paused_until is not None
        pauses.append((breaker.paused_until - now).total_seconds())
        now = breaker.paused_until
        assert tried(breaker, answered(500), now)
    assert pauses == [10, 20, 25, 25]
    assert breaker.paused_until is not None
    now = breaker.paused_until
    assert tried(breaker, GOOD, now)
    assert [tried(breaker, answered(500), now) for _ in range(3)] == [False, False, True]
    assert breaker.paused_until == now + timedelta(seconds=10)


def test_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(RULES)
    for answer in (answered(500), answered(500), GOOD, answered(500), answered(500)):
        assert not tried(breaker, answer)


def test_a_pause_that_is_asked_for_holds_for_the_whole_destination() -> None:
    breaker = Breaker(RULES)
    assert tried(breaker, answered(429, retry_after=60))
    assert not breaker.enter(4, after(59))
    assert breaker.enter(4, after(60))


def test_nobody_can_ask_for_more_than_a_day() -> None:
    breaker = Breaker(RULES)
    tried(breaker, answered(503, retry_after=1e9))
    assert breaker.paused_until == NOW + timedelta(days=1)


def test_what_was_under_way_when_it_opened_does_not_prolong_the_pause() -> None:
    breaker = Breaker(RULES)
    assert all(breaker.enter(9, NOW) for _ in range(6))
    changes = [breaker.leave(answered(None), NOW) for _ in range(6)]
    assert changes == [False, False, True, False, False, False]
    assert breaker.paused_until == after(10)


def test_a_try_that_could_not_be_made_says_nothing() -> None:
    breaker = Breaker(RULES)
    for _ in range(5):
        assert not tried(breaker, None)
    assert breaker.room(4, NOW) == 4


def test_after_a_restart_it_still_waits_and_then_asks_with_one() -> None:
    breaker = Breaker(RULES)
    breaker.resume(7, after(5))
    assert not breaker.enter(4, NOW)
    assert breaker.room(4, after(5)) == 1
    breaker.reset()
    assert breaker.room(4, NOW) == 4
