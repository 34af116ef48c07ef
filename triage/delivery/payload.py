"""What an event says: the `data` of each type, never more than fits into `MAX_BYTES`.

A text that is too long is shortened, and says so, with a reference to the whole. Everything else is
clipped only where even that does not suffice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from classifiers.labels import SIGNALS
from triage.delivery import events
from triage.delivery.links import LinkSigner
from triage.types import (
    Decision,
    Inquiry,
    Party,
    Qualification,
    Signal,
    Transcript,
    Verdict,
    Voicemail,
)

Cause = Literal["signals", "transcript", "reply", "inquiry", "withdrawn"]
_CLIPS: Final = (300, 100, 30, 10)  # characters of any one value, in the order they are tried
_COMPARED: Final = (
    "label", "own_label", "outcome", "score", "grade", "from", "subject", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """Everything known about one inquiry when it was decided."""

    inquiry: Inquiry
    transcript: Transcript | None
    verdict: Verdict
    qualification: Qualification | None
    decision: Decision

    @property
    def text(self) -> str:
        """What was said or written."""
        return self.transcript.text if self.transcript else self.inquiry.body


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who tells it: the business, its links, and the person an inquiry came from (id, known).

    `acknowledged`: somebody listens for acknowledgements, so leads carry a link for that.
    """

    business: str
    links: LinkSigner
    at: datetime
    person: tuple[str, bool] | None = None
    acknowledged: bool = False


def lead_qualified(case: Case, speaker: Speaker) -> str:
    """A lead that the destination does not know yet."""
    return _fitted(events.LEAD_QUALIFIED, case, speaker, {})


def lead_updated(
    case: Case, speaker: Speaker, *, refers_to: str, cause: Cause, changes: Sequence[str]
) -> str:
    """News of the lead that the event `refers_to` told of; `changes` name what is different."""
    more = {"refers_to": refers_to, "cause": cause, "changes": list(changes)[:30]}
    return _fitted(events.LEAD_UPDATED, case, speaker, more)


def lead_retracted(
    case: Case, speaker: Speaker, *, refers_to: str, previous: str, by: str, note: str
) -> str:
    """The lead that the event `refers_to` told of is none."""
    for clip in _CLIPS:
        data = _inquiry(case, speaker, clip) | {
            "refers_to": refers_to,
            **_judged(case, clip),
            "previous_label": previous or None,
            "corrected_by": by[:clip] or None,
            "note": note[: clip * 5] or None,
        }
        body = events.envelope(events.LEAD_RETRACTED, data, speaker.at)
        if _size(body) <= events.MAX_BYTES:
            break
    return body


def inquiry_classified(case: Case, speaker: Speaker) -> str:
    """What an inquiry was found to be, lead or not, without its text."""
    for clip in _CLIPS:
        data = _inquiry(case, speaker, clip) | {
            **_judged(case, clip),
            "scores": {label: round(score, 4) for label, score in case.verdict.scores.items()},
            "abstained": case.verdict.abstained,
            "score": case.qualification.score if case.qualification else None,
            "grade": case.qualification.grade if case.qualification else None,
        }
        body = events.envelope(events.INQUIRY_CLASSIFIED, data, speaker.at)
        if _size(body) <= events.MAX_BYTES:
            break
    return body


def changes(previous: str, body: str) -> list[str]:
    """What a lead's event says otherwise than an earlier one, as `score` or `signals.budget`."""
    before, after = json.loads(previous)["data"], json.loads(body)["data"]
    found = [name for name in _COMPARED if before.get(name) != after.get(name)]
    stated = [name for name in SIGNALS if _stated(before, name) != _stated(after, name)]
    return [*found, *(f"signals.{name}" for name in stated)]


def _stated(data: dict[str, Any], name: str) -> tuple[Any, Any] | None:
    signal = (data.get("signals") or {}).get(name)
    return (signal["value"], signal["normalized"]) if signal else None


