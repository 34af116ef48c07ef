"""Telephone keys (DTMF, ITU-T Q.23): one of four low tones with one of four high ones.

Told apart from voices as Q.24 has it: nearly all energy in the two tones, neither much louder than
the other, and both steady for the time that a key is pressed at least.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples

LOW: Final = (697, 770, 852, 941)
HIGH: Final = (1209, 1336, 1477, 1633)

_FRAME: Final = 512  # 32 ms
_HOP: Final = 128
_BATCH: Final = 4_000
_MIN_SHARE: Final = 0.85
_MIN_EACH: Final = 0.1  # of the energy: the tones differ by 9 dB at most
_QUIET: Final = 10 ** (-45 / 10)
_MIN_FRAMES: Final = 3
_MAX_SWELL: Final = 1.6  # of the energy inside a key: 2 dB


def pressed(side: Samples) -> list[tuple[float, float]]:
    """Start and end, in seconds, of every key in mono samples at 16 kHz."""
    if side.size < _FRAME:
        return []
    key, energy = _heard(side)
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], key, [-1]])))
    found = []
    for first, last in pairwise(edges.tolist()):
        if key[first] >= 0 and last - first >= _MIN_FRAMES and _is_even(energy[first:last]):
            # A frame counts from about its middle on, as its window fades at both ends.
            start, end = first * _HOP + _FRAME // 3, (last - 1) * _HOP + _FRAME - _FRAME // 3
            found.append((start / RATE, end / RATE))
    return found


def _heard(side: Samples) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which key each frame holds (-1: none), and its energy."""
    window = np.hanning(_FRAME + 1)[:-1]
    at = np.arange(_FRAME) / RATE
    turns = window[:, None] * np.exp(-2j * np.pi * at[:, None] * np.array(LOW + HIGH))
    basis = np.concatenate([turns.real, turns.imag], axis=1).astype(np.float32)
    # A sinusoid's windowed energy, from its projection.
    scale = 2 * float(np.sum(window**2)) / float(np.sum(window)) ** 2
    squares = (window**2).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(side, _FRAME)[::_HOP]
    keys, energies = [], []
    for start in range(0, len(frames), _BATCH):
        part = frames[start : start + _BATCH]
        projected = part @ basis
        tones = scale * (projected[:, :8] ** 2 + projected[:, 8:] ** 2)
        total = (part**2) @ squares + 1e-9
        low, high = tones[:, :4].max(axis=1), tones[:, 4:].max(axis=1)
        is_key = (low + high > _MIN_SHARE * total) & (np.minimum(low, high) > _MIN_EACH * total)
        is_key &= total > _QUIET * float(np.sum(window**2))
        key = 4 * tones[:, :4].argmax(axis=1) + tones[:, 4:].argmax(axis=1)
        keys.append(np.where(is_key, key, -1))
        energies.append(total)
    return np.concatenate(keys), np.concatenate(energies).astype(np.float64)


def _is_even(energy: NDArray[np.float64]) -> bool:
    """Whether a key sounds evenly but at its ends."""
    third = len(energy) // 3
    inner = energy[third : len(energy) - third]
    return bool(inner.max() < _MAX_SWELL * inner.min())
