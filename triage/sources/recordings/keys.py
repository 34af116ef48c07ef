"""Finds objects in a bucket without listing all of it each time.

A bucket tells of no changes: its keys are listed in their order, or not at all. So each look lists
where recordings came in lately, from the folder of each of the last ones on (today's date, and
what follows it: tomorrow's), and then a window of keys that moves on with each look, until all were
listed and it begins anew. Nothing depends on how keys are named; good names only make it quicker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from triage.sources.base import Memory
from triage.sources.recordings.store import Entry, Listed

_LATELY = 200  # recordings whose folders are looked at each time
_HOT = 16  # folders, at most
_FIRST = 10  # times as many keys are listed in a process's first look
PAGE = 1000
"""As many keys as S3 lists at once, at most."""


class Bucket(Protocol):
    """A store that lists keys in their order, a page at a time."""

    def pages(self, after: str) -> Iterator[Sequence[Entry]]:
        """Everything after a path."""


class KeyFinder:
    """Looks at the newest folders, and at a moving window of all keys. See `Finder`."""

    def __init__(self, bucket: Bucket, sweep_files: int) -> None:
        self.problems: list[str] = []
        self._bucket = bucket
        self._window = sweep_files
        self._at = ""  # the window begins after this path
        self._pages = -(-sweep_files // min(PAGE, sweep_files)) + 1
        self._large: set[str] = set()  # folders too large to be listed whole each time
        self._looks = 0
        self._whole = False  # whether the last window was all there is
        self._lately: deque[str] = deque(maxlen=_LATELY)

    def look(self, memory: Memory) -> Iterator[Listed]:
        """List what may be new."""
        if not self._looks:
            self._lately.extend(reversed(memory.lately(_LATELY)))
        if not self._whole:
            yield from self._hot()
        yield from self._move_on()
        self._looks += 1

    def trust(self, listed: Listed) -> None:
        """Folders of a bucket have no times to trust in."""

    def came(self, path: str) -> None:
        """A recording was taken in: more may come beside it."""
        self._lately.append(path)

    def all(self) -> Iterator[Entry]:
        """Every object, in the order of their keys."""
        for page in self._bucket.pages(""):
            yield from page

    def _hot(self) -> Iterator[Listed]:
        """From the folder of each of the last recordings on, as far as there is more beside one.

        In a folder too large for that, from the last recording on: that finds what is new where
        names begin with a time, and the window finds the rest.
        """
        folders = list(dict.fromkeys(_folder(path) for path in reversed(self._lately)))[:_HOT]
        reached = ""
        for folder in sorted(folders):
            if folder < reached:
                continue
            after = self._last_in(folder) if folder in self._large else folder
            for page in islice(self._bucket.pages(max(after, reached)), self._pages):
                yield Listed(page)
                reached = page[-1].path if page else reached
                if not any(_folder(entry.path) in folders for entry in page):
                    break
            else:
                if _folder(reached) == folder:
                    self._large.add(folder)

    def _last_in(self, folder: str) -> str:
        return max(path for path in self._lately if _folder(path) == folder)

    def _move_on(self) -> Iterator[Listed]:
        """One window of keys."""
        started, found = self._at, 0
        most = self._window * (1 if self._looks else _FIRST)
        for page in self._bucket.pages(self._at):
            yield Listed(page)
            found += len(page)
            self._at = page[-1].path if page else self._at
            if found >= most:
                self._whole = False
                return
        self._at = ""
        self._whole = not started and found <= self._window


def _folder(path: str) -> str:
    """The folder of a path, with the slash; nothing is less, and all in it are greater."""
    return path[: path.rfind("/") + 1]
