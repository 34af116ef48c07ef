"""An event in a few lines for people: what a chat or a mail says about a lead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from triage.types import Delivery

_SIGNALS = {
    "contact_name": "Name", "role": "Role", "company": "Company", "phone": "Phone",
    "email": "Mail", "location": "Place", "product_interest": "Wants", "company_size": "Size",
    "budget": "Budget", "timeline": "When", "readiness": "Readiness",
    "decision_maker": "Decides",
}  # fmt: skip
_CAUSES = {
    "signals": "new details",
    "transcript": "better transcript",
    "reply": "answered",
    "inquiry": "asked again",
    "withdrawn": "one inquiry was no lead",
}


@dataclass(frozen=True, slots=True)
class Message:
    """`facts` are label and value; `link` may be empty, `reply_to` is the contact's address."""

    title: str
    facts: tuple[tuple[str, str], ...]
    text: str
    link: str
    footer: str
    reply_to: str = ""

    @property
    def plain(self) -> str:
        """All of it as text."""
        facts = "\n".join(f"{label}: {value}" for label, value in self.facts)
        parts = (self.title, facts, self.text, self.link, self.footer)
        return "\n\n".join(part for part in parts if part)


def message(delivery: Delivery) -> Message:
    """What to tell people about an event."""
    event = json.loads(delivery.body)
    data = event["data"]
    return Message(
        title=_title(event["type"], data),
        facts=tuple(_facts(data)),
        text=_text(data),
        link=(data.get("links") or {}).get("inquiry") or "",
        footer=f"{data['inquiry_id']} · {delivery.id}",
        reply_to=_stated(data, "email"),
    )


def _title(event: str, data: dict[str, Any]) -> str:
    who = _stated(data, "company") or _stated(data, "contact_name") or _sender(data)
    grade = f" {data['grade']}" if data.get("grade") else ""
    score = f" ({data['score']})" if data.get("score") is not None else ""
    if event == "lead.retracted":
        by = f", says {data['corrected_by']}" if data.get("corrected_by") else ""
        return f"No lead after all: {who} is {data['label']}{by}"
    if event == "lead.updated":
        return f"Lead{grade}{score}, {_CAUSES[data['cause']]}: {who}"
    if event == "lead.qualified":
        return f"Lead{grade}{score}: {who}"
    if event == "lead.unacknowledged":
        return f"Nobody acknowledged lead{grade}{score}: {who}"
    return f"{str(data.get('label') or event).capitalize()}: {who}"


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [(label, stated) for name, label in _SIGNALS.items() if (stated := _stated(data, name))]
    for name, label in (("subject", "Subject"), ("campaign", "Campaign"), ("reason", "Because")):
        if data.get(name):
            facts.append((label, str(data[name])))
    return facts


def _text(data: dict[str, Any]) -> str:
    text = str(data.get("text") or data.get("note") or "")
    return f"{text} …" if data.get("text_truncated") else text


def _stated(data: dict[str, Any], name: str) -> str:
    signal = (data.get("signals") or {}).get(name)
    return str(signal["normalized"] or signal["value"]) if signal else ""


def _sender(data: dict[str, Any]) -> str:
    party = data.get("from")
    if isinstance(party, dict):
        return next((str(party[key]) for key in ("name", "email", "phone") if party[key]), "?")
    return str(party or "?")
