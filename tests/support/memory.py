"""A source's memory without a database, for unit tests: the store's rules, in a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triage.sources.base import Batch, Fetched, Source
from triage.types import FolderCursor


class Remembered:
    """Remembers every item of the batches that it was given."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()
        self.asked: list[int] = []

    def cursor(self, folder: str) -> FolderCursor | None:
        """Files have no cursor."""
        return None

    def known(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those that were taken in."""
        self.asked.append(len(keys))
        return self._known & set(keys)

    def take(self, source: Source) -> list[Fetched]:
        """Poll once and take in all there is."""
        return self.take_in(source.poll(self))

    def take_in(self, batches: Iterable[Batch]) -> list[Fetched]:
        """Take in these batches."""
        items = [item for batch in batches for item in batch.items]
        self._known |= {(item.ref.key, item.ref.revision) for item in items}
        return items
