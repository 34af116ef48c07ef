"""Call recordings in a folder, each with an optional sidecar of metadata beside it."""

from __future__ import annotations

import fnmatch
import mimetypes
from collections.abc import Iterator
from pathlib import Path

import structlog

from triage.settings import SIDECARS, Limits, RecordingsSource
from triage.sources.base import Batch, Fetched, Memory
from triage.sources.files import (
    Candidate,
    Listing,
    Stillness,
    folder_faults,
    key_below,
    regular,
    revision_of,
    unseen,
)
from triage.sources.refusals import too_large
from triage.types import SourceRef

log = structlog.get_logger(__name__)

_BATCH = 20
_SIDECAR_BYTES = 1_000_000


class RecordingsFolder:
    """Reads recordings that match one of the patterns, in this folder and below it."""

    def __init__(self, settings: RecordingsSource, limits: Limits) -> None:
        self.name = settings.name
        self._root = settings.path
        self._patterns = tuple(pattern.lower() for pattern in settings.patterns)
        self._limit = limits.recording_bytes
        self._stillness = Stillness(settings.settle_seconds)

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield recordings never taken in that are complete, oldest first. See `Source.poll`."""
        with folder_faults(self.name, self._root):
            self._stillness.new_look()
            listing = Listing(self._root)
            complete = [found for found in self._recordings(listing) if self._complete(found)]
            recordings = unseen(complete, memory)
            for start in range(0, len(recordings), _BATCH):
                fetched = (self._fetched(found) for found in recordings[start : start + _BATCH])
                if items := tuple(item for item in fetched if item):
                    yield Batch(items)
            listing.raise_problems(self.name)

    def check(self) -> str:
        """How many recordings there are. Raises like `poll`."""
        with folder_faults(self.name, self._root):
            listing = Listing(self._root)
            number = sum(1 for _ in self._recordings(listing))
            listing.raise_problems(self.name)
        return f"{number} recordings in {self._root}"

    def _recordings(self, listing: Listing) -> Iterator[Candidate]:
        for folder, subfolders, names in listing:
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            for name in names:
                if self._matches(name) and (status := regular(folder / name)):
                    key = key_below(self._root, folder / name)
                    yield Candidate(folder / name, key, revision_of(status), status)

    def _matches(self, name: str) -> bool:
        lower = name.lower()
        if lower.startswith(".") or lower.endswith(".expected.json"):
            return False
        return any(fnmatch.fnmatchcase(lower, pattern) for pattern in self._patterns)

    def _complete(self, recording: Candidate) -> bool:
        """Whether the recording and its sidecar, if it has one, are no longer written."""
        if not self._stillness.complete(recording.path, recording.status):
            return False
        sidecar = _sidecar_path(recording.path)
        status = regular(sidecar) if sidecar else None
        return not sidecar or not status or self._stillness.complete(sidecar, status)

    def _fetched(self, recording: Candidate) -> Fetched | None:
        """The item; None where it is gone, or still as unusable as it was reported to be."""
        content: bytes | Path = recording.path
        size, refused, where = recording.status.st_size, "", f"the file {recording.key}"
        try:
            with recording.path.open("rb"):
                pass
        except FileNotFoundError:
            return None
        except OSError as error:
            refused = f"{where} cannot be read: {error.strerror}"
        if size > self._limit:
            setting = "limits.recording_bytes"
            refused = too_large("recording", size, self._limit, setting, where)
        if refused and recording.reported:
            return None
        revision = recording.refused_revision if refused else recording.revision
        return Fetched(
            ref=SourceRef(self.name, "recordings", recording.key, revision),
            channel="call",
            received_at=recording.changed_at,
            media_type=mimetypes.guess_type(recording.path.name)[0] or "application/octet-stream",
            content=b"" if refused else content,
            sidecar=_sidecar(recording.path),
            refused=refused,
        )


def _sidecar_path(recording: Path) -> Path | None:
    """The first of `SIDECARS` that is a regular file."""
    for like in SIDECARS:
        name = like.format(name=recording.name, stem=recording.stem)
        if regular(candidate := recording.with_name(name)):
            return candidate
    return None


def _sidecar(recording: Path) -> str:
    """The sidecar's text, for intake to judge; empty where there is none that can be read."""
    sidecar = _sidecar_path(recording)
    if sidecar is None:
        return ""
    try:
        with sidecar.open("rb") as file:
            content = file.read(_SIDECAR_BYTES + 1)
    except OSError as error:
        log.warning("sidecar left out", sidecar=str(sidecar), problem=error.strerror)
        return ""
    if len(content) > _SIDECAR_BYTES:
        log.warning("sidecar left out", sidecar=str(sidecar), problem="larger than 1 MB")
        return ""
    # A database's text holds no NUL.
    return content.decode("utf-8-sig", "replace").replace("\0", "")
