"""Stretches in which a machine sounds one or two sinusoids, with edges to within about 20 ms.

Voices sound alike for moments: a hummed vowel over a telephone line is little more than two
harmonics. But they neither keep their pitch within a few hertz nor their loudness within a decibel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples
from triage.transcripts.sounds.spectrum import FRAME, HOP, Spectrum

QUIET_DB: Final = -55.0
MIN_PURE: Final = 0.85  # share of the energy that one or two sinusoids hold
MAX_STEP_HZ: Final = 5.0  # from one frame to the next
MIN_HZ: Final = 345.0  # below is hum, and a voice's own pitch
MIN_S: Final = 0.14
MAX_RIPPLE: Final = 0.15  # standard deviation of the loudness over its mean
# Share of the energy inside of a burst. The vowels of 15 minutes of calls reached 0.95 below 345 Hz
# only; what sounds for longer than any of them may sound through noise.
MIN_HELD: Final = 0.95
LONG_S: Final = 0.35
_SMOOTH_S: Final = 0.02
_EDGE_S: Final = 0.02
_GAP_S: Final = 0.06
_PIECE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Tone:
    """One burst. `hertz` ascending, one or two; times in seconds."""

    start: float
    end: float
    hertz: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self.end - self.start


def tones(side: Samples, found: Spectrum) -> list[Tone]:
    """All bursts in mono samples at 16 kHz, by time; `found` are their figures."""
    bursts: list[Tone] = []
    for first, last, hertz in _runs(found):
        start = max(bursts[-1].end if bursts else 0.0, (first * HOP - FRAME // 2) / RATE)
        end = ((last + 1) * HOP + FRAME) / RATE
        while start < end:  # in pieces, so that an hour of dial tone takes no gigabytes
            for burst in _bursts(side, start, min(start + _PIECE_S, end), hertz):
                _add(bursts, burst)
            start += _PIECE_S
    return bursts


def _add(bursts: list[Tone], burst: Tone) -> None:
    """Append a burst, or lengthen the last one where it goes on."""
    if bursts and _goes_on(bursts[-1], burst):
        burst = Tone(bursts.pop().start, burst.end, burst.hertz)
    bursts.append(burst)


def _goes_on(before: Tone, burst: Tone) -> bool:
    if burst.start - before.end > _GAP_S or len(burst.hertz) != len(before.hertz):
        return False
    apart = (abs(a - b) for a, b in zip(before.hertz, burst.hertz, strict=True))
    return max(apart) < MAX_STEP_HZ


def _runs(found: Spectrum) -> list[tuple[int, int, tuple[float, ...]]]:
    """First and last frame of what sounds the same for two frames or more."""
    low, high = np.minimum(found.first, found.second), np.maximum(found.first, found.second)
    alone = found.pure > MIN_PURE
    low, high = np.where(alone, found.first, low), np.where(alone, found.first, high)
    tonal = (found.paired > MIN_PURE) & (found.level > QUIET_DB) & (low > MIN_HZ)
    same = tonal[1:] & tonal[:-1] & (alone[1:] == alone[:-1])
    same &= (np.abs(np.diff(low)) < MAX_STEP_HZ) & (np.abs(np.diff(high)) < MAX_STEP_HZ)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    runs: list[tuple[int, int, tuple[float, ...]]] = []
    for first, last in edges.reshape(-1, 2).tolist():
        lower = float(np.median(low[first : last + 1]))
        upper = float(np.median(high[first : last + 1]))
        runs.append((first, last, (lower,) if alone[first] else (lower, upper)))
    return runs


def _bursts(side: Samples, start: float, end: float, hertz: tuple[float, ...]) -> list[Tone]:
    """The bursts of these sinusoids between two times."""
    begin = max(0, int(start * RATE))
    part = side[begin : int(end * RATE)].astype(np.float64)
    loudness = _loudness(part, hertz)
    if not loudness.size:
        return []
    usual = float(np.percentile(loudness, 75))
    sounds = np.concatenate([[False], loudness > usual / 2, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(sounds)).reshape(-1, 2)
    return [
        Tone((begin + first) / RATE, (begin + last) / RATE, hertz)
        for first, last in edges.tolist()
        if last - first >= MIN_S * RATE and _is_machine(part[first:last], loudness[first:last])
    ]


def _loudness(part: NDArray[np.float64], hertz: tuple[float, ...]) -> NDArray[np.float64]:
    """The sinusoids' own level over time, smoothed so that two do not beat."""
    apart = hertz[-1] - hertz[0]
    width = round(RATE * (np.ceil(_SMOOTH_S * apart) / apart if apart else _SMOOTH_S))
    if part.size <= width:
        return np.zeros(0)
    at = np.arange(part.size) / RATE
    energy = np.zeros(part.size)
    for one in hertz:
        mixed = np.concatenate([np.zeros(width), part * np.exp(-2j * np.pi * one * at)])
        sums = np.cumsum(mixed)
        smooth = (sums[width:] - sums[:-width]) / width
        energy += np.abs(np.roll(smooth, -(width // 2))) ** 2
    return np.sqrt(2 * energy)


def _is_machine(part: NDArray[np.float64], loudness: NDArray[np.float64]) -> bool:
    """Whether a burst holds little else and is evenly loud, but for its edges."""
    edge = int(_EDGE_S * RATE)
    inner, level = part[edge:-edge], loudness[edge:-edge]
    mean = float(level.mean())
    held = float(np.mean(level**2)) / (float(np.mean(inner**2)) + 1e-12)
    enough = MIN_HELD if part.size < LONG_S * RATE else MIN_PURE
    return float(level.std()) < MAX_RIPPLE * mean and held > enough
