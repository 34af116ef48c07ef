"""Thread pools that work the steps off, each inquiry in one place at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from triage.errors import TriageError
from triage.pipeline.failures import handle
from triage.pipeline.stages import Lane, Step, lane, next_step
from triage.pipeline.steps import Steps
from triage.settings import Settings
from triage.store.records import Work
from triage.types import Stage

log = structlog.get_logger(__name__)


class Lanes:
    """Takes inquiries through their steps until they are settled, wait or are quarantined.

    `settled` is called after an inquiry was settled (its events are then in the outbox), from a
    worker's thread. What fails is due again later and comes back through `submit`.
    """

    def __init__(self, steps: Steps, settings: Settings, settled: Callable[[], None]) -> None:
        self._steps = steps
        self._rules = settings.engine
        self._batch = settings.classifier.batch
        self._settled = settled
        self._closing = False
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._busy: set[str] = set()
        self._readable: deque[Work] = deque()  # waiting for the model, which likes batches
        self._pools = {
            Lane.GENERAL: ThreadPoolExecutor(settings.engine.workers, "general"),
            Lane.SPEECH: ThreadPoolExecutor(settings.transcription.workers, "speech"),
            Lane.MODEL: ThreadPoolExecutor(1, "model"),
        }

    @property
    def busy(self) -> frozenset[str]:
        """Ids in the lanes now."""
        with self._lock:
            return frozenset(self._busy)

    def submit(self, works: Sequence[Work]) -> None:
        """Start on inquiries; one that is in the lanes already is left where it is."""
        for work in works:
            with self._lock:
                if work.id in self._busy:
                    continue
                self._busy.add(work.id)
            self._place(work)

    def wait(self, timeout: float) -> bool:
        """Wait until the lanes are empty, `timeout` seconds at most; returns whether they are."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, timeout)

    def close(self) -> None:
        """Finish the steps that have begun, start no other.

        A call that is being transcribed is broken off: its row stays as it was and due.
        """
        self._closing = True
        self._steps.transcriber.close()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self._pools.values():
            pool.shutdown(wait=True)

    def _place(self, work: Work) -> None:
        step = next_step(work)
        if step is None:
            self._leave(work)
            return
        try:
            if step is Step.CLASSIFY:
                self._readable.append(work)
                self._pools[Lane.MODEL].submit(self._classify_waiting)
            else:
                self._pools[lane(step, work)].submit(self._perform, step, [work])
        except RuntimeError:  # shut down: the stage column remembers what is left to do
            self._leave(work)

    def _classify_waiting(self) -> None:
        works: list[Work] = []
        while self._readable and len(works) < self._batch:
            works.append(self._readable.popleft())
        if works:
            self._perform(Step.CLASSIFY, works)

    def _perform(self, step: Step, works: list[Work]) -> None:
        try:
            self._steps.run(step, works)
        except Exception as error:  # noqa: BLE001 - whatever happens costs items, not the worker
            if len(works) > 1:
                # One of them is bad; alone, each gets what it deserves.
                for work in works:
                    self._perform(step, [work])
                return
            self._failed(works[0], step, error)
            return
        for work in works:
            self._go_on(work)

    def _failed(self, work: Work, step: Step, error: Exception) -> None:
        if self._closing:
            self._leave(work)
            return
        try:
            handle(work, step, error, self._steps.repository.worklist, self._rules)
        except TriageError as failure:  # the database is away: the row stays due
            log.warning("cannot store a failure", inquiry=work.id, problem=str(failure))
        self._leave(work)

    def _go_on(self, before: Work) -> None:
        """Straight to the next step, without waiting for a sweep."""
        try:
            work = self._steps.repository.worklist.get(before.id)
        except TriageError as failure:
            log.warning("cannot read the work list", inquiry=before.id, problem=str(failure))
            work = None
        if work is None or work.stage == before.stage:
            self._leave(before)
            return
        if work.stage is Stage.SETTLED:
            self._settled()
        self._place(work)

    def _leave(self, work: Work) -> None:
        with self._idle:
            self._busy.discard(work.id)
            if not self._busy:
                self._idle.notify_all()
