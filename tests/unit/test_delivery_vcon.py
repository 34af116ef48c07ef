"""An inquiry as a vCon: the draft's own rules, written down once more."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from tests.support import qualified
from tests.support.stored import verdict
from triage.delivery.payload import Case
from triage.delivery.vcon import container_id, vcon
from triage.types import Attachment, Decision, Inquiry, Outcome, Party, Transcript

CREATED = datetime(2026, 3, 16, 9, 0, 1, tzinfo=UTC)
# After sections 4.1 to 4.5 of draft-ietf-vcon-vcon-core-03; nothing else may be there.
INDEX = {"type": "integer", "minimum": 0}
CONTENT = {
    "mediatype": {"type": "string"},
    "filename": {"type": "string"},
    "body": {},
    "encoding": {"enum": ["base64url", "json", "none"]},
}
TIME = {"type": "string", "format": "date-time"}


def shape(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
        "dependentRequired": {"body": ["encoding"], "encoding": ["body"]},
    }


PARTY = shape(
    [], **{name: {"type": "string"} for name in ("tel", "mailto", "name", "org", "validation")}
)
DIALOG = shape(
    ["type", "start", "parties"],
    type={"enum": ["recording", "text"]},
    start=TIME,
    duration={"type": "number", "minimum": 0},
    parties={"anyOf": [INDEX, {"type": "array", "items": INDEX}]},
    originator=INDEX,
    application={"type": "string"},
    message_id={"type": "string"},
    **CONTENT,
)
ANALYSIS = shape(
    ["type", "vendor", "dialog"],
    type={"type": "string"},
    dialog=INDEX,
    vendor={"type": "string"},
    product={"type": "string"},
    schema={"type": "string"},
    **CONTENT,
)
ATTACHMENT = shape(
    ["start", "party", "dialog"],
    purpose={"type": "string"},
    start=TIME,
    party=INDEX,
    dialog=INDEX,
    **CONTENT,
)
CONTAINER = shape(
    ["vcon", "uuid", "created_at", "parties", "dialog", "analysis", "attachments"],
    vcon={"const": "0.4.0"},
    uuid={"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-"},
    created_at=TIME,
    updated_at=TIME,
    subject={"type": "string"},
    parties={"type": "array", "items": PARTY},
    dialog={"type": "array", "items": DIALOG},
    analysis={"type": "array", "items": ANALYSIS},
    attachments={"type": "array", "items": ATTACHMENT},
)


def exported(inquiry: Inquiry, transcript: Transcript | None = None, **more: Any) -> dict[str, Any]:
    case = Case(
        inquiry,
        transcript,
        verdict(),
        qualified.qualified(inquiry, transcript),
        Decision(Outcome.FORWARD, "lead at 90%"),
    )
    container = vcon(case, identity="mail:1", created_at=CREATED, updated_at=CREATED, **more)
    validator = Draft202012Validator(CONTAINER, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [
        f"{error.json_path}: {error.message}" for error in validator.iter_errors(container)
    ] == []
    return json.loads(json.dumps(container))  # type: ignore[no-any-return]


def test_a_mail_is_a_text_with_what_was_found() -> None:
    inquiry = replace(
        qualified.mail(
            "We need 40 units. Call 614-555-0142.",
            sender=Party("Ann Example", "ann@example.org"),
            subject="Units",
        ),
        thread=("<a@example.org>",),
        attachments=(Attachment("plan.pdf", "application/pdf", 1200),),
    )
    found = exported(inquiry, original=b"From: Ann", media_type="message/rfc822")
    assert found["subject"] == "Units"
    assert found["parties"][0]["mailto"] == "ann@example.org"
    assert found["parties"][0]["tel"] == "+16145550142"
    assert found["parties"][1] == {"mailto": "hello@brightwater.example"}
    (dialog,) = found["dialog"]
    assert (dialog["type"], dialog["parties"], dialog["originator"]) == ("text", [0, 1], 0)
    assert dialog["body"] == inquiry.body
    assert dialog["message_id"] == "<a@example.org>"
    mail, named = found["attachments"]
    assert base64.urlsafe_b64decode(mail["body"] + "==") == b"From: Ann"
    assert (named["filename"], "body" in named) == ("plan.pdf", False)
    kinds = {entry["type"]: entry["body"] for entry in found["analysis"]}
    assert set(kinds) == {"classification", "lead-qualification"}
    assert kinds["classification"]["label"] == "lead"
    assert kinds["lead-qualification"]["signals"]["phone"]["normalized"] == "+16145550142"


def test_a_call_is_a_recording_with_its_transcript() -> None:
    inquiry, transcript = qualified.call(("agent", "Hello?"), ("caller", "I need a boiler."))
    inquiry = replace(inquiry, sender=Party(phone="+16145550142"), duration_s=10.25, recipients=())
    found = exported(inquiry, transcript, original=b"RIFF", media_type="audio/wav")
    (dialog,) = found["dialog"]
    assert (dialog["type"], dialog["duration"], dialog["parties"]) == ("recording", 10.25, 0)
    assert (dialog["mediatype"], dialog["body"]) == ("audio/wav", "UklGRg")
    assert found["parties"] == [{"tel": "+16145550142"}]
    spoken = found["analysis"][0]
    assert (spoken["type"], spoken["encoding"], spoken["product"]) == ("transcript", "json", "test")
    assert [segment["speaker"] for segment in spoken["body"]["segments"]] == ["agent", "caller"]
    assert "body" not in exported(inquiry, transcript)["dialog"][0]


def test_the_same_inquiry_has_the_same_id_and_another_another() -> None:
    one = container_id("mail:1", CREATED, "brightwater.example")
    assert one == container_id("mail:1", CREATED, "brightwater.example")
    assert one.version == 8
    assert int.from_bytes(one.bytes[:6]) == int(CREATED.timestamp() * 1000)
    assert one != container_id("mail:2", CREATED, "brightwater.example")
    assert one != container_id("mail:1", CREATED, "other.example")
