"""A source's memory without a database, for unit tests: the store's rules, in a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triage.sources.base import Batch, Fetched, Source
from triage.types import FolderCursor


class Remembered:
    """Remembers every item of the batches that it was given."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], None] = {}
        self._cursors: dict[str, FolderCursor] = {}
        self.asked: list[int] = []

    def cursor(self, folder: str) -> FolderCursor | None:
        """The last one that came with a batch."""
        return self._cursors.get(folder)

    def lately(self, most: int) -> list[str]:
        """What was taken in last, newest first."""
        return [key for key, _ in reversed(self._known)][:most]

    def known(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those that were taken in."""
        self.asked.append(len(keys))
        return self._known.keys() & set(keys)

    def take(self, source: Source) -> list[Fetched]:
        """Poll once and take in all there is."""
        return self.take_in(source.poll(self))

    def take_in(self, batches: Iterable[Batch]) -> list[Fetched]:
        """Take in these batches."""
        items: list[Fetched] = []
        for batch in batches:
            items += [self.keep(item) for item in batch.items]
            self.remember((item.ref.key, item.ref.revision) for item in batch.items)
            if batch.cursor is not None:
                self._cursors[batch.cursor.folder] = batch.cursor
        return items

    def keep(self, item: Fetched) -> Fetched:
        """The item as a test gets it."""
        return item

    def all(self) -> list[tuple[str, str]]:
        """Every (key, revision), oldest first."""
        return list(self._known)

    def remember(self, keys: Iterable[tuple[str, str]]) -> None:
        """As if these had been taken in."""
        self._known |= dict.fromkeys(keys)
