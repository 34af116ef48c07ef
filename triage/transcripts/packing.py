"""Speech cut into windows at its pauses, and windows grouped into batches. Pure arithmetic.

Whisper hears 30 s at a time. Windows of the same length are decoded together, and each step of the
decoder then reads the weights once for all of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples

# Levels are taken over 10 ms and averaged over this many of them: a stop consonant is no pause.
HOP: Final = RATE // 100
SMOOTHED: Final = 21
# A cut is sought this far from where windows would be equally long, and a part of their length.
SOUGHT_S: Final = 4.0
SOUGHT_SHARE: Final = 0.25
# A window is not batched with one that is so much longer: each of its steps would cost what one of
# the longer one's does.
ALIKE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one side's speech, `start` to `end` in samples."""

    side: int
    start: int
    end: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start) / RATE


def windows(samples: Samples, longest_s: float, *, side: int = 0) -> tuple[Window, ...]:
    """The whole of `samples` in as few, about equally long windows as `longest_s` allows.

    Each cut is at the quietest moment near where it should be.
    """
    if not samples.size:
        return ()
    longest = int(longest_s * RATE / HOP)
    level = _levels(samples)
    count = max(1, math.ceil(level.size / longest))
    while (cuts := _cuts(level, count, longest)) is None:
        count += 1
    edges = [0, *(cut * HOP for cut in cuts), samples.size]
    return tuple(Window(side, a, b) for a, b in itertools.pairwise(edges))


def batches(found: Sequence[Window], size: int) -> list[tuple[int, ...]]:
    """Positions in `found`, grouped for decoding together: at most `size`, of about one length."""
    groups: list[list[int]] = []
    for position in sorted(range(len(found)), key=lambda at: -found[at].seconds):
        group = groups[-1] if groups else []
        longest = found[group[0]].seconds if group else 0.0
        if group and len(group) < size and found[position].seconds >= ALIKE * longest:
            group.append(position)
        else:
            groups.append([position])
    return [tuple(group) for group in groups]


def _levels(samples: Samples) -> NDArray[np.float64]:
    """The smoothed level of each 10 ms, in Bel."""
    whole = np.pad(samples, (0, -samples.size % HOP)).reshape(-1, HOP).astype(np.float64)
    power = np.convolve((whole**2).mean(axis=1), np.ones(SMOOTHED) / SMOOTHED, mode="full")
    middle = SMOOTHED // 2
    return np.asarray(np.log10(power[middle : middle + len(whole)] + 1e-10), np.float64)


def _cuts(level: NDArray[np.float64], count: int, longest: int) -> list[int] | None:
    """Where to cut `level` into `count` windows; None where one would be longer than `longest`."""
    share = level.size / count
    sought = min(SOUGHT_SHARE * share, SOUGHT_S * RATE / HOP)
    cuts = [0]
    for number in range(1, count):
        first = max(cuts[-1] + 1, round(number * share - sought))
        last = min(cuts[-1] + longest, round(number * share + sought))
        if first > last:
            return None
        cuts.append(first + int(np.argmin(level[first : last + 1])))
    return cuts[1:] if level.size - cuts[-1] <= longest else None
