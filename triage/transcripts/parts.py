"""Reading a recording in parts: where to cut it, and how the parts become one transcript again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from triage.transcripts import notes
from triage.types import Segment, Transcript

if TYPE_CHECKING:
    from triage.transcripts.audio import Samples

RATE: Final = 16_000
# A part ends at the quietest moment of its last seconds, so that no word is cut in two.
LAST_S: Final = 4.0
MOMENT_S: Final = 0.3
FRAME: Final = RATE // 50


def cut(sides: list[Samples], from_s: float, *, to_pause: bool) -> tuple[list[Samples], float]:
    """The channels from a second on, up to a pause if more follows; and their end in seconds."""
    end = sides[0].size
    first = min(round(from_s * RATE), end)
    if to_pause and end - first > LAST_S * RATE:
        end = _pause(sides, end - round(LAST_S * RATE), end)
    return [side[first:end] for side in sides], round(end / RATE, 3)


def _pause(sides: Sequence[Samples], first: int, end: int) -> int:
    """The middle of the quietest moment between two samples, over all channels."""
    power = sum(np.square(side[first:end], dtype=np.float32) for side in sides)
    frames = (end - first) // FRAME
    level = np.asarray(power)[: frames * FRAME].reshape(frames, FRAME).mean(axis=1)
    wide = round(MOMENT_S * RATE / FRAME)
    quiet = np.convolve(level, np.ones(wide), mode="valid")
    return first + (int(quiet.argmin()) + wide // 2) * FRAME


def moved(segments: Sequence[Segment], by_s: float) -> tuple[Segment, ...]:
    """Segments whose times count from the start of the recording."""
    if not by_s:
        return tuple(segments)
    return tuple(
        replace(
            each,
            start=round(each.start + by_s, 2),
            end=round(each.end + by_s, 2),
            words=tuple(
                word._replace(start=round(word.start + by_s, 2), end=round(word.end + by_s, 2))
                for word in each.words
            ),
        )
        for each in segments
    )


def joined(before: Transcript, rest: Transcript) -> Transcript:
    """One transcript of what was read before and what followed it. Voices of the two are not known
    to be the same, so they have numbers of their own.
    """
    voices = max((each.voice for each in before.segments), default=0)
    later = (
        replace(each, voice=each.voice + voices) if each.voice else each for each in rest.segments
    )
    segments = (*before.segments, *later)
    warnings = dict.fromkeys((*before.warnings, *rest.warnings))
    if segments:
        warnings = dict.fromkeys(warning for warning in warnings if not notes.of_silence(warning))
    return replace(
        rest,
        segments=segments,
        language=before.language if before.segments else rest.language,
        warnings=tuple(warnings),
    )
