"""Finds files in a tree of folders without listing all of it each time.

Every file system moves a folder's time when a name in it comes, goes or is changed. So a folder
that is listed, taken in and at rest is left alone until its time changes, over restarts too: the
time is kept as the folder's cursor. Only folders with subfolders are listed to learn the times of
those; on a server far away, that is done the more rarely the longer nothing came below while other
folders had news.

What leaves a folder's time as it was (a file written anew in place, a file system without such
times) is found by the sweep: one walk through everything, a few files with each look.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from triage.errors import Configuration
from triage.sources.base import Memory
from triage.sources.recordings.store import Entry, Listed
from triage.types import FolderCursor

_REST_NS = 600 * 10**9
"""A folder is at rest once nothing in it has changed for this long: its time and those of its files
may be coarse, and files are written in place for a while."""
_LEAF = "leaf"
"""In a cursor: the folder has no subfolders, and everything in it was taken in."""
_RARER = 100
"""What changed this many seconds before the newest of all is looked at a second later than it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and its time, as the listing of its parent shows it."""

    path: str
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in one folder."""

    files: list[Entry] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)


class Tree(Protocol):
    """A store that has folders."""

    own_clock: bool

    def root(self) -> Folder:
        """The outermost folder; its path is empty."""

    def scan(self, folder: str) -> Scan:
        """Regular files and subfolders, without links and hidden ones.

        Raises `FileNotFoundError` or `PermissionError`.
        """


def cursor_of(listed: Listed) -> FolderCursor:
    """What is stored once the folder is taken in."""
    return FolderCursor(listed.folder or "", _LEAF, listed.changed_ns)


class FolderFinder:
    """Looks at folders that changed, and slowly at all others. See `Finder`."""

    def __init__(self, tree: Tree, sweep_every: float, sweep_files: int) -> None:
        self.problems: list[str] = []
        self._tree = tree
        self._sweep_every = sweep_every
        self._sweep_files = sweep_files
        self._known: set[str] = set()
        self._trusted: dict[str, int] = {}  # folders at rest, with the time they had
        self._newest: dict[str, int] = {}  # the newest time below each folder with subfolders
        self._visited: dict[str, float] = {}  # time.monotonic()
        self._sweep: Iterator[Listed] = iter(())
        self._sweep_due = 0.0

    def look(self, memory: Memory) -> Iterator[Listed]:
        """List the folders that changed, newest first, and some of the others."""
        self.problems = []
        ahead, passed_over = [self._tree.root()], False
        while ahead:
            folder = ahead.pop()
            if self._at_rest(folder, memory) or not self._due(folder):
                passed_over = True
                continue
            scan = self._scan(folder.path)
            self._visited[folder.path] = time.monotonic()
            self._note_newest(folder, scan)
            ahead.extend(sorted(scan.folders, key=lambda found: found.changed_ns))
            yield self._listed(folder, scan)
        if not passed_over:  # that was a sweep
            self._sweep_due = time.monotonic() + self._sweep_every
        yield from self._sweep_on()

    def trust(self, listed: Listed) -> None:
        """Leave the folder alone until its time changes."""
        if listed.folder is not None:
            self._trusted[listed.folder] = listed.changed_ns

    def came(self, path: str) -> None:
        """Nothing: folders tell by their times where something came."""

    def all(self) -> Iterator[Entry]:
        """Every file."""
        self.problems = []
        ahead = [self._tree.root().path]
        while ahead:
            scan = self._scan(ahead.pop())
            ahead.extend(folder.path for folder in scan.folders)
            yield from scan.files

    def _at_rest(self, folder: Folder, memory: Memory) -> bool:
        if folder.path not in self._known:
            self._known.add(folder.path)
            cursor = memory.cursor(folder.path)
            if cursor and cursor.uidvalidity == _LEAF:
                self._trusted[folder.path] = cursor.last_uid
        return self._trusted.get(folder.path) == folder.changed_ns

    def _due(self, folder: Folder) -> bool:
        """Whether to list a folder that has subfolders; others are always listed."""
        last = self._visited.get(folder.path)
        newest = self._newest.get(folder.path)
        if self._tree.own_clock or last is None or newest is None or folder.changed_ns > newest:
            return True
        age = (self._newest.get("", newest) - newest) / 1e9
        return time.monotonic() - last >= min(age / _RARER, self._sweep_every)

    def _note_newest(self, folder: Folder, scan: Scan) -> None:
        """A folder is looked at as often as whatever is below it needs: the newest, always."""
        if not scan.folders:
            return
        times = [folder.changed_ns, *(found.changed_ns for found in scan.folders)]
        newest, path = max(times + [file.changed_ns for file in scan.files]), folder.path
        while True:
            self._newest[path] = max(self._newest.get(path, 0), newest)
            if not path:
                return
            path = path.rpartition("/")[0]

    def _listed(self, folder: Folder, scan: Scan) -> Listed:
        """The files; with their folder where it may be left alone from now on."""
        newest = max([folder.changed_ns, *(file.changed_ns for file in scan.files)])
        if scan.folders or time.time_ns() - newest < _REST_NS:
            return Listed(scan.files)
        return Listed(scan.files, folder.path, folder.changed_ns)

    def _sweep_on(self) -> Iterator[Listed]:
        """Go on with the walk through everything, for as many files as one look may list."""
        files = 0
        while files < self._sweep_files:
            listed = next(self._sweep, None)
            if listed is None:
                if time.monotonic() < self._sweep_due:
                    return
                self._sweep_due = time.monotonic() + self._sweep_every
                self._sweep = self._walk()
                continue
            files += len(listed.entries)
            yield listed

    def _walk(self) -> Iterator[Listed]:
        # Where a process ends before its first walk does, the next one begins somewhere else.
        folders = sorted(self._known)
        start = random.randrange(len(folders) or 1)  # noqa: S311 - nothing to guess
        for path in folders[start:] + folders[:start]:
            yield Listed(self._scan(path).files)

    def _scan(self, path: str) -> Scan:
        try:
            return self._tree.scan(path)
        except PermissionError as error:
            self.problems.append(f"cannot list {path or 'the folder'}: {error.strerror or error}")
        except FileNotFoundError:
            if not path:
                raise Configuration("the folder is gone") from None
            self._forget(path)
        return Scan()

    def _forget(self, path: str) -> None:
        self._known.discard(path)
        for kept in (self._trusted, self._newest, self._visited):
            with suppress(KeyError):
                del kept[path]
