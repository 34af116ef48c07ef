"""Sources that have been silent for longer than they ever are: perhaps nobody writes, perhaps a
rule on the mail server moves everything away, and nothing that fails would show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from triage.settings import Settings
from triage.store import records
from triage.store.repository import Repository

_REMEMBERED: Final = 1000  # arrivals from which is learned what is usual
_ENOUGH: Final = 20
_FACTOR: Final = 2.0
_SHORTEST: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Silence:
    """A source from which nothing came since `since`, though `usual` is its longest pause."""

    source: str
    since: datetime
    usual: timedelta


def silences(settings: Settings, repository: Repository) -> list[Silence]:
    """The sources that are silent for longer than `silent_after`, or than is usual for them."""
    now = records.now()
    found = []
    for source in settings.sources:
        if not source.enabled or source.silent_after == 0:
            continue
        arrivals = repository.polls.arrivals(source.name, _REMEMBERED)
        told = timedelta(seconds=source.silent_after) if source.silent_after else None
        usual = told or longest_pause(arrivals)
        # Where nothing ever came the silence began when the source was first read.
        began = repository.arrivals.beginnings(source.name).values()
        since = arrivals[-1] if arrivals else min(began, default=None)
        if since is None or usual is None:
            continue
        bound = told or max(usual * _FACTOR, _SHORTEST)
        if now - since > bound:
            found.append(Silence(source.name, since, usual))
    return found


def longest_pause(arrivals: Sequence[datetime]) -> timedelta | None:
    """The longest pause between arrivals; None where these are too few to tell what is usual."""
    if len(arrivals) < _ENOUGH:
        return None
    return max(later - earlier for earlier, later in pairwise(arrivals))
