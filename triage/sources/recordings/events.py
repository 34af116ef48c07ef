"""News of a folder on this machine: the system tells when a file is there."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from watchdog.events import (
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from triage.errors import Transient

log = structlog.get_logger(__name__)

_RENEW_EVERY = 300.0
_ARRIVALS: list[type[FileSystemEvent]] = [
    FileClosedEvent, FileCreatedEvent, FileMovedEvent, DirMovedEvent,
]  # fmt: skip


class FolderEvents(FileSystemEventHandler):
    """Tells of files that were closed after writing, made, or moved here. See `Watch`.

    The library's thread reads the system's events; a pair of sockets is what others wait for. A
    network file system tells only of what this machine does: there, polls find the rest.
    """

    def __init__(self, source: str, root: Path) -> None:
        self.name = f"{source}/{root}"
        self.renew_every = _RENEW_EVERY
        self._root = root
        self._watched: tuple[int, int] | None = None
        self._observer: Any = None
        self._ear: socket.socket | None = None
        self._mouth: socket.socket | None = None

    def open(self) -> bool:
        """Begin to watch; False where the system allows no more watches."""
        try:
            self._watched = self._identity()
            observer = Observer()
            observer.schedule(self, str(self._root), recursive=True, event_filter=_ARRIVALS)
            self._ear, self._mouth = socket.socketpair()
            self._ear.setblocking(False)
            self._mouth.setblocking(False)
            self._observer = observer
            observer.start()
        except OSError as error:
            self.abandon()
            if error.errno not in {errno.ENOSPC, errno.EMFILE}:
                raise Transient(f"{self._root} cannot be watched: {error}") from error
            log.warning(
                "too many folders to be told of arrivals",
                folder=str(self._root),
                advice="raise fs.inotify.max_user_watches and fs.inotify.max_user_instances",
            )
            return False
        return True

    def fileno(self) -> int:
        """What becomes readable when a file arrives."""
        assert self._ear is not None, "not open"  # noqa: S101 - a mistake of ours
        return self._ear.fileno()

    def look(self) -> bool:
        """Whether files arrived."""
        heard = False
        with suppress(BlockingIOError):
            while self._ear is not None and self._ear.recv(4096):
                heard = True
        return heard

    def renew(self) -> bool:
        """Whether files arrived; `Transient` where another folder is in this one's place."""
        try:
            same = self._identity() == self._watched
        except OSError as error:
            raise Transient(f"{self._root}: {error}") from error
        if not same or self._observer is None or not self._observer.is_alive():
            raise Transient(f"{self._root} is another folder now, or its events have ended")
        return self.look()

    def close(self) -> None:
        """End it."""
        self.abandon()

    def abandon(self) -> None:
        """End it."""
        observer, self._observer = self._observer, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=5)
        for end in (self._ear, self._mouth):
            if end is not None:
                end.close()
        self._ear = self._mouth = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by the library's thread."""
        if Path(os.fsdecode(event.dest_path or event.src_path)).name.startswith("."):
            return
        mouth = self._mouth
        if mouth is not None:
            with suppress(OSError):  # full: it is readable already; or closed
                mouth.send(b".")

    def _identity(self) -> tuple[int, int]:
        status = self._root.stat()
        return status.st_dev, status.st_ino
