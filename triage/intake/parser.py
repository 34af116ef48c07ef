"""Parses mails in processes of their own where many wait, beside what the worker does meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter

from triage.intake.process import LineProcess
from triage.settings import Limits
from triage.types import Inquiry, SourceRef

log = structlog.get_logger(__name__)

MANY: Final = 8
"""Mails from which on a process of its own is worth its start."""
IDLE_S: Final = 30.0
"""Seconds after which a process that has nothing to do is ended."""
_MAIL_S: Final = 120.0  # for one mail without its documents, and the start of the process

_INQUIRY: Final = TypeAdapter(Inquiry)


@dataclass(frozen=True, slots=True)
class Stored:
    """A mail in the blob store."""

    id: str
    path: Path
    sha256: str
    ref: SourceRef
    received_at: datetime
    campaign: str


class MailParser:
    """As many processes as threads ask at a time; none while only few mails come. Any thread may
    ask, and whatever goes wrong in a process is left for the one who asked to do itself.
    """

    def __init__(self) -> None:
        self._free: list[LineProcess] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def parse(
        self,
        mails: Sequence[Stored],
        limits: Limits,
        authserv_ids: Collection[str],
        *,
        recordings: bool = False,
    ) -> list[Inquiry | None]:
        """The inquiries in these mails, as `parse_mail` finds them; None where the caller has to
        try: because the mail is none, cannot be read, or the process died over it, or, where
        `recordings` are of interest, because it has some.
        """
        request = {
            "limits": limits.model_dump(),
            "authserv_ids": sorted(authserv_ids),
            "recordings": recordings,
            "mails": [_described(mail) for mail in mails],
        }
        limit_s = _MAIL_S + limits.documents * limits.document_seconds
        found: list[Inquiry | None] = []
        child = self._taken()
        try:
            for line in _answers(child, request, len(mails), limit_s):
                inquiry = None if line == b"null" else _INQUIRY.validate_json(line)
                found.append(inquiry)  # one by one: what came before a failure counts
        except (OSError, ValueError) as error:
            log.warning("process that parses mails failed", problem=str(error))
            child.end()
        except BaseException:
            child.end()
            raise
        else:
            self._give_back(child)
        return found + [None] * (len(mails) - len(found))

    def close(self) -> None:
        """End the processes that nobody uses now."""
        with self._lock:
            ended, self._free = self._free, []
            if self._timer is not None:
                self._timer.cancel()
        for child in ended:
            child.end()

    def _taken(self) -> LineProcess:
        with self._lock:
            return self._free.pop() if self._free else LineProcess("triage.intake.child")

    def _give_back(self, child: LineProcess) -> None:
        with self._lock:
            self._free.append(child)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(IDLE_S, self.close)
            self._timer.daemon = True
            self._timer.start()


def _answers(child: LineProcess, request: object, number: int, limit_s: float) -> Iterator[bytes]:
    """So many lines. `TimeoutError` past the limit for one, `OSError` where there is no more."""
    child.send(json.dumps(request).encode() + b"\n")
    for _ in range(number):
        yield child.line(limit_s)


def _described(mail: Stored) -> dict[str, object]:
    ref = mail.ref
    return {
        "id": mail.id,
        "path": str(mail.path.absolute()),
        "sha256": mail.sha256,
        "ref": [ref.source, ref.kind, ref.key, ref.revision],
        "received_at": mail.received_at.isoformat(),
        "campaign": mail.campaign,
    }
