"""Log-mel features as Kaldi computes them, which the network that tells voices apart expects."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples
from triage.transcripts.turns.weights import Array

MELS: Final = 80
HOP: Final = RATE // 100
FRAME: Final = RATE // 40
_POINTS: Final = 512
_LOWEST_HZ: Final = 20.0
_FLOOR: Final = float(np.finfo(np.float32).eps)


def log_mels(samples: Samples) -> Array:
    """Frames of 25 ms every 10 ms, as (frames, 80), of mono samples at 16 kHz."""
    if samples.size < FRAME:
        samples = np.pad(samples, (0, FRAME - samples.size))
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * _window(), _POINTS)) ** 2
    found: Array = np.log(np.maximum(power.astype(np.float32) @ _bank(), _FLOOR))
    return found


@functools.cache
def _window() -> Array:
    """Povey's: a Hann window to the power of 0.85."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / (FRAME - 1))
    return np.asarray(hann**0.85, np.float32)


@functools.cache
def _bank() -> Array:
    """Triangles evenly spaced in mel, as (points, 80)."""
    edges = np.linspace(float(_mel(_LOWEST_HZ)), float(_mel(RATE / 2)), MELS + 2)
    at = _mel(np.arange(_POINTS // 2 + 1) * RATE / _POINTS)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (at - low) / (middle - low), (high - at) / (high - middle)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
