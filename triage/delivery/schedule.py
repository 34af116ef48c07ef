"""When a refused event is tried again, and when a person has to look at it."""

from __future__ import annotations

import random
from datetime import timedelta

from triage.delivery.answer import Answer
from triage.settings import DeliveryRules

_LONGEST_PAUSE = 86_400.0  # seconds; a Retry-After beyond a day would be as good as a loss


def next_wait(rules: DeliveryRules, attempts: int, answer: Answer) -> timedelta | None:
    """The pause after the `attempts`-th failed try (1 is the first); None: give up.

    The schedule's wait is varied by `jitter`, so that a destination which comes back is not met by
    everything at once. A longer Retry-After is obeyed.
    """
    if attempts > len(rules.schedule):
        return None
    planned = rules.schedule[attempts - 1]
    varied = planned * random.uniform(1 - rules.jitter, 1 + rules.jitter)  # noqa: S311 - no secret
    asked = min(answer.retry_after or 0.0, _LONGEST_PAUSE)
    return timedelta(seconds=max(varied, asked))
