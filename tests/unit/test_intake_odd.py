"""Odd mails: each is read as the structure beside it says; fixtures/odd/README.md has the keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from triage.errors import Permanent
from triage.intake.fingerprint import fingerprint
from triage.intake.mail import parse_mail
from triage.rules.rulebook import Rulebook
from triage.settings import Business, Limits, Rules
from triage.types import Inquiry, SourceRef

ODD = Path(__file__).parents[2] / "fixtures" / "odd"
MAILS = sorted(ODD.glob("*.eml"))
AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
SERVER = "mx.biz.example"
RULEBOOK = Rulebook(
    Rules(authserv_ids=(SERVER,)), Business(domains=("brightwater.example",)), {"gmail.com"}
)
SECTIONS = ("text", "quoted", "signature", "disclaimer", "forwarded", "spare", "subject")


def parsed(raw: bytes) -> Inquiry:
    ref = SourceRef("inbox", "imap", "INBOX/1/1")
    return parse_mail(
        raw, inquiry_id="i1", ref=ref, received_at=AT, limits=Limits(), authserv_ids=(SERVER,)
    )


def expected(path: Path) -> dict[str, Any]:
    text = path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def test_there_are_enough_of_them() -> None:
    assert len(MAILS) >= 250
    layouts = {form["layout"] for path in MAILS if (form := expected(path).get("form"))}
    assert len(layouts) >= 15
    assert all(expected(path)["why"] for path in MAILS)
    assert {path.stem for path in MAILS} == {
        path.name.removesuffix(".expected.json") for path in ODD.glob("*.expected.json")
    }


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_it_is_read_as_expected(path: Path) -> None:
    want = expected(path)
    del want["why"]
    if reason := want.pop("refused", None):
        with pytest.raises(Permanent, match=reason):
            parsed(path.read_bytes())
        return
    inquiry = parsed(path.read_bytes())
    str(inquiry).encode("utf-8")  # no half characters
    assert "\0" not in inquiry.body
    for key, value in want.items():
        check(path, inquiry, key, value)


def check(path: Path, inquiry: Inquiry, key: str, value: Any) -> None:
    section, _, more = key.partition("_")
    if key in SECTIONS:
        assert getattr(inquiry, key) == value, key
    elif more == "contains" and section in (*SECTIONS, "body"):
        for part in value:
            assert part in getattr(inquiry, section), key
    else:
        CHECKS[key](path, inquiry, value)


def check_attachments(_path: Path, inquiry: Inquiry, names: list[str]) -> None:
    assert [attachment.name for attachment in inquiry.attachments] == names


def check_attachment_text(_path: Path, inquiry: Inquiry, texts: dict[str, list[str]]) -> None:
    found = {attachment.name: attachment.text for attachment in inquiry.attachments}
    for name, parts in texts.items():
        for part in parts:
            assert part in found[name], name


def check_attachment_absent(_path: Path, inquiry: Inquiry, texts: dict[str, list[str]]) -> None:
    found = {attachment.name: attachment.text for attachment in inquiry.attachments}
    for name, parts in texts.items():
        for part in parts:
            assert part not in found[name], name


def check_notes(_path: Path, inquiry: Inquiry, notes: dict[str, str]) -> None:
    found = {attachment.name: attachment.note for attachment in inquiry.attachments}
    for name, note in notes.items():
        assert note in found[name], name


def check_form(_path: Path, inquiry: Inquiry, want: dict[str, Any] | None) -> None:
    form = inquiry.form
    if want is None:
        assert form is None
        assert inquiry.author == inquiry.sender
        return
    assert form is not None
    assert (form.layout, form.system, str(form.sender)) == (
        want["layout"],
        want["system"],
        want["sender"],
    )
    assert inquiry.author == form.sender
    for label, value in want["fields"].items():
        assert form.value(label) == value, label


def check_report(_path: Path, inquiry: Inquiry, want: dict[str, Any] | None) -> None:
    report = inquiry.report
    found = {name: getattr(report, name) for name in want} if report and want else report
    assert found == want


def check_same(path: Path, inquiry: Inquiry, name: str) -> None:
    other = path.with_name(f"{name}.eml").read_bytes()
    assert parsed(other) == inquiry
    assert fingerprint(other) == fingerprint(path.read_bytes())


def check_absent(_path: Path, inquiry: Inquiry, words: list[str]) -> None:
    for word in words:
        assert word not in str(inquiry)


def check_warnings(_path: Path, inquiry: Inquiry, parts: list[str]) -> None:
    for part in parts:
        assert any(part in warning for warning in inquiry.warnings), inquiry.warnings


def check_equal(found: Callable[[Inquiry], object]) -> Callable[[Path, Inquiry, Any], None]:
    def compare(_path: Path, inquiry: Inquiry, value: Any) -> None:
        assert found(inquiry) == value

    return compare


CHECKS: dict[str, Callable[[Path, Inquiry, Any], None]] = {
    "absent": check_absent,
    "attachment_absent": check_attachment_absent,
    "attachment_text": check_attachment_text,
    "attachments": check_attachments,
    "attachments_count": check_equal(lambda inquiry: len(inquiry.attachments)),
    "attribution": check_equal(lambda inquiry: inquiry.attribution),
    "form": check_form,
    "from": check_equal(lambda inquiry: inquiry.sender.email),
    "has_subject": check_equal(lambda inquiry: bool(inquiry.subject)),
    "marks": check_equal(lambda inquiry: inquiry.marks),
    "notes": check_notes,
    "recipient_emails": check_equal(lambda inquiry: [r.email for r in inquiry.recipients]),
    "recipients": check_equal(lambda inquiry: len(inquiry.recipients)),
    "report": check_report,
    "rule": check_equal(lambda inquiry: RULEBOOK.rule(inquiry).rule),
    "same_as": check_same,
    "sender_name": check_equal(lambda inquiry: inquiry.sender.name),
    "thread": check_equal(lambda inquiry: list(inquiry.thread)),
    "warnings_contain": check_warnings,
}
