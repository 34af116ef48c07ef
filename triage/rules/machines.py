"""Mails that machines wrote about mails of ours: reports, receipts and automatic replies.

They are nobody's inquiry, and standards say how to know them, so they need no model. Everything
here is narrow on purpose: a report that returns somebody else's mail may hold a lead that nobody
has seen, and web forms, shops and ticket systems mark what people wrote as automatic too. Mailing
lists are not here at all: a shared mailbox that is a group puts List-Id on every inquiry, and
portals send leads with List-Unsubscribe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from triage.rules.senders import Senders, address_key
from triage.types import Inquiry, Report

MachineRule = Literal["delivery-report", "read-receipt", "abuse-report", "automatic-reply"]

_DELIVERIES: Final = {"failed", "delayed", "delivered", "relayed", "expanded"}
_WORDS: Final = 400
"""Words of an automatic reply; more than that is no note of absence."""
_ASKS: Final = re.compile(
    r"\bnew (?:lead|enquiry|inquiry|submission|request|order)\b|\bform\b", re.IGNORECASE
)


def machine_mail(inquiry: Inquiry, own: Senders) -> tuple[MachineRule, str] | None:
    """The rule that a mail fits, and why in words; None for anything that a person may have meant.

    `own`: the business's domains.
    """
    if inquiry.channel != "email" or inquiry.form:
        return None
    if inquiry.report:
        return _reported(inquiry, inquiry.report, own)
    return _automatic_reply(inquiry, own)


def _reported(inquiry: Inquiry, report: Report, own: Senders) -> tuple[MachineRule, str] | None:
    if report.kind == "disposition":
        return ("read-receipt", "a read receipt (RFC 8098)") if report.action else None
    if report.passed_on or not _is_ours(report.author, inquiry, own):
        return None
    about = f" to {report.recipient}" if report.recipient else ""
    if report.kind == "feedback":
        return "abuse-report", "a complaint about a mail of ours (RFC 5965)"
    if report.action not in _DELIVERIES:
        return None
    status = f"{report.action} {report.status}".strip()
    return "delivery-report", f"a delivery report on our mail{about} ({status}, RFC 3464)"


def _is_ours(address: str, inquiry: Inquiry, own: Senders) -> bool:
    """Whether a mail from this address went out from the business, or from the mailbox itself."""
    key = address_key(address)
    if not key:
        return False
    boxes = {address_key(party.email) for party in inquiry.recipients}
    return key in boxes or bool(own.domain(key))


def _automatic_reply(inquiry: Inquiry, own: Senders) -> tuple[MachineRule, str] | None:
    """RFC 3834: a reply to a mail, written by nobody, from outside, to be answered there."""
    stated = inquiry.marks.get("automatic", "")
    answers = len(inquiry.thread) > 1
    if stated != "auto-replied" or not answers:
        return None
    unfit: tuple[Callable[[], object], ...] = (
        lambda: own.domain(address_key(inquiry.sender.email)),
        lambda: inquiry.forwarded,
        lambda: "reply-to" in inquiry.headers and not _same(inquiry),
        lambda: len(inquiry.text.split()) > _WORDS,
        lambda: _ASKS.search(inquiry.subject),
    )
    if any(check() for check in unfit):
        return None
    return "automatic-reply", "an automatic reply to a mail (Auto-Submitted, RFC 3834)"


def _same(inquiry: Inquiry) -> bool:
    return inquiry.sender.email.lower() in inquiry.headers["reply-to"].lower()
