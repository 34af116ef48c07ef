"""The process that opens attachments: `python -m triage.intake.formats.child`.

A request is a line of JSON and the bytes that it announces; the answer is a line that says the work
begins (its library may take a second to load) and a line with the result. It ends with its input.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import resource
import sys
from typing import Any, Final

MEMORY_BYTES: Final = 2_000_000_000
"""Address space of the process; what needs more is refused, and the process goes on."""
FILE_BYTES: Final = 40_000_000
"""Bytes of all files that are handed back from one winmail.dat."""

_HOMES: Final = {
    "pdf": "documents",
    "docx": "documents",
    "tnef": "outlook",
    "calendar": "calendar",
}
Answer = dict[str, Any]


def main() -> None:
    """Answer requests until the input ends."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to standard error
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        data = sys.stdin.buffer.read(request["size"])
        importlib.import_module(f"triage.intake.formats.{_HOMES[request['kind']]}")
        _say(out, {"begun": True})
        _say(out, answered(request, data))


def _say(out: Any, answer: Answer) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def answered(request: Answer, data: bytes) -> Answer:
    """The result for one file; whatever is wrong with it is a note."""
    try:
        return _ANSWERS[request["kind"]](data, request)
    except MemoryError:
        return {"note": "it needs too much memory to be read"}
    except Exception as error:  # noqa: BLE001 - whatever is in the file, it costs this file alone
        said = " ".join(str(error).split())[:200]
        return {"note": f"it cannot be read ({said or type(error).__name__})"}


def _pdf(data: bytes, request: Answer) -> Answer:
    from triage.intake.formats.documents import pdf_text  # noqa: PLC0415 - heavy

    text, note = pdf_text(data, pages=request["pages"], chars=request["chars"])
    return {"text": text[: request["chars"]], "note": note}


def _word(data: bytes, request: Answer) -> Answer:
    from triage.intake.formats.documents import word_text  # noqa: PLC0415 - heavy

    text, note = word_text(data, chars=request["chars"])
    return {"text": text[: request["chars"]], "note": note}


def _calendar(data: bytes, request: Answer) -> Answer:
    from triage.intake.formats.calendar import calendar_text  # noqa: PLC0415 - heavy

    text, note = calendar_text(data)
    return {"text": text[: request["chars"]], "note": note}


def _tnef(data: bytes, request: Answer) -> Answer:
    from triage.intake.formats.outlook import unpack  # noqa: PLC0415 - heavy

    found = unpack(data)
    left = FILE_BYTES
    files = []
    for name, content in found.files[: request["files"]]:
        left -= len(content)
        if left >= 0:
            files.append({"name": name, "data": base64.b64encode(content).decode()})
    missing = len(found.files) - len(files)
    return {
        "text": found.text,
        "html": base64.b64encode(found.html).decode(),
        "plain": base64.b64encode(found.plain).decode(),
        "files": files,
        "note": f"{missing} of its files were left out" if missing else "",
    }


_ANSWERS: Final = {"pdf": _pdf, "docx": _word, "calendar": _calendar, "tnef": _tnef}

if __name__ == "__main__":
    main()
