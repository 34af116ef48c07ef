"""How an event is brought to one kind of destination: what an adapter is asked, what it answers.

An adapter makes one try. Retries, order, ids, circuit breakers and dead letters are the outbox's
and the courier's, alike for every kind.
"""

from __future__ import annotations

from typing import Protocol

from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.settings import Destination
from triage.types import Delivery


class Adapter(Protocol):
    """A kind of destination. One instance serves all destinations of the kind, in any thread."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """Try once, within `destination.timeout` seconds.

        `delivery.id` is the same over all tries and no other event has it: pass it on, so that a
        receiver can tell a repeat. Raises `Configuration` where nothing can be sent until somebody
        changes the settings; every other failure is an `Answer`.
        """
        ...
