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
from apscheduler.triggers.cron import CronTrigger

from triage import metrics
from triage.engines.courier import Courier
from triage.engines.lanes import Lanes
from triage.engines.watchers import Watchers
from triage.errors import TriageError
from triage.pipeline.dispatch import Dispatch
from triage.pipeline.drifting import Drifting
from triage.pipeline.escalation import Escalation
from triage.pipeline.failures import backoff
from triage.pipeline.holding import Holding
from triage.pipeline.ingest import PollResult, ingest
from triage.pipeline.learning import Learning
from triage.pipeline.marking import mark
from triage.pipeline.silence import silences
from triage.pipeline.steps import Steps
from triage.settings import ImapSource, Settings
from triage.sources.base import Source, Watchable
from triage.store.repository import Repository

log = structlog.get_logger(__name__)

_LONGEST_BACKOFF = 900.0  # seconds between tries of a source that fails
_SILENCE_EVERY = 300.0  # seconds between looks for sources that are unusually silent
_DRIFT_EVERY = 3600.0  # seconds between looks for sources that bring something else
_DRIFT_FIRST = timedelta(minutes=2)  # after the start: the backlog comes first
_POLLING = 16  # sources that are read at a time, at most


class EmbeddedEngine:
    """Polls, works and delivers until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        sources: Mapping[str, Source],
        steps: Steps,
        dispatch: Dispatch,
        learning: Learning | None = None,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._sources = sources
        self._courier = Courier(dispatch)
        self._escalation = Escalation(settings, repository)
        self._learning = learning
        self._lanes = Lanes(steps, settings, self._courier.sweep)
        self._stopping = threading.Event()
        self._plans = {source.name: source for source in settings.sources if source.enabled}
        self._turns = threading.Lock()
        self._polling: set[str] = set()
        self._again: set[str] = set()  # news came while the source was read
        self._told: set[str] = set()  # a watch has told of what the next poll finds
        self._quiet: set[str] = set()  # sources whose silence was reported
        self._watchers = Watchers(self.news)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # Threads for the sources and for the sweep: where these are few, none waits.
            executors={"default": SchedulerPool(min(len(self._plans), _POLLING) + 2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Begin to poll every source and to work off what is open."""
        self._scheduler.add_job(
            self.sweep, "interval", seconds=self._settings.engine.sweep_every, id="sweep"
        )
        self._scheduler.add_job(
            self._listen_to_silence, "interval", seconds=_SILENCE_EVERY, id="silence"
        )
        if self._learning is not None and (at := self._settings.learning.at):
            hour, minute = at.split(":")
            # Without a zone of its own a trigger has the machine's, not the scheduler's.
            daily = CronTrigger(hour=int(hour), minute=int(minute))
            self._scheduler.add_job(self.learn, daily, id="learn")
        if self._settings.drift.enabled:
            self._scheduler.add_job(
                self._look_for_drift,
                "interval",
                seconds=_DRIFT_EVERY,
                id="drift",
                next_run_time=datetime.now(UTC) + _DRIFT_FIRST,
            )
        for name in self._plans:
            self._schedule_poll(name, timedelta(0))
        self._scheduler.start()
        self._watchers.start(
            (name, watch)
            for name, source in self._sources.items()
            if name in self._plans and isinstance(source, Watchable)
            for watch in source.watches()
        )

    def stop(self) -> None:
        """Finish what has begun and stop; what is left is found again at the next start."""
        self._stopping.set()
        self._watchers.stop()
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

    def learn(self) -> None:
        """Train, where enough was confirmed since the last time."""
        if self._learning is None:
            return
        try:
            started = self._learning.start_if_due("schedule")
        except TriageError as error:
            log.warning("no training was started", problem=str(error))
            return
        if started:
            log.info("training", training=started)

    def _listen_to_silence(self) -> None:
        try:
            found = silences(self._settings, self._repository)
        except TriageError as error:
            log.warning("cannot look for silence", problem=str(error))
            return
        quiet = {silence.source for silence in found}
        for name in self._plans:
            metrics.silent(name, is_silent=name in quiet)
        for silence in found:
            if silence.source not in self._quiet:
                hours = round(silence.usual.total_seconds() / 3600, 1)
                log.error(
                    "source is unusually silent",
                    source=silence.source,
                    since=silence.since.isoformat(),
                    longest_pause_h=hours,
                )
        self._quiet = quiet

    def _look_for_drift(self) -> None:
        try:
            Drifting(self._settings, self._repository).look()
        except TriageError as error:
            log.warning("cannot look for drift", problem=str(error))

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
                hold=Holding(plan, self._repository),
            )
        except Exception as error:
            message = " ".join(str(error).split()) or type(error).__name__
            wait = backoff(failures + 1, plan.poll_every, _LONGEST_BACKOFF)
            self._repository.polls.failed(name, failures + 1, message, wait)
            metrics.polled(name, good=False)
            raise
        wait = timedelta(seconds=plan.poll_every)
        self._repository.polls.succeeded(name, len(result.fresh), wait)
        metrics.polled(name, good=True, new=len(result.fresh))
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

    def news(self, name: str) -> None:
        """Something arrived at a source: read it now, or again if it is being read."""
        with self._turns:
            self._told.add(name)
            if name in self._polling:
                self._again.add(name)
            elif not self._stopping.is_set() and self._scheduler.running:
                self._schedule_poll(name, timedelta(0))

    def _schedule_poll(self, name: str, wait: timedelta) -> None:
        self._scheduler.add_job(
            self._scheduled_poll,
            "date",
            run_date=datetime.now(UTC) + wait,
            args=[name],
            id=f"poll:{name}",
            replace_existing=True,
            # A poll plans the next one, which may begin before the scheduler has seen this one end.
            max_instances=10,
        )

    def _scheduled_poll(self, name: str) -> None:
        with self._turns:  # two polls of a source never overlap
            if name in self._polling:
                self._again.add(name)
                return
            self._polling.add(name)
            told = name in self._told
            self._told.discard(name)
        wait = timedelta(seconds=self._plans[name].poll_every)
        try:
            found = self.poll(name).fresh
            if found:
                log.info("polled", source=name, new=len(found))
            if found and not told:
                self._watchers.suspect(name)
            self.mark(name)
        except Exception as error:  # noqa: BLE001 - it is stored, logged, and tried again
            wait = self._wait_after_failure(name, error)
        finally:
            with self._turns:
                self._polling.discard(name)
                if name in self._again:
                    self._again.discard(name)
                    wait = timedelta(0)
                if not self._stopping.is_set():
                    self._schedule_poll(name, wait)

    def mark(self, name: str) -> None:
        """Tell a mailbox what became of its mails; the next poll makes up for a failure."""
        plan = self._plans[name]
        if isinstance(plan, ImapSource):
            try:
                mark(self._sources[name], plan, self._repository)
            except TriageError as error:
                log.warning("cannot mark mails", source=name, problem=str(error))

    def _wait_after_failure(self, name: str, error: Exception) -> timedelta:
        state = self._repository.polls.state(name)
        failures = state.failures if state else 1
        wait = backoff(failures, self._plans[name].poll_every, _LONGEST_BACKOFF)
        known = isinstance(error, TriageError)
        log.warning(
            "source failed",
            source=name,
            problem=str(error),
            next_try_s=wait.total_seconds(),
            exc_info=None if known else error,
        )
        return wait
