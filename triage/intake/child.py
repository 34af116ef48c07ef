"""The process that parses mails where many wait: `python -m triage.intake.child`.

A request is a line of JSON; the answer has a line for each mail, with the inquiry, or `null`
where the worker has to look itself. It ends with its input.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from triage import telemetry
from triage.errors import Transient, TriageError
from triage.intake.attachments import Keep
from triage.intake.mail import parse_mail
from triage.settings import Limits
from triage.types import Inquiry, SourceRef

_INQUIRY = TypeAdapter(Inquiry)


def main() -> None:
    """Answer requests until the input ends."""
    telemetry.configure(quiet=True)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to standard error
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        limits = Limits.model_validate(request["limits"])
        for mail in request["mails"]:
            keep = _elsewhere if request["recordings"] else None
            out.write(answered(mail, limits, request["authserv_ids"], keep) + b"\n")
            out.flush()


def answered(
    mail: dict[str, Any], limits: Limits, authserv_ids: list[str], keep: Keep | None = None
) -> bytes:
    """The inquiry in a mail as one line of JSON, or `null`: the worker then finds out itself what
    is wrong, and says so.
    """
    try:
        raw = Path(mail["path"]).read_bytes()
        if hashlib.sha256(raw).hexdigest() != mail["sha256"]:
            return b"null"
        inquiry = parse_mail(
            raw,
            inquiry_id=mail["id"],
            ref=SourceRef(*mail["ref"]),
            received_at=datetime.fromisoformat(mail["received_at"]),
            limits=limits,
            campaign=mail["campaign"],
            authserv_ids=authserv_ids,
            keep=keep,
        )
        return _INQUIRY.dump_json(inquiry)
    except (TriageError, OSError, MemoryError, PydanticSerializationError):
        return b"null"


def _elsewhere(_data: bytes) -> str:
    """Recordings are made safe by the worker, which has the store."""
    raise Transient("a recording came with the mail")


if __name__ == "__main__":
    main()
