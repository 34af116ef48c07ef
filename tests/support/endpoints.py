"""Endpoints that behave as badly as real ones do."""

from __future__ import annotations

import random
from pathlib import Path

from triage.demo.endpoint import Endpoint


class HostileEndpoint(Endpoint):
    """Is away a third of the time, and sometimes answers 500 after it has accepted a lead."""

    def __init__(self, secret: str, ledger: Path, chance: random.Random) -> None:
        super().__init__(secret, ledger)
        self._chance = chance
        self.hostile = True
        self.outages = 0

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """As the base class, with faults."""
        fault = self._chance.random() if self.hostile else 1.0
        if fault < 0.3:
            self.outages += 1
            return 503
        status = super().receive(headers, body)
        return 500 if fault < 0.45 else status
