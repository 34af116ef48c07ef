"""Who speaks on which channel, and keeping each channel to its own side.

A telephone line leaks: Whisper transcribes the other side's echo at -30 dB, which doubles the
errors. So a channel is muted wherever the other one is much louder. Noise may keep it from being
much quieter, and the echo in it is heard all the same: then it is muted, too, where it holds no
more than its noise while the other one is louder.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples
from triage.types import Speaker

# A side is heard as an echo where it is this much quieter than the other one. Echoes are 20 to
# 40 dB down; two people who talk at once are seldom more than 10 dB apart.
ECHO_DB: Final = 15.0
# A side's noise is what its quietest frames hold, up to this many dB more; its speech its loudest.
NOISE_SHARE: Final = 0.1
NOISE_DB: Final = 6.0
SPEECH_SHARE: Final = 0.9
FRAME: Final = RATE // 50
# Levels are held for this long on both sides, so that a syllable's end or the delay of an echo
# does not open the gate.
HOLD_FRAMES: Final = 10
# Below this a channel is electrically silent.
SILENT: Final = 1e-4


def speakers(channels: int, caller: Literal["left", "right"]) -> tuple[Speaker, ...]:
    """Who is on each channel. One channel holds everybody, so nobody is known."""
    if channels == 1:
        return ("unknown",)
    return ("caller", "agent") if caller == "left" else ("agent", "caller")


def one_sided(samples: Samples) -> bool:
    """Whether one of two channels holds nothing: a recorder that wrote both sides into one."""
    peaks = np.abs(samples).max(axis=1)
    return samples.shape[0] == 2 and float(peaks.min()) < SILENT <= float(peaks.max())


def gated(samples: Samples) -> Samples:
    """[channels, samples] with the echo of the other channel muted; one channel as it is."""
    if samples.shape[0] == 1:
        return samples
    frames = np.stack([_frames(side) for side in samples])
    levels = np.stack([_held(side) for side in frames])
    noise = np.quantile(frames, NOISE_SHARE, axis=1, keepdims=True) + NOISE_DB
    speech = np.quantile(frames, SPEECH_SHARE, axis=1, keepdims=True)
    hidden = (levels < noise) & (noise + ECHO_DB > speech[::-1])
    echo = levels + np.where(hidden, NOISE_DB, ECHO_DB) < levels[::-1]
    return np.stack([_muted(side, mask) for side, mask in zip(samples, echo, strict=True)])


def _frames(side: Samples) -> NDArray[np.float64]:
    """Level of each 20 ms frame in dB."""
    whole = np.pad(side, (0, -side.size % FRAME)).reshape(-1, FRAME).astype(np.float64)
    return np.asarray(10 * np.log10(np.mean(whole**2, axis=1) + 1e-12), np.float64)


def _held(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loudest level within the hold time around each frame."""
    padded = np.pad(frames, HOLD_FRAMES, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOLD_FRAMES + 1)
    return np.asarray(windows.max(axis=1), np.float64)


def _muted(side: Samples, mask: NDArray[np.bool_]) -> Samples:
    """The side with masked frames silent, faded over a frame so that no click is made."""
    gain = np.repeat(np.where(mask, 0.0, 1.0), FRAME)[: side.size]
    fade = np.ones(FRAME) / FRAME
    return np.asarray(side * np.convolve(gain, fade, mode="same"), np.float32)
