"""What the bursts of a channel are: tone plans by frequency and cadence.

ITU-T E.180 with its supplement 2 (ring, busy, congestion, dial and information tones), T.30 and V.8
(fax and modem). Europe has one tone of 425 Hz (400 to 450), North America and Britain two at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from triage.transcripts.sounds.keys import HIGH, LOW
from triage.transcripts.sounds.kinds import Kind, Sound
from triage.transcripts.sounds.tones import Tone

_TOLERANCE: Final = 12.0
# Pairs that mean one thing whatever their cadence.
_PAIRS: Final[tuple[tuple[float, float, Kind], ...]] = (
    (440, 480, "ring"),  # North America: 2 s of 6
    (400, 450, "ring"),  # Britain and others: two bursts of 0.4 s every 3 s
    (413, 438, "ring"),  # Australia
    (480, 620, "busy"),  # North America: every second; reorder every half
    (350, 440, "dial"),
    (350, 450, "dial"),
)
_PROGRESS: Final = (388.0, 462.0)
_INFORMATION: Final = (950.0, 1400.0, 1800.0)
_INFORMATION_TOLERANCE: Final = 50.0
_CALLING: Final = 1100.0  # CNG: half a second every three and a half
_ANSWERING: Final = 2100.0  # CED, ANS, ANSam
_BEEP_S: Final = 2.0
_PAIR_S: Final = 1.0
_KEY: Final = 0.018  # Q.24


def named(tones: Sequence[Tone]) -> list[Sound]:
    """Bursts with their kinds, by time. A beep is what is none of the known tones and short.

    Short pairs that no plan has are left out: two harmonics of a vowel are one.
    """
    bursts = [tone for tone in tones if len(tone.hertz) == 1 or _is_pair(tone)]
    kinds: dict[int, Kind] = {}
    for index, burst in enumerate(bursts):
        kinds[index] = _by_pair(burst) if len(burst.hertz) == 2 else _short_or_long(burst)
    _information(bursts, kinds)
    _progress(bursts, kinds)
    _fax(bursts, kinds)
    return [Sound(burst.start, burst.end, kinds[i]) for i, burst in enumerate(bursts)]


def _is_pair(burst: Tone) -> bool:
    return burst.seconds >= _PAIR_S or _by_pair(burst) in {"ring", "busy", "keys"}


def _by_pair(burst: Tone) -> Kind:
    low, high = burst.hertz
    if any(abs(low / key - 1) < _KEY for key in LOW) and any(
        abs(high / key - 1) < _KEY for key in HIGH
    ):
        return "keys"
    for lower, upper, kind in _PAIRS:
        if _near(low, lower) and _near(high, upper):
            return kind
    return _short_or_long(burst)


def _short_or_long(burst: Tone) -> Kind:
    return "beep" if burst.seconds < _BEEP_S else "tone"


def _information(bursts: Sequence[Tone], kinds: dict[int, Kind]) -> None:
    """Three rising tones in a row, before "the number you have dialled"."""
    for index in range(len(bursts) - 2):
        three = bursts[index : index + 3]
        rising = all(
            len(burst.hertz) == 1 and abs(burst.hertz[0] - hertz) < _INFORMATION_TOLERANCE
            for burst, hertz in zip(three, _INFORMATION, strict=True)
        )
        if rising and three[2].end - three[0].start < 2.0:
            kinds.update({index + i: "information" for i in range(3)})


def _progress(bursts: Sequence[Tone], kinds: dict[int, Kind]) -> None:
    """Single tones around 425 Hz, which their cadence alone tells apart."""
    low, high = _PROGRESS
    indices = [i for i, b in enumerate(bursts) if len(b.hertz) == 1 and low < b.hertz[0] < high]
    for run in _together(bursts, indices, apart_s=0.9):
        lengths = [bursts[i].seconds for i in run]
        if len(run) >= 3 and max(lengths) < 0.8:
            kinds.update(dict.fromkeys(run, "busy"))
    for run in _together(bursts, indices, apart_s=6.0):
        for i in run:
            if kinds[i] != "busy" and 0.6 <= bursts[i].seconds < 2.3:
                kinds[i] = "ring"
            elif kinds[i] != "busy" and bursts[i].seconds >= 2.3:
                kinds[i] = "dial"


def _fax(bursts: Sequence[Tone], kinds: dict[int, Kind]) -> None:
    calling = [i for i, b in enumerate(bursts) if _is(b, _CALLING) and 0.4 < b.seconds < 0.6]
    for run in _together(bursts, calling, apart_s=3.5):
        if len(run) >= 2:
            kinds.update(dict.fromkeys(run, "fax"))
    answering = [i for i, b in enumerate(bursts) if _is(b, _ANSWERING)]
    for run in _together(bursts, answering, apart_s=0.2):  # the phase turns every 0.45 s
        if sum(bursts[i].seconds for i in run) > 1.2:
            kinds.update(dict.fromkeys(run, "fax"))


def _together(
    bursts: Sequence[Tone], indices: Sequence[int], apart_s: float
) -> Iterator[list[int]]:
    """Runs of bursts with pauses of `apart_s` at most."""
    run: list[int] = []
    for index in indices:
        if run and bursts[index].start - bursts[run[-1]].end > apart_s:
            yield run
            run = []
        run.append(index)
    if run:
        yield run


def _is(burst: Tone, hertz: float) -> bool:
    return len(burst.hertz) == 1 and abs(burst.hertz[0] - hertz) < 2 * _TOLERANCE


def _near(hertz: float, nominal: float) -> bool:
    return abs(hertz - nominal) < _TOLERANCE
