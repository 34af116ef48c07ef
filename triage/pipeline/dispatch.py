"""One try of one delivery, and what its answer means for the outbox row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from triage import metrics
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.delivery.events import LEAD_QUALIFIED
from triage.delivery.registry import adapter_of
from triage.delivery.schedule import next_wait
from triage.errors import Configuration
from triage.settings import Settings
from triage.store import records
from triage.store.outbox import Attempt, Settlement
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState

log = structlog.get_logger(__name__)

_LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tried:
    """A try, what the destination said, and what follows from it."""

    settlement: Settlement
    answer: Answer

    @property
    def delivery(self) -> Delivery:
        """What was tried."""
        return self.settlement.delivery


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Sends what the outbox holds."""

    settings: Settings
    repository: Repository
    client: HttpClient

    def attempt(self, delivery: Delivery) -> Tried | None:
        """Try once; what came of it must then be stored. None where no try could be made."""
        at, started = records.now(), time.monotonic()
        try:
            answer = self._send(delivery)
        except Configuration as error:
            log.warning("cannot deliver", delivery=delivery.id, problem=str(error))
            self.repository.outbox.postponed(delivery, str(error), _LOOK_AGAIN)
            return None
        except Exception as error:
            # Whatever a destination does to an adapter is a try like others, and ends as visibly.
            # Only the kind is stored: the words may hold a secret.
            log.exception("a try failed", delivery=delivery.id, destination=delivery.destination)
            elapsed = time.monotonic() - started
            answer = Answer(False, None, f"unexpected {type(error).__name__}", elapsed)
        state, next_at = self._consequence(delivery, answer)
        attempt = Attempt(at, answer.duration_s, answer.status, answer.error)
        return Tried(Settlement(delivery, attempt, state, next_at), answer)

    def store(self, tries: Sequence[Tried]) -> None:
        """The rows say afterwards whether they were accepted, wait, or are dead."""
        self.repository.outbox.settle([tried.settlement for tried in tries])
        for tried in tries:
            name, state = tried.delivery.id, tried.settlement.state
            if state is DeliveryState.ACCEPTED:
                log.info("delivered", delivery=name, destination=tried.delivery.destination)
                self._measured(tried.delivery)
            elif state is DeliveryState.DEAD:
                log.error("dead letter", delivery=name, problem=tried.answer.error)
            elif not tried.answer.gone:
                log.warning("not accepted", delivery=name, problem=tried.answer.error)

    def _measured(self, delivery: Delivery) -> None:
        """The speed to lead; later events of a lead say nothing about it."""
        if delivery.event != LEAD_QUALIFIED:
            return
        work = self.repository.worklist.get(delivery.inquiry_id)
        if work and not work.backlog:
            metrics.reached("delivered", work.channel, work.received_at)

    def _consequence(
        self, delivery: Delivery, answer: Answer
    ) -> tuple[DeliveryState, datetime | None]:
        if answer.accepted:
            return DeliveryState.ACCEPTED, None
        if answer.gone:
            # Nothing is lost: it waits, like all the others, until a person decides.
            name = delivery.destination
            self.repository.destinations.stop(name, f"answered {answer.status}: wants nothing more")
            log.error(
                "destination stopped", destination=name, hint=f"triage deliveries enable {name}"
            )
            return DeliveryState.PENDING, records.now()
        wait = next_wait(self.settings.delivery, delivery.attempts + 1, answer)
        if wait is None:
            return DeliveryState.DEAD, None
        return DeliveryState.PENDING, records.now() + wait

    def _send(self, delivery: Delivery) -> Answer:
        targets = {destination.name: destination for destination in self.settings.destinations}
        target = targets.get(delivery.destination)
        if target is None:
            raise Configuration(
                f"destination {delivery.destination!r} is no longer in the settings; put it back, "
                "or leave the delivery as it is"
            )
        return adapter_of(target.kind).send(delivery, target, self.client)
