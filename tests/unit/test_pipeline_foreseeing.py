from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support import stored
from triage.pipeline.foreseeing import Foreseen
from triage.types import Inquiry, Qualification, SourceRef, Transcript

FOUND = stored.qualification()


def mail(name: str, text: str) -> Inquiry:
    ref = SourceRef("office", "imap", "INBOX", name)
    return Inquiry(name, ref, "email", datetime(2026, 3, 1, tzinfo=UTC), text=text)


class Reader:
    """Reads signals, says how often, and may be made to wait or to fail."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.begun = threading.Event()

    def __call__(self, inquiry: Inquiry, _: Transcript | None) -> Qualification:
        self.texts.append(inquiry.text)
        self.begun.set()
        assert self.may_end.wait(10)
        if not inquiry.text:
            raise ValueError("nothing to read")
        return FOUND


def test_what_was_read_ahead_is_not_read_again() -> None:
    foreseen, reader = Foreseen(), Reader()
    inquiry = mail("one", "A roof, please")
    reader.may_end.clear()
    foreseen.ahead(lambda: foreseen.of(inquiry, None, reader))
    assert reader.begun.wait(10)
    later = threading.Timer(0.1, reader.may_end.set)
    later.start()
    assert foreseen.of(replace(inquiry), None, reader) is FOUND  # waits for what is being read
    assert foreseen.of(inquiry, None, reader) is FOUND
    assert reader.texts == ["A roof, please"]
    foreseen.of(replace(inquiry, text="Two roofs"), None, reader)  # another text is another thing
    assert reader.texts == ["A roof, please", "Two roofs"]


def test_what_cannot_be_read_ahead_is_told_to_whoever_needs_it() -> None:
    foreseen, reader = Foreseen(), Reader()
    inquiry = mail("one", "")
    foreseen.ahead(lambda: foreseen.of(inquiry, None, reader))
    assert reader.begun.wait(10)
    for _ in range(2):
        with pytest.raises(ValueError, match="nothing to read"):
            foreseen.of(inquiry, None, reader)


def test_only_the_newest_is_read_ahead_and_some_are_kept() -> None:
    foreseen, reader = Foreseen(), Reader()
    reader.may_end.clear()
    for number in range(5):
        inquiry = mail(f"m{number}", str(number))
        foreseen.ahead(lambda inquiry=inquiry: foreseen.of(inquiry, None, reader))  # type: ignore[misc]
        assert reader.begun.wait(10)
    reader.may_end.set()
    foreseen.of(mail("m4", "4"), None, reader)
    assert reader.texts == ["0", "4"]
    for number in range(40):
        foreseen.of(mail(f"n{number}", str(number)), None, reader)
    foreseen.of(mail("n39", "39"), None, reader)
    foreseen.of(mail("n0", "0"), None, reader)
    assert reader.texts[-2:] == ["39", "0"]
