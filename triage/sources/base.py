"""What every source is: something that can be polled for items it has not shown yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from triage.types import Channel, FolderCursor, SourceRef

REFUSED_MARK = "!"
"""Ends the revision under which a refusal is remembered: the file may become readable later."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One item as a source showed it.

    `content` is the bytes, or the path of a file to copy. `sidecar` is JSON text that came beside a
    recording. Where `refused` is set the item is not usable, for that reason (too large, say):
    `content` is then as much as could be had (a mail's header), for a person to look at.
    """

    ref: SourceRef
    channel: Channel
    received_at: datetime
    media_type: str
    content: bytes | Path
    sidecar: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that are taken in together, and how far the source is read once they are safe."""

    items: tuple[Fetched, ...]
    cursor: FolderCursor | None = None


class Memory(Protocol):
    """What a source may ask about earlier polls."""

    def cursor(self, folder: str) -> FolderCursor | None:
        """How far a folder was read; None if never."""

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
