"""Calendar parts (RFC 5545) as lines for people; imported only in the child process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

from icalendar import Calendar

EVENTS: Final = 50
"""Events that are read of one calendar."""

_METHODS: Final = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Other time proposed",
    "PUBLISH": "Event",
}
_FIELDS: Final = (
    ("DTSTART", "Start"), ("DTEND", "End"), ("DUE", "Due"), ("LOCATION", "Place"),
    ("ORGANIZER", "Organizer"), ("ATTENDEE", "Attendee"), ("STATUS", "Status"),
    ("CONTACT", "Contact"), ("COMMENT", "Comment"), ("URL", "Link"), ("DESCRIPTION", "Description"),
)  # fmt: skip


def calendar_text(data: bytes) -> tuple[str, str]:
    """What a calendar says, event by event. Raises `ValueError` where it is none."""
    calendar = Calendar.from_ical(data)
    kind = _METHODS.get(str(calendar.get("METHOD", "")).upper(), "Event")
    entries = [part for part in calendar.walk() if part.name in {"VEVENT", "VTODO", "VFREEBUSY"}]
    if not entries:
        raise ValueError("a calendar without events")
    blocks = ["\n".join(_lines(kind, entry)) for entry in entries[:EVENTS]]
    note = f"{EVENTS} of {len(entries)} events were read" if len(entries) > EVENTS else ""
    return "\n\n".join(blocks), note


def _lines(kind: str, entry: Any) -> Iterator[str]:
    yield f"{kind}: {entry.get('SUMMARY', '')}".rstrip()
    for name, shown in _FIELDS:
        values = entry.get(name)
        for value in (values if isinstance(values, list) else [values])[:50]:
            if text := _value(value):
                yield f"{shown}: {text}"


def _value(value: Any) -> str:
    """A value for people: times in ISO form with their zone, people with their name."""
    if value is None:
        return ""
    when = getattr(value, "dt", None)
    if isinstance(when, datetime):
        zone = when.tzname() or ""
        return f"{when:%Y-%m-%d %H:%M} {zone}".rstrip()
    if isinstance(when, date):
        return when.isoformat()
    address = str(value)
    if address.lower().startswith("mailto:"):
        name = str(getattr(value, "params", {}).get("CN", ""))
        return f"{name} <{address[7:]}>" if name else address[7:]
    return address
