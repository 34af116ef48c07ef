"""The events: their types, their ids, and the envelope that all of them have.

A body is built once, when the outcome is decided, and stored; every try sends the same bytes. What
`data` holds is in `payload`; JSON Schemas are in `schemas/`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

SCHEMA: Final = "1"
MAX_BYTES: Final = 20_000  # Standard Webhooks 1.0.0 asks for bodies under 20 kB
LEAD_QUALIFIED: Final = "lead.qualified"
LEAD_UPDATED: Final = "lead.updated"
LEAD_RETRACTED: Final = "lead.retracted"
INQUIRY_CLASSIFIED: Final = "inquiry.classified"
TYPES: Final = (LEAD_QUALIFIED, LEAD_UPDATED, LEAD_RETRACTED, INQUIRY_CLASSIFIED)


def message_id(identity: str, destination: str, event: str, number: int = 1) -> str:
    """The webhook-id of the `number`-th event of a type about one inquiry for one destination.

    It follows from what the inquiry is. So it is the same even if the database lost its last
    seconds (a power cut, a restored backup) and the inquiry is taken in and decided again.
    """
    told = "\0".join((identity, destination, event, str(number)))
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def envelope(event: str, data: dict[str, Any], at: datetime) -> str:
    """JSON text of an event."""
    told = {"type": event, "schema": SCHEMA, "timestamp": at.isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def schema(event: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event type's whole body."""
    text = files("triage.delivery").joinpath("schemas", f"{event}.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
