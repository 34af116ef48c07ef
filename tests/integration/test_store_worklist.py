from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support import stored
from tests.support.stored import brought_to, current, received
from triage.store import records
from triage.store.outbox import Attempt
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import DeliveryState, Stage, Transcript

OPEN_STAGES = [Stage.RECEIVED, Stage.PARSED, Stage.TRANSCRIBED, Stage.CLASSIFIED, Stage.QUALIFIED]


def move(repository: Repository, work: Work) -> bool:
    """The step that an inquiry waits for."""
    worklist = repository.worklist
    moves: dict[Stage, Callable[[], bool]] = {
        Stage.RECEIVED: lambda: worklist.parsed(work, stored.inquiry(work)),
        Stage.PARSED: lambda: worklist.transcribed(work, stored.transcript()),
        Stage.TRANSCRIBED: lambda: worklist.classified(work, stored.verdict()),
        Stage.CLASSIFIED: lambda: worklist.qualified(work, stored.qualification()),
        Stage.QUALIFIED: lambda: worklist.settled(work, stored.decision(), [stored.delivery(work)]),
    }
    return moves[work.stage]()


def test_transcripts_of_before_words_had_times_are_read() -> None:
    text = records.dump(stored.transcript())
    older = text.replace(',"words":[[0.2,0.9,"Hello"]]', "")
    assert older != text
    (segment,) = records.restore(Transcript, older).segments
    assert (segment.text, segment.words) == ("Hello", ())


def test_the_whole_path_is_stored_and_told(any_repository: Repository) -> None:
    work = brought_to(any_repository, Stage.SETTLED)
    archive = any_repository.archive
    assert archive.content(work.id) == stored.inquiry(work)
    assert archive.transcript(work.id) == stored.transcript()
    assert archive.verdict(work.id) == stored.verdict()
    assert archive.qualification(work.id) == stored.qualification()
    assert archive.decision(work.id) == stored.decision()
    assert [entry.event for entry in archive.history(work.id)] == [
        "received",
        "parsed",
        "transcribed",
        "classified",
        "qualified",
        "decided",
    ]
    (line,) = archive.listed(label="lead")
    assert (line.outcome, line.score, line.grade, line.confidence) == ("forward", 60, "B", 0.9)
    assert (line.sender, line.subject) == ("Ann Example <ann@example.org>", "Quote for 40 seats")
    assert line.settled_at is not None
    assert current(any_repository, work.id).campaign == "summer"


@pytest.mark.parametrize("stage", OPEN_STAGES)
def test_a_step_done_twice_has_one_effect(any_repository: Repository, stage: Stage) -> None:
    work = brought_to(any_repository, stage)
    assert move(any_repository, work)
    history = any_repository.archive.history(work.id)
    assert not move(any_repository, work)  # what a worker does that was late
    assert any_repository.archive.history(work.id) == history
    assert len(any_repository.outbox.listed()) == (stage is Stage.QUALIFIED)


@pytest.mark.parametrize("stage", OPEN_STAGES)
def test_of_workers_that_race_for_a_move_one_wins(any_repository: Repository, stage: Stage) -> None:
    for number in range(6):
        work = brought_to(any_repository, stage, f"mail {number}")
        start = threading.Barrier(4)

        def race(work: Work = work, start: threading.Barrier = start) -> bool:
            start.wait()
            return move(any_repository, work)

        with ThreadPoolExecutor(4) as pool:
            results = [future.result() for future in [pool.submit(race) for _ in range(4)]]
        assert sorted(results) == [False, False, False, True]
    if stage is Stage.QUALIFIED:
        assert len(any_repository.outbox.listed()) == 6


def test_a_quarantine_and_a_move_exclude_each_other(any_repository: Repository) -> None:
    work = brought_to(any_repository, Stage.PARSED)
    assert any_repository.worklist.quarantined(work, "no such thing")
    assert not any_repository.worklist.transcribed(work, stored.transcript())
    assert any_repository.archive.transcript(work.id) is None
    assert not any_repository.worklist.postponed(work, "late", timedelta())


def test_a_decision_and_its_deliveries_are_one_transaction(any_repository: Repository) -> None:
    work = brought_to(any_repository, Stage.QUALIFIED)
    good = stored.delivery(work)
    with pytest.raises(Exception, match=r"(?i)unique"):
        any_repository.worklist.settled(work, stored.decision(), [good, good])
    assert current(any_repository, work.id).stage is Stage.QUALIFIED
    assert any_repository.archive.decision(work.id) is None
    assert any_repository.outbox.listed() == []
    two = [stored.delivery(work, "crm"), stored.delivery(work, "chat")]
    assert any_repository.worklist.settled(work, stored.decision(), two)
    assert any_repository.outbox.waiting_destinations() == ["chat", "crm"]
    due = [any_repository.outbox.due(name, 10) for name in ("crm", "chat")]
    assert due == [[delivery] for delivery in two]


def test_what_is_due_comes_nearest_to_its_end_first_then_oldest(
    any_repository: Repository,
) -> None:
    first = received(any_repository, "first")
    second = received(any_repository, "second")
    near = brought_to(any_repository, Stage.QUALIFIED, "near")
    later = received(any_repository, "later")
    settled = brought_to(any_repository, Stage.SETTLED, "settled")
    any_repository.worklist.postponed(later, "not now", timedelta(hours=1))
    due = any_repository.worklist.due("email", 10)
    assert [work.id for work in due] == [near.id, first.id, second.id]
    assert settled.id not in {work.id for work in due}
    skipped = any_repository.worklist.due("email", 10, skip=[near.id, first.id])
    assert [work.id for work in skipped] == [second.id]
    assert len(any_repository.worklist.due("email", 2)) == 2
    assert any_repository.worklist.open_count() == 4


