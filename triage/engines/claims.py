"""Who works on what: nothing is in two hands at once, and nothing stays claimed for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A row with an id."""

    @property
    def id(self) -> str:
        """What it is claimed by."""
        ...


T = TypeVar("T", bound=Named)


class Claims(Generic[T]):
    """The rows of one kind that threads of this process are at work on."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._changed = threading.Condition()
        self._busy: set[str] = set()
        self._resting: dict[str, float] = {}

    def take(self, most: int, find: Callable[[int, frozenset[str]], Sequence[T]]) -> list[T]:
        """Claim what `find(limit, but not these)` returns, so that at most `most` rows are claimed.

        One caller at a time: a row that was read before another thread finished with it would be
        worked on twice.
        """
        with self._looking:
            with self._changed:
                now = time.monotonic()
                self._resting = {name: at for name, at in self._resting.items() if at > now}
                room = most - len(self._busy)
                skip = frozenset(self._busy | self._resting.keys())
            if room <= 0:
                return []
            found = list(find(room, skip))
            with self._changed:
                self._busy.update(row.id for row in found)
            return found

    def release(self, row: T, *, pause: float = 0.0) -> None:
        """Give a row back. `pause`: seconds it is left alone, where its result was not stored."""
        with self._changed:
            self._busy.discard(row.id)
            if pause:
                self._resting[row.id] = time.monotonic() + pause
            if not self._busy:
                self._changed.notify_all()

    @property
    def count(self) -> int:
        """How many rows are claimed."""
        with self._changed:
            return len(self._busy)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is claimed, `timeout` seconds at most; returns whether so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout)
