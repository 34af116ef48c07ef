"""What every speech engine does, so that the rest does not know which one runs; and the values.

Nothing heavy is imported here: the worker's own process uses these types too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from triage.transcripts.audio import Samples


NO_SPEECH = "no speech was found"  # the warning of a transcript without words


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a recording is. `duration_s` is what could be decoded, not what a header says."""

    duration_s: float
    channels: int
    sample_rate: int
    codec: str
    truncated: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peaks:
    """The loudest sample of each of as many equal stretches of `duration_s` seconds, by channel,
    from 0 (silent) to 100 (the loudest of the recording).
    """

    duration_s: float
    channels: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its times in seconds; `text` has its leading space and punctuation."""

    start: float
    end: float
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Piece:
    """What an engine wrote for a stretch of speech, with the figures it gives for its own doubt.

    `no_speech` is the probability of silence, `avg_logprob` the mean over the tokens, and
    `compression` the gzip ratio of the decoded window's text (a loop compresses well).
    """

    words: tuple[Word, ...]
    avg_logprob: float
    no_speech: float
    compression: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The pieces of one stretch of audio, and its language as an ISO 639-1 code."""

    pieces: tuple[Piece, ...]
    language: str


class SpeechEngine(Protocol):
    """A loaded Whisper model."""

    name: str

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        """Text of mono float32 samples at 16 kHz that hold speech.

        An empty `language` is found on the samples. Times count from the first sample.
        """
        ...


@runtime_checkable
class SidesEngine(SpeechEngine, Protocol):
    """An engine that reads all sides of a recording faster together than one after the other."""

    def transcribe_sides(self, sides: Sequence[Samples], *, language: str) -> list[Heard]:
        """What `transcribe` gives for each side, in the same order; a side may be empty.

        An empty `language` is found on all sides together, and holds for all of them.
        """
        ...


def transcribe_sides(
    engine: SpeechEngine, sides: Sequence[Samples], *, language: str
) -> list[Heard]:
    """Each side's text, by the fastest way that the engine has.

    An empty `language` is found on the longest side, and holds for the others: "Hello?" alone is
    easily taken for another language.
    """
    if isinstance(engine, SidesEngine):
        return engine.transcribe_sides(sides, language=language)
    heard: dict[int, Heard] = {}
    for side in sorted(range(len(sides)), key=lambda side: -sides[side].size):
        if sides[side].size:
            heard[side] = engine.transcribe(sides[side], language=language)
            language = heard[side].language
    return [heard.get(side, Heard((), language)) for side in range(len(sides))]
