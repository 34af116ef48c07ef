"""Tokens in a file that only the worker's user can read, one for each source.

A token server may give a new refresh token with every answer and forget the one before. So an
answer is on the disk before anything else is done with it, and one at a time asks.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from triage.errors import Configuration, Transient
from triage.sources.oauth.endpoint import Granted


class Vault:
    """The tokens of one source, in `folder`."""

    def __init__(self, folder: Path, source: str) -> None:
        self._folder = folder
        self._path = folder / f"{source}.json"
        self._lock = folder / f"{source}.lock"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else reads or replaces the tokens meanwhile, in this process or another."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Configuration(f"{self._folder}: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Granted | None:
        """What was granted; None if nothing was."""
        try:
            return Granted(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise Configuration(
                f"{self._path} cannot be read ({error}); authorise the mailbox again"
            ) from error

    def write(self, granted: Granted) -> None:
        """Replace what was granted, so that a power cut leaves one or the other."""
        aside = self._path.with_suffix(".new")
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(granted), file)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Transient(f"{self._path}: {error}") from error
