"""How loud a recording is over its whole length, for a picture of it.

Decoded once, block by block: the memory that this takes does not grow with the sound. Two channels
stay two; more are mixed into one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from triage.settings import Limits
from triage.transcripts import audio
from triage.transcripts.audio import Samples
from triage.transcripts.engine import Peaks

COUNT: Final = 600
"""Peaks of a channel, at most: more than a page has room for."""

_BLOCK_S: Final = 0.02
_LOUDEST: Final = 100


def measure(path: Path, limits: Limits) -> Peaks:
    """The peaks of a recording. Times count from the first decoded sample, as in transcripts.
    Raises as `audio.decode`.
    """
    with audio.reading(path, limits) as (container, frames):
        codec = container.streams.audio[0].codec_context
        two = codec.layout.nb_channels == 2
        blocks, seconds = _blocks(frames, "stereo" if two else "mono", codec.sample_rate)
    return Peaks(round(seconds, 3), _scaled(blocks))


def _blocks(frames: Iterator[Any], layout: str, rate: int) -> tuple[Samples, float]:
    """[channels, blocks] of the loudest samples, and how many seconds there were."""
    size = max(1, int(rate * _BLOCK_S))
    channels = 2 if layout == "stereo" else 1
    left, found, heard = np.zeros((channels, 0), np.float32), [], 0
    for piece in audio.planes(frames, lambda: layout, rate):
        heard += piece.shape[1]
        left = np.concatenate([left, np.abs(piece)], axis=1)
        whole = left.shape[1] // size
        if whole:
            found.append(left[:, : whole * size].reshape(channels, whole, size).max(axis=2))
            left = left[:, whole * size :]
    if left.shape[1]:
        found.append(left.max(axis=1, keepdims=True))
    blocks = np.concatenate(found, axis=1) if found else np.zeros((channels, 1), np.float32)
    return blocks, heard / rate


def _scaled(blocks: Samples) -> tuple[tuple[int, ...], ...]:
    """At most `COUNT` a channel. The loudest fills the height, unless it is no more than hiss."""
    number = blocks.shape[1]
    starts = np.unique(np.linspace(0, number, min(COUNT, number), endpoint=False).astype(int))
    loud = np.maximum.reduceat(blocks, starts, axis=1)
    share = loud / max(float(loud.max()), 0.02)
    return tuple(
        tuple(int(value) for value in row) for row in np.ceil(share * _LOUDEST).clip(0, _LOUDEST)
    )
