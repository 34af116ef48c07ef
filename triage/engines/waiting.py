"""What waits for a lane, and what of it goes together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from triage.pipeline.stages import Step
from triage.store.records import Work


@dataclass(frozen=True, slots=True)
class Company:
    """What a piece of work is done together with: others of the same `step`, `most` of them and
    `most_bytes` of raw items, but for one that is larger alone.
    """

    step: Step
    most: int = 1
    most_bytes: int | None = None


class Waiting:
    """Two queues: what arrives now, and what waited long and comes after it. Any thread may ask."""

    def __init__(self, company: Callable[[Work], Company]) -> None:
        self._company = company
        self._queues: tuple[deque[Work], deque[Work]] = (deque(), deque())
        self._lock = threading.Lock()

    def add(self, work: Work) -> None:
        """Wait."""
        with self._lock:
            self._queues[1 if work.backlog else 0].append(work)

    def take(self) -> tuple[Step, list[Work]] | None:
        """The next ones, and their step; None where nothing waits. New never waits for old: what
        goes together is of one queue.
        """
        with self._lock:
            queue = next((queue for queue in self._queues if queue), None)
            if queue is None:
                return None
            taken = [queue.popleft()]
            company, size = self._company(taken[0]), taken[0].size
            while queue and len(taken) < company.most and self._company(queue[0]) == company:
                size += queue[0].size
                if company.most_bytes is not None and size > company.most_bytes:
                    break
                taken.append(queue.popleft())
        return company.step, taken
