"""A raw mail becomes an inquiry, whatever is broken inside it.

Headers, addresses and dates come from mail-parser (this is its only home), the text and the
attachments from the guarded walk in `body`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import mailparser
import structlog

from triage.errors import Permanent
from triage.intake.body import Body, read_body
from triage.intake.headers import field_text, words
from triage.intake.payload import tree
from triage.intake.sections import Sections, split
from triage.intake.structure import checked, split_head
from triage.settings import Limits
from triage.types import Inquiry, Party, SourceRef

log = structlog.get_logger(__name__)
logging.getLogger("mailparser").setLevel(logging.CRITICAL)  # it logs whole header fields

RECIPIENTS: Final = 500
"""Recipients that are kept; a longer list says nothing more."""
FIELD_CHARS: Final = 50_000
"""Characters that are kept of one header field."""

_KEPT: Final = (
    "auto-submitted", "list-id", "list-unsubscribe", "precedence", "reply-to", "date",
    "return-path", "x-mailer", "authentication-results", "message-id",
)  # fmt: skip
_TO: Final = ("to", "cc", "delivered-to")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,500}>")
_MAILBOX: Final = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")

_Fields = Mapping[str, list[str]]


def parse_mail(
    raw: bytes,
    *,
    inquiry_id: str,
    ref: SourceRef,
    received_at: datetime,
    limits: Limits,
    campaign: str = "",
) -> Inquiry:
    """The inquiry in a raw mail. What could not be read as it should is named in `warnings`.

    Raises `Permanent`, and nothing else, for bytes that are no mail or exceed the limits.
    """
    try:
        mail = checked(raw, limits)
        lines, rest, repaired = split_head(mail)
        body = _body(lines, rest, limits)
    except RecursionError as error:
        raise Permanent(
            f"mail nested too deep: it cannot be parsed within {limits.mail_depth} levels"
        ) from error
    if repaired:
        body.warnings.append("the mail's headers are broken: stray lines were joined or set apart")
    fields = _fields(lines)
    subject = words(" ".join(fields.get("subject", [])[:1]))
    parts = split(_capped(body, limits), subject=subject)
    return Inquiry(
        id=inquiry_id,
        ref=ref,
        channel="email",
        received_at=received_at,
        sender=_sender(fields),
        recipients=_recipients(fields),
        subject=subject,
        text=parts.text,
        quoted=parts.quoted,
        signature=parts.signature,
        forwarded=_forwarded(parts, body, limits),
        thread=_thread(fields),
        attachments=tuple(body.attachments),
        headers={name: words(fields[name][0]) for name in _KEPT if name in fields},
        campaign=campaign,
        warnings=tuple(body.warnings),
    )


def _body(lines: list[bytes], rest: bytes, limits: Limits) -> Body:
    try:
        message = tree(b"\n".join(lines) + b"\n\n" + rest)
    except Permanent as error:
        body = read_body(tree(b"\n" + rest), limits)
        body.warnings.append(f"{error}: it was read as plain text")
        return body
    return read_body(message, limits, rest)


def _fields(lines: Iterable[bytes]) -> _Fields:
    """Header fields by lower-case name, in the order of their occurrence."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        key = name.strip().lower().decode("ascii", "replace")
        fields.setdefault(key, []).append(field_text(value.strip())[:FIELD_CHARS])
    return fields


def _capped(body: Body, limits: Limits) -> str:
    text = body.text
    if len(text) > limits.text_chars:
        body.warnings.append(
            f"text of {len(text):,} characters was cut at {limits.text_chars:,} (limits.text_chars)"
        )
        text = text[: limits.text_chars]
    return text


def _forwarded(parts: Sections, body: Body, limits: Limits) -> str:
    text = "\n\n".join(block for block in (parts.forwarded, *body.forwarded) if block)
    if len(text) > limits.text_chars:
        body.warnings.append(
            f"forwarded text of {len(text):,} characters was cut at {limits.text_chars:,} "
            f"(limits.text_chars)"
        )
    return text[: limits.text_chars]


def _sender(fields: _Fields) -> Party:
    """The author; where the From field names nobody, who sent the mail or wants the answer."""
    for name in ("from", "sender", "reply-to", "return-path"):
        parties = _parties({"from": fields.get(name, [])})
        if parties:
            return parties[0]
    return Party()


def _recipients(fields: _Fields) -> tuple[Party, ...]:
    """To, Cc and the addresses of the envelope, each address once."""
    found: dict[str, Party] = {}
    for party in _parties({name: fields.get(name, []) for name in _TO}):
        found.setdefault(party.email.lower() or party.name, party)
    return tuple(found.values())[:RECIPIENTS]


def _parties(fields: _Fields) -> list[Party]:
    """The people in address fields; what is no address at all is kept as a name."""
    joined = {name: ", ".join(values) for name, values in fields.items() if any(values)}
    addresses = _addresses(joined) if joined else {}
    parties: list[Party] = []
    for name, value in joined.items():
        pairs = addresses.get(name, [])
        parties += [Party(name=words(shown), email=words(address)) for shown, address in pairs]
        if not pairs and (shown := words(value)) and shown != "<>":
            mailbox = _MAILBOX.search(shown)
            parties.append(Party(email=mailbox.group()) if mailbox else Party(name=shown))
    return parties


def _addresses(fields: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """(name, address) pairs by mail-parser, which tells quoted names from addresses."""
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    try:
        headers = mailparser.parse_from_string(f"{head}\n").headers
    except Exception:  # noqa: BLE001 - a sender's odd header must not cost the mail
        log.warning("address fields not understood", length=len(head))
        return {}
    found = {name.lower(): pairs for name, pairs in headers.items() if isinstance(pairs, list)}
    return {
        name: [(str(pair[0]), str(pair[1])) for pair in pairs if "@" in str(pair[1])]
        for name, pairs in found.items()
        if name in fields
    }


def _thread(fields: _Fields) -> tuple[str, ...]:
    """Message ids that this mail refers to, oldest first, and its own last."""
    own = _ids(fields, "message-id")[:1]
    earlier = dict.fromkeys(_ids(fields, "references") + _ids(fields, "in-reply-to"))
    return (*(name for name in earlier if name not in own), *own)


def _ids(fields: _Fields, name: str) -> list[str]:
    return [found for value in fields.get(name, []) for found in _MESSAGE_ID.findall(value)]
