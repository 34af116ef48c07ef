"""Pictures of recordings: how loud they are over their length, measured once and then found again.

The bytes of strangers are decoded where transcription decodes them: in a process of its own, within
the same limits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

from triage.pipeline.discretion import Discretion
from triage.pipeline.silencing import silenced
from triage.redaction.speech import Seconds
from triage.store.repository import Repository
from triage.transcripts.engine import Peaks
from triage.types import Transcript

_RECIPE = {"peaks": 1}  # another number measures everything anew

Measure = Callable[[Path], Peaks]
"""Decodes a recording and says how loud it is; raises as transcribing does."""


@dataclass(frozen=True, slots=True)
class Waveforms:
    """The peaks of stored recordings, one measured at a time: pages can wait, calls cannot."""

    repository: Repository
    discretion: Discretion
    measure: Measure
    _one: Lock = field(default_factory=Lock)

    def of(self, sha256: str) -> Peaks:
        """The peaks of a stored content. Raises `TriageError` where it cannot be decoded."""

        def make(out: Path) -> None:
            peaks = self.measure(self.repository.blobs.path(sha256))
            out.write_text(json.dumps(asdict(peaks)), encoding="ascii")

        with self._one:
            found = self.repository.copies.get(sha256, _RECIPE, make)
        data = json.loads(found.read_text(encoding="ascii"))
        return Peaks(data["duration_s"], tuple(map(tuple, data["channels"])))

    def silent(self, inquiry_id: str, transcript: Transcript | None) -> Seconds:
        """The seconds in which nothing can be heard: in the recording itself, or in what others
        get of it.
        """
        return (*silenced(self.repository, inquiry_id), *self.discretion.silent(transcript))
