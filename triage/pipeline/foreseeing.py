"""Signals that are read before anybody asks for them, so that whoever calls an inquiry a lead waits
for no model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import structlog

from triage.types import Inquiry, Qualification, Transcript

log = structlog.get_logger(__name__)

Read = Callable[[Inquiry, Transcript | None], Qualification]
_KEPT: Final = 32
"""Inquiries whose signals are kept: those on the screens of a few reviewers, and the last ones."""


class Foreseen:
    """Signals of what is on somebody's screen, in memory. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Inquiry, Transcript | None, Future[Qualification]]] = (
            OrderedDict()
        )
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="signals")
        self._waiting: Future[None] | None = None

    def of(self, inquiry: Inquiry, transcript: Transcript | None, read: Read) -> Qualification:
        """What was read ahead of just this text, or is being read; else it is read now."""
        with self._lock:
            known = self._kept.get(inquiry.id)
            reads = known is None or known[:2] != (inquiry, transcript)
            if known is None or reads:
                known = self._kept[inquiry.id] = (inquiry, transcript, Future())
                self._kept.move_to_end(inquiry.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        future = known[2]
        if reads:
            try:
                future.set_result(read(inquiry, transcript))
            except BaseException as error:
                future.set_exception(error)
                with self._lock:
                    if self._kept.get(inquiry.id) is known:
                        del self._kept[inquiry.id]
                raise
        return future.result()

    def ahead(self, work: Callable[[], object]) -> None:
        """Have something read while somebody reads it, too. What was asked for before and has not
        begun is left: nobody looks at it any more.
        """
        with self._lock:
            if self._waiting is not None:
                self._waiting.cancel()
            self._waiting = self._pool.submit(_quietly, work)


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:  # whoever needs it reads it, and learns what is wrong
        log.exception("signals cannot be read ahead")
