"""Everything known about one inquiry, read together."""

from __future__ import annotations

from dataclasses import dataclass

from triage.store.acknowledgements import Acknowledgement
from triage.store.outbox import Attempt
from triage.store.people import Person
from triage.store.records import HistoryEntry, Listed, Work
from triage.store.repository import Repository
from triage.store.threads import Member
from triage.store.timings import Times
from triage.types import Decision, Delivery, Inquiry, Qualification, Transcript, Verdict

_OTHERS = 100  # inquiries of the same person, at most


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made an inquiry, and what else they asked, newest first. Unknown parts are empty."""

    id: str
    name: str
    company: str
    others: list[Listed]


@dataclass(frozen=True, slots=True)
class Dossier:
    """One inquiry with what every stage found; `None` where a stage has no result."""

    work: Work
    person: Caller | None
    inquiry: Inquiry | None
    transcript: Transcript | None
    verdict: Verdict | None
    qualification: Qualification | None
    decision: Decision | None
    deliveries: list[Delivery]
    attempts: dict[str, list[Attempt]]
    acknowledgement: Acknowledgement | None
    history: list[HistoryEntry]
    times: Times | None
    conversation: list[Member]


def collect(repository: Repository, inquiry_id: str) -> Dossier:
    """Read all of it."""
    with repository.snapshot():
        return _collected(repository, inquiry_id)


def _collected(repository: Repository, inquiry_id: str) -> Dossier:
    work = repository.worklist.get(inquiry_id)
    if work is None:
        raise KeyError(inquiry_id)
    archive = repository.archive
    deliveries = repository.outbox.listed(inquiry_id=inquiry_id)
    return Dossier(
        work=work,
        person=_caller(repository, inquiry_id, repository.people.of(inquiry_id)),
        inquiry=archive.content(inquiry_id),
        transcript=archive.transcript(inquiry_id),
        verdict=archive.verdict(inquiry_id),
        qualification=archive.qualification(inquiry_id),
        decision=archive.decision(inquiry_id),
        deliveries=deliveries,
        acknowledgement=repository.acknowledgements.get(inquiry_id),
        attempts={d.id: repository.outbox.attempts(d.id) for d in deliveries},
        history=archive.history(inquiry_id),
        times=repository.timings.of(inquiry_id),
        conversation=repository.threads.of(inquiry_id),
    )


def _caller(repository: Repository, inquiry_id: str, person: Person | None) -> Caller | None:
    if person is None:
        return None
    rows = repository.archive.listed(limit=_OTHERS + 1, person_id=person.id)
    others = [row for row in rows if row.id != inquiry_id]
    return Caller(person.id, person.name, person.company, others[:_OTHERS])
