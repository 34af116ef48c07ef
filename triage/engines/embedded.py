"""The embedded engine: one process, APScheduler for what is due, thread pools for the work.

The stage column and the outbox are the only queues. Work that is new goes straight into the lanes;
a sweep finds what was left by a crash or waits for another try. Killing the process at any moment
loses nothing but the seconds of the step that was under way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor as SchedulerPool
from apscheduler.schedulers.background import BackgroundScheduler

from triage.engines.courier import Courier
from triage.engines.lanes import Lanes
from triage.errors import TriageError
from triage.pipeline.dispatch import Dispatch
from triage.pipeline.escalation import Escalation
from triage.pipeline.failures import backoff
from triage.pipeline.ingest import PollResult, ingest
from triage.pipeline.steps import Steps
from triage.settings import Settings
from triage.sources.base import Source
from triage.store.repository import Repository

log = structlog.get_logger(__name__)

_LONGEST_BACKOFF = 900.0  # seconds between tries of a source that fails


class EmbeddedEngine:
    """Polls, works and delivers until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        sources: Mapping[str, Source],
        steps: Steps,
        dispatch: Dispatch,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._sources = sources
        self._courier = Courier(dispatch)
        self._escalation = Escalation(settings, repository)
        self._lanes = Lanes(steps, settings, self._courier.sweep)
        self._stopping = threading.Event()
        self._plans = {source.name: source for source in settings.sources if source.enabled}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # A thread for each source and one for the sweep: none waits for another.
            executors={"default": SchedulerPool(len(self._plans) + 2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to poll every source and to work off what is open."""
        self._scheduler.add_job(
            self.sweep, "interval", seconds=self._settings.engine.sweep_every, id="sweep"
        )
        for name in self._plans:
            self._schedule_poll(name, timedelta(0))
        self._scheduler.start()

    def stop(self) -> None:
        """Finish what has begun and stop; what is left is found again at the next start."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._lanes.close()
        self._courier.close()

    def sweep(self) -> None:
        """Start on everything that is due: inquiries and deliveries."""
        for sweep in (self._lanes.sweep, self._escalation.sweep, self._courier.sweep):
            try:
                sweep()
            except TriageError as error:
                log.warning("sweep failed", problem=str(error))

    def poll(self, name: str) -> PollResult:
        """Poll one source now and store how it went. Raises what the source raises."""
        plan = self._plans[name]
        state = self._repository.polls.state(name)
        failures = state.failures if state else 0
        try:
            result = ingest(
                self._sources[name],
                plan.campaign,
                self._repository,
                arrived=self.sweep,
                stopping=self._stopping.is_set,
            )
        except Exception as error:
            message = " ".join(str(error).split()) or type(error).__name__
            wait = backoff(failures + 1, plan.poll_every, _LONGEST_BACKOFF)
            self._repository.polls.failed(name, failures + 1, message, wait)
            raise
        wait = timedelta(seconds=plan.poll_every)
        self._repository.polls.succeeded(name, len(result.fresh), wait)
        return result

    def drain(self, timeout: float) -> bool:
        """Work until nothing is due any more, `timeout` seconds at most; returns whether so."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self.sweep()
            if self._lanes.wait(min(left, 1.0)) and self._courier.wait(min(left, 1.0)):
                self.sweep()
                if self._lanes.wait(0) and self._courier.wait(0):
                    return True
        return False

    def _schedule_poll(self, name: str, wait: timedelta) -> None:
        # Each poll plans the next one when it ends: two polls of a source can never overlap.
        self._scheduler.add_job(
            self._scheduled_poll,
            "date",
            run_date=datetime.now(UTC) + wait,
            args=[name],
            id=f"poll:{name}",
            replace_existing=True,
        )

    def _scheduled_poll(self, name: str) -> None:
        plan = self._plans[name]
        wait = timedelta(seconds=plan.poll_every)
        try:
            result = self.poll(name)
            if result.fresh:
                log.info("polled", source=name, new=len(result.fresh))
        except Exception as error:
            state = self._repository.polls.state(name)
            wait = backoff(state.failures if state else 1, plan.poll_every, _LONGEST_BACKOFF)
            known = isinstance(error, TriageError)
            log.warning(
                "source failed",
                source=name,
                problem=str(error),
                next_try_s=wait.total_seconds(),
                exc_info=None if known else error,
            )
        finally:
            if not self._stopping.is_set():
                self._schedule_poll(name, wait)
