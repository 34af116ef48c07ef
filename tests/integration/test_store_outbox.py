"""Order, replay, speed, conditions and acknowledgements, on each kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from tests.support import stored
from triage.store import outbox, records, tables
from triage.store.outbox import Attempt, Settlement
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState, Outcome, Stage

ACCEPTED, DEAD, PENDING = DeliveryState.ACCEPTED, DeliveryState.DEAD, DeliveryState.PENDING


def put(repository: Repository, work: Work, event: str, **more: str) -> Delivery:
    delivery = replace(stored.delivery(work), event=event, **more)  # type: ignore[arg-type]
    with repository.database.write() as connection:
        outbox.add(connection, [delivery])
    return delivery


def due(repository: Repository, destination: str = "crm") -> list[str]:
    return [delivery.id for delivery in repository.outbox.due(destination, 100)]


def end(repository: Repository, delivery: Delivery, state: DeliveryState = ACCEPTED) -> None:
    attempt = Attempt(records.now(), 0.5, 200 if state is ACCEPTED else 500, "")
    assert repository.outbox.tried(delivery, attempt, state)


def test_events_of_an_inquiry_leave_one_after_the_other(any_repository: Repository) -> None:
    work = stored.received(any_repository)
    first = put(any_repository, work, "lead.qualified")
    second = put(any_repository, work, "lead.retracted")
    third = put(any_repository, work, "lead.qualified")
    elsewhere = put(any_repository, work, "lead.qualified", destination="chat")
    for delivery, state in ((first, ACCEPTED), (second, DEAD), (third, ACCEPTED)):
        assert due(any_repository) == [delivery.id]
        end(any_repository, delivery, state)
    assert due(any_repository) == []
    assert due(any_repository, "chat") == [elsewhere.id]


def test_one_that_waits_for_its_next_try_holds_back_its_own_inquiry_only(
    any_repository: Repository,
) -> None:
    one, two = stored.received(any_repository, "one"), stored.received(any_repository, "two")
    first = put(any_repository, one, "lead.qualified")
    put(any_repository, one, "lead.updated")
    other = put(any_repository, two, "lead.qualified")
    later = records.now() + timedelta(hours=1)
    attempt = Attempt(records.now(), 0.5, 500, "busy")
    assert any_repository.outbox.tried(first, attempt, PENDING, later)
    assert due(any_repository) == [other.id]


def test_news_of_a_lead_never_overtakes_the_lead_of_another_inquiry(
    any_repository: Repository,
) -> None:
    one, two = stored.received(any_repository, "one"), stored.received(any_repository, "two")
    lead = put(any_repository, one, "lead.qualified")
    update = put(any_repository, two, "lead.updated", refers_to=lead.id)
    assert due(any_repository) == [lead.id]
    end(any_repository, lead)
    assert due(any_repository) == [update.id]


def test_dead_letters_are_replayed_in_bulk_for_one_destination_or_all(
    any_repository: Repository,
) -> None:
    works = [stored.received(any_repository, str(number)) for number in range(4)]
    crm = [put(any_repository, work, "lead.qualified") for work in works]
    chat = [put(any_repository, work, "lead.qualified", destination="chat") for work in works]
    for delivery in (*crm[1:], *chat):
        end(any_repository, delivery, DEAD)
    assert any_repository.outbox.revive_all(destination="crm") == 3
    assert sorted(due(any_repository)) == sorted(delivery.id for delivery in crm)
    assert due(any_repository, "chat") == []
    assert any_repository.outbox.revive_all() == 4
    assert any_repository.outbox.revive_all() == 0
    revived = any_repository.outbox.listed(destination="chat")[0]
    assert (revived.state, revived.attempts) == (PENDING, 0)
    counts = any_repository.outbox.counts_by_destination()
    assert counts == {"crm": {PENDING: 4}, "chat": {PENDING: 4}}


def test_the_time_from_arrival_to_acceptance_is_kept(any_repository: Repository) -> None:
    assert any_repository.outbox.speed("crm") == (None, None)
    work = stored.received(any_repository)
    delivery = put(any_repository, work, "lead.qualified")
    at = stored.ARRIVED + timedelta(seconds=40)
    any_repository.outbox.tried(delivery, Attempt(at, 2.5, 200, ""), ACCEPTED)
    (row,) = any_repository.outbox.listed()
    assert row.arrival_s == pytest.approx(42.5)
    assert row.accepted_at == at + timedelta(seconds=2.5)
    assert any_repository.outbox.speed("crm") == pytest.approx((42.5, 42.5))


def test_a_destination_is_stopped_until_somebody_enables_it(any_repository: Repository) -> None:
    destinations = any_repository.destinations
    until = records.now() + timedelta(minutes=5)
    destinations.pause("crm", until, 5, "no answer")
    assert destinations.conditions()["crm"].is_paused(records.now())
    destinations.stop("crm", "answered 410")
    destinations.pause("crm", until, 6, "no answer")  # somebody was late
    destinations.recovered("crm")
    condition = destinations.conditions()["crm"]
    assert condition.is_stopped
    assert condition.reason == "answered 410"
    assert destinations.enable("crm")
    assert not destinations.enable("crm")
    assert destinations.conditions() == {}
    destinations.pause("crm", until, 5, "no answer")
    destinations.recovered("crm")
    assert destinations.conditions() == {}


def test_the_first_who_looks_after_a_lead_counts(any_repository: Repository) -> None:
    work = stored.brought_to(any_repository, Stage.SETTLED)
    known = any_repository.acknowledgements
    assert known.get(work.id) is None
    assert known.acknowledge(work.id, "ann")
    assert not known.acknowledge(work.id, "bob")
    found = known.get(work.id)
    assert found is not None
    assert found.by == "ann"
    assert any_repository.archive.history(work.id)[-1].event == "acknowledged"
    with pytest.raises(KeyError):
        known.acknowledge("inq_unknown", "ann")


def test_hot_leads_are_overdue_once(any_repository: Repository) -> None:
    work = stored.brought_to(any_repository, Stage.SETTLED)  # forwarded, score 60, grade B
    known = any_repository.acknowledgements
    nothing, day = timedelta(0), timedelta(days=1)

    def overdue(
        waited: timedelta = nothing, grades: tuple[str, ...] = ("A", "B"), score: int = 0
    ) -> list[str]:
        found = known.overdue("lead.unacknowledged", waited, day, grades, score)
        return [lead.inquiry_id for lead in found]

    assert overdue() == [work.id]
    assert overdue(waited=timedelta(minutes=1)) == []
    assert overdue(grades=("A",)) == []
    assert overdue(score=61) == []
    event = replace(stored.delivery(work, "boss"), event="lead.unacknowledged")
    assert known.escalate(event)
    assert overdue() == []


def test_what_somebody_looks_after_is_not_escalated(any_repository: Repository) -> None:
    work = stored.brought_to(any_repository, Stage.SETTLED)
    any_repository.acknowledgements.acknowledge(work.id, "ann")
    event = replace(stored.delivery(work, "boss"), event="lead.unacknowledged")
    assert not any_repository.acknowledgements.escalate(event)
    assert stored.decision().outcome == Outcome.FORWARD
    found = any_repository.acknowledgements.overdue(
        "lead.unacknowledged", timedelta(0), timedelta(days=1), ("B",), 0
    )
    assert found == []


def test_tries_are_stored_together_each_with_its_own_end(any_repository: Repository) -> None:
    works = [stored.received(any_repository, str(number)) for number in range(4)]
    leads = [put(any_repository, work, "lead.qualified") for work in works]
    with any_repository.database.write() as connection:  # one is erased meanwhile
        connection.execute(delete(tables.inquiries).where(tables.inquiries.c.id == works[3].id))
    good, bad = Attempt(records.now(), 0.5, 200, ""), Attempt(records.now(), 0.5, 500, "busy")
    later = records.now() + timedelta(hours=1)
    together = [
        Settlement(leads[2], bad, DEAD),
        Settlement(leads[0], good, ACCEPTED),
        Settlement(leads[3], good, ACCEPTED),
        Settlement(leads[1], bad, PENDING, later),
        Settlement(leads[0], bad, DEAD),  # somebody was late
    ]
    moved = any_repository.outbox.settle(together)
    assert moved == [together[0], together[1], together[3]]
    found = {row.id: (row.state, row.attempts) for row in any_repository.outbox.listed()}
    assert found == {
        leads[0].id: (ACCEPTED, 1), leads[1].id: (PENDING, 1), leads[2].id: (DEAD, 1),
    }  # fmt: skip
    assert len(any_repository.outbox.attempts(leads[0].id)) == 2
    last = [any_repository.archive.history(work.id)[-1].event for work in works[:3]]
    assert (last[0], last[2]) == ("delivered", "delivery_dead")
    assert last[1] not in {"delivered", "delivery_dead"}
    assert any_repository.outbox.settle(together[:2]) == []


def test_a_dead_lead_is_not_revived_once_its_retraction_was_accepted(
    any_repository: Repository,
) -> None:
    work = stored.received(any_repository)
    lead = put(any_repository, work, "lead.qualified")
    retraction = put(any_repository, work, "lead.retracted", refers_to=lead.id)
    end(any_repository, lead, DEAD)
    end(any_repository, retraction, DEAD)
    assert any_repository.outbox.revive_all() == 2  # both in their order: no harm
    assert due(any_repository) == [lead.id]
    end(any_repository, lead, DEAD)
    end(any_repository, retraction)
    assert any_repository.outbox.revive_all() == 0
    assert not any_repository.outbox.revive(lead.id)
    assert due(any_repository) == []
