"""Raw mails and recordings, kept under their sha256 before anything else looks at them."""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from triage.disk import sync_folder
from triage.errors import Configuration, Permanent, Transient

_CHUNK = 1 << 20
_ASIDE = ".incoming-"
_LEFT_SECONDS = 24 * 3600
_FEW = 4  # contents from which on one sync for all is cheaper than four for each
# Linux has it, and Python does not offer it.
_SYNCFS = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class _Unreadable(Exception):
    """The file to be stored is at fault, not the store."""


class BlobStore:
    """Content-addressed files below `root`: `ab/cd/abcd…`. Equal content is stored once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tidied = False

    def put(self, content: bytes | Path) -> tuple[str, int]:
        """Store bytes or a copy of a file; returns (sha256, size in bytes).

        When this returns, the bytes survive a power cut: written aside, synced, renamed, and the
        folder synced. Raises `Transient` when the disk refuses, `Permanent` when the file given
        cannot be read, and `FileNotFoundError` when it is not there.
        """
        try:
            return self._put(content)
        except _Unreadable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise error.__cause__ from None
            raise Permanent(str(error)) from error
        except OSError as error:
            raise Transient(f"blob store {self.root}: {error}") from error

    def put_all(self, contents: Sequence[bytes]) -> list[tuple[str, int]]:
        """As `put`, for many: the disk is asked once to make all of them last."""
        if len(contents) < _FEW or _SYNCFS is None:
            return [self.put(content) for content in contents]
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._tidy()
            stored = [self._put_aside(content) for content in contents]
            _sync_file_system(self.root)
        except OSError as error:
            raise Transient(f"blob store {self.root}: {error}") from error
        return stored

    def path(self, sha256: str) -> Path:
        """Where the content is; `Permanent` if it is not there, `Configuration` if nothing is."""
        path = self._place(sha256)
        if not path.is_file():
            if not self.root.is_dir():
                raise Configuration(f"the blob folder {self.root} is gone; is a disk not mounted?")
            raise Permanent(f"the stored copy {sha256[:12]}… is missing from {self.root}")
        return path

    def read(self, sha256: str) -> bytes:
        """The content; raises `Permanent` if it is missing or no longer what was stored."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise Transient(f"blob store {self.root}: {error}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            if not self.root.is_dir():
                raise Configuration(f"the blob folder {self.root} is gone; is a disk not mounted?")
            raise Permanent(f"the stored copy {sha256[:12]}… in {self.root} is damaged")
        return content

    def remove(self, sha256: str) -> None:
        """Forget a content; that it is not there is as good."""
        try:
            self._place(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise Transient(f"blob store {self.root}: {error}") from error

    def _place(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def _put(self, content: bytes | Path) -> tuple[str, int]:
        self.root.mkdir(parents=True, exist_ok=True)
        self._tidy()
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(prefix=_ASIDE, dir=self.root)
        aside = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                for chunk in _chunks(content):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            place = self._place(digest.hexdigest())
            place.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(place)  # also where it exists: a damaged copy is healed
            for folder in (place.parent, place.parent.parent, self.root):
                sync_folder(folder)
        finally:
            aside.unlink(missing_ok=True)
        return digest.hexdigest(), size

    def _put_aside(self, content: bytes) -> tuple[str, int]:
        """Store bytes under their name, without waiting for the disk. What is there and whole is
        left alone: it may be the only copy that would survive a power cut now.
        """
        name = hashlib.sha256(content).hexdigest()
        place = str(self._place(name))
        if not _holds(place, content):
            handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=self.root)
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(content)
                os.replace(aside, place)  # noqa: PTH105 - of thousands a second
            except BaseException:
                Path(aside).unlink(missing_ok=True)
                raise
        return name, len(content)

    def _tidy(self) -> None:
        """Once, remove what killed writers left: so old that nobody can be writing it."""
        if self._tidied:
            return
        self._tidied = True
        for left in self.root.glob(f"{_ASIDE}*"):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    left.unlink()


def _holds(place: str, content: bytes) -> bool:
    """Whether the content is there; makes the folders for it where it is not."""
    try:
        with open(place, "rb") as file:  # noqa: PTH123 - as above
            return file.read() == content
    except FileNotFoundError:
        folder = os.path.dirname(place)  # noqa: PTH120 - as above
        with suppress(FileExistsError):
            try:
                os.mkdir(folder)  # noqa: PTH102 - as above
            except FileNotFoundError:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
        return False


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise _Unreadable(f"cannot read {content}: {error.strerror}") from error


def _sync_file_system(folder: Path) -> None:
    """Returns when everything written to the folder's file system is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if _SYNCFS is None or _SYNCFS(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)
