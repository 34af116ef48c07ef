"""Decides whether a mail brings a voicemail, and makes a call of it.

A mistake would give a person's mail another sender. So a mail must speak of a voicemail, come from
a telephone system, say who called or how long it is, and have the recording with it, or at least
the text that a known system made of it. A voicemail that a person passes on stays that person's
mail, and its recording is heard as an attachment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from triage.intake.calls import facts, values
from triage.intake.voicemail import wording
from triage.intake.voicemail.systems import GENERIC, HINT, MACHINE, SYSTEMS
from triage.intake.voicemail.wording import Who
from triage.settings import Calls
from triage.types import Call, Inquiry, Party, Voicemail

NOT_TRANSCRIBED: Final = "what the telephone system made of it is not kept: nobody may hear it"

_PASSED_ON: Final = re.compile(
    r"\s*(?:\[[^\]]*\]\s*)?(?:fwd?|wg|tr|rv|enc|re|aw|sv)\s*:", re.IGNORECASE
)
_IN_A_NAME: Final = re.compile(r"(?<!\d)(\+?\d{7,15})(?!\d)")
_HINTED: Final = 600  # characters of the text within which it must speak of a voicemail
_FEW_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class _Notice:
    """What a mail says of a voicemail."""

    system: str
    who: Who
    labels: Mapping[str, Sequence[str]]
    duration_s: float | None
    heard: str
    text: str


def as_call(inquiry: Inquiry, country: str, rules: Calls) -> Inquiry:
    """The mail as the call that it tells of; as it is where it tells of none.

    `country` (ISO 3166) is where numbers were dialled; `rules` say which calls may be heard. What
    the mail said stays as metadata. Never raises.
    """
    notice = _notice(inquiry)
    if notice is None:
        return inquiry
    call = _call(inquiry, notice, country)
    call = replace(call, withheld=facts.withheld(call, rules))
    silent = bool(call.withheld and notice.heard)
    voicemail = Voicemail(
        system=notice.system,
        mailbox=_first(notice.labels, "mailbox") or wording.mailbox(_all(inquiry)),
        mailed_by=str(inquiry.sender),
        heard="" if call.withheld else notice.heard,
        link=wording.link(notice.text),
    )
    dialled = (Party(phone=call.dialled),) if call.dialled else ()
    return replace(
        inquiry,
        channel="call",
        sender=Party(name=call.caller_name, phone=call.caller),
        recipients=dialled + inquiry.recipients,
        subject="",
        text="", quoted="", signature="", disclaimer="", forwarded="", spare="",
        form=None,
        call=call,
        voicemail=voicemail,
        metadata={"subject": inquiry.subject, "notice": notice.text},
        duration_s=call.duration_s,
        warnings=(*inquiry.warnings, *((NOT_TRANSCRIBED,) if silent else ())),
    )  # fmt: skip


def as_text(inquiry: Inquiry) -> Inquiry:
    """A voicemail whose recording cannot be heard, with the text that is left to be read: what the
    telephone system made of it, and what its mail said.
    """
    if inquiry.voicemail is None:
        return inquiry
    said = (inquiry.voicemail.heard, inquiry.metadata.get("notice", ""))
    text = "\n\n".join(filter(None, said))
    return replace(inquiry, subject=inquiry.metadata.get("subject", ""), text=text)


def _notice(inquiry: Inquiry) -> _Notice | None:
    text = _all(inquiry)
    if inquiry.channel != "email" or not _speaks_of_one(inquiry, text):
        return None
    system, machine = _system(inquiry, text), _is_machine(inquiry)
    # What machines write is easily taken for a quoted mail: it has the same labels.
    passed_on = bool(inquiry.quoted or inquiry.forwarded) and not machine
    if passed_on or _PASSED_ON.match(inquiry.subject) or (system == GENERIC and not machine):
        return None
    heard, rest = wording.heard(text)
    if not heard and system == "google-voice":
        heard, rest = wording.before_link(text)
    labels = wording.labelled(rest)
    who = _caller(inquiry, rest, labels)
    length = _length(inquiry, rest, labels)
    if not who.known and length is None:
        return None
    readable = system != GENERIC and who.number and len(heard.split()) >= _FEW_WORDS
    if not inquiry.recordings and not readable:
        return None
    return _Notice(system, who, labels, length, heard, rest)


def _all(inquiry: Inquiry) -> str:
    """Everything that the mail says, whatever it was taken for."""
    parts = (
        inquiry.text, inquiry.signature, inquiry.disclaimer, inquiry.forwarded, inquiry.quoted
    )  # fmt: skip
    return "\n\n".join(filter(None, parts))


def _speaks_of_one(inquiry: Inquiry, text: str) -> bool:
    if "x-callingtelephonenumber" in inquiry.headers or "x-asterisk-callerid" in inquiry.headers:
        return True
    return bool(HINT.search(inquiry.subject) or HINT.search(text[:_HINTED]))


def _is_machine(inquiry: Inquiry) -> bool:
    local = inquiry.sender.email.partition("@")[0]
    automatic = inquiry.marks.get("automatic", "").startswith("auto-generated")
    return automatic or "null-sender" in inquiry.marks or bool(MACHINE.fullmatch(local))


def _system(inquiry: Inquiry, text: str) -> str:
    sender = f"{inquiry.sender.name} <{inquiry.sender.email}>"
    said = " ".join(f"{inquiry.subject}\n{text[:10_000]}".split())
    for system in SYSTEMS:
        if (
            any(name in inquiry.headers for name in system.headers)
            or (system.sender and re.search(system.sender, sender, re.IGNORECASE))
            or (system.says and re.search(system.says, said, re.IGNORECASE))
        ):
            return system.name
    return GENERIC


def _caller(inquiry: Inquiry, text: str, labels: Mapping[str, Sequence[str]]) -> Who:
    """Who called, by the first that says so: header fields, labels, a sentence in the text or the
    subject, the recording's name. Outside numbers count before extensions.
    """
    headers = [
        wording.who(inquiry.headers[name])
        for name in ("x-asterisk-callerid", "x-callingtelephonenumber")
        if name in inquiry.headers
    ]
    said = [*headers, *map(wording.who, labels.get("caller", ()))]
    if not any(found.known for found in said):
        said = [wording.sentence(text), wording.sentence(inquiry.subject)]
    said += [Who("", match[1], known=True) for match in _named_numbers(inquiry)]
    numbers = [found.number for found in said if found.number]
    outside = [number for number in numbers if not values.is_extension(number)]
    names = [_stated_name(inquiry), *labels.get("name", ()), *(found.name for found in said)]
    return Who(
        next((wording.who(name).name for name in names if name), ""),
        next(iter(outside or numbers), ""),
        known=any(found.known for found in said),
    )


def _stated_name(inquiry: Inquiry) -> str:
    """The caller's name in header fields."""
    fields = ("x-asterisk-calleridname", "x-voicemessagesendername")
    return next((inquiry.headers[name] for name in fields if inquiry.headers.get(name)), "")


