"""What the worker and its transcribing child say to each other: one JSON object a line.

worker → child   {"transcription": {…}, "limits": {…}, "cache_dir": …, "child": 0}   first of all
                 {"path": …, "opening_s": null}        transcribe this; also `from_s`, `whole_s`,
                                                       `language` and `model`, see `Part`
                 {"path": …, "probe": true}            say what it is
                 {"path": …, "peaks": true}            say how loud it is over its length
                 {"path": …, "silence": [[0.5, 2]], "out": …}  write a copy, silent in these seconds
child → worker   {"ready": true}                       once, after the imports
                 {"info": {…}}                         decoded; the answer to a probe
                 {"loading": true}                     the model is being loaded
                 {"transcript": {…}}                   the answer
                 {"peaks": {…}}                        how loud it is
                 {"silenced": …}                       the copy is written
                 {"error": {"kind": …, "message": …}}  the answer, when it failed

An answer with `"recycle": true` asks for another child to be started for the next request.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from triage.errors import Configuration, Permanent, Transient, TriageError
from triage.settings import Limits, Transcription
from triage.transcripts.devices import is_exhaustion
from triage.transcripts.engine import AudioInfo, Peaks
from triage.types import Segment, TimedWord, Transcript

Message = dict[str, Any]

_KINDS: dict[str, type[TriageError]] = {
    "transient": Transient,
    "permanent": Permanent,
    "configuration": Configuration,
}


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a recording is to be read, in seconds, and with which weights.

    As it stands, all of it. `opening_s`: up to there, or with `pause` up to a pause in the last
    seconds before it; `from_s`: what lies before was read. `whole_s` and `language` are what is
    known, `model` other weights than those of the settings.
    """

    opening_s: float | None = None
    from_s: float = 0.0
    whole_s: float | None = None
    language: str = ""
    model: str = ""
    pause: bool = False


WHOLE: Final = Part()


def line(message: Message) -> bytes:
    """The message as it goes over the pipe. ASCII, so that odd file names survive."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def parsed(text: bytes) -> Message:
    """A line as a message."""
    message: Message = json.loads(text)
    return message


def setup(settings: Transcription, limits: Limits, cache_dir: Path, *, child: int = 0) -> Message:
    """The settings that a child needs, and which one it is."""
    return {
        "transcription": settings.model_dump(mode="json"),
        "limits": limits.model_dump(mode="json"),
        "cache_dir": str(cache_dir),
        "child": child,
    }


def failure(error: Exception) -> Message:
    """An error as a message. What is not of our tree may be different the next time.

    Who ran out of memory may be left with half of a library loaded, and asks to be replaced.
    """
    for kind, branch in _KINDS.items():
        if isinstance(error, branch):
            return {"error": {"kind": kind, "message": str(error)}}
    if is_exhaustion(error):
        text = f"transcription ran out of memory (see transcription.memory_mb): {error!r}"
        return {"error": {"kind": "transient", "message": text}, "recycle": True}
    return {"error": {"kind": "transient", "message": f"transcription failed: {error!r}"}}


def raised(message: Message) -> TriageError:
    """The error that a message carries."""
    return _KINDS[message["error"]["kind"]](message["error"]["message"])


def packed(value: AudioInfo | Transcript | Peaks) -> Message:
    """A value as plain data."""
    return asdict(value)


def info(data: Message) -> AudioInfo:
    """The recording's description out of a message."""
    return AudioInfo(**{**data, "warnings": tuple(data["warnings"])})


def peaks(data: Message) -> Peaks:
    """The peaks out of a message."""
    return Peaks(data["duration_s"], tuple(tuple(channel) for channel in data["channels"]))


def transcript(data: Message) -> Transcript:
    """The transcript out of a message."""
    segments = tuple(map(_segment, data["segments"]))
    return Transcript(**{**data, "segments": segments, "warnings": tuple(data["warnings"])})


def _segment(data: Message) -> Segment:
    words = tuple(TimedWord(*word) for word in data["words"])
    return Segment(**{**data, "flags": tuple(data["flags"]), "words": words})
