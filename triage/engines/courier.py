"""Threads that carry due deliveries to their destinations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from triage.engines.claims import Claims
from triage.pipeline.dispatch import Dispatch
from triage.types import Delivery

log = structlog.get_logger(__name__)

_PAUSE = 30.0  # seconds a delivery is left alone whose answer could not be stored


class Courier:
    """Delivers what is due; each delivery is with one thread at a time.

    Every destination has `workers` threads of its own: one that hangs holds up no other.
    """

    def __init__(self, dispatch: Dispatch, workers: int) -> None:
        self._dispatch = dispatch
        self._outbox = dispatch.repository.outbox
        self._workers = workers
        self._claims: dict[str, Claims[Delivery]] = {}
        self._pools: dict[str, ThreadPoolExecutor] = {}

    def sweep(self) -> None:
        """Start on every delivery that is due and not under way."""
        for destination in self._outbox.waiting_destinations():
            claims = self._claims.setdefault(destination, Claims())
            find = partial(self._outbox.due, destination)
            for delivery in claims.take(self._workers * 2, find):
                try:
                    self._pool(destination).submit(self._carry, claims, delivery)
                except RuntimeError:  # shut down: the row stays due
                    claims.release(delivery)

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is under way, `timeout` seconds a destination."""
        return all(claims.wait(timeout) for claims in list(self._claims.values()))

    def close(self) -> None:
        """Finish the tries that have begun."""
        for pool in list(self._pools.values()):
            pool.shutdown(wait=True, cancel_futures=True)

    def _pool(self, destination: str) -> ThreadPoolExecutor:
        pool = self._pools.get(destination)
        if pool is None:
            fresh = ThreadPoolExecutor(self._workers, f"courier-{destination}")
            pool = self._pools.setdefault(destination, fresh)
        return pool

    def _carry(self, claims: Claims[Delivery], delivery: Delivery) -> None:
        pause = 0.0
        try:
            self._dispatch.deliver(delivery)
        except Exception:  # the row stays due, whatever it was
            pause = _PAUSE
            log.exception("cannot store what became of a delivery", delivery=delivery.id)
        finally:
            claims.release(delivery, pause=pause)
            self._more()

    def _more(self) -> None:
        """What waits behind a delivery goes out at once, not at the next sweep."""
        try:
            self.sweep()
        except Exception as error:  # noqa: BLE001 - the next sweep finds it
            log.warning("sweep failed", problem=str(error))
