"""Events as JSON Lines, for scripts: in a file, each once, or on standard output."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from pathlib import Path

from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.disk import sync_folder
from triage.settings import Destination
from triage.types import Delivery

_CHUNK = 1 << 20


class LinesAdapter:
    """Appends `{"id", "type", "schema", "timestamp", "data"}`, one a line.

    A file is synced to the disk before an event counts as accepted, and an id that is in it already
    is not written again, whoever wrote it: a worker that died in between leaves no double.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, _Known] = {}
        self._printed: set[str] = set()

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`."""
        del client  # nothing is sent anywhere
        started = time.monotonic()
        line = json.dumps({"id": delivery.id} | json.loads(delivery.body), ensure_ascii=False)
        error = ""
        with self._lock:
            try:
                if destination.path is None:
                    self._print(delivery.id, line)
                else:
                    known = self._known.setdefault(destination.path, _Known(destination.path))
                    known.append(delivery.id, line)
            except OSError as failure:
                error = f"{destination.path or 'standard output'}: {failure.strerror or failure}"
        return Answer(not error, None, error, time.monotonic() - started)

    def _print(self, event_id: str, line: str) -> None:
        if event_id not in self._printed:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            self._printed.add(event_id)


class _Known:
    """Which ids a file holds, as far as it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = (-1, -1)  # device and inode
        self._end = 0
        self._ids: set[str] = set()

    def append(self, event_id: str, line: str) -> None:
        """Add a line unless its id is there, and sync."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        created = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._catch_up(handle)
            if event_id not in self._ids:
                data = (line + "\n").encode()
                while data:
                    data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if created:
            sync_folder(self._path.parent)

    def _catch_up(self, handle: int) -> None:
        """Read what others appended; drop a line that a crash left unfinished."""
        status = os.fstat(handle)
        identity = (status.st_dev, status.st_ino)
        if identity != self._file or status.st_size < self._end:
            self._file, self._end, self._ids = identity, 0, set()
        rest = b""
        position = self._end
        while chunk := os.pread(handle, _CHUNK, position):
            position += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            self._ids.update(filter(None, map(_id_of, lines)))
        self._end = position - len(rest)
        if rest:
            os.ftruncate(handle, self._end)


def _id_of(line: bytes) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""  # a line of somebody else's
    return str(entry.get("id", "")) if isinstance(entry, dict) else ""
