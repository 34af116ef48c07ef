"""What waits for a step that is cheaper for many at once."""

from __future__ import annotations

import threading
from collections import deque

from triage.store.records import Work


class Waiting:
    """Two queues: what arrives now, and what waited long and comes after it. Any thread may ask."""

    def __init__(self) -> None:
        self._queues: tuple[deque[Work], deque[Work]] = (deque(), deque())
        self._lock = threading.Lock()

    def add(self, work: Work) -> None:
        """Wait."""
        with self._lock:
            self._queues[1 if work.backlog else 0].append(work)

    def take(self, most: int, most_bytes: int | None = None) -> list[Work]:
        """The next ones, `most` at most; with `most_bytes`, as many as fit, but at least one."""
        taken: list[Work] = []
        size = 0
        with self._lock:
            for queue in self._queues:
                while queue and len(taken) < most:
                    size += queue[0].size
                    if taken and most_bytes is not None and size > most_bytes:
                        return taken
                    taken.append(queue.popleft())
        return taken
