"""A raw mail becomes an inquiry, whatever is broken inside it.

People come from `parties`, the text and the attachments from the guarded walk in `body`, its parts
from `sections`, a website's form from `forms`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from triage.errors import Permanent
from triage.intake.attachments import Budget, Keep
from triage.intake.body import Body, read_body
from triage.intake.forms.attribution import attribution
from triage.intake.forms.notice import Envelope, read_form
from triage.intake.headers import field_text, words
from triage.intake.marks import MARK_FIELDS, marks
from triage.intake.parties import PEOPLE_FIELDS, Fields, people
from triage.intake.payload import tree
from triage.intake.reports import read_report
from triage.intake.sections import Sections, split
from triage.intake.structure import checked, split_head
from triage.settings import Limits
from triage.types import Form, Inquiry, Report, SourceRef

FIELD_CHARS: Final = 50_000
"""Characters that are kept of one header field."""

_KEPT: Final = (
    "auto-submitted", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-post",
    "precedence", "reply-to", "date", "return-path", "x-mailer", "x-auto-response-suppress",
    "feedback-id", "authentication-results", "message-id", "x-asterisk-callerid",
    "x-asterisk-calleridname", "x-callingtelephonenumber", "x-voicemessageduration",
    "x-voicemessagesendername",
)  # fmt: skip
_READ: Final = frozenset(
    {*_KEPT, *PEOPLE_FIELDS, *MARK_FIELDS, "subject", "message-id", "references", "in-reply-to"}
)
_REPEATED: Final = {"authentication-results"}
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_SPACED: Final = re.compile(rb"\A([!-9;-~]+)[ \t]+:")
_HEADING: Final = re.compile(
    r"\s*(?:[-\u2013_ ]*(?:begin )?forwarded message[-\u2013_: ]*|(?:from|date|sent|to|cc|subject)"
    r"\s?:[^\n]*)?\n",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Read:
    """What is in a mail below its headers."""

    body: Body
    report: Report | None = None


def parse_mail(
    raw: bytes,
    *,
    inquiry_id: str,
    ref: SourceRef,
    received_at: datetime,
    limits: Limits,
    campaign: str = "",
    authserv_ids: Collection[str] = (),
    keep: Keep | None = None,
) -> Inquiry:
    """The inquiry in a raw mail. What could not be read as it should is named in `warnings`.

    `authserv_ids`: the mail servers whose findings about the sender are believed. `keep` is given
    what may be a recording. Raises `Permanent`, and nothing but that and what `keep` raises, for
    bytes that are no mail or exceed the limits.
    """
    try:
        mail = checked(raw, limits)
        lines, rest, repaired = split_head(mail)
        read = _read(lines, rest, Budget(limits, keep=keep))
    except RecursionError as error:
        raise Permanent(
            f"mail nested too deep: it cannot be parsed within {limits.mail_depth} levels"
        ) from error
    body = read.body
    if repaired:
        body.warnings.append("the mail's headers are broken: stray lines were joined or set apart")
    fields = _fields(lines)
    subject = words(" ".join(fields.get("subject", [])[:1]))
    text = _capped("text", body.text, body, limits)
    parts = split(text, subject=subject)
    who = people(fields)
    found = marks(fields, authserv_ids)
    form = _form(
        text,
        parts,
        Envelope(who.sender, who.reply_to, who.recipients, subject, "automatic" in found),
    )
    origin = attribution(list(form.fields)) if form else {}
    return Inquiry(
        id=inquiry_id,
        ref=ref,
        channel="email",
        received_at=received_at,
        sender=who.sender,
        recipients=who.recipients,
        subject=subject,
        text=parts.text,
        quoted=parts.quoted,
        signature=parts.signature,
        disclaimer=parts.disclaimer,
        forwarded=_forwarded(parts, body, limits),
        spare=_capped("other versions of the text", body.leftover, body, limits),
        thread=_thread(fields),
        attachments=tuple(body.attachments),
        headers={name: _kept(name, fields[name]) for name in _KEPT if name in fields},
        marks=found,
        form=form,
        attribution=origin,
        report=read.report,
        campaign=campaign or origin.get("utm_campaign", ""),
        warnings=tuple(body.warnings),
    )


def _read(lines: list[bytes], rest: bytes, budget: Budget) -> _Read:
    limits = budget.limits
    try:
        # A blank before the colon is allowed in old mails, and ends the headers for the parser.
        head = b"\n".join(_SPACED.sub(rb"\1:", line) for line in lines)
        message = tree(head + b"\n\n" + rest)
    except Permanent as error:
        body = read_body(tree(b"\n" + rest), limits, budget=budget)
        body.warnings.append(f"{error}: it was read as plain text")
        return _Read(body)
    return _Read(read_body(message, limits, rest, budget), read_report(message))


def _form(text: str, parts: Sections, envelope: Envelope) -> Form | None:
    """The form that a website sent, or that somebody passed on."""
    if not (parts.quoted or parts.forwarded):
        return read_form(text, envelope)
    if not parts.forwarded:
        return read_form(parts.text, envelope) if parts.text else None
    passed_on = parts.forwarded + "\n"
    while heading := _HEADING.match(passed_on):
        if not heading.group():
            break
        passed_on = passed_on[heading.end() :]
    return read_form(passed_on, envelope)


def _kept(name: str, values: list[str]) -> str:
    """A field as it is stored: the first of that name, or a line for each."""
    return "\n".join(map(words, values[:20])) if name in _REPEATED else words(values[0])


def _fields(lines: Iterable[bytes]) -> Fields:
    """Header fields that are read, by lower-case name, in the order of their occurrence."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        key = name.strip().lower().decode("ascii", "replace")
        if key not in _READ:
            continue  # seals and signatures are most of a header, and nothing here reads them
        fields.setdefault(key, []).append(field_text(value.strip())[:FIELD_CHARS])
    return fields


def _capped(what: str, text: str, body: Body, limits: Limits) -> str:
    if len(text) > limits.text_chars:
        body.warnings.append(
            f"{what} of {len(text):,} characters was cut at {limits.text_chars:,} "
            f"(limits.text_chars)"
        )
    return text[: limits.text_chars]


def _forwarded(parts: Sections, body: Body, limits: Limits) -> str:
    text = "\n\n".join(block for block in (parts.forwarded, *body.forwarded) if block)
    return _capped("forwarded text", text, body, limits)


def _thread(fields: Fields) -> tuple[str, ...]:
    """Message ids that this mail refers to, oldest first, and its own last."""
    own = _ids(fields, "message-id")[:1]
    earlier = dict.fromkeys(_ids(fields, "references") + _ids(fields, "in-reply-to"))
    return (*(name for name in earlier if name not in own), *own)


def _ids(fields: Fields, name: str) -> list[str]:
    return [found for value in fields.get(name, []) for found in _MESSAGE_ID.findall(value)]