def test_failures_are_counted_and_forgotten_by_the_next_step(any_repository: Repository) -> None:
    work = received(any_repository)
    worklist = any_repository.worklist
    assert worklist.postponed(work, "server away", timedelta())
    work = current(any_repository, work.id)
    worklist.begun([work])  # counted before it is tried: what kills the process counts too
    assert current(any_repository, work.id).attempts == 2
    assert worklist.postponed(work, "server away", timedelta())
    work = current(any_repository, work.id)
    assert worklist.postponed(work, "no password", timedelta(), counts=False)
    failed = current(any_repository, work.id)
    assert (failed.attempts, failed.error) == (2, "no password")
    assert worklist.parsed(failed, stored.inquiry(failed))
    moved = current(any_repository, work.id)
    assert (moved.attempts, moved.error) == (0, "")


@pytest.mark.parametrize(
    ("stage", "resumed"),
    [
        (Stage.RECEIVED, Stage.RECEIVED),
        (Stage.PARSED, Stage.PARSED),
        (Stage.TRANSCRIBED, Stage.TRANSCRIBED),
        (Stage.CLASSIFIED, Stage.CLASSIFIED),
        (Stage.QUALIFIED, Stage.QUALIFIED),
    ],
)
def test_a_quarantined_inquiry_goes_on_where_it_was(
    any_repository: Repository, stage: Stage, resumed: Stage
) -> None:
    work = brought_to(any_repository, stage)
    worklist = any_repository.worklist
    assert worklist.quarantined(work, "gave up")
    assert worklist.due("email", 10) == []
    assert worklist.open_count() == 0
    assert worklist.requeue(work.id)
    (again,) = worklist.due("email", 10)
    assert (again.stage, again.attempts, again.error) == (resumed, 0, "")
    assert move(any_repository, again)


def test_requeue_makes_a_waiting_inquiry_due_and_leaves_a_settled_one(
    any_repository: Repository,
) -> None:
    worklist = any_repository.worklist
    waiting = received(any_repository, "waiting")
    worklist.postponed(waiting, "not now", timedelta(days=1))
    assert worklist.due("email", 10) == []
    assert worklist.requeue(waiting.id)
    assert [work.id for work in worklist.due("email", 10)] == [waiting.id]
    settled = brought_to(any_repository, Stage.SETTLED, "settled")
    assert not worklist.requeue(settled.id)
    assert not worklist.requeue("inq_unknown")


def test_text_that_a_database_refuses_costs_nothing(any_repository: Repository) -> None:
    work = received(any_repository)
    odd = "a\0b \udcff 📞"
    inquiry = replace(stored.inquiry(work), subject=odd, text=odd, warnings=(odd,))
    assert any_repository.worklist.parsed(work, inquiry)
    found = any_repository.archive.content(work.id)
    assert found is not None
    assert len(found.text) == len(odd)  # offsets into the text stay true
    (line,) = any_repository.archive.listed()
    assert line.subject == "a\N{REPLACEMENT CHARACTER}b ? 📞"
    parsed = current(any_repository, work.id)
    assert any_repository.worklist.quarantined(parsed, odd)


def test_ids_are_found_by_their_beginning(any_repository: Repository) -> None:
    work = received(any_repository)
    assert any_repository.archive.find(work.id[:12]) == [work.id]
    assert any_repository.archive.find("inq%") == []


def test_an_outbox_row_ends_accepted_or_dead(any_repository: Repository) -> None:
    work = brought_to(any_repository, Stage.SETTLED)
    (delivery,) = any_repository.outbox.due("crm", 10)
    outbox = any_repository.outbox
    failed = Attempt(records.now(), 0.1, 503, "busy")
    soon = records.now() + timedelta(hours=1)
    assert outbox.tried(delivery, failed, DeliveryState.PENDING, soon)
    assert outbox.due("crm", 10) == []
    assert outbox.open_count() == 1
    assert outbox.tried(delivery, failed, DeliveryState.DEAD)
    assert outbox.open_count() == 0
    assert outbox.revive(delivery.id)
    (revived,) = outbox.due("crm", 10)
    assert revived.id == delivery.id
    assert outbox.tried(revived, Attempt(records.now(), 0.1, 200, ""), DeliveryState.ACCEPTED)
    assert not outbox.tried(revived, failed, DeliveryState.DEAD)  # somebody was late
    assert not outbox.revive(delivery.id)
    assert [attempt.status for attempt in outbox.attempts(delivery.id)] == [503, 503, 200, 503]
    events = [entry.event for entry in any_repository.archive.history(work.id)]
    assert events[-3:] == ["delivery_dead", "delivery_revived", "delivered"]


def test_of_senders_that_race_one_settles_the_row(any_repository: Repository) -> None:
    brought_to(any_repository, Stage.SETTLED)
    (delivery,) = any_repository.outbox.due("crm", 10)

    def accept(_: int) -> bool:
        attempt = Attempt(records.now(), 0.1, 200, "")
        return any_repository.outbox.tried(delivery, attempt, DeliveryState.ACCEPTED)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(accept, range(4))) == [False, False, False, True]
