"""Files below a folder: found without following links, judged complete, told apart from known ones.

What was refused (too large, no right to read) is remembered under a revision of its own, so that it
is reported once, and taken in as soon as it can be.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from triage.errors import Configuration, Transient, Usage
from triage.sources.base import REFUSED_MARK, Entry, Memory, Span
from triage.types import SourceKind, SourceRef

_ASKED_AT_ONCE = 200
_KEY_CHARS = 600


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be an item. `reported`: it was refused before, in this same revision."""

    path: Path
    key: str
    revision: str
    status: os.stat_result
    reported: bool = False

    @property
    def refused_revision(self) -> str:
        """The revision under which a refusal is remembered."""
        return self.revision + REFUSED_MARK

    @property
    def changed_at(self) -> datetime:
        """When the file was written, in UTC."""
        try:
            return datetime.fromtimestamp(self.status.st_mtime, UTC)
        except (OverflowError, ValueError):  # a date that no calendar has
            return datetime.now(UTC)


def unseen(candidates: Sequence[Candidate], memory: Memory) -> list[Candidate]:
    """Those never taken in, oldest first."""
    found: list[Candidate] = []
    for start in range(0, len(candidates), _ASKED_AT_ONCE):
        part = candidates[start : start + _ASKED_AT_ONCE]
        known = memory.known(
            [
                (candidate.key, revision)
                for candidate in part
                for revision in (candidate.revision, candidate.refused_revision)
            ]
        )
        found.extend(
            Candidate(
                candidate.path,
                candidate.key,
                candidate.revision,
                candidate.status,
                reported=(candidate.key, candidate.refused_revision) in known,
            )
            for candidate in part
            if (candidate.key, candidate.revision) not in known
        )
    return sorted(found, key=lambda candidate: (candidate.status.st_mtime_ns, candidate.key))


def since_day(candidates: Iterable[Candidate], first: date | None) -> Iterator[Candidate]:
    """Those written on a day (in UTC) or later; all of them where there is no such day."""
    return (found for found in candidates if first is None or found.changed_at.date() >= first)


def entry_of(candidate: Candidate, source: str, kind: SourceKind, first: date | None) -> Entry:
    """A file as it is listed; polls bring it by themselves unless it is older than `first`."""
    return Entry(
        SourceRef(source, kind, candidate.key, candidate.revision),
        folder_of(candidate),
        candidate.changed_at,
        candidate.status.st_size,
        coming=first is None or candidate.changed_at.date() >= first,
    )


def chosen(
    candidates: Iterable[Candidate], span: Span, folders: Sequence[str]
) -> Iterator[Candidate]:
    """Those written in a stretch of time, in these folders; no folders: all of them."""
    wanted = {folder.strip("/") for folder in folders}
    for candidate in candidates:
        if candidate.changed_at in span and (not wanted or folder_of(candidate) in wanted):
            yield candidate


def folder_of(candidate: Candidate) -> str:
    """The folder that a file lies in, below the root; empty for the root."""
    return candidate.key.rpartition("/")[0]


def require_folders(source: str, root: Path, folders: Sequence[str]) -> None:
    """Raise `Usage` for a folder that is not there."""
    for folder in folders:
        if not (root / folder.strip("/")).is_dir():
            raise Usage(f"source {source!r} has no folder {folder!r} below {root}")


class Listing:
    """One walk through a folder; what could not be listed is in `problems` afterwards.

    Links below the root are not followed: one that leads inside shows nothing new, and one that
    leads outside shows what nobody chose.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[tuple[Path, list[str], list[str]]]:
        """Yield (folder, names of subfolders, names of the rest), as `os.walk` does."""
        for folder, subfolders, names in os.walk(self._root, onerror=self._note):
            yield Path(folder), subfolders, names

    def raise_problems(self, source: str) -> None:
        """Raise `Configuration` if a part of the tree was closed to us."""
        if self.problems:
            raise Configuration(
                f"source {source!r}: {'; '.join(self.problems)}; what else there is has been read. "
                "Give the worker's user the right to read it"
            )

    def _note(self, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # gone since its parent was read
            self.problems.append(f"cannot list {error.filename}: {error.strerror}")


class Stillness:
    """Tells files that are still written from complete ones.

    A file is complete when it was last changed `seconds` ago and looks as it did in the last look:
    an upload that stalls between two looks is found out by its size.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[Path, str] = {}
        self._before: dict[Path, str] = {}

    def new_look(self) -> None:
        """Begin another round over all files; those not seen in the last one are forgotten."""
        self._before, self._seen = self._seen, {}

    def complete(self, path: Path, status: os.stat_result) -> bool:
        """Whether the file at `path` may be read."""
        revision = revision_of(status)
        self._seen[path] = revision
        if self._before.get(path, revision) != revision:
            return False
        present = time.time()
        # A time in the future says nothing; that of the last change of name or rights does.
        changed = status.st_mtime if status.st_mtime <= present else status.st_ctime
        return present - changed >= self._seconds


def key_below(root: Path, path: Path) -> str:
    """The path below the root as the database keeps it."""
    return bounded_key(os.fsdecode(path.relative_to(root)))


def bounded_key(path: str) -> str:
    r"""A path as text; bytes that are not UTF-8 (surrogates here) are written as `\xNN`.

    A path too long for a database's index keeps its end, and a hash for the rest.
    """
    key = os.fsencode(path).decode("utf-8", "backslashreplace")
    if len(key) <= _KEY_CHARS:
        return key
    return f"{hashlib.sha256(key.encode()).hexdigest()}…{key[-_KEY_CHARS // 2 :]}"


def regular(path: Path) -> os.stat_result | None:
    """The status of a regular file; None for links, pipes, devices, and what is gone."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def revision_of(status: os.stat_result) -> str:
    """Tells versions of one file apart."""
    return f"{status.st_size}-{status.st_mtime_ns}"


@contextmanager
def folder_faults(source: str, root: Path) -> Iterator[None]:
    """Say what is wrong with the folder of a source."""
    try:
        if not root.is_dir():
            raise Configuration(
                f"source {source!r}: there is no folder {root}; create it, or correct `path`"
            )
        with os.scandir(root):
            pass
        yield
    except PermissionError as error:
        raise Configuration(
            f"source {source!r}: cannot read {error.filename}: {error.strerror}; give the worker's "
            "user the right to read it"
        ) from error
    except OSError as error:
        raise Transient(f"source {source!r}: {root}: {error}") from error
