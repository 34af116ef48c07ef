"""What a store of recordings must be able to do, whatever kind it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from triage.sources.base import REFUSED_MARK, Memory
from triage.sources.files import bounded_key

_TAG_CHARS = 50


class Unreadable(Exception):
    """One file cannot be read, for a reason that concerns no other; says which."""


class Gone(Exception):
    """The file is not there any more, or is another one than was listed; a later look tells."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a store lists it: `path` below its root, with `/` between folders.

    Bytes of a name that are not UTF-8 are there as surrogates, as `os.fsdecode` makes them.
    `changed_ns`: when it was written, by the store's clock. `tag`: the store's own mark of a
    version, where it has one.
    """

    path: str
    size: int
    changed_ns: int
    tag: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def key(self) -> str:
        """The path as the database keeps it."""
        return bounded_key(self.path)

    @property
    def revision(self) -> str:
        """Tells versions of one file apart."""
        return f"{self.size}-{self.tag[:_TAG_CHARS] or self.changed_ns}"

    @property
    def refused_revision(self) -> str:
        """The revision under which a refusal is remembered."""
        return self.revision + REFUSED_MARK

    @property
    def changed_at(self) -> datetime:
        """When the file was written, in UTC."""
        try:
            return datetime.fromtimestamp(self.changed_ns / 1e9, UTC)
        except (OverflowError, ValueError):  # a date that no calendar has
            return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Listed:
    """Files that were listed together.

    Where `folder` is set they are all of that folder, and it is as it was at `changed_ns`: once
    they are taken in, it need not be listed again before that time changes.
    """

    entries: Sequence[Entry]
    folder: str | None = None
    changed_ns: int = 0


class Store(Protocol):
    """Holds recordings. All methods but `session` are called within one."""

    where: str
    """What to call it in messages."""
    own_clock: bool
    """Whether times are told by this machine's clock."""

    def session(self) -> AbstractContextManager[None]:
        """Connect; what goes wrong inside becomes `Transient` or `Configuration`."""

    def describe(self) -> str:
        """One line about the connection; empty where there is nothing to say."""

    def stat(self, path: str) -> Entry | None:
        """The regular file at this path now; None if there is none."""

    def fetch(self, entry: Entry, aside: Path) -> Path:
        """A file on this machine with exactly the content that was listed: the original, or a copy
        written to `aside`. Raises `Gone` or `Unreadable`; what else it raises ends the session.
        """


class Finder(Protocol):
    """Decides what of a store is listed when."""

    problems: list[str]
    """What could not be listed in the last look."""

    def look(self, memory: Memory) -> Iterator[Listed]:
        """List what may be new; soon what is likely to be, and in the end everything."""

    def trust(self, listed: Listed) -> None:
        """All that was listed is taken in; called where `listed.folder` is set."""

    def came(self, path: str) -> None:
        """A recording is about to be taken in: more may come beside it."""

    def all(self) -> Iterator[Entry]:
        """Every file, in any order."""
