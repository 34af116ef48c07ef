"""What a destination is told: complete, bounded, the same bytes at every try."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from classifiers.labels import LABELS, SIGNALS
from triage.delivery.events import MAX_BYTES, lead_qualified
from triage.types import (
    Decision,
    Evidence,
    Inquiry,
    Outcome,
    Party,
    Qualification,
    ScorePart,
    Signal,
    SourceRef,
    Verdict,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def event(text: str, subject: str = "boiler") -> str:
    inquiry = Inquiry(
        id="inq_1",
        ref=SourceRef("inbox", "imap", "INBOX/1/7"),
        channel="email",
        received_at=NOW,
        sender=Party("Jen Ruiz", "jen@example.org"),
        recipients=(Party(email="sales@brightwater.example"),),
        subject=subject,
        text=text,
    )
    scores = dict.fromkeys(LABELS, 0.01) | {"lead": 0.92}
    phone = Signal("phone", "614-555-0142", 0.9, (Evidence("614-555-0142", 5, 17),), "+16145550142")
    return lead_qualified(
        inquiry,
        None,
        Verdict("lead", scores, 0.9, abstained=False, model="m@1"),
        Qualification({"phone": phone}, 55, (ScorePart("base", 55, "asks for a quote"),), "B"),
        Decision(Outcome.FORWARD, "lead at 92%"),
        business="Brightwater",
        at=NOW,
    )


def test_an_event_says_who_what_and_why() -> None:
    body = json.loads(event("Call 614-555-0142"))
    assert (body["type"], body["schema"]) == ("lead.qualified", "1")
    data = body["data"]
    assert data["from"] == {"name": "Jen Ruiz", "email": "jen@example.org", "phone": None}
    assert sum(part["points"] for part in data["score_parts"]) == data["score"] == 55
    assert set(data["signals"]) == set(SIGNALS)
    assert data["signals"]["budget"] is None  # not stated is not "no"
    assert data["signals"]["phone"]["normalized"] == "+16145550142"
    assert data["text"] == "Call 614-555-0142"
    assert data["text_truncated"] is False


@given(st.text(max_size=60_000), st.text(max_size=3000))
def test_an_event_never_exceeds_its_size_whatever_the_text(text: str, subject: str) -> None:
    clean = text.encode(errors="replace").decode()
    body = event(clean, subject.encode(errors="replace").decode())
    assert len(body.encode()) <= MAX_BYTES
    data = json.loads(body)["data"]
    assert clean.startswith(data["text"])
    assert data["text_truncated"] == (data["text"] != clean)


def test_a_long_text_is_shortened_no_more_than_needed() -> None:
    body = event("ü" * 50_000)
    assert MAX_BYTES * 0.6 < len(body.encode()) <= MAX_BYTES
