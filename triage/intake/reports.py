"""What mail systems report about mails: delivery (RFC 3464), receipts (8098), abuse (5965)."""

from __future__ import annotations

import re
from email.message import Message
from typing import Final

from triage.intake.charsets import decode
from triage.intake.headers import words
from triage.intake.payload import charset, content, octets_of
from triage.types import Report, ReportKind

STATUS_PARTS: Final = {
    "delivery-status", "disposition-notification", "global-delivery-status",
    "global-disposition-notification", "feedback-report",
}  # fmt: skip
"""Subtypes of `message/` that hold fields for machines."""

_KINDS: Final[dict[str, ReportKind]] = {
    "delivery-status": "delivery",
    "global-delivery-status": "delivery",
    "disposition-notification": "disposition",
    "global-disposition-notification": "disposition",
    "feedback-report": "feedback",
}
_RETURNED: Final = {
    "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
    "message/global-headers", "text/rfc822",
}  # fmt: skip
_FIELD: Final = re.compile(r"^([A-Za-z][A-Za-z0-9-]{0,60}):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_MAILBOX: Final = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")
_PASSED_ON: Final = re.compile(r"\s*(?:\[[^\]]*\]\s*)?(?:fwd?|wg|tr|rv|i|enc)\s*:", re.IGNORECASE)
_RETURNED_CHARS: Final = 100_000


def read_report(message: Message) -> Report | None:
    """The report in a mail; None for a mail that is none."""
    if message.get_content_type() != "multipart/report":
        return None
    kind: ReportKind | None = None
    fields: dict[str, str] = {}
    returned: dict[str, str] = {}
    for part in children_of(message):
        main, _, sub = part.get_content_type().partition("/")
        if main == "message" and sub in _KINDS:
            kind = kind or _KINDS[sub]
            fields = _fields(report_text(part)) | fields
        elif f"{main}/{sub}" in _RETURNED:
            returned = _returned(part)
    return _report(kind, fields, returned) if kind else None


def _report(kind: ReportKind, fields: dict[str, str], returned: dict[str, str]) -> Report:
    recipient = fields.get("final-recipient") or fields.get("original-recipient", "")
    disposition = fields.get("disposition", "").partition(";")[2].partition("/")[0]
    action = {
        "delivery": fields.get("action", ""),
        "disposition": disposition,
        "feedback": fields.get("feedback-type", ""),
    }[kind]
    resent = any(name.startswith(("resent-", "x-forwarded-")) for name in returned)
    return Report(
        kind=kind,
        action=action.strip().lower()[:40],
        status=fields.get("status", "").partition(" ")[0][:20],
        recipient=_address(recipient.partition(";")[2] or recipient),
        author=_address(returned.get("from", "")),
        passed_on=resent or bool(_PASSED_ON.match(returned.get("subject", ""))),
    )


def report_text(part: Message) -> str:
    """The fields of a report, block by block."""
    if not part.is_multipart():
        return decode(content(part), charset(part)).text
    blocks = (
        [f"{name}: {words(str(value))}" for name, value in block.items()]
        + [decode(content(block)).text]
        for block in children_of(part)
    )
    return "\n".join(line for block in blocks for line in block if line.strip())


def children_of(part: Message) -> list[Message]:
    """The parts of a multipart, or the message in a message; none of a leaf."""
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if part.is_multipart() else []


def _returned(part: Message) -> dict[str, str]:
    """The headers of the mail that a report returns, whole or only its head."""
    inner = children_of(part)
    data = octets_of(inner[0]) if inner else content(part)
    head = re.split(rb"\r?\n\r?\n", data.lstrip(), maxsplit=1)[0]
    return _fields(decode(head[:_RETURNED_CHARS]).text)


def _fields(text: str) -> dict[str, str]:
    """Fields by lower-case name; the first of each counts."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(text.replace("\r\n", "\n")[:_RETURNED_CHARS]):
        found.setdefault(name.lower(), words(value))
    return found


def _address(text: str) -> str:
    found = _MAILBOX.search(text)
    return found.group() if found else ""
