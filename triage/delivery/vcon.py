"""An inquiry as a vCon, the JSON container for conversations (draft-ietf-vcon-vcon-core-03).

The unsigned form. Calls are a `recording` dialog, without a body unless the audio is put in; mails
are a `text` dialog. A voicemail that came by mail is a dialog for each recording, with the mail as
an attachment. What was found is in `analysis`.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from classifiers.labels import SignalName
from triage import __version__
from triage.delivery.payload import Case
from triage.types import Party, Qualification, Signal, Transcript, Verdict

_VERSION: Final = "0.4.0"  # of the syntax that the draft defines
_VENDOR: Final = "triage"
_CONTACT: Final = 0  # the contact is the first party


def vcon(
    case: Case,
    *,
    identity: str,
    created_at: datetime,
    updated_at: datetime,
    domain: str = "",
    original: bytes | None = None,
    media_type: str = "",
    recordings: Sequence[bytes] = (),
    withheld: str = "",
) -> dict[str, Any]:
    """The container, ready for `json.dumps`.

    `identity` and `created_at` make the id: exporting again gives the same one. `domain` names who
    exports. `original`: the mail or the recording, to be put in whole, and `recordings` those of a
    voicemail, in their order; `withheld`: why the mail is not.
    """
    inquiry = case.inquiry
    if inquiry.voicemail:
        dialogs = _messages(case, recordings)
    else:
        dialogs = [_dialog(case, original, media_type)]
    return {
        "vcon": _VERSION,
        "uuid": str(container_id(identity, created_at, domain)),
        "created_at": created_at.isoformat(),
        "updated_at": updated_at.isoformat(),
        **({"subject": inquiry.subject} if inquiry.subject else {}),
        "parties": [_party(inquiry.sender, case.qualification), *map(_party, inquiry.recipients)],
        "dialog": dialogs,
        "analysis": _analysis(case),
        "attachments": _attachments(case, original, media_type, withheld),
    }


def container_id(identity: str, created_at: datetime, domain: str) -> uuid.UUID:
    """A version 8 UUID as the draft builds it: 48 bits of milliseconds, 12 bits that tell two
    apart (here: of the identity), and the high 62 bits of the SHA-1 of the exporting domain.
    """
    milliseconds = int(created_at.timestamp() * 1000) & ((1 << 48) - 1)
    middle = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:2]) >> 4
    name = (domain or "localhost").encode()
    named = int.from_bytes(hashlib.sha1(name, usedforsecurity=False).digest()[:8]) >> 2
    return uuid.UUID(int=milliseconds << 80 | 8 << 76 | middle << 64 | 0b10 << 62 | named)


def _party(party: Party, qualification: Qualification | None = None) -> dict[str, str]:
    """A party; the contact's own words count where the envelope says nothing."""
    stated: Mapping[SignalName, Signal] = qualification.signals if qualification else {}
    found = {
        "tel": party.phone or _normalized(stated, "phone"),
        "mailto": party.email or _normalized(stated, "email"),
        "name": party.name or _normalized(stated, "contact_name"),
        "org": _normalized(stated, "company"),
    }
    known = {name: value for name, value in found.items() if value}
    return known | {"validation": "none"} if "name" in known else known


def _normalized(signals: Mapping[SignalName, Signal], name: SignalName) -> str:
    signal = signals.get(name)
    return signal.normalized or signal.value if signal else ""


def _dialog(case: Case, original: bytes | None, media_type: str) -> dict[str, Any]:
    inquiry = case.inquiry
    everybody = list(range(1 + len(inquiry.recipients)))
    dialog: dict[str, Any] = {
        "type": "text" if inquiry.channel == "email" else "recording",
        "start": inquiry.received_at.isoformat(),
        "parties": everybody if len(everybody) > 1 else _CONTACT,
        "originator": _CONTACT,
        "application": inquiry.channel,
    }
    if inquiry.channel == "email":
        if inquiry.thread:
            dialog["message_id"] = inquiry.thread[-1]
        return dialog | {"mediatype": "text/plain", "encoding": "none", "body": inquiry.body}
    if inquiry.duration_s is not None:
        dialog["duration"] = round(inquiry.duration_s, 3)
    dialog["filename"] = inquiry.ref.key.rpartition("/")[2]
    if original is not None:
        dialog |= {"mediatype": media_type, "encoding": "base64url", "body": _base64url(original)}
    return dialog


