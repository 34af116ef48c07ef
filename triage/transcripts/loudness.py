"""Quiet sides are raised: voice detection misses a voice that is 40 dB down, people do not.

Whisper itself looks at levels relative to the loudest, so nothing else is normalised.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from triage.transcripts.audio import RATE, Samples

# In dBFS, of the loudest second in frames of 20 ms.
ENOUGH_DB: Final = -32.0
TARGET_DB: Final = -26.0
MAX_GAIN_DB: Final = 30.0
# A voice comes and goes; what is as loud all the time is a line's noise, and stays quiet.
MIN_RANGE_DB: Final = 10.0
PEAK: Final = 0.9
_FRAME: Final = RATE // 50
_SECOND: Final = 50
_SILENT_DB: Final = -90.0


def raised(side: Samples) -> Samples:
    """Mono samples at 16 kHz, louder where they are quiet; everything else as it is."""
    gain = _gain(side)
    return side if gain <= 1.0 else np.asarray(side * np.float32(gain), np.float32)


def _gain(side: Samples) -> float:
    whole = side[: side.size // _FRAME * _FRAME].reshape(-1, _FRAME)
    energy = np.einsum("ij,ij->i", whole, whole, dtype=np.float64) / _FRAME
    levels = np.sort(10 * np.log10(energy + 1e-12))
    levels = levels[levels > _SILENT_DB]
    if levels.size < _SECOND:
        return 1.0
    loud, floor = float(levels[-_SECOND]), float(np.percentile(levels, 10))
    if loud > ENOUGH_DB or loud - floor < MIN_RANGE_DB:
        return 1.0
    wanted = 10 ** (min(TARGET_DB - loud, MAX_GAIN_DB) / 20)
    return float(min(wanted, PEAK / float(np.abs(side).max())))
