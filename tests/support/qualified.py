"""Inquiries for signal tests, and their qualification, in one call each."""

from __future__ import annotations

from datetime import UTC, datetime

from triage.settings import Business, IdealCustomer
from triage.signals.qualify import qualify
from triage.types import Inquiry, Party, Qualification, Segment, SourceRef, Transcript

MONDAY = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
NOBODY = Party()
ANYBODY = IdealCustomer()
BUSINESS = Business(name="Brightwater", domains=("brightwater.example",), country="US")


def mail(
    text: str = "",
    *,
    sender: Party = NOBODY,
    subject: str = "",
    signature: str = "",
    forwarded: str = "",
    quoted: str = "",
    recipients: tuple[Party, ...] = (Party(email="hello@brightwater.example"),),
) -> Inquiry:
    """A mail as intake parses it."""
    return Inquiry(
        id="inq_1",
        ref=SourceRef("inbox", "imap", "INBOX/1/1"),
        channel="email",
        received_at=MONDAY,
        sender=sender,
        recipients=recipients,
        subject=subject,
        text=text,
        signature=signature,
        forwarded=forwarded,
        quoted=quoted,
    )


def call(
    *turns: tuple[str, str], caller: str = "", flags: tuple[str, ...] = ()
) -> tuple[Inquiry, Transcript]:
    """A call: `("agent", "…"), ("caller", "…")`, five seconds a turn."""
    inquiry = Inquiry(
        id="inq_2",
        ref=SourceRef("calls", "recordings", "a.wav"),
        channel="call",
        received_at=MONDAY,
        sender=Party(phone=caller),
        metadata={"caller": caller} if caller else {},
    )
    segments = tuple(
        Segment(5.0 * at, 5.0 * at + 4, speaker, text, 0.9, flags=flags)  # type: ignore[arg-type]
        for at, (speaker, text) in enumerate(turns)
    )
    return inquiry, Transcript(segments, "en", "test", "test", 5.0 * len(turns))


def qualified(
    inquiry: Inquiry,
    transcript: Transcript | None = None,
    ideal: IdealCustomer = ANYBODY,
    business: Business = BUSINESS,
) -> Qualification:
    """The qualification of an inquiry to Brightwater."""
    return qualify(inquiry, transcript, ideal, business)


def values(inquiry: Inquiry, transcript: Transcript | None = None) -> dict[str, str]:
    """Every signal's value as stated."""
    return {name: signal.value for name, signal in qualified(inquiry, transcript).signals.items()}


def normals(inquiry: Inquiry, transcript: Transcript | None = None) -> dict[str, str]:
    """Every signal's value for machines."""
    found = qualified(inquiry, transcript).signals
    return {name: signal.normalized for name, signal in found.items()}


def field_text(inquiry: Inquiry, transcript: Transcript | None, field: str) -> str:
    """The text that offsets of evidence in `field` refer to."""
    texts = {
        "text": transcript.text if transcript else inquiry.text,
        "sender": str(inquiry.sender),
        "metadata": inquiry.metadata.get("caller", ""),
    }
    return texts[field] if field in texts else str(getattr(inquiry, field))
