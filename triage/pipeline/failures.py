"""What a failed step means for its inquiry: try again, wait for a person, or quarantine."""

from __future__ import annotations

from datetime import timedelta

import structlog

from triage.errors import Configuration, Permanent, Transient
from triage.pipeline.stages import Step
from triage.settings import Engine
from triage.store.records import Work
from triage.store.worklist import Worklist

log = structlog.get_logger(__name__)


def backoff(failures: int, base: float, longest: float) -> timedelta:
    """The pause after the `failures`-th failure in a row (1 is the first): doubling, bounded."""
    return timedelta(seconds=min(base * 2.0 ** min(failures - 1, 30), longest))


def handle(work: Work, step: str, error: Exception, worklist: Worklist, rules: Engine) -> None:
    """Store what follows from a failure. Nothing is ever dropped."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Permanent):
        log.warning("quarantined", inquiry=work.id, step=step, reason=message)
        worklist.quarantined(work, message)
        return
    if isinstance(error, Configuration):
        # Not the item's fault: it waits, without using up its attempts, until somebody mends it.
        log.error("waiting for a person", inquiry=work.id, step=step, problem=message)
        worklist.postponed(work, message, timedelta(seconds=rules.retry_max), counts=False)
        return
    if not isinstance(error, Transient):
        message = f"unexpected {type(error).__name__} in step {step}: {message}"
        log.error("unexpected error", inquiry=work.id, step=step, exc_info=error)
    failures = work.attempts + 1
    # What exceeds its time once seldom fits the next time, and every try may take hours.
    most = min(rules.attempts, 3) if step == Step.TRANSCRIBE else rules.attempts
    if failures >= most:
        log.warning("quarantined", inquiry=work.id, step=step, reason=message)
        worklist.quarantined(work, f"gave up after {failures} tries: {message}")
        return
    wait = backoff(failures, rules.retry_base, rules.retry_max)
    if isinstance(error, Transient) and error.retry_after:
        wait = max(wait, timedelta(seconds=error.retry_after))
    log.info("will try again", inquiry=work.id, step=step, wait_s=wait.total_seconds())
    worklist.postponed(work, message, wait)
