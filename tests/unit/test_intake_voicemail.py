"""Voicemails that telephone systems mail become calls; people's mails stay what they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.intake.mail import parse_mail
from triage.intake.sounds import may_be_sound
from triage.intake.voicemail.notice import NOT_TRANSCRIBED, as_call, as_text
from triage.intake.voicemail.wording import length, who
from triage.settings import Calls, Limits
from triage.types import Inquiry, SourceRef

MAILS = Path(__file__).parents[2] / "fixtures" / "voicemail"
NAMES = sorted(path.stem for path in MAILS.glob("*.eml"))


def keep(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parsed(raw: bytes, **limits: Any) -> Inquiry:
    return parse_mail(
        raw,
        inquiry_id="inq_1",
        ref=SourceRef("inbox", "maildir", "new/1"),
        received_at=datetime(2026, 3, 2, 15, 16, 30, tzinfo=UTC),
        limits=Limits(**limits),
        keep=keep,
    )


def read(name: str, rules: Calls | None = None) -> Inquiry:
    return as_call(parsed((MAILS / f"{name}.eml").read_bytes()), "US", rules or Calls())


def shown(inquiry: Inquiry) -> dict[str, Any]:
    """What a fixture's expectation names."""
    found, call = inquiry.voicemail, inquiry.call
    if found is None or call is None:
        return {"voicemail": None, "recordings": len(inquiry.recordings)}
    return {
        "voicemail": {
            "system": found.system,
            "caller": call.caller,
            "caller_name": call.caller_name,
            "mailbox": found.mailbox,
            "dialled": call.dialled,
            "duration_s": call.duration_s,
            "started_at": call.started_at.isoformat() if call.started_at else None,
            "heard": found.heard,
            "link": found.link,
            "recordings": len(inquiry.recordings),
        }
    }


@pytest.mark.parametrize("name", NAMES)
def test_mails_are_what_is_written_beside_them(name: str) -> None:
    expected = json.loads((MAILS / f"{name}.expected.json").read_text(encoding="utf-8"))
    assert shown(read(name)) == expected


def test_a_voicemail_is_a_call_of_who_left_it() -> None:
    inquiry = read("exchange")
    assert (inquiry.channel, str(inquiry.sender)) == ("call", "Dominic Ferrara <+16145550184>")
    assert inquiry.voicemail
    assert inquiry.voicemail.mailed_by == "Dominic Ferrara <noreply@voicemail.microsoft.com>"
    assert [party.email for party in inquiry.recipients] == ["office@brightwater.example"]
    # Neither the machine's words nor its mail are read as if they were the caller's.
    assert (inquiry.subject, inquiry.body) == ("", "")
    assert inquiry.metadata["subject"] == "Voice Mail (4 seconds)"
    assert "Ferreras kitchen" not in inquiry.metadata["notice"]
    assert "614-555-0184" in inquiry.metadata["notice"]


def test_what_cannot_be_heard_is_read() -> None:
    inquiry = as_text(read("broken-recording"))
    assert inquiry.text.startswith("I need somebody to install a make-up air unit")
    assert inquiry.subject == "New voicemail from +1 614 555 0184 (0:20)"
    assert as_text(read("none-memo")) == read("none-memo")


def test_rules_of_calls_hold_for_voicemails() -> None:
    inquiry = read("exchange", Calls(require_consent=True))
    assert inquiry.call
    assert inquiry.call.withheld == "no-consent"
    assert inquiry.voicemail
    assert inquiry.voicemail.heard == ""
    assert inquiry.warnings == (NOT_TRANSCRIBED,)
    assert "Ferreras" not in json.dumps(dict(inquiry.metadata))


def test_a_persons_mail_keeps_its_sender() -> None:
    """Whatever its subject and its attachment are called."""
    raw = (MAILS / "generic-withheld.eml").read_bytes()
    person = raw.replace(b"voicemail@phones.example", b"Tom <tom@becker.example>")
    assert as_call(parsed(raw), "US", Calls()).voicemail
    assert as_call(parsed(person), "US", Calls()).voicemail is None
    reply = raw.replace(b"Subject: ", b"Subject: Re: ")
    assert as_call(parsed(reply), "US", Calls()).voicemail is None
    # Without a recording there is nothing to hear.
    assert as_call(replace(parsed(raw), attachments=()), "US", Calls()).voicemail is None


def test_only_so_many_recordings_of_a_mail_are_kept() -> None:
    raw = (MAILS / "generic-two-parts.eml").read_bytes()
    first, second = parsed(raw, mail_recordings=1).attachments
    assert first.sha256
    assert not second.sha256
    assert second.note == "it was not heard: a mail's first 1 are (limits.mail_recordings)"
    small = parsed(raw, recording_bytes=1000).attachments[0]
    assert "the limit is 1,000 (limits.recording_bytes)" in small.note


def test_a_recording_attached_twice_is_one() -> None:
    inquiry = parsed((MAILS / "generic-two-parts.eml").read_bytes())
    first, second = inquiry.attachments
    doubled = replace(inquiry, attachments=(first, second, replace(first, name="again.opus")))
    assert doubled.recordings == (first, second)


@pytest.mark.parametrize(
    ("name", "media_type", "data", "expected"),
    [
        ("msg0001.wav", "application/octet-stream", b"anything", True),
        ("data", "application/octet-stream", b"RIFF\x24\0\0\0WAVEfmt ", True),
        ("data.bin", "text/plain", b"OggS\0\x02", True),
        ("voice", "audio/amr", b"x", True),
        ("leak.mp4", "video/mp4", b"\0\0\0\x20ftypmp42", False),
        ("memo.3gp", "video/3gpp", b"\0\0\0\x20ftyp3gp4", True),
        ("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0", False),
        ("plan.pdf", "application/pdf", b"%PDF-1.7", False),
        ("notes.txt", "text/plain", "\ufeffhello".encode("utf-16"), False),
        ("empty.wav", "audio/wav", b"", False),
    ],
)
def test_whatever_may_be_sound_is_kept(
    name: str, media_type: str, data: bytes, expected: bool
) -> None:
    assert may_be_sound(name, media_type, data) is expected


@pytest.mark.parametrize(
    ("stated", "name", "number"),
    [
        ('"ANN LEE" <6145550142>', "ANN LEE", "6145550142"),
        ("Ann Lee at +1 614-555-0142", "Ann Lee", "+1 614-555-0142"),
        ("WIRELESS CALLER (614) 555-0142", "", "(614) 555-0142"),
        ("201", "", "201"),
        ("Unknown", "", ""),
    ],
)
def test_callers_are_read_as_stated(stated: str, name: str, number: str) -> None:
    found = who(stated)
    assert (found.name, found.number, found.known) == (name, number, True)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("0:42", 42),
        ("(00:01:05)", 65),
        ("1 min 5 sec", 65),
        ("42 seconds", 42),
        ("9", 9),
        ("x", None),
    ],
)
def test_lengths_are_read_as_stated(stated: str, seconds: float | None) -> None:
    assert length(stated) == seconds
