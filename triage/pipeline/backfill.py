"""The past of a source, looked at and read: what polls passed over, or what other folders hold.

Everything is told apart by where it lies and by its content, so a backfill that was broken off is
simply begun again, and nothing is doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from triage.errors import Usage
from triage.pipeline.ingest import SourceMemory, take_in
from triage.sources.base import Entry, Fetched, Retrievable, Source, Span
from triage.store import records
from triage.store.repository import Repository
from triage.types import REFUSED_MARK, SourceRef

_ASKED_AT_ONCE = 1000
_PACE: Final = 0.1
"""Seconds of work for an item where this worker has not shown its own pace yet."""


@dataclass(slots=True)
class Tally:
    """Items of one folder and month; `size` in bytes.

    `known`: taken in before; `coming`: the worker reads them by itself; `missing`: all others.
    """

    items: int = 0
    known: int = 0
    coming: int = 0
    missing: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What arrived in a stretch of time. `tallies` by (folder, month), `missing` oldest first;
    `seconds`: about how long a worker takes to triage what is missing.
    """

    source: str
    span: Span
    tallies: dict[tuple[str, str], Tally]
    missing: tuple[SourceRef, ...]
    seconds: float


@dataclass(slots=True)
class Progress:
    """How far a backfill is: items `read`, of which `fresh` are new inquiries and `refused` are in
    quarantine; `gone` could not be found any more.
    """

    total: int
    read: int = 0
    fresh: int = 0
    refused: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Backfill:
    """The past of one source. Raises `Usage` where the source cannot be asked for it."""

    source: Source
    campaign: str
    repository: Repository
    past: Retrievable = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.source, Retrievable):
            raise Usage(f"source {self.source.name!r} cannot be asked for what it had before")
        object.__setattr__(self, "past", self.source)

    def survey(self, span: Span, folders: Sequence[str] = ()) -> Survey:
        """List what is there, changing nothing. Raises what the source raises."""
        memory = SourceMemory(self.repository, self.source.name)
        entries = sorted(
            self.past.entries(span, folders, memory),
            key=lambda entry: (entry.received_at, entry.folder, len(entry.ref.key), entry.ref.key),
        )
        tallies: dict[tuple[str, str], Tally] = {}
        missing = []
        for entry, is_known in zip(entries, _known(entries, memory), strict=True):
            tally = tallies.setdefault((entry.folder, _month(entry)), Tally())
            tally.items += 1
            tally.size += entry.size
            tally.known += is_known
            if entry.coming and not is_known:
                tally.coming += 1
            elif not is_known:
                tally.missing += 1
                missing.append(entry)
        pace = self.repository.timings.pace() or _PACE
        wanted = tuple(entry.ref for entry in _in_order(missing))
        return Survey(self.source.name, span, tallies, wanted, len(wanted) * pace)

    def read(
        self,
        survey: Survey,
        *,
        forward: bool = False,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Progress]:
        """Take in what is missing, oldest first; yields after every batch, when it is safe.

        Nobody is told of it by itself, unless `forward`. Raises what the source raises; what was
        read until then is safe.
        """
        progress = Progress(len(survey.missing))
        reason = f"it was brought in by a backfill on {records.now().astimezone():%Y-%m-%d}"

        def hold(item: Fetched) -> str:
            return "" if forward else f"{reason}, and came on {_day(item.received_at)}"

        for batch in self.past.retrieve([ref.key for ref in survey.missing]):
            taken = take_in(batch, self.source.name, self.campaign, self.repository, hold)
            progress.read += taken.seen
            progress.fresh += len(taken.fresh)
            progress.refused += sum(bool(item.refused) for item in batch.items)
            yield replace(progress)
            if stopping():
                return
        progress.gone = max(0, progress.total - progress.read)
        yield replace(progress)


def _known(entries: Sequence[Entry], memory: SourceMemory) -> list[bool]:
    known: list[bool] = []
    for start in range(0, len(entries), _ASKED_AT_ONCE):
        part = [entry.ref for entry in entries[start : start + _ASKED_AT_ONCE]]
        keys = [
            (ref.key, revision)
            for ref in part
            for revision in (ref.revision, ref.revision + REFUSED_MARK)
        ]
        found = memory.known(keys)
        known.extend(
            bool({(ref.key, ref.revision), (ref.key, ref.revision + REFUSED_MARK)} & found)
            for ref in part
        )
    return known


def _in_order(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Month by month, and folder by folder in each, so that few folders are opened often."""
    for _, month in groupby(entries, key=_month):
        yield from sorted(month, key=lambda entry: entry.folder)  # stable: oldest first in each


def _month(entry: Entry) -> str:
    return f"{entry.received_at.astimezone():%Y-%m}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d}"
