"""Threads that carry due deliveries to their destinations."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from triage.delivery.breaker import Breaker
from triage.engines.claims import Claims
from triage.engines.clerk import Clerk
from triage.pipeline.dispatch import Dispatch, Tried
from triage.store import records
from triage.store.destinations import Condition
from triage.types import Delivery

log = structlog.get_logger(__name__)

_PAUSE = 30.0  # seconds a delivery is left alone whose answer could not be stored
_AHEAD = 8  # rows read at a time, for each that may be under way: a look at the outbox costs too


class Courier:
    """Delivers what is due; each delivery is with one thread at a time.

    Every destination has a lane of its own, with its own threads, breaker and connections: one that
    hangs holds up no other.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        self._repository = dispatch.repository
        self._rules = dispatch.settings.delivery
        self._workers = {
            destination.name: destination.workers or self._rules.workers
            for destination in dispatch.settings.destinations
        }
        self._lanes: dict[str, _Lane] = {}
        self._clerk = Clerk(dispatch.store)
        self._closing = False

    def sweep(self) -> None:
        """Start on every delivery that is due and may go."""
        if self._closing:
            return
        conditions = self._repository.destinations.conditions()
        for name in self._repository.outbox.waiting_destinations():
            lane = self._lanes.get(name) or self._open(name, conditions.get(name))
            lane.heed(conditions.get(name))
            lane.sweep()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is under way, `timeout` seconds a destination."""
        return all(lane.claims.wait(timeout) for lane in list(self._lanes.values()))

    def close(self) -> None:
        """Finish the tries that have begun; what has not begun stays due."""
        self._closing = True
        lanes = list(self._lanes.values())
        for lane in lanes:
            lane.pool.shutdown(wait=False, cancel_futures=True)
        for lane in lanes:
            lane.pool.shutdown(wait=True)
        self._clerk.close()

    def _open(self, name: str, condition: Condition | None) -> _Lane:
        most = self._workers.get(name, self._rules.workers)
        breaker = Breaker(self._rules)
        if condition:
            breaker.resume(condition.failures, condition.paused_until)
        # Two sweeps may come here at once, and both must end with the same lane.
        return self._lanes.setdefault(name, _Lane(name, most, breaker, self._dispatch, self._clerk))


class _Lane:
    """The way to one destination."""

    def __init__(
        self, name: str, most: int, breaker: Breaker, dispatch: Dispatch, clerk: Clerk
    ) -> None:
        self._name = name
        self._most = most
        self._breaker = breaker
        self._dispatch = dispatch
        self._clerk = clerk
        self._outbox = dispatch.repository.outbox
        self._destinations = dispatch.repository.destinations
        self._stopped = False
        self._remarkable = False  # the store has a condition of it
        self.claims: Claims[Delivery] = Claims()
        self.pool = ThreadPoolExecutor(most, f"courier-{name}")

    def heed(self, condition: Condition | None) -> None:
        """Take over what others did: a person enabled the destination, or it was stopped."""
        if self._remarkable and condition is None:
            self._breaker.reset()
        self._remarkable = condition is not None
        self._stopped = condition is not None and condition.is_stopped

    def sweep(self) -> None:
        """Hand due deliveries to the threads, a few ahead of what may be under way."""
        if self._stopped or self._breaker.room(self._most, records.now()) < 1:
            return
        most = self._most * _AHEAD if self._breaker.is_closed else 1
        for delivery in self.claims.take(most, partial(self._outbox.due, self._name)):
            try:
                self.pool.submit(self._carry, delivery)
            except RuntimeError:  # shut down: the row stays due
                self.claims.release(delivery)

    def _carry(self, delivery: Delivery) -> None:
        if self._stopped or not self._breaker.enter(self._most, records.now()):
            self.claims.release(delivery)
            return
        tried, pause = None, 0.0
        try:
            tried = self._dispatch.attempt(delivery)
        except Exception:  # the row stays due, whatever it was
            pause = _PAUSE
            log.exception("cannot deliver", delivery=delivery.id)
        finally:
            self._note(partial(self._learn, tried))
        if tried is None:
            self._end(delivery, pause)
        else:
            # Claimed until it is stored: nobody reads the row as it was.
            self._clerk.take(tried, lambda stored: self._end(delivery, 0.0 if stored else _PAUSE))

    def _end(self, delivery: Delivery, pause: float) -> None:
        self.claims.release(delivery, pause=pause)
        if self.claims.count <= self._most * _AHEAD // 2:
            self._more()

    def _learn(self, tried: Tried | None) -> None:
        answer = tried.answer if tried else None
        if answer and answer.gone:
            self._stopped = True
        changed = self._breaker.leave(answer, records.now())
        if not changed or answer is None:
            return
        until = self._breaker.paused_until
        if until is None:
            log.info("destination is back", destination=self._name)
            self._note(lambda: self._destinations.recovered(self._name))
            return
        failures, problem = self._breaker.failures, answer.error
        log.warning(
            "destination is left alone", destination=self._name, until=until, problem=problem
        )
        self._note(lambda: self._destinations.pause(self._name, until, failures, problem))

    def _more(self) -> None:
        """What waits behind a delivery goes out at once, not at the next sweep."""
        self._note(self.sweep)

    def _note(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the next sweep makes up for it
            log.warning("courier", destination=self._name, problem=str(error))
