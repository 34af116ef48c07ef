"""Recordings in a folder of this machine, or one that is mounted here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage.sources.files import folder_faults, regular
from triage.sources.recordings.folders import Folder, Scan
from triage.sources.recordings.store import Entry, Gone, Unreadable


class LocalFolder:
    """A folder with its subfolders; links below it are not followed. See `Store` and `Tree`."""

    own_clock = True

    def __init__(self, source: str, root: Path) -> None:
        self.where = str(root)
        self._source = source
        self._root = root

    @contextmanager
    def session(self) -> Iterator[None]:
        """Say what is wrong with the folder."""
        with folder_faults(self._source, self._root):
            yield

    def describe(self) -> str:
        """Nothing: there is no connection."""
        return ""

    def root(self) -> Folder:
        """The folder itself."""
        return Folder("", self._root.stat().st_mtime_ns)

    def scan(self, folder: str) -> Scan:
        """What is in a folder below the root."""
        found = Scan()
        with os.scandir(self._root / folder) as listing:
            for item in listing:
                if item.name.startswith("."):
                    continue
                path = f"{folder}/{item.name}" if folder else item.name
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(status.st_mode):
                    found.files.append(Entry(path, status.st_size, status.st_mtime_ns))
                elif stat.S_ISDIR(status.st_mode):
                    found.folders.append(Folder(path, status.st_mtime_ns))
        return found

    def stat(self, path: str) -> Entry | None:
        """The file at a path below the root."""
        status = regular(self._root / path)
        return Entry(path, status.st_size, status.st_mtime_ns) if status else None

    def fetch(self, entry: Entry, aside: Path) -> Path:  # noqa: ARG002 - it is here already
        """The file itself, if it can be opened."""
        path = self._root / entry.path
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
        except FileNotFoundError:
            raise Gone from None
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        if Entry(entry.path, status.st_size, status.st_mtime_ns).revision != entry.revision:
            raise Gone
        return path
