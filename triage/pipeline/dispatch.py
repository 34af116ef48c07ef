"""One try of one delivery, and what its answer means for the outbox row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
from triage.store.outbox import Attempt
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState

log = structlog.get_logger(__name__)

_LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a delivery; `answer` is None where no try could be made."""

    state: DeliveryState
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Sends what the outbox holds."""

    settings: Settings
    repository: Repository
    client: HttpClient

    def deliver(self, delivery: Delivery) -> Tried:
        """Try once; the row says afterwards whether it was accepted, waits, or is dead."""
        outbox = self.repository.outbox
        at = records.now()
        try:
            answer = self._send(delivery)
        except Configuration as error:
            log.warning("cannot deliver", delivery=delivery.id, problem=str(error))
            outbox.postponed(delivery, str(error), _LOOK_AGAIN)
            return Tried(DeliveryState.PENDING, None)
        attempt = Attempt(at, answer.duration_s, answer.status, answer.error)
        if answer.accepted:
            outbox.tried(delivery, attempt, DeliveryState.ACCEPTED)
            log.info("delivered", delivery=delivery.id, destination=delivery.destination)
            self._measured(delivery)
            return Tried(DeliveryState.ACCEPTED, answer)
        return Tried(self._refused(delivery, attempt, answer), answer)

    def _measured(self, delivery: Delivery) -> None:
        """The speed to lead; later events of a lead say nothing about it."""
        if delivery.event != LEAD_QUALIFIED:
            return
        work = self.repository.worklist.get(delivery.inquiry_id)
        if work and not work.backlog:
            metrics.reached("delivered", work.channel, work.received_at)

    def _refused(self, delivery: Delivery, attempt: Attempt, answer: Answer) -> DeliveryState:
        outbox, name = self.repository.outbox, delivery.destination
        if answer.gone:
            # Nothing is lost: it waits, like all the others, until a person decides.
            self.repository.destinations.stop(name, f"answered {answer.status}: wants nothing more")
            outbox.tried(delivery, attempt, DeliveryState.PENDING, records.now())
            log.error(
                "destination stopped", destination=name, hint=f"triage deliveries enable {name}"
            )
            return DeliveryState.PENDING
        wait = next_wait(self.settings.delivery, delivery.attempts + 1, answer)
        if wait is None:
            outbox.tried(delivery, attempt, DeliveryState.DEAD)
            log.error("dead letter", delivery=delivery.id, problem=answer.error)
            return DeliveryState.DEAD
        outbox.tried(delivery, attempt, DeliveryState.PENDING, records.now() + wait)
        log.warning("not accepted", delivery=delivery.id, problem=answer.error)
        return DeliveryState.PENDING

    def _send(self, delivery: Delivery) -> Answer:
        targets = {destination.name: destination for destination in self.settings.destinations}
        target = targets.get(delivery.destination)
        if target is None:
            raise Configuration(
                f"destination {delivery.destination!r} is no longer in the settings; put it back, "
                "or leave the delivery as it is"
            )
        return adapter_of(target.kind).send(delivery, target, self.client)
