"""What a customer database wants to know of a lead, out of an event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from triage.delivery import events
from triage.errors import Configuration
from triage.types import Delivery

_LONGEST = 30_000
_OF_LEADS = (events.LEAD_QUALIFIED, events.LEAD_UPDATED, events.LEAD_RETRACTED)


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead as databases have them. `key` is the id of the event that told of it first, so all
    events about it reach the same record. Unknown parts are empty.
    """

    key: str
    event: str
    first_name: str
    last_name: str
    company: str
    email: str
    phone: str
    role: str
    grade: str
    subject: str
    description: str
    campaign: str

    @property
    def name(self) -> str:
        """The person's name, or the best there is instead."""
        known = " ".join(part for part in (self.first_name, self.last_name) if part)
        return known or self.company or self.email or self.phone or "Unknown"

    @property
    def retracted(self) -> bool:
        """Whether it is none after all."""
        return self.event == events.LEAD_RETRACTED


def lead(delivery: Delivery) -> Lead:
    """The lead that an event is about. Raises `Configuration` for events that are about none."""
    if delivery.event not in _OF_LEADS:
        raise Configuration(
            f"a customer database takes {', '.join(_OF_LEADS)}, not {delivery.event}; take it out "
            f"of the events of destination {delivery.destination!r}"
        )
    event = json.loads(delivery.body)
    data = event["data"]
    party = data.get("from") if isinstance(data.get("from"), dict) else {}
    name = _stated(data, "contact_name") or str(party.get("name") or "")
    first, _, last = name.strip().rpartition(" ")
    return Lead(
        key=str(data.get("refers_to") or delivery.id),
        event=event["type"],
        first_name=first[:40],
        last_name=last[:80],
        company=_stated(data, "company")[:255],
        email=_stated(data, "email")[:80],
        phone=_stated(data, "phone")[:40],
        role=_stated(data, "role")[:128],
        grade=str(data.get("grade") or ""),
        subject=str(data.get("subject") or "")[:255],
        description=_description(data)[:_LONGEST],
        campaign=str(data.get("campaign") or "")[:255],
    )


def _description(data: dict[str, Any]) -> str:
    signals = data.get("signals") or {}
    stated = [
        f"{name.replace('_', ' ')}: {signal['value']}" for name, signal in signals.items() if signal
    ]
    score = data.get("score")
    worth = f"Score {score}, grade {data.get('grade')}" if score is not None else ""
    link = (data.get("links") or {}).get("inquiry") or ""
    parts = (
        data.get("subject"), data.get("reason"), worth, "\n".join(stated), link,
        data.get("text") or data.get("note"), f"inquiry {data['inquiry_id']}",
    )  # fmt: skip
    return "\n\n".join(str(part) for part in parts if part)


def _stated(data: dict[str, Any], name: str) -> str:
    signal = (data.get("signals") or {}).get(name)
    return str(signal["normalized"] or signal["value"]) if signal else ""
