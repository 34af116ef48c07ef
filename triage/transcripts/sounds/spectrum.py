"""What the frames of a channel consist of: the figures from which tones and music are told.

Frames of 128 ms tell 440 from 480 Hz, which is the American ring tone; they begin every 32 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples

Figures = NDArray[np.float32]

FRAME: Final = 2048
HOP: Final = 512
BIN_HZ: Final = RATE / FRAME
SECONDS: Final = HOP / RATE
"""From one frame to the next."""

_LOW: Final = round(100 / BIN_HZ)
_HIGH: Final = round(3_900 / BIN_HZ)
_LOBE: Final = 3  # bins to either side that hold the energy of a sinusoid under a Hann window
_BATCH: Final = 2_000
_V21: Final = ((1_500, 2_000), (850, 1_310))  # Hz; the answering and the calling side
# A partial is steady where it was within a bin of here, and about as loud, this many frames ago.
_AGO: Final = (2, 4)
_WEAK: Final = 0.01  # share of a frame's energy below which a partial is none
_FADED: Final = 8.0  # a note dies away: at most 9 dB in the time between


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One figure a frame. `level` in dBFS (a full sine has -3); `first` and `second` the two
    strongest sinusoids in Hz; `pure` the share of the energy that the first holds, `paired` that
    both hold; `keyed` that of a modem's band; `steady` that of partials which stay where they are.
    """

    level: Figures
    first: Figures
    second: Figures
    pure: Figures
    paired: Figures
    keyed: Figures
    steady: Figures


def spectrum(side: Samples) -> Spectrum:
    """The figures of mono samples at 16 kHz; without frames where these are less than one."""
    if side.size < FRAME:
        return Spectrum(*(np.zeros(0, np.float32) for _ in range(7)))
    frames = np.lib.stride_tricks.sliding_window_view(side, FRAME)[::HOP]
    window = np.hanning(FRAME + 1)[:-1].astype(np.float32)
    parts, before = [], np.zeros((max(_AGO), _HIGH - _LOW), np.float32)
    for start in range(0, len(frames), _BATCH):
        power = _power(frames[start : start + _BATCH], window)
        parts.append(_figures(power, np.concatenate([before, power])))
        before = np.concatenate([before, power])[-max(_AGO) :]
    return Spectrum(*(np.concatenate(figures) for figures in zip(*parts, strict=True)))


def _power(frames: NDArray[Any], window: Figures) -> Figures:
    from scipy import fft  # noqa: PLC0415 - heavy

    found = fft.rfft(frames * window)[:, _LOW:_HIGH]
    power = found.real**2 + found.imag**2
    # Per bin, so that the sum over a sinusoid's lobe is its mean square.
    return np.asarray(power * (2 / (FRAME * float(np.sum(window**2)))), np.float32)


def _figures(power: Figures, longer: Figures) -> tuple[Figures, ...]:
    total = power.sum(axis=1) + np.float32(1e-12)
    rest = power.copy()
    first, alone = _strongest(rest)
    second, other = _strongest(rest)
    sums = np.cumsum(power, axis=1)
    keyed = [sums[:, _bin(high)] - sums[:, _bin(low)] for low, high in _V21]
    return (
        10 * np.log10(total),
        first,
        second,
        alone / total,
        (alone + other) / total,
        np.maximum(*keyed) / total,
        _steady(longer, total),
    )


def _strongest(power: Figures) -> tuple[Figures, Figures]:
    """Frequency and energy of each frame's strongest sinusoid, which is taken out."""
    rows = np.arange(len(power))
    peak = np.clip(power.argmax(axis=1), _LOBE, power.shape[1] - 1 - _LOBE)
    below, here, above = (np.log(power[rows, peak + i] + 1e-20) for i in (-1, 0, 1))
    bend = np.minimum(below - 2 * here + above, -1e-6)
    hertz = (peak + np.clip((below - above) / (2 * bend), -0.5, 0.5) + _LOW) * BIN_HZ
    lobe = rows[:, None], peak[:, None] + np.arange(-_LOBE, _LOBE + 1)
    energy = power[lobe].sum(axis=1)
    power[lobe] = 0
    return hertz.astype(np.float32), energy


def _steady(power: Figures, total: Figures) -> Figures:
    """Share of the energy in partials that stay; `power` begins with the frames before."""
    inner = power[:, 1:-1]
    tops = np.zeros(power.shape, bool)
    tops[:, 1:-1] = (inner > power[:, :-2]) & (inner >= power[:, 2:])
    wide = tops.copy()
    wide[:, 1:] |= tops[:, :-1]
    wide[:, :-1] |= tops[:, 1:]
    most = max(_AGO)
    now = power[most:]
    stays = tops[most:] & (now > _WEAK * total[:, None])
    for ago in _AGO:
        then = power[most - ago : len(power) - ago]
        stays &= wide[most - ago : len(power) - ago]
        stays &= (now < _FADED * then) & (then < _FADED * now)
    lobes = now.copy()
    lobes[:, 1:] += now[:, :-1]
    lobes[:, :-1] += now[:, 1:]
    return np.asarray((lobes * stays).sum(axis=1) / total, np.float32)


def _bin(hertz: float) -> int:
    return round(hertz / BIN_HZ) - _LOW
