"""Asks the child process what is inside a file, and never waits longer than the limits allow."""

from __future__ import annotations

import atexit
import base64
import json
import threading
from dataclasses import dataclass
from typing import Any, Final, Literal

import structlog

from triage.intake.process import LineProcess
from triage.settings import Limits

log = structlog.get_logger(__name__)

Kind = Literal["pdf", "docx", "tnef", "calendar"]
START_S: Final = 120.0
"""Seconds for the child to start and load a library on a busy machine."""
FILES: Final = 50
"""Files that are taken out of one winmail.dat."""

_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class Content:
    """What is inside a file. `note` says what was not read, and why; `html` is a body in HTML,
    `plain` one whose charset is not stated, and `files` are name and bytes.
    """

    text: str = ""
    note: str = ""
    html: bytes = b""
    plain: bytes = b""
    files: tuple[tuple[str, bytes], ...] = ()


def kind_of(name: str, media_type: str, data: bytes) -> Kind | None:
    """What a file is by its first bytes; None for what is not opened."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data[:2] == b"PK" and (media_type == _WORD or name.lower().endswith((".docx", ".docm"))):
        return "docx"
    if data[:4] == b"\x78\x9f\x3e\x22":
        return "tnef"
    if media_type in {"text/calendar", "application/ics"} or name.lower().endswith(".ics"):
        return "calendar" if b"BEGIN:VCALENDAR" in data[:4096].upper() else None
    return None


class Reader:
    """One child, started when it is first asked, and again after it was ended.

    Any thread may ask; files are read one after the other.
    """

    def __init__(self) -> None:
        self._process: LineProcess | None = None
        self._lock = threading.Lock()

    def read(self, kind: Kind, data: bytes, limits: Limits) -> Content:
        """What is inside; whatever goes wrong is in the note."""
        if len(data) > limits.document_bytes:
            size = f"{len(data):,} bytes, the limit is {limits.document_bytes:,}"
            return Content(note=f"it is too large to be read: {size} (limits.document_bytes)")
        request = {
            "kind": kind,
            "size": len(data),
            "pages": limits.document_pages,
            "chars": limits.document_chars,
            "files": FILES,
        }
        with self._lock:
            try:
                return _content(self._asked(request, data, limits.document_seconds))
            except TimeoutError:
                self._end()
                limit = f"{limits.document_seconds:g} s"
                return Content(note=f"it was not read within {limit} (limits.document_seconds)")
            except (OSError, ValueError) as error:
                log.warning("process that opens attachments died", kind=kind, error=str(error))
                self._end()
                return Content(note="it cannot be read: the process that opened it died")

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _asked(self, request: dict[str, Any], data: bytes, limit_s: float) -> dict[str, Any]:
        process = self._running()
        process.send(json.dumps(request).encode() + b"\n" + data)
        process.line(START_S)
        answer: dict[str, Any] = json.loads(process.line(limit_s))
        return answer

    def _running(self) -> LineProcess:
        if self._process is None or not self._process.is_alive:
            self._end()
            self._process = LineProcess("triage.intake.formats.child")
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


def _content(answer: dict[str, Any]) -> Content:
    return Content(
        text=answer.get("text", ""),
        note=answer.get("note", ""),
        html=base64.b64decode(answer.get("html", "")),
        plain=base64.b64decode(answer.get("plain", "")),
        files=tuple(
            (file["name"], base64.b64decode(file["data"])) for file in answer.get("files", [])
        ),
    )


reader: Final = Reader()
"""The one of this process."""
atexit.register(reader.close)
