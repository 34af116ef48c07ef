"""A small business's store, as a worker leaves it: mails, a form, a call, one of each end."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import wave
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from classifiers.labels import LABELS, Label
from tests.support import stored
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import (
    Attachment,
    Channel,
    Decision,
    Evidence,
    Form,
    Inquiry,
    Outcome,
    Party,
    Qualification,
    RawItem,
    ScorePart,
    Segment,
    Signal,
    SourceRef,
    Transcript,
    Verdict,
)

ATTACK = '<script>alert(1)</script><img src=x onerror="alert(2)">\'"&{{ 7*7 }}'
SETTINGS = {
    "sources": [
        {"kind": "maildir", "name": "inbox", "path": "mail", "campaign": "spring"},
        {"kind": "recordings", "name": "calls", "path": "calls", "campaign": "radio"},
    ],
    "destinations": [
        {"name": "crm", "url": "https://crm.example.com/hook/s3cr3t", "secret": "whsec_c2VjcmV0"}
    ],
}


@dataclass(frozen=True)
class Shop:
    """The ids of what is in the store."""

    lead: str
    call: str
    form: str
    attack: str
    broken: str


def fill(repository: Repository) -> Shop:
    """Put it all in."""
    now = datetime.now(UTC).replace(microsecond=0)
    text = (
        "Hello,\n\nour office in Columbus needs a new heat pump before winter. We are 40 people; "
        "the budget is about $25,000.\n\nCould somebody come by next week?"
    )
    lead = _mail(
        repository, "lead", now - timedelta(minutes=4), Party("Ann Example", "ann@example.org"),
        "Heat pump for our office", text, signature="Ann Example\nOffice manager\n+1 614 555 0100",
        quoted="> Thank you for your interest.",
        attachments=(Attachment("plan.pdf", "application/pdf", 48_213, "Floor plan, 2nd floor"),),
    )  # fmt: skip
    _settle(
        repository, lead, "lead", 0.93, Outcome.FORWARD,
        _qualified({"company_size": ("40", "40 people"), "budget": ("$25,000", "$25,000")}, text),
    )  # fmt: skip
    call = _call(repository, now - timedelta(minutes=30))
    form = _mail(
        repository, "form", now - timedelta(hours=3), Party("Website", "web@example.com"),
        "New contact request", "Looking for a yearly maintenance contract.",
        form=Form(
            "lines", "contact form",
            (("Name", "Bob Field"), ("Company", "Field & Sons"), ("Message", "A yearly contract.")),
            Party("Bob Field", "bob@example.net"),
        ),
    )  # fmt: skip
    _settle(repository, form, "lead", 0.55, Outcome.REVIEW, None)
    attack = _mail(
        repository, "attack", now - timedelta(hours=5), Party(ATTACK, "eve@example.org"), ATTACK,
        f"Best offers {ATTACK}", signature=ATTACK,
        attachments=(Attachment(f"{ATTACK}.pdf", "text/html", 10, ATTACK),),
    )  # fmt: skip
    _settle(repository, attack, "spam", 0.99, Outcome.FILE, None)
    for number in range(12):
        other = _mail(
            repository, f"other-{number}", now - timedelta(hours=6 + number * 5),
            Party(f"Customer {number}", f"c{number}@example.org"), f"Question {number} on a bill",
            "When is it due?",
        )  # fmt: skip
        _settle(repository, other, LABELS[1 + number % 8], 0.7 + number / 50, Outcome.FILE, None)
    (broken,) = repository.arrivals.receive([_arrival("broken", "email", now - timedelta(days=1))])
    repository.worklist.quarantined(
        stored.current(repository, broken), "the mail has 612 parts; 500 are read at most"
    )
    repository.polls.succeeded("inbox", 3, timedelta(minutes=1))
    repository.polls.failed(
        "calls", 3, "the folder is gone; is a disk not mounted?", timedelta(minutes=5)
    )
    return Shop(lead, call, form, attack, broken)


def tone(seconds: float = 8.0) -> bytes:
    """A recording: WAV, 8 kHz, mono, 16 bit."""
    rate, out = 8000, io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (int(9000 * math.sin(i / 8)) for i in range(int(rate * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def _arrival(name: str, channel: Channel, at: datetime, sha256: str = "", size: int = 1) -> Arrival:
    digest = sha256 or hashlib.sha256(name.encode()).hexdigest()
    email = channel == "email"
    ref = SourceRef("inbox" if email else "calls", "maildir" if email else "recordings", name)
    raw = RawItem(ref, at, digest, size, "message/rfc822" if email else "audio/wav")
    return Arrival(raw, channel, f"{channel}:{name}", campaign="spring" if email else "radio")


def _mail(
    repository: Repository, name: str, at: datetime, sender: Party, subject: str, text: str,
    **more: object,
) -> str:  # fmt: skip
    digest, size = repository.blobs.put(f"Subject: {name}\n\n{text}".encode())
    (inquiry_id,) = repository.arrivals.receive([_arrival(name, "email", at, digest, size)])
    work = stored.current(repository, inquiry_id)
    plain = Inquiry(
        id=work.id, ref=work.ref, channel="email", received_at=at, sender=sender,
        recipients=(Party(email="sales@example.com"),), subject=subject, text=text,
        campaign=work.campaign,
    )  # fmt: skip
    assert repository.worklist.parsed(work, replace(plain, **more))  # type: ignore[arg-type]
    return inquiry_id


def _call(repository: Repository, at: datetime) -> str:
    digest, size = repository.blobs.put(tone())
    (call,) = repository.arrivals.receive([_arrival("call", "call", at, digest, size)])
    work = stored.current(repository, call)
    parsed = Inquiry(
        id=call, ref=work.ref, channel="call", received_at=at, sender=Party("", "", "+16145550123"),
        recipients=(Party(phone="+16145550199"),), campaign="radio", duration_s=8.0,
    )  # fmt: skip
    assert repository.worklist.parsed(work, parsed)
    heard = Transcript(
        (
            Segment(0.0, 2.0, "agent", "Brightwater, how can I help?", 0.95),
            Segment(2.0, 5.0, "caller", "We want two furnaces, we have 18 thousand for it.", 0.9),
            Segment(5.0, 8.0, "caller", f"Thank you. {ATTACK}", 0.3, flags=("low-confidence",)),
        ),
        "en", "faster-whisper", "base", 8.0,
    )  # fmt: skip
    assert repository.worklist.transcribed(stored.current(repository, call), heard)
    _settle(
        repository, call, "lead", 0.88, Outcome.FORWARD,
        _qualified({"budget": ("18 thousand", "18 thousand")}, heard.text, at_s=3.9),
    )  # fmt: skip
    return call


def _qualified(
    stated: dict[str, tuple[str, str]], text: str, at_s: float | None = None
) -> Qualification:
    signals = {}
    for name, (value, quote) in stated.items():
        start = text.index(quote)
        evidence = Evidence(quote, start, start + len(quote), at_s=at_s)
        signals[name] = Signal(name, value, 0.9, (evidence,))  # type: ignore[arg-type]
    parts = (
        ScorePart("need", 40, "names what they need"),
        ScorePart("budget", 25, "states a budget"),
        ScorePart("free_mail", -5, "writes from a free mail address"),
    )
    return Qualification(signals, 60, parts, "B")  # type: ignore[arg-type]


def _settle(
    repository: Repository, inquiry_id: str, label: Label, share: float, outcome: Outcome,
    qualification: Qualification | None,
) -> None:  # fmt: skip
    worklist = repository.worklist
    rest = (1 - share) / (len(LABELS) - 1)
    scores = {name: share if name == label else rest for name in LABELS}
    verdict = Verdict(label, scores, share - rest, abstained=False, model="test@1")
    assert worklist.classified(stored.current(repository, inquiry_id), verdict)
    assert worklist.qualified(stored.current(repository, inquiry_id), qualification)
    work = stored.current(repository, inquiry_id)
    sent = [stored.delivery(work)] if outcome is Outcome.FORWARD else []
    reason = f"{label} at {share:.0%}"
    assert worklist.settled(work, Decision(outcome, reason), sent)
