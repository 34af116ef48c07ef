"""What a destination said to one try."""

from __future__ import annotations

from dataclasses import dataclass, field

_ASKS_FOR_PATIENCE = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a destination said. `retry_after` in seconds, where it asked for a pause.

    `status` is HTTP's, None where there was none (no connection, or not HTTP at all). `error` is
    for people and never holds a secret. `body` is the beginning of the answer.
    """

    accepted: bool
    status: int | None
    error: str
    duration_s: float
    retry_after: float | None = None
    body: bytes = field(default=b"", repr=False)

    @property
    def gone(self) -> bool:
        """The destination wants nothing any more: 410, which ends all deliveries to it."""
        return self.status == 410

    @property
    def destination_ails(self) -> bool:
        """The failure is the destination's, so other events would fail too: the breaker counts."""
        if self.accepted:
            return False
        return self.status is None or self.status >= 500 or self.status in _ASKS_FOR_PATIENCE