def _fitted(event: str, case: Case, speaker: Speaker, more: dict[str, Any]) -> str:
    """The body with as much of the text as there is room for."""
    for clip in _CLIPS:
        data = _inquiry(case, speaker, clip) | more | _judged(case, clip) | _worth(case, clip)
        whole = events.envelope(event, data | _text(case, len(case.text), speaker), speaker.at)
        if _size(whole) <= events.MAX_BYTES:
            return whole
        bare = events.envelope(event, data | _text(case, 0, speaker), speaker.at)
        room = events.MAX_BYTES - _size(bare)
        # A lead without its text is worth less than one with shortened evidence.
        if room >= min(events.MAX_BYTES // 2, _size(whole) - _size(bare)) or clip == _CLIPS[-1]:
            break
    length = _fitting(case.text, room)
    return events.envelope(event, data | _text(case, length, speaker), speaker.at)


def _fitting(text: str, room: int) -> int:
    """How many characters of a text, as JSON, take no more than `room` bytes."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _size(json.dumps(text[:middle], ensure_ascii=False)) - 2 <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _size(text: str) -> int:
    return len(text.encode())


def _inquiry(case: Case, speaker: Speaker, clip: int) -> dict[str, Any]:
    inquiry = case.inquiry
    person = speaker.person
    return {
        "inquiry_id": inquiry.id,
        "person": {"id": person[0], "known": person[1]} if person else None,
        "channel": inquiry.channel,
        "business": speaker.business[:clip],
        "source": inquiry.ref.source,
        "campaign": inquiry.campaign[:clip] or None,
        "received_at": inquiry.received_at.isoformat(),
        "from": _party(inquiry.author, clip),
        "to": [_party(party, clip) for party in inquiry.recipients[: max(1, clip // 30)]],
        "subject": inquiry.subject[: clip * 2],
        "duration_s": inquiry.duration_s,
        "voicemail": _voicemail(inquiry.voicemail, clip),
        "links": _links(inquiry.id, speaker),
    }


def _voicemail(found: Voicemail | None, clip: int) -> dict[str, str | None] | None:
    """What is known of a voicemail that came as a mail; null for everything else."""
    if found is None:
        return None
    return {
        "system": found.system,
        "mailbox": found.mailbox[:clip] or None,
        "mailed_by": found.mailed_by[:clip] or None,
        "heard_by_system": found.heard[: clip * 2] or None,
    }


def _links(inquiry_id: str, speaker: Speaker) -> dict[str, str | None]:
    acknowledge = speaker.links.link(f"/acknowledge/{inquiry_id}", speaker.at)
    return {
        "inquiry": speaker.links.inquiry(inquiry_id, speaker.at),
        "acknowledge": acknowledge if speaker.acknowledged else None,
    }


def _judged(case: Case, clip: int) -> dict[str, Any]:
    verdict = case.verdict
    return {
        "label": verdict.label,
        "own_label": verdict.own or None,
        "confidence": round(verdict.confidence, 4),
        "model": verdict.model[:200],
        "outcome": case.decision.outcome,
        "reason": case.decision.reason[: clip * 2],
    }


def _worth(case: Case, clip: int) -> dict[str, Any]:
    found = case.qualification
    parts = found.parts if found else ()
    return {
        "score": found.score if found else None,
        "score_parts": [
            {"name": part.name, "points": part.points, "reason": part.reason[:clip]}
            for part in parts
        ],
        "grade": found.grade if found else None,
        "signals": {
            name: _signal(found.signals.get(name) if found else None, clip) for name in SIGNALS
        },
    }


def _text(case: Case, length: int, speaker: Speaker) -> dict[str, Any]:
    whole = case.text
    if length >= len(whole):
        return {"text": whole, "text_truncated": False, "text_reference": None}
    reference = {
        "inquiry_id": case.inquiry.id,
        "characters": len(whole),
        "url": speaker.links.inquiry(case.inquiry.id, speaker.at),
    }
    return {"text": whole[:length], "text_truncated": True, "text_reference": reference}


def _party(party: Party, clip: int) -> dict[str, str | None]:
    short = replace(
        party, name=party.name[: min(clip, 200)], email=party.email[:320], phone=party.phone[:40]
    )
    return {"name": short.name or None, "email": short.email or None, "phone": short.phone or None}


def _signal(signal: Signal | None, clip: int) -> dict[str, Any] | None:
    if signal is None:
        return None
    return {
        "value": signal.value[:clip],
        "normalized": signal.normalized[:clip] or None,
        "confidence": round(signal.confidence, 3),
        "evidence": [
            {
                "field": evidence.field,
                "quote": evidence.quote[:clip],
                "start": evidence.start,
                "end": evidence.end,
                "at_s": evidence.at_s,
            }
            for evidence in signal.evidence[:2]
        ],
    }