def _messages(case: Case, recordings: Sequence[bytes]) -> list[dict[str, Any]]:
    """A dialog for each recording of a voicemail; one where there is none."""
    inquiry = case.inquiry
    whole = _dialog(case, None, "") | {"application": "voicemail by mail"}
    del whole["filename"]
    if inquiry.thread:
        whole["message_id"] = inquiry.thread[-1]
    if len(inquiry.recordings) > 1:
        whole.pop("duration", None)  # it is that of all together
    found = []
    for number, recording in enumerate(inquiry.recordings):
        dialog = whole | {"filename": recording.name, "mediatype": recording.media_type}
        if number < len(recordings):
            dialog |= {"encoding": "base64url", "body": _base64url(recordings[number])}
        found.append(dialog)
    return found or [whole]


def _attachments(
    case: Case, original: bytes | None, media_type: str, withheld: str
) -> list[dict[str, Any]]:
    """Mails: the mail as it came, if it is wanted, and what was attached, by name."""
    inquiry = case.inquiry
    if inquiry.channel != "email" and inquiry.voicemail is None:
        return []
    heard = inquiry.recordings if inquiry.voicemail else ()
    common = {"start": inquiry.received_at.isoformat(), "party": _CONTACT, "dialog": 0}
    found: list[dict[str, Any]] = []
    if original is not None:
        found.append(
            common
            | {
                "purpose": "the mail as it was received",
                "filename": "original.eml",
                "mediatype": media_type,
                "encoding": "base64url",
                "body": _base64url(original),
            }
        )
    if withheld:
        left_out = {"purpose": f"withheld: {withheld}", "filename": "original.eml"}
        found.append(common | left_out | {"mediatype": media_type})
    for attachment in inquiry.attachments:
        if attachment in heard:
            continue  # it is a dialog
        size = f"named only, {attachment.size} bytes"
        found.append(
            common
            | {"purpose": size, "filename": attachment.name, "mediatype": attachment.media_type}
        )
    return found


def _analysis(case: Case) -> list[dict[str, Any]]:
    found = []
    if case.transcript:
        parts = len(case.inquiry.recordings) if case.inquiry.voicemail else 1
        spoken = {"dialog": list(range(parts))} if parts > 1 else {}
        found.append(_transcript(case.transcript) | spoken)
    if (voicemail := case.inquiry.voicemail) and voicemail.heard:
        body = {"text": voicemail.heard, "mailbox": voicemail.mailbox}
        stated = _finding("transcript", voicemail.system, body)
        found.append(stated | {"vendor": "telephone system", "schema": "stated-transcript-1"})
    found.append(_classification(case.verdict, case))
    if case.qualification:
        found.append(_qualification(case.qualification))
    return found


def _transcript(transcript: Transcript) -> dict[str, Any]:
    return _finding("transcript", transcript.engine, asdict(transcript) | {"text": transcript.text})


def _classification(verdict: Verdict, case: Case) -> dict[str, Any]:
    body = {
        "label": verdict.label,
        "own_label": verdict.own or None,
        "scores": dict(verdict.scores),
        "abstained": verdict.abstained,
        "outcome": case.decision.outcome,
        "reason": case.decision.reason,
    }
    return _finding("classification", verdict.model, body)


def _qualification(qualification: Qualification) -> dict[str, Any]:
    signals = {name: asdict(signal) for name, signal in qualification.signals.items()}
    body = {
        "score": qualification.score,
        "grade": qualification.grade,
        "parts": [asdict(part) for part in qualification.parts],
        "signals": signals,
    }
    return _finding("lead-qualification", __version__, body)


def _finding(kind: str, product: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "dialog": 0,
        "vendor": _VENDOR,
        "product": product,
        "schema": f"triage-{kind}-1",
        "mediatype": "application/json",
        "encoding": "json",
        "body": body,
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
