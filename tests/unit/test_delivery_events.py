"""What a destination is told: complete, bounded, as the schemas and the docs have it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from classifiers.labels import LABELS, SIGNALS
from tests.support.schemas import problems
from triage.delivery import events, payload
from triage.delivery.events import MAX_BYTES
from triage.delivery.links import LinkSigner
from triage.delivery.payload import Case, Speaker
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
DOCS = Path(__file__).parents[2] / "docs" / "delivery.md"
NO_LINKS = LinkSigner("", "", timedelta())
LINKS = LinkSigner("https://triage.example", "a secret", timedelta(days=30))
LEAD_ID = "msg_" + "0" * 40


def case(text: str, subject: str = "boiler", phone: str = "614-555-0142") -> Case:
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
    signal = Signal("phone", phone, 0.9, (Evidence(phone, 5, 17),), "+16145550142")
    return Case(
        inquiry,
        None,
        Verdict("lead", scores, 0.9, abstained=False, model="m@1"),
        Qualification({"phone": signal}, 55, (ScorePart("base", 55, "asks for a quote"),), "B"),
        Decision(Outcome.FORWARD, "lead at 92%"),
    )


def speaker(links: LinkSigner = NO_LINKS) -> Speaker:
    return Speaker("Brightwater", links, NOW, ("per_1", True), acknowledged=True)


def every_event(text: str = "Call 614-555-0142", links: LinkSigner = LINKS) -> dict[str, str]:
    """One event of each type."""
    told, spoken = case(text), speaker(links)
    return {
        events.LEAD_QUALIFIED: payload.lead_qualified(told, spoken),
        events.LEAD_UPDATED: payload.lead_updated(
            told, spoken, refers_to=LEAD_ID, cause="signals", changes=["score"]
        ),
        events.LEAD_RETRACTED: payload.lead_retracted(
            told, spoken, refers_to=LEAD_ID, previous="lead", by="Dana", note="a test"
        ),
        events.INQUIRY_CLASSIFIED: payload.inquiry_classified(told, spoken),
    }


def examples() -> list[dict[str, Any]]:
    """The events that the docs show."""
    blocks = re.findall(
        r"^```json event\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [json.loads(block) for block in blocks]


def test_an_event_says_who_what_and_why() -> None:
    body = json.loads(every_event()["lead.qualified"])
    assert (body["type"], body["schema"]) == ("lead.qualified", "1")
    data = body["data"]
    assert data["from"] == {"name": "Jen Ruiz", "email": "jen@example.org", "phone": None}
    assert sum(part["points"] for part in data["score_parts"]) == data["score"] == 55
    assert set(data["signals"]) == set(SIGNALS)
    assert data["signals"]["budget"] is None  # not stated is not "no"
    assert data["signals"]["phone"]["normalized"] == "+16145550142"
    assert data["text"] == "Call 614-555-0142"
    assert (data["text_truncated"], data["text_reference"]) == (False, None)


@pytest.mark.parametrize("kind", events.TYPES)
def test_what_is_sent_is_what_the_schema_says(kind: str) -> None:
    Draft202012Validator.check_schema(events.schema(kind))
    for text in ("Call 614-555-0142", "ü" * 60_000):
        for links in (LINKS, NO_LINKS):
            assert problems(kind, json.loads(every_event(text, links)[kind])) == []


@pytest.mark.parametrize("kind", [*events.TYPES, "lead.unacknowledged"])
def test_the_docs_show_an_example_of_each_that_fits(kind: str) -> None:
    shown = [example for example in examples() if example["type"] == kind]
    assert shown, f"docs/delivery.md has no ```json event example of {kind}"
    for example in shown:
        assert problems(kind, example) == []


@pytest.mark.parametrize("kind", events.TYPES)
def test_the_docs_show_the_fields_that_are_sent(kind: str) -> None:
    (shown,) = (example for example in examples() if example["type"] == kind)
    assert set(shown["data"]) == set(json.loads(every_event()[kind])["data"])


def test_a_schema_refuses_what_is_wrong() -> None:
    body = json.loads(every_event()["lead.qualified"])
    body["data"]["label"] = "leads"
    del body["data"]["score"]
    assert len(problems("lead.qualified", body)) == 2


@given(st.text(max_size=60_000), st.text(max_size=3000))
def test_an_event_never_exceeds_its_size_whatever_the_text(text: str, subject: str) -> None:
    clean = text.encode(errors="replace").decode()
    told = case(clean, subject.encode(errors="replace").decode())
    body = payload.lead_qualified(told, speaker())
    assert len(body.encode()) <= MAX_BYTES
    data = json.loads(body)["data"]
    assert clean.startswith(data["text"])
    assert data["text_truncated"] == (data["text"] != clean)


@pytest.mark.parametrize("letter", ["a", "ü", "\x01", "📞", '"'])
def test_an_event_never_exceeds_its_size_whatever_was_stated(letter: str) -> None:
    told = case(letter * 50_000, letter * 5000, letter * 5000)
    evidence = (Evidence(letter * 5000, 0, 5000),) * 2
    signals = {name: Signal(name, letter * 5000, 0.9, evidence, letter * 5000) for name in SIGNALS}
    parts = tuple(ScorePart(f"part {number}", 1, letter * 500) for number in range(30))
    told = replace(
        told,
        qualification=Qualification(signals, 30, parts, "B"),
        inquiry=replace(
            told.inquiry,
            sender=Party(letter * 5000, letter * 5000, letter * 5000),
            recipients=(Party(letter * 5000, letter * 5000),) * 30,
            campaign=letter * 5000,
        ),
        decision=Decision(Outcome.FORWARD, letter * 5000),
    )
    spoken = replace(speaker(LINKS), business=letter * 5000)
    bodies = [
        payload.lead_qualified(told, spoken),
        payload.lead_updated(
            told, spoken, refers_to=LEAD_ID, cause="signals", changes=["signals.phone"] * 90
        ),
        payload.lead_retracted(
            told, spoken, refers_to=LEAD_ID, previous="lead", by=letter * 999, note=letter * 9999
        ),
        payload.inquiry_classified(told, spoken),
    ]
    for body in bodies:
        assert len(body.encode()) <= MAX_BYTES
        assert problems(json.loads(body)["type"], json.loads(body)) == []


def test_a_long_text_is_shortened_no_more_than_needed_and_says_where_it_is() -> None:
    body = every_event("ü" * 50_000)["lead.qualified"]
    assert MAX_BYTES - 2 <= len(body.encode()) <= MAX_BYTES
    reference = json.loads(body)["data"]["text_reference"]
    assert (reference["inquiry_id"], reference["characters"]) == ("inq_1", 50_000)
    assert reference["url"].startswith("https://triage.example/inquiries/inq_1?expires=")


def test_changes_name_what_is_different() -> None:
    before = every_event()["lead.qualified"]
    assert payload.changes(before, every_event()["lead.updated"]) == []
    other = payload.lead_qualified(case("Call me", phone="614-555-0199"), speaker())
    assert payload.changes(before, other) == ["text", "signals.phone"]


def test_ids_follow_from_what_is_told_to_whom() -> None:
    one = events.message_id("mail:1", "crm", "lead.qualified")
    assert one == events.message_id("mail:1", "crm", "lead.qualified", 1)
    others = {
        events.message_id("mail:2", "crm", "lead.qualified"),
        events.message_id("mail:1", "erp", "lead.qualified"),
        events.message_id("mail:1", "crm", "lead.updated"),
        events.message_id("mail:1", "crm", "lead.qualified", 2),
    }
    assert len(others | {one}) == 5
