"""Files of strangers are opened in a child process that no file can hold up or take down."""

from __future__ import annotations

import email
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.intake.formats.reader import Reader, kind_of
from triage.settings import Limits

ODD = Path(__file__).parents[2] / "fixtures" / "odd"


def attached(name: str) -> bytes:
    message = email.message_from_bytes((ODD / f"{name}.eml").read_bytes())
    data = next(part for part in message.walk() if part.get_filename()).get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


PDF = attached("file-pdf")


@pytest.fixture
def reader() -> Iterator[Reader]:
    found = Reader()
    yield found
    found.close()


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read(reader: Reader) -> None:
    assert "Twelve rooftop units" in reader.read("pdf", PDF, Limits()).text
    slow = reader.read("pdf", attached("file-pdf-sixty-pages"), Limits(document_seconds=0.001))
    assert slow.text == ""
    assert slow.note == "it was not read within 0.001 s (limits.document_seconds)"
    assert "Twelve rooftop units" in reader.read("pdf", PDF, Limits()).text


def test_a_child_that_was_killed_is_replaced(reader: Reader) -> None:
    reader.read("pdf", PDF, Limits())
    process = reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    while process.is_alive:
        time.sleep(0.01)
    assert "Twelve rooftop units" in reader.read("pdf", PDF, Limits()).text


def test_a_child_that_dies_at_work_costs_that_file_alone(reader: Reader) -> None:
    reader.read("pdf", PDF, Limits())
    process = reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # it takes the request, and never answers
    killer = threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL))
    killer.start()
    assert "died" in reader.read("pdf", PDF, Limits()).note
    killer.join()
    assert "Twelve rooftop units" in reader.read("pdf", PDF, Limits()).text


def test_limits_bound_what_is_read(reader: Reader) -> None:
    assert "limits.document_bytes" in reader.read("pdf", PDF, Limits(document_bytes=100)).note
    short = reader.read("pdf", PDF, Limits(document_chars=10))
    assert len(short.text) == 10
    assert "pages were read" in reader.read("pdf", PDF, Limits(document_pages=1)).note


def test_several_threads_may_ask(reader: Reader) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(reader.read("pdf", PDF, Limits()).text))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all("Twelve rooftop units" in text for text in found)


@pytest.mark.parametrize(
    ("name", "media_type", "data", "kind"),
    [
        ("x.dat", "application/octet-stream", b"\n%PDF-1.4", "pdf"),
        ("x.pdf", "application/pdf", b"\x89PNG", None),
        ("x.docx", "application/octet-stream", b"PK\x03\x04", "docx"),
        ("x.zip", "application/zip", b"PK\x03\x04", None),
        ("winmail.dat", "application/octet-stream", b"\x78\x9f\x3e\x22", "tnef"),
        ("x", "text/calendar", b"begin:vcalendar", "calendar"),
        ("x.ics", "application/octet-stream", b"BEGIN:VCALENDAR", "calendar"),
        ("x.ics", "text/calendar", b"", None),
    ],
)
def test_files_are_known_by_their_first_bytes(
    name: str, media_type: str, data: bytes, kind: str | None
) -> None:
    assert kind_of(name, media_type, data) == kind
