"""Two channels that hold one signal: a recorder's fake stereo, perhaps delayed, inverted, louder
on one side, or with noise of its own.

Two real sides are never one signal, not even over a line that leaks: who speaks changes, and with
it which channel is louder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_BLOCK: Final = 8 * 16_000
_MAX_DELAY: Final = 1_600  # 100 ms
_QUIET: Final = 10 ** (-60 / 10)
_APART: Final = 10 ** (12 / 10)  # an echo is weaker than that
_ALIKE_THERE: Final = 0.8  # of each block
_ALIKE: Final = 0.9  # over all
_EQUAL: Final = 0.99
_FRAME: Final = 320


def one_signal(samples: Samples) -> Samples | None:
    """The signal that both of two channels at 16 kHz hold, as [1, samples], or None."""
    if not samples.any():
        return np.zeros((1, samples.shape[1]), np.float32)
    both, left, right, lag = 0.0, 0.0, 0.0, None
    for block in _blocks(samples):
        energy = np.einsum("ij,ij->i", block, block, dtype=np.float64)
        if energy.max() < _QUIET * block.shape[1]:
            continue
        if energy.max() > _APART * energy.min():
            return None
        crossed = _crossed(block)
        if lag is None:
            lag = int(np.abs(crossed).argmax())
        shared = float(crossed[lag])
        if abs(shared) < _ALIKE_THERE * float(np.sqrt(energy.prod())):
            return None
        both, left, right = both + shared, left + float(energy[0]), right + float(energy[1])
    alike = both / np.sqrt(left * right) if left and right else 0.0
    if abs(alike) < _ALIKE:
        return None
    if alike > _EQUAL and lag == _MAX_DELAY and 0.8 < left / right < 1.25:
        return np.asarray(samples.mean(axis=0, keepdims=True), np.float32)
    clearer = _clearer(samples)
    return np.asarray(samples[clearer : clearer + 1], np.float32)


def _blocks(samples: Samples) -> Iterator[Samples]:
    for start in range(0, samples.shape[1], _BLOCK):
        yield samples[:, start : start + _BLOCK]


def _crossed(block: Samples) -> NDArray[np.float64]:
    """Cross-correlation for delays from -100 to 100 ms; the middle is none."""
    from scipy import fft  # noqa: PLC0415 - heavy

    length = fft.next_fast_len(block.shape[1] + _MAX_DELAY, real=True)
    left, right = fft.rfft(block.astype(np.float64), length)
    crossed = fft.irfft(left * np.conj(right), length)
    return np.concatenate([crossed[-_MAX_DELAY:], crossed[: _MAX_DELAY + 1]])


def _clearer(samples: Samples) -> int:
    """The channel whose loud moments stand out more; the louder one where both are as clear."""
    whole = samples[:, : samples.shape[1] // _FRAME * _FRAME].reshape(2, -1, _FRAME)
    energy = np.einsum("ijk,ijk->ij", whole, whole, dtype=np.float64) / _FRAME
    levels = 10 * np.log10(energy + 1e-9)
    low, high = np.percentile(levels, (10, 95), axis=1)
    spread = high - low
    return int(np.argmax(spread if abs(spread[0] - spread[1]) > 3 else high))
