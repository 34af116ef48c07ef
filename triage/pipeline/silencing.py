"""Recordings without what must not be heard: copies for others, and the stored one, if asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from triage.pipeline.discretion import Discretion
from triage.redaction.speech import Seconds
from triage.store.moves import SILENCED, Recording
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Transcript

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "audio/flac"

Silencer = Callable[[Path, Path, Seconds], None]
"""Writes a copy of a recording (first path) to the second path, silent in some seconds."""


def outgoing(
    repository: Repository,
    work: Work,
    transcript: Transcript | None,
    discretion: Discretion,
    silence: Silencer,
) -> tuple[bytes, str]:
    """A recording as others may hear it, and its media type. Made once, then found again."""
    seconds = discretion.silent(transcript)
    if not seconds:
        return repository.blobs.read(work.sha256), work.media_type
    path = _copy(repository, work, seconds, silence)
    return path.read_bytes(), MEDIA_TYPE


def settle(
    repository: Repository,
    work: Work,
    transcript: Transcript,
    discretion: Discretion,
    silence: Silencer,
) -> bool:
    """Store what was said, without what must not be stored, in text and in sound.

    The recording that was heard is removed once the other one has its place; `forget` does so
    again, should the worker die in between.
    """
    masked = discretion.stored.transcript(transcript)
    if not masked.silent:
        return repository.worklist.transcribed(work, masked.transcript)
    path = _copy(repository, work, masked.silent, silence)
    sha256, size = repository.blobs.put(path)
    instead = Recording(sha256, size, MEDIA_TYPE, masked.silent)
    moved = repository.worklist.transcribed(work, masked.transcript, instead)
    if moved:
        log.info("recording silenced", inquiry=work.id, stretches=len(masked.silent))
        path.unlink(missing_ok=True)
        discard(repository, work.sha256)
    return moved


def again(
    repository: Repository,
    work: Work,
    transcript: Transcript,
    discretion: Discretion,
    silence: Silencer,
) -> None:
    """Silence what a fresh transcript of the stored recording says, but must not be stored: of a
    call that was settled on its opening nobody knew the rest.
    """
    forget(repository, work.id)  # what a worker that died here left behind
    seconds = discretion.stored.transcript(transcript).silent
    if not seconds:
        return
    path = _copy(repository, work, seconds, silence)
    sha256, size = repository.blobs.put(path)
    if repository.worklist.silenced(work, Recording(sha256, size, MEDIA_TYPE, seconds)):
        log.info("recording silenced", inquiry=work.id, stretches=len(seconds))
        path.unlink(missing_ok=True)
        discard(repository, work.sha256)


def silenced(repository: Repository, inquiry_id: str) -> Seconds:
    """Which seconds of the stored recording were silenced."""
    return tuple(
        (float(start), float(end))
        for entry in repository.archive.history(inquiry_id)
        if entry.event == SILENCED
        for start, end in entry.detail.get("seconds", ())
    )


def forget(repository: Repository, inquiry_id: str) -> None:
    """Remove the recordings that a silenced one took the place of."""
    for entry in repository.archive.history(inquiry_id):
        if entry.event == SILENCED:
            discard(repository, str(entry.detail["instead_of"]))


def discard(repository: Repository, sha256: str) -> None:
    """Remove a stored content, unless it is somebody's."""
    if not repository.worklist.holds(sha256):
        repository.blobs.remove(sha256)


def _copy(repository: Repository, work: Work, seconds: Seconds, silence: Silencer) -> Path:
    path = repository.blobs.path(work.sha256)
    return repository.copies.get(
        work.sha256, {"silent": seconds}, lambda out: silence(path, out, seconds)
    )
