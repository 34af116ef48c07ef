"""What every source is: something that can be polled for items it has not shown yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from triage.types import REFUSED_MARK as REFUSED_MARK  # noqa: PLC0414 - exported
from triage.types import Channel, FolderCursor, SourceRef


@dataclass(frozen=True, slots=True)
class Fetched:
    """One item as a source showed it.

    `content` is the bytes, or the path of a file to copy. `sidecar` is JSON text that came beside a
    recording. Where `refused` is set the item is not usable, for that reason (too large, say):
    `content` is then as much as could be had (a mail's header), for a person to look at. `again`:
    it was refused before, and takes the place of what was kept of it then.
    """

    ref: SourceRef
    channel: Channel
    received_at: datetime
    media_type: str
    content: bytes | Path
    sidecar: str = ""
    refused: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that are taken in together, and how far the source is read once they are safe.

    `backlog`: they have waited for long, and what arrives now goes first.
    """

    items: tuple[Fetched, ...]
    cursor: FolderCursor | None = None
    backlog: bool = False


class Memory(Protocol):
    """What a source may ask about earlier polls."""

    def cursor(self, folder: str) -> FolderCursor | None:
        """How far a folder was read; None if never."""

    def lately(self, most: int) -> list[str]:
        """The keys of what was taken in last, newest first."""

    def known(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which (key, revision) pairs were taken in before."""


class Source(Protocol):
    """A place where inquiries arrive."""

    name: str

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield what is new, oldest first, in batches.

        The caller makes a batch safe before it asks for the next one, so a cursor never runs ahead
        of its items. Raises `Transient` (connection lost, server away) or `Configuration` (wrong
        password, no such folder); what was yielded before stays taken in. One bad item is yielded
        with `refused` or left for intake to judge; it never ends the poll.
        """

    def check(self) -> str:
        """Connect and look, changing nothing; one line about what was found. Raises like `poll`."""


@runtime_checkable
class Sampled(Protocol):
    """A source that knows the name of one of its items, to show what it says."""

    sample: str
    """The key of an item that `check` saw; empty where there is none."""


class Watch(Protocol):
    """A connection on which a source says by itself that something arrived.

    `open`, `renew` and `close` may take as long as the source's timeout, the others never wait. A
    watch that raised is abandoned and opened again later.
    """

    name: str
    renew_every: float

    def open(self) -> bool:
        """Begin to watch; False where this is not possible at all. Raises like `Source.poll`."""

    def fileno(self) -> int:
        """What becomes readable when something happens."""

    def look(self) -> bool:
        """Whether what happened may be an arrival. Raises `Transient` where it is lost."""

    def renew(self) -> bool:
        """Show that the connection lives; whether something arrived meanwhile."""

    def close(self) -> None:
        """End it properly."""

    def abandon(self) -> None:
        """End it at once."""


@runtime_checkable
class Watchable(Protocol):
    """A source that can be watched between polls."""

    def watches(self) -> Sequence[Watch]:
        """The connections that watch all of it; none is open yet."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, with its beginning and without its end."""

    since: datetime
    until: datetime

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.since <= moment < self.until


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that lies at a source, before it is read; `size` in bytes.

    `coming`: the next polls bring it by themselves.
    """

    ref: SourceRef
    folder: str
    received_at: datetime
    size: int
    coming: bool = False


@runtime_checkable
class Retrievable(Protocol):
    """A source whose items can be listed, and read one by one, whatever was read before."""

    def entries(self, span: Span, folders: Sequence[str], memory: Memory) -> Iterator[Entry]:
        """What arrived in a stretch of time, in any order; no folders: those that polls read.

        Raises like `Source.poll`, and `Usage` for a folder that is not there.
        """

    def retrieve(self, keys: Sequence[str]) -> Iterator[Batch]:
        """Read items by their keys, in this order; what is gone is left out. Raises like
        `Source.poll`; what was not yielded may be asked for again.
        """


@dataclass(frozen=True, slots=True)
class MarkOrder:
    """Mark the item at `key` as what became of it; `previous`: as what it was marked before."""

    sighting_id: int
    key: str
    outcome: str
    previous: str


@runtime_checkable
class Markable(Protocol):
    """A source that can be told what became of its items."""

    def mark(self, orders: Sequence[MarkOrder]) -> Iterator[tuple[MarkOrder, str]]:
        """Carry orders out; yields each with `done`, `gone` or why it cannot be. Raises like
        `Source.poll`; what was not yielded may be ordered again.
        """
