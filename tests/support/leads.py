"""Mails that are settled by the real steps, and what destinations are then told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from classifiers.labels import Label
from tests.support import stored
from triage.pipeline.corrections import Corrections
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Business, Destination, People, Settings
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Delivery, Party, Stage

BUSINESS = Business(name="Brightwater", domains=("brightwater.example",), country="US")
WELL_STATED = (
    "Hello, we need 40 rooftop units replaced by May, budget $90,000, and I decide. "
    "Please call me on 614-555-0142.\n\nAnn Example\nFacilities Manager\nAcme Hotels"
)


@dataclass(frozen=True)
class Desk:
    """A store, settings, and the parts of the pipeline that decide and correct."""

    repository: Repository
    settings: Settings

    @property
    def steps(self) -> Steps:
        rulebook = Rulebook(self.settings.rules, self.settings.business)
        nothing = cast("Any", None)  # neither transcribing nor classifying is asked for
        return Steps(self.settings, self.repository, nothing, nothing, rulebook)

    @property
    def corrections(self) -> Corrections:
        return Corrections(self.settings, self.repository)

    def qualified(
        self,
        name: str,
        label: Label = "lead",
        text: str = WELL_STATED,
        *,
        sender: Party = Party("Ann Example", "ann@acmehotels.example"),  # noqa: B008 - frozen
        campaign: str = "",
        thread: Sequence[str] = (),
        held: str = "",
    ) -> Work:
        """A mail that waits for its decision."""
        worklist = self.repository.worklist
        work = stored.received(self.repository, name, held=held)
        inquiry = replace(
            stored.inquiry(work),
            text=text,
            sender=sender,
            campaign=campaign,
            thread=tuple(thread),
            recipients=(Party(email="sales@brightwater.example"),),
        )
        assert worklist.parsed(work, inquiry)
        work = stored.current(self.repository, work.id)
        assert worklist.classified(work, stored.verdict(label, 0.97))
        self.steps.qualify(stored.current(self.repository, work.id))
        return stored.current(self.repository, work.id)

    def settled(self, name: str, label: Label = "lead", **more: Any) -> str:
        """The id of a mail that went all the way."""
        work = self.qualified(name, label, **more)
        self.steps.settle(work)
        assert stored.current(self.repository, work.id).stage is Stage.SETTLED
        return work.id

    def events(self, inquiry_id: str | None = None) -> list[Delivery]:
        """What was put into the outbox, oldest first."""
        listed = self.repository.outbox.listed(inquiry_id=inquiry_id, limit=1000)
        return sorted(listed, key=lambda delivery: delivery.created_at)

    def types(self, inquiry_id: str | None = None) -> list[str]:
        """The types of the events."""
        return [delivery.event for delivery in self.events(inquiry_id)]


def desk(
    repository: Repository,
    *destinations: Destination,
    window: float = timedelta(days=30).total_seconds(),
    **more: Any,
) -> Desk:
    """A desk with these destinations, or one that takes everything."""
    targets = destinations or (Destination(name="crm", url="http://127.0.0.1:1/"),)
    settings = Settings(
        business=BUSINESS, destinations=targets, people=People(window=window), **more
    )
    return Desk(repository, settings)


def data(delivery: Delivery) -> dict[str, Any]:
    """An event's data."""
    return cast("dict[str, Any]", json.loads(delivery.body)["data"])
