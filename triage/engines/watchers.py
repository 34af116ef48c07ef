"""Waits on many connections for news: one thread waits for all, a few open and renew them.

A source that cannot be watched, or whose watch is lost, is still polled: news only makes the next
poll come at once.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import structlog

from triage import metrics
from triage.errors import TriageError
from triage.pipeline.failures import backoff
from triage.sources.base import Watch

log = structlog.get_logger(__name__)

_THREADS = 4  # that open and renew; each may wait for a server's timeout
_LONGEST_BACKOFF = 60.0
_LIVED = 5.0  # seconds after which the loss of a watch is a new trouble, not the old one


@dataclass(eq=False)
class _Watched:
    """A watch and what is to be done about it; only the waiting thread changes this."""

    source: str
    watch: Watch
    due: float = 0.0  # time.monotonic()
    open: bool = False
    busy: bool = False
    failures: int = 0
    since: float = 0.0  # when it was opened


class Watchers:
    """Calls `news(source)` when a watch of that source heard something, from its own thread."""

    def __init__(self, news: Callable[[str], None]) -> None:
        self._news = news
        self._watched: list[_Watched] = []
        self._selector = selectors.DefaultSelector()
        self._pool = ThreadPoolExecutor(_THREADS, "watch-work")
        self._thread = threading.Thread(target=self._wait, name="watch", daemon=True)
        self._done: deque[Callable[[], None]] = deque()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._stopping = threading.Event()

    def start(self, watches: Iterable[tuple[str, Watch]]) -> None:
        """Watch these, each with the name of its source."""
        self._watched = [_Watched(source, watch) for source, watch in watches]
        self._thread.start()

    def suspect(self, source: str) -> None:
        """A poll found what no watch had told: they show now that they are alive."""
        self._tell(lambda: self._hurry(source))

    @property
    def listening(self) -> int:
        """How many watches are open."""
        return sum(watched.open for watched in self._watched)

    def stop(self) -> None:
        """Close every watch."""
        self._stopping.set()
        if self._thread.is_alive():
            self._tell(lambda: None)
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._apply()
        for watched in self._watched:
            watched.watch.abandon()
        self._selector.close()
        self._ear.close()
        self._mouth.close()

    def _tell(self, change: Callable[[], None]) -> None:
        """Have the waiting thread do something."""
        self._done.append(change)
        with suppress(OSError):  # full: it is awake already
            self._mouth.send(b".")

    def _wait(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._selector.select(self._begin_what_is_due()):
                if isinstance(key.data, _Watched):
                    self._look(key.data)
                else:
                    with suppress(OSError):
                        self._ear.recv(4096)
            self._apply()
            metrics.watching(self.listening)

    def _apply(self) -> None:
        while self._done:
            self._done.popleft()()

    def _begin_what_is_due(self) -> float:
        """Hand out what is due; returns the seconds until something else will be."""
        now, soonest = time.monotonic(), 3600.0
        for watched in self._watched:
            if watched.busy:
                continue
            if watched.due <= now:
                watched.busy = True
                if watched.open:
                    self._selector.unregister(watched.watch)
                self._pool.submit(self._renew if watched.open else self._open, watched)
            else:
                soonest = min(soonest, watched.due - now)
        return soonest

    def _look(self, watched: _Watched) -> None:
        try:
            heard = watched.watch.look()
        except Exception as error:  # noqa: BLE001 - one watch never ends the others
            self._selector.unregister(watched.watch)
            self._lost(watched, error)
            return
        if heard:
            self._news(watched.source)

    def _open(self, watched: _Watched) -> None:
        try:
            possible = watched.watch.open()
        except Exception as error:  # noqa: BLE001 - one watch never ends the others
            self._tell(lambda error=error: self._lost(watched, error))  # type: ignore[misc]
            return
        # What arrived before the watch began is nobody's news.
        self._tell(lambda: self._alive(watched) if possible else self._impossible(watched))

    def _renew(self, watched: _Watched) -> None:
        try:
            watched.watch.renew()
        except Exception as error:  # noqa: BLE001 - one watch never ends the others
            self._tell(lambda error=error: self._lost(watched, error))  # type: ignore[misc]
            return
        self._tell(lambda: self._alive(watched))

    def _alive(self, watched: _Watched) -> None:
        if not watched.open:
            watched.since = time.monotonic()
            log.info("watching", watch=watched.watch.name)
        watched.open, watched.busy = True, False
        watched.due = time.monotonic() + watched.watch.renew_every
        self._selector.register(watched.watch, selectors.EVENT_READ, watched)
        # What was said between two commands may sit in a buffer, where no selector sees it.
        self._news(watched.source)

    def _lost(self, watched: _Watched, error: Exception) -> None:
        watched.watch.abandon()
        now = time.monotonic()
        lived = watched.open and now - watched.since > _LIVED
        watched.open, watched.busy = False, False
        watched.failures = 1 if lived else watched.failures + 1
        watched.due = now + backoff(watched.failures, 1.0, _LONGEST_BACKOFF).total_seconds()
        known = isinstance(error, TriageError)
        log.info(
            "watch lost",
            watch=watched.watch.name,
            problem=str(error),
            exc_info=None if known else error,
        )

    def _impossible(self, watched: _Watched) -> None:
        log.info("not told of arrivals, only polled", watch=watched.watch.name)
        self._watched.remove(watched)

    def _hurry(self, source: str) -> None:
        for watched in self._watched:
            if watched.source == source and watched.open:
                watched.due = 0.0
