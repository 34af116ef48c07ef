"""Threads that carry due deliveries to their destinations."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog

from triage.errors import TriageError
from triage.pipeline.dispatch import Dispatch
from triage.types import Delivery

log = structlog.get_logger(__name__)

_AT_ONCE = 100  # deliveries taken from the outbox at a time


class Courier:
    """Delivers what is due; each delivery is with one thread at a time."""

    def __init__(self, dispatch: Dispatch, workers: int) -> None:
        self._dispatch = dispatch
        self._pool = ThreadPoolExecutor(workers, "courier")
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._busy: set[str] = set()

    def sweep(self) -> None:
        """Start on every delivery that is due and not under way."""
        with self._lock:
            busy = frozenset(self._busy)
        if len(busy) >= _AT_ONCE:
            return
        for delivery in self._dispatch.repository.outbox.due(_AT_ONCE, skip=busy):
            with self._lock:
                if delivery.id in self._busy:
                    continue
                self._busy.add(delivery.id)
            try:
                self._pool.submit(self._carry, delivery)
            except RuntimeError:  # shut down: the row stays due
                self._done(delivery)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is under way, `timeout` seconds at most."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, timeout)

    def close(self) -> None:
        """Finish the tries that have begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _carry(self, delivery: Delivery) -> None:
        try:
            self._dispatch.deliver(delivery)
        except TriageError as error:
            log.warning("delivery stays due", delivery=delivery.id, problem=str(error))
        except Exception:
            log.exception("delivery stays due", delivery=delivery.id)
        finally:
            self._done(delivery)

    def _done(self, delivery: Delivery) -> None:
        with self._idle:
            self._busy.discard(delivery.id)
            if not self._busy:
                self._idle.notify_all()
