"""Hot leads that nobody looks after are told to somebody else."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from triage.delivery import events
from triage.delivery.links import LinkSigner
from triage.pipeline.discretion import Discretion
from triage.settings import Acknowledge, Settings
from triage.store import records
from triage.store.acknowledgements import Overdue
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState

log = structlog.get_logger(__name__)

LEAD_UNACKNOWLEDGED: Final = "lead.unacknowledged"
_STILL_NEWS = timedelta(days=1)  # what is older was not watched when it came


@dataclass(frozen=True, slots=True)
class Escalation:
    """Watches over the leads that `[acknowledge]` is about."""

    settings: Settings
    repository: Repository
    looking: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def sweep(self) -> int:
        """Write `lead.unacknowledged` for every lead whose time is over; returns how many."""
        rules = self.settings.acknowledge
        if not rules.escalate_to or not self.looking.acquire(blocking=False):
            return 0  # where another thread looks, it finds what this one would
        try:
            return self._sweep(rules)
        finally:
            self.looking.release()

    def _sweep(self, rules: Acknowledge) -> int:
        waited = timedelta(seconds=rules.within)
        found = self.repository.acknowledgements.overdue(
            LEAD_UNACKNOWLEDGED, waited, waited + _STILL_NEWS, rules.grades, rules.min_score
        )
        return sum(self._escalate(lead, records.now()) for lead in found)

    def _escalate(self, lead: Overdue, at: datetime) -> bool:
        name = self.settings.acknowledge.escalate_to
        written = self.repository.acknowledgements.escalate(
            Delivery(
                id=events.message_id(lead.identity, name, LEAD_UNACKNOWLEDGED),
                inquiry_id=lead.inquiry_id,
                destination=name,
                event=LEAD_UNACKNOWLEDGED,
                body=self._body(lead, at),
                attempts=0,
                state=DeliveryState.PENDING,
                created_at=at,
                next_at=at,
            )
        )
        if written:
            log.warning("nobody acknowledged a lead", inquiry=lead.inquiry_id, told=name)
        return written

    def _body(self, lead: Overdue, at: datetime) -> str:
        archive = self.repository.archive
        redactor = Discretion.of(self.settings).outgoing
        inquiry = archive.content(lead.inquiry_id)
        inquiry = redactor.inquiry(inquiry) if inquiry else None
        qualification = archive.qualification(lead.inquiry_id)
        told = [
            delivery
            for delivery in self.repository.outbox.listed(inquiry_id=lead.inquiry_id)
            if delivery.event == events.LEAD_QUALIFIED
        ]
        links = LinkSigner.of(self.settings.links)
        data = {
            "inquiry_id": lead.inquiry_id,
            "channel": inquiry.channel if inquiry else None,
            "business": self.settings.business.name,
            "campaign": (inquiry.campaign if inquiry else "") or None,
            "from": str(inquiry.sender)[:500] if inquiry else None,
            "subject": inquiry.subject[:500] if inquiry else None,
            "score": qualification.score if qualification else None,
            "grade": qualification.grade if qualification else None,
            "received_at": inquiry.received_at.isoformat() if inquiry else None,
            "decided_at": lead.settled_at.isoformat(),
            "waited_s": round((at - lead.settled_at).total_seconds()),
            "told": [
                {"destination": d.destination, "id": d.id, "state": d.state.value} for d in told
            ],
            "links": {
                "inquiry": links.inquiry(lead.inquiry_id, at),
                "acknowledge": links.link(f"/acknowledge/{lead.inquiry_id}", at),
            },
        }
        return events.envelope(LEAD_UNACKNOWLEDGED, data, at)
