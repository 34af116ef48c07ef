"""When a destination that fails is left alone, and when it is asked again.

A circuit breaker: closed (everything goes), open (nothing does, for a pause), half open (one try
asks whether it is back). What waits loses none of its tries meanwhile.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from triage.delivery.answer import Answer
from triage.settings import DeliveryRules

_LONGEST_ASKED = timedelta(days=1)  # a Retry-After beyond that would be as good as a loss


class Breaker:
    """The breaker of one destination; safe for several threads. Times are aware."""

    def __init__(self, rules: DeliveryRules) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._under_way = 0
        self._asking = False  # half open: one try at a time until something is accepted
        self._pauses = 0
        self.failures = 0
        self.paused_until: datetime | None = None

    def resume(self, failures: int, paused_until: datetime | None) -> None:
        """Take over what was stored before a restart."""
        with self._lock:
            self.failures, self.paused_until = failures, paused_until
            self._asking, self._pauses = True, 1

    def room(self, most: int, now: datetime) -> int:
        """How many more tries may begin, of `most` under way at a time."""
        with self._lock:
            return self._room(most, now)

    @property
    def is_closed(self) -> bool:
        """Whether everything may go; else one try at most asks whether the destination is back."""
        return not self._asking

    def enter(self, most: int, now: datetime) -> bool:
        """Begin a try, if one may begin; then `leave` must be called."""
        with self._lock:
            if self._room(most, now) < 1:
                return False
            self._under_way += 1
            return True

    def leave(self, answer: Answer | None, now: datetime) -> bool:
        """A try is over; `None` where none could be made. Returns whether the state changed, that
        is, whether a pause began or the destination is back.
        """
        with self._lock:
            self._under_way -= 1
            if answer is None:
                return False
            if not answer.destination_ails:  # it answered; what it said is about the message
                return self._works()
            return self._ails(answer, now)

    def reset(self) -> None:
        """Forget all failures: a person says that it works."""
        with self._lock:
            self._works()

    def _room(self, most: int, now: datetime) -> int:
        if self.paused_until is not None and now < self.paused_until:
            return 0
        return (1 if self._asking else most) - self._under_way

    def _works(self) -> bool:
        changed = self._asking
        self.failures = self._pauses = 0
        self.paused_until, self._asking = None, False
        return changed

    def _ails(self, answer: Answer, now: datetime) -> bool:
        asked = min(timedelta(seconds=answer.retry_after or 0.0), _LONGEST_ASKED)
        paused = self.paused_until is not None and now < self.paused_until
        if paused and not asked:  # begun before the pause: says nothing new
            return False
        self.failures += 1
        tripped = self._asking or self.failures >= self._rules.breaker_after
        if not (tripped or asked):
            return False
        pause = timedelta(0)
        if tripped and not paused:
            longest = self._rules.breaker_longest
            doubled = self._rules.breaker_pause * 2.0 ** min(self._pauses, 30)
            pause = timedelta(seconds=min(doubled, longest))
            self._pauses += 1
        self.paused_until = max(now + pause, now + asked, self.paused_until or now)
        self._asking = True
        return True
