"""All sounds of a channel that are no speech, and the channel without its tones.

Tones are cut before voice detection. Music is only named here: people talk over it, and where they
do the voice detection has to say (`speech`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.audio import RATE, Samples
from triage.transcripts.sounds import keys, plans
from triage.transcripts.sounds.kinds import Kind, Sound, sounding
from triage.transcripts.sounds.spectrum import FRAME, HOP, SECONDS, Spectrum, spectrum
from triage.transcripts.sounds.tones import QUIET_DB, tones

# Nobody's voice: shares of V.21's band, and of partials that stay where they are. Speech never has
# more than 0.41 over three seconds, music seldom less than 0.45.
_KEYED: Final = 0.9
_KEYED_FRAMES: Final = 12
_STEADY: Final = 0.43
_STEADY_S: Final = 3.0
_MUSIC_S: Final = 4.0
_ONE_NOTE_HZ: Final = 10.0
_SILENCE: Final = 10 ** (-55 / 10)
# A mute begins and ends this much outside of the tone, faded.
_MARGIN_S: Final = 0.015
_FADE: Final = RATE // 200


def find(side: Samples) -> tuple[Sound, ...]:
    """The sounds in mono samples at 16 kHz, by time."""
    figures = spectrum(side)
    if not figures.level.size:
        return ()
    found = plans.named(tones(side, figures))
    pressed = [Sound(start, end, "keys") for start, end in keys.pressed(side)]
    found = [sound for sound in found if not _inside(sound, pressed)] + pressed
    found += [sound for sound in _keyed(figures) if not _inside(sound, found)]
    music = _music(figures, found)
    found = [sound for sound in found if sound.kind != "beep" or not _inside(sound, music)] + music
    return tuple(sorted(found, key=lambda sound: sound.start))


def muted(side: Samples, sounds: Sequence[Sound]) -> Samples:
    """The channel with everything but music and hum silent; faded, so that no click is made."""
    cut = [sound for sound in sounds if sound.kind not in {"music", "hum"}]
    if not cut:
        return side
    silent, fade = side.copy(), np.linspace(1, 0, _FADE, dtype=np.float32)
    for sound in cut:
        start = max(0, int((sound.start - _MARGIN_S) * RATE))
        end = min(side.size, int((sound.end + _MARGIN_S) * RATE))
        before, behind = silent[max(0, start - _FADE) : start], silent[end : end + _FADE]
        before *= fade[_FADE - before.size :]
        behind *= fade[::-1][: behind.size]
        silent[start:end] = 0
    return silent


def _keyed(figures: Spectrum) -> list[Sound]:
    """Data by V.21, as fax machines send when they agree on a page."""
    data = (figures.keyed > _KEYED) & (figures.level > QUIET_DB) & (figures.pure < _KEYED)
    return [
        _span(first, last, "fax")
        for first, last in _runs(data)
        if last - first >= _KEYED_FRAMES and float(figures.level[first:last].std()) < 2.0
    ]


def _music(figures: Spectrum, tones: Sequence[Sound]) -> list[Sound]:
    """Where partials stay that are no telephone's tones."""
    loud = figures.level > QUIET_DB
    for sound in tones:
        if sound.kind != "beep":  # a flute's note is one, too
            loud[_frame(sound.start - FRAME / RATE) : _frame(sound.end) + 1] = False
    width = np.ones(round(_STEADY_S / SECONDS))
    if loud.sum() < width.size:
        return []
    number = np.convolve(loud, width, mode="same")[: loud.size]
    share = np.convolve(np.where(loud, figures.steady, 0), width, mode="same")[: loud.size]
    steady = loud & (share > _STEADY * np.maximum(number, width.size / 3))
    found = []
    for first, last in _runs(_closed(steady, round(1.0 / SECONDS))):
        if (last - first) * SECONDS >= _MUSIC_S:
            pitch = figures.first[first:last]
            one_note = np.mean(np.abs(pitch - np.median(pitch)) < _ONE_NOTE_HZ) > 0.9
            found.append(_span(first, last, "hum" if one_note else "music"))
    return found


def _closed(mask: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """The mask with gaps of at most `gap` frames filled."""
    closed = mask.copy()
    for first, last in _runs(~mask):
        if first > 0 and last < mask.size and last - first <= gap:
            closed[first:last] = True
    return closed


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frame of every run, and the one behind it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _span(first: int, last: int, kind: Kind) -> Sound:
    """Frames `first` to before `last` as a sound."""
    return Sound(first * SECONDS, ((last - 1) * HOP + FRAME) / RATE, kind)


def _frame(seconds: float) -> int:
    return max(0, int(seconds * RATE / HOP))


def _inside(sound: Sound, others: Sequence[Sound]) -> bool:
    """Whether others cover most of a sound."""
    return sounding(others, sound.start, sound.end) > 0.5 * (sound.end - sound.start)


def otherwise(side: Samples) -> str:
    """What a channel without speech and without known sounds holds: `silence` or `noise`."""
    whole = side[: side.size // HOP * HOP].reshape(-1, HOP)
    energy = np.einsum("ij,ij->i", whole, whole, dtype=np.float64) / HOP
    return "noise" if energy.size and float(np.percentile(energy, 95)) > _SILENCE else "silence"