def _named_numbers(inquiry: Inquiry) -> list[re.Match[str]]:
    names = [attachment.name for attachment in inquiry.recordings]
    found = [match for name in names for match in _IN_A_NAME.finditer(name)]
    return [match for match in found if not re.fullmatch(r"20\d{6}(?:\d{6})?", match[1])]


def _length(inquiry: Inquiry, text: str, labels: Mapping[str, Sequence[str]]) -> float | None:
    stated = [inquiry.headers.get("x-voicemessageduration", ""), *labels.get("duration", ())]
    found = [wording.length(value) for value in stated if value]
    found += [wording.told_length(inquiry.subject), wording.told_length(" ".join(text.split()))]
    return next((seconds for seconds in found if seconds is not None), None)


def _call(inquiry: Inquiry, notice: _Notice, country: str) -> Call:
    called = wording.who(_first(notice.labels, "dialled")).number
    caller = values.number(notice.who.number, country)
    return Call(
        caller=caller,
        caller_name=notice.who.name,
        dialled=values.number(called, country),
        direction="inbound",
        started_at=_began(inquiry, notice),
        duration_s=notice.duration_s,
        sources=(f"mail:{notice.system}",),
    )


def _began(inquiry: Inquiry, notice: _Notice) -> datetime | None:
    """When the message was left, by the clock that dated the mail."""
    sent, zone = wording.sent(inquiry.headers.get("date", ""))
    near = sent or inquiry.received_at
    for stated in wording.moments(notice.text, notice.labels):
        if found := wording.moment(stated, zone, near):
            return found
    return None


def _first(labels: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(labels.get(name, ())), "")
