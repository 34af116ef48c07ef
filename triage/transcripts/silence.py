"""Copies of recordings in which some seconds are silent, on every channel.

The other side's echo holds what was said too, so no channel is spared. A copy is FLAC, whatever the
recording is: nothing of what stays is lost, and every player reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from triage.settings import Limits
from triage.transcripts import audio
from triage.transcripts.audio import Samples

MEDIA_TYPE: Final = "audio/flac"
FADE_S: Final = 0.02
_DEEP: Final = ("pcm_s24", "pcm_s32", "pcm_f32", "pcm_f64")  # codecs with more than 16 bits


def write(path: Path, out: Path, seconds: Sequence[tuple[float, float]], limits: Limits) -> None:
    """Write a copy of `path` to `out`, silent in the stretches [start, end) of `seconds`.

    Times count from the first decoded sample, as in transcripts. Raises as `audio.decode`.
    """
    with audio.reading(path, limits) as (container, frames):
        codec = container.streams.audio[0].codec_context
        layout, rate = codec.layout.name, codec.sample_rate
        depth = "s32" if codec.name.startswith(_DEEP) else "s16"
        with av.open(str(out), "w", format="flac") as sink:
            stream = sink.add_stream("flac", rate=rate, layout=layout)
            stream.format = depth
            sized = av.AudioResampler(depth, layout, rate, frame_size=4096)
            for samples in _silent(audio.planes(frames, lambda: layout, rate), seconds, rate):
                for frame in sized.resample(_frame(samples, layout, rate)):
                    sink.mux(stream.encode(frame))
            for frame in sized.resample(None):
                sink.mux(stream.encode(frame))
            sink.mux(stream.encode(None))


def _silent(
    pieces: Iterator[Samples], seconds: Sequence[tuple[float, float]], rate: int
) -> Iterator[Samples]:
    at = 0
    for piece in pieces:
        times = (at + np.arange(piece.shape[1])) / rate
        gain = np.ones(piece.shape[1], np.float32)
        for start, end in seconds:
            if start < times[-1] and times[0] < end:
                outside = np.maximum(start + FADE_S - times, times - (end - FADE_S)) / FADE_S
                gain = np.minimum(gain, np.clip(outside, 0.0, 1.0).astype(np.float32))
        at += piece.shape[1]
        yield piece * gain


def _frame(samples: Samples, layout: str, rate: int) -> Any:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
    frame.sample_rate = rate
    return frame
