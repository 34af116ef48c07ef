"""Inquiries at any stage of the path, put into a store as the pipeline does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from classifiers.labels import LABELS, Label
from triage.store import records
from triage.store.arrivals import Arrival
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import (
    Channel,
    Decision,
    Delivery,
    DeliveryState,
    Evidence,
    Inquiry,
    Outcome,
    Party,
    Qualification,
    RawItem,
    ScorePart,
    Segment,
    Signal,
    SourceRef,
    Stage,
    TimedWord,
    Transcript,
    Verdict,
)

ARRIVED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def arrival(
    name: str,
    *,
    channel: Channel = "email",
    key: str = "",
    refused: str = "",
    held: str = "",
    received_at: datetime = ARRIVED,
) -> Arrival:
    """An item; equal names are equal items."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    reference = SourceRef("inbox", "imap", key or f"INBOX/1/{name}")
    raw = RawItem(reference, received_at, sha256, len(name), "message/rfc822")
    return Arrival(raw, channel, f"mail:{sha256}", campaign="spring", refused=refused, held=held)


def received(
    repository: Repository, name: str = "one", *, channel: Channel = "email", held: str = ""
) -> Work:
    """An inquiry that was just taken in."""
    (inquiry_id,) = repository.arrivals.receive([arrival(name, channel=channel, held=held)])
    return current(repository, inquiry_id)


def current(repository: Repository, inquiry_id: str) -> Work:
    """The row as it is now."""
    work = repository.worklist.get(inquiry_id)
    assert work is not None
    return work


def brought_to(repository: Repository, stage: Stage, name: str = "one") -> Work:
    """An inquiry that has come as far as `stage`, by the same moves that the steps make."""
    work = received(repository, name)
    worklist = repository.worklist
    moves: dict[Stage, Callable[[], bool]] = {
        Stage.PARSED: lambda: worklist.parsed(work, inquiry(work)),
        Stage.TRANSCRIBED: lambda: worklist.transcribed(work, transcript()),
        Stage.CLASSIFIED: lambda: worklist.classified(work, verdict()),
        Stage.QUALIFIED: lambda: worklist.qualified(work, qualification()),
        Stage.SETTLED: lambda: worklist.settled(work, decision(), [delivery(work)]),
    }
    for next_stage, move in moves.items():
        if work.stage is stage:
            break
        for _ in range(50):  # a worker that runs may try an inquiry in between
            if move():
                break
            work = current(repository, work.id)
        work = current(repository, work.id)
        assert work.stage is next_stage
    return work


def inquiry(work: Work) -> Inquiry:
    """What was parsed."""
    return Inquiry(
        id=work.id,
        ref=work.ref,
        channel=work.channel,
        received_at=work.received_at,
        sender=Party("Ann Example", "ann@example.org"),
        recipients=(Party(email="sales@example.com"),),
        subject="Quote for 40 seats",
        text="We need 40 seats by May. — Ann 📞",
        headers={"list-id": ""},
        campaign="summer",
        warnings=("a warning",),
    )


def transcript() -> Transcript:
    """What was said."""
    words = (TimedWord(0.2, 0.9, "Hello"),)
    said = Segment(0.0, 1.5, "caller", "Hello", 0.9, words=words)
    return Transcript((said,), "en", "test", "base", 1.5)


def verdict(label: Label = "lead", share: float = 0.9) -> Verdict:
    """A label with `share` of the probability."""
    rest = (1 - share) / (len(LABELS) - 1)
    scores = {name: share if name == label else rest for name in LABELS}
    return Verdict(label, scores, share - rest, abstained=False, model="test@1")


def qualification() -> Qualification:
    """A lead with one signal."""
    evidence = Evidence("40 seats", 8, 16)
    return Qualification(
        signals={"company_size": Signal("company_size", "40", 0.8, (evidence,))},
        score=60,
        parts=(ScorePart("need", 60, "names a need"),),
        grade="B",
    )


def decision(outcome: Outcome = Outcome.FORWARD) -> Decision:
    """What happens to it."""
    return Decision(outcome, "lead at 90%, score 60 reaches 30")


def delivery(work: Work, destination: str = "crm", wait: timedelta = timedelta()) -> Delivery:
    """An event for one destination, due after `wait`."""
    moment = records.now()
    return Delivery(
        id=records.new_id("msg"),
        inquiry_id=work.id,
        destination=destination,
        event="lead.qualified",
        body='{"type": "lead.qualified"}',
        attempts=0,
        state=DeliveryState.PENDING,
        created_at=moment,
        next_at=moment + wait,
    )
