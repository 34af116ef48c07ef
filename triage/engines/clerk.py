"""Stores what became of deliveries: what is answered while one transaction runs, in the next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from triage.errors import Transient
from triage.pipeline.dispatch import Tried

log = structlog.get_logger(__name__)

_UNSTORED = 16  # answers that wait for a commit; a crash repeats so many, under their old ids

Done = Callable[[bool], None]
"""Called with whether a try was stored."""


class Clerk:
    """One thread that writes for all; under load a commit costs more than what it stores.

    Threads that bring tries wait where too many are not stored yet.
    """

    def __init__(self, store: Callable[[Sequence[Tried]], None]) -> None:
        self._store = store
        self._told: deque[tuple[Tried, Done]] = deque()
        self._room = threading.Semaphore(_UNSTORED)
        self._pool = ThreadPoolExecutor(1, "clerk")

    def take(self, tried: Tried, done: Done) -> None:
        """Store a try soon, and call `done` then, from the clerk's thread."""
        self._room.acquire()
        self._told.append((tried, done))
        try:
            self._pool.submit(self._write)
        except RuntimeError:  # the process ends
            self._write()

    def close(self) -> None:
        """Store what was brought."""
        self._pool.shutdown(wait=True)

    def _write(self) -> None:
        together = [self._told.popleft() for _ in range(len(self._told))]
        if not together:
            return
        try:
            stored = self._stored([tried for tried, _ in together])
        finally:
            self._room.release(len(together))
        for (_, done), good in zip(together, stored, strict=True):
            done(good)

    def _stored(self, together: Sequence[Tried]) -> list[bool]:
        try:
            self._store(together)
        except Exception as error:
            if len(together) > 1 and not isinstance(error, Transient):
                # One of them is at fault; alone, each gets what it deserves.
                return [self._stored([tried])[0] for tried in together]
            for tried in together:  # the row stays due, whatever it was
                log.exception("cannot store what became of a delivery", delivery=tried.delivery.id)
            return [False] * len(together)
        return [True] * len(together)
