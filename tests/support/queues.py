"""A desk with a review queue, and inquiries that wait in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from classifiers.labels import Label
from tests.support import stored
from tests.support.leads import Desk, desk
from triage.pipeline.reviewing import Reviewing
from triage.review.queue import Queue
from triage.settings import Review
from triage.store.repository import Repository
from triage.types import Decision, Outcome, Party, Verdict


def reviewing(repository: Repository, **settings: Any) -> tuple[Desk, Reviewing]:
    """A desk that sends to a CRM, and what its reviewers do. Nothing is audited unless asked."""
    found = desk(repository, review=Review(**{"audit_share": 0.0} | settings))
    return found, Reviewing(Queue(found.settings.review, repository), found.corrections)


def unsure(label: Label, share: float = 0.4) -> Verdict:
    """A verdict that a person has to look at."""
    return replace(stored.verdict(label, share), abstained=True)


def settle(
    crm: Desk,
    name: str,
    verdict: Verdict,
    text: str = "",
    sender: Party | None = None,
    outcome: Outcome | None = None,
) -> str:
    """The id of a mail that was settled with this verdict, as the worker does."""
    repository = crm.repository
    work = stored.received(repository, name)
    inquiry = replace(
        stored.inquiry(work),
        text=text or f"Message {name}",
        subject=f"About {name}",
        sender=sender or Party(f"Person {name}", f"{name}@{name}.example"),
    )
    assert repository.worklist.parsed(work, inquiry)
    assert repository.worklist.classified(stored.current(repository, work.id), verdict)
    crm.steps.qualify(stored.current(repository, work.id))
    if outcome is None:
        crm.steps.settle(stored.current(repository, work.id))
    else:
        decision = Decision(outcome, "as the test says")
        assert repository.worklist.settled(stored.current(repository, work.id), decision, [])
    return work.id
