"""Thread pools that work the steps off, each inquiry in one place at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import get_args

import structlog

from classifiers.verdict import Channel
from triage.engines.claims import Claims
from triage.engines.waiting import Company, Waiting
from triage.pipeline.failures import handle
from triage.pipeline.stages import Lane, Step, lane, next_step
from triage.pipeline.steps import Steps
from triage.settings import Settings
from triage.store.records import Work
from triage.types import Stage

log = structlog.get_logger(__name__)

_AT_ONCE = 200  # inquiries of a channel taken from the work list at a time
_BACKLOG_AT_ONCE = 32  # of those that waited long: what arrives now finds a short queue
_PARSED_AT_ONCE = 32
_PARSED_BYTES = 4_000_000  # of raw mails, but for one that is larger alone
_PAUSE = 30.0  # seconds an inquiry is left alone whose failure could not even be stored


class Lanes:
    """Takes inquiries through their steps until they are settled, wait or are quarantined.

    `settled` is called after an inquiry was settled (its events are then in the outbox), from a
    worker's thread. What fails is due again later and found by a sweep.
    """

    def __init__(self, steps: Steps, settings: Settings, settled: Callable[[], None]) -> None:
        self._steps = steps
        self._worklist = steps.repository.worklist
        self._rules = settings.engine
        self._settled = settled
        self._closing = False
        # Each channel has its own room: a heap of recordings never keeps a mail waiting. And so has
        # what waited long: a heap of old mails does not keep a new one waiting.
        self._claims: dict[tuple[Channel, bool], Claims[Work]] = {
            (channel, backlog): Claims()
            for backlog in (False, True)
            for channel in get_args(Channel)
        }
        self._waiting = {
            each: Waiting(partial(company, settings.classifier.batch)) for each in Lane
        }
        self._pools = {
            Lane.GENERAL: ThreadPoolExecutor(settings.engine.workers, "general"),
            Lane.SPEECH: ThreadPoolExecutor(settings.transcription.workers, "speech"),
            Lane.MODEL: ThreadPoolExecutor(1, "model"),
        }

    def sweep(self) -> None:
        """Start on everything that is due and not in the lanes."""
        for (channel, backlog), claims in self._claims.items():
            most = _BACKLOG_AT_ONCE if backlog else _AT_ONCE
            find = partial(self._worklist.due, channel, backlog=backlog)
            for work in claims.take(most, find):
                self._place(work)

    def wait(self, timeout: float) -> bool:
        """Wait until the lanes are empty, `timeout` seconds a channel; returns whether they are."""
        return all(claims.wait(timeout) for claims in self._claims.values())

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
        self._steps.parser.close()

    def _place(self, work: Work) -> None:
        step = next_step(work)
        if step is None or self._closing:
            self._leave(work)
            return
        try:
            its = lane(step, work)
            self._waiting[its].add(work)
            self._pools[its].submit(self._perform_next, its)
        except RuntimeError:  # shut down: the stage column remembers what is left to do
            self._leave(work)

    def _perform_next(self, its: Lane) -> None:
        if taken := self._waiting[its].take():
            self._perform(*taken)

    def _perform(self, step: Step, works: list[Work]) -> None:
        try:
            self._steps.run(step, works)
        except Exception as error:  # noqa: BLE001 - whatever happens costs items, not the worker
            if len(works) == 1:
                self._failed(works[0], step, error)
                return
            # One of them is bad; alone, each gets what it deserves.
            for work in works:
                self._perform(step, [work])
            return
        self._go_on(works)

    def _failed(self, work: Work, step: Step, error: Exception) -> None:
        pause = 0.0
        try:
            if not self._closing:
                handle(work, step, error, self._worklist, self._rules)
        except Exception as failure:  # noqa: BLE001 - the row stays due, whatever it was
            pause = _PAUSE
            log.warning("cannot store a failure", inquiry=work.id, problem=str(failure))
        finally:
            self._leave(work, pause=pause)

    def _go_on(self, works: Sequence[Work]) -> None:
        """Straight to the next step, without waiting for a sweep."""
        rows: dict[str, Work] = {}
        try:
            rows = self._worklist.rows([work.id for work in works])
            if any(row.stage is Stage.SETTLED for row in rows.values()):
                self._settled()
        except Exception as failure:  # noqa: BLE001 - the rows stay due, whatever it was
            log.warning("cannot go on", inquiry=works[0].id, problem=str(failure))
        turned = False
        for before in works:
            work = rows.get(before.id)
            if work is None or work.stage == before.stage or work.channel != before.channel:
                self._leave(before)
                turned |= work is not None and work.channel != before.channel
            else:
                self._place(work)
        if turned:  # a mail that turned out to be a call takes a place among calls
            self._more()

    def _leave(self, work: Work, *, pause: float = 0.0) -> None:
        self._claims[work.channel, work.backlog].release(work, pause=pause)
        if work.backlog and self._claims[work.channel, True].count < _BACKLOG_AT_ONCE // 4:
            self._more()

    def _more(self) -> None:
        """The room for old inquiries is small: fill it at once, not at the next sweep."""
        try:
            if not self._closing:
                self.sweep()
        except Exception as error:  # noqa: BLE001 - the next sweep makes up for it
            log.warning("cannot look for more work", problem=str(error))


def company(batch: int, work: Work) -> Company:
    """What `work` may be done with: the model (`batch` at a time) and the parser like many.

    A mail whose parsing was begun before is parsed alone: it may be what killed the process, and
    the others would count that as attempts of theirs.
    """
    step = next_step(work)
    if step is None:
        raise ValueError(f"{work.id} is {work.stage}: no step waits for it")
    if step is Step.CLASSIFY:
        return Company(step, batch)
    if step is Step.PARSE and work.channel == "email" and not work.attempts:
        return Company(step, _PARSED_AT_ONCE, _PARSED_BYTES)
    return Company(step)
