"""What a destination is told about a lead: the body of a Standard Webhooks message.

The body is built once, when the outcome is decided, and stored; every try sends the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from classifiers.labels import SIGNALS
from triage.types import Decision, Inquiry, Party, Qualification, Signal, Transcript, Verdict

SCHEMA = "1"
MAX_BYTES = 20_000  # Standard Webhooks 1.0.0 asks for bodies under 20 kB
LEAD_QUALIFIED = "lead.qualified"


def message_id(identity: str, destination: str, event: str, number: int = 1) -> str:
    """The webhook-id of the `number`-th event of a type about one inquiry for one destination.

    It follows from what the inquiry is. So it is the same even if the database lost its last
    seconds (a power cut, a restored backup) and the inquiry is taken in and decided again.
    """
    told = "\0".join((identity, destination, event, str(number)))
    return f"msg_{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def lead_qualified(
    inquiry: Inquiry,
    transcript: Transcript | None,
    verdict: Verdict,
    qualification: Qualification,
    decision: Decision,
    *,
    business: str,
    at: datetime,
) -> str:
    """JSON text of a `lead.qualified` event, at most `MAX_BYTES` bytes in UTF-8.

    The text of a long inquiry is shortened to fit; `text_truncated` says so.
    """
    text = transcript.text if transcript else inquiry.body
    data: dict[str, Any] = {
        "inquiry_id": inquiry.id,
        "channel": inquiry.channel,
        "business": business,
        "source": inquiry.ref.source,
        "campaign": inquiry.campaign or None,
        "received_at": inquiry.received_at.isoformat(),
        "from": _party(inquiry.sender),
        "to": [_party(party) for party in inquiry.recipients[:10]],
        "subject": inquiry.subject[:500],
        "label": verdict.label,
        "confidence": round(verdict.confidence, 4),
        "model": verdict.model,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "score": qualification.score,
        "score_parts": [asdict(part) for part in qualification.parts],
        "grade": qualification.grade,
        "signals": {name: _signal(qualification.signals.get(name)) for name in SIGNALS},
        "duration_s": inquiry.duration_s,
        "text": text,
        "text_truncated": False,
    }
    event = {"type": LEAD_QUALIFIED, "schema": SCHEMA, "timestamp": at.isoformat(), "data": data}
    body = _encode(event)
    while len(body.encode()) > MAX_BYTES and data["text"]:
        excess = len(body.encode()) - MAX_BYTES
        # A character is at least one byte in the body, so this ends after few rounds.
        data["text"] = data["text"][: max(0, len(data["text"]) - max(excess // 4, 1))]
        data["text_truncated"] = True
        body = _encode(event)
    if len(body.encode()) > MAX_BYTES:
        data["signals"] = {
            name: _signal(qualification.signals.get(name), longest=60) for name in SIGNALS
        }
        data["to"] = data["to"][:1]
        body = _encode(event)
    return body


def _encode(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _party(party: Party) -> dict[str, str | None]:
    short = replace(party, name=party.name[:200], email=party.email[:320], phone=party.phone[:40])
    return {name: value or None for name, value in asdict(short).items()}


def _signal(signal: Signal | None, longest: int = 300) -> dict[str, Any] | None:
    if signal is None:
        return None
    return {
        "value": signal.value[:longest],
        "normalized": signal.normalized[:longest] or None,
        "confidence": round(signal.confidence, 3),
        "evidence": [
            {
                "field": evidence.field,
                "quote": evidence.quote[:longest],
                "start": evidence.start,
                "end": evidence.end,
                "at_s": evidence.at_s,
            }
            for evidence in signal.evidence[:2]
        ],
    }
