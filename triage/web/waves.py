"""A recording as a picture: lanes, silenced stretches, who speaks when, where evidence was said.

The picture is `WIDTH` wide, whatever the recording's length. Pins stand in rows, so that none hides
another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triage.redaction.speech import Seconds
from triage.transcripts.engine import Peaks
from triage.types import Qualification, Segment, Transcript

WIDTH: Final = 1000
LANE: Final = 56
_APART: Final = 80  # of WIDTH: two pins on a telephone's screen do not touch
_SIDES: Final = ("caller", "agent")


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel: its outline, as a path, and whose voice is on it, where that is known."""

    outline: str
    side: str
    top: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the picture, and the seconds it stands for."""

    x: float
    width: float
    start: float
    end: float
    side: str = ""
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Pin:
    """Where a signal was said. `x` in percent; rows are counted from the top."""

    number: int
    signal: str
    at: float
    x: float
    row: int


@dataclass(frozen=True, slots=True)
class Wave:
    """The whole picture."""

    duration: float
    lanes: tuple[Lane, ...]
    speech: tuple[Stretch, ...]
    silent: tuple[Stretch, ...]
    pins: tuple[Pin, ...]

    @property
    def height(self) -> int:
        """In the units of `WIDTH`."""
        return LANE * len(self.lanes)

    @property
    def rows(self) -> int:
        """How many rows of pins there are."""
        return max((pin.row + 1 for pin in self.pins), default=0)


def drawn(
    peaks: Peaks,
    transcript: Transcript | None,
    silent: Seconds = (),
    qualification: Qualification | None = None,
) -> Wave:
    """The picture of a recording; without a qualification there are no pins."""
    segments = transcript.segments if transcript else ()
    lanes = len(peaks.channels)
    return Wave(
        peaks.duration_s,
        tuple(
            Lane(_outline(channel, number * LANE), _side(segments, number, lanes), number * LANE)
            for number, channel in enumerate(peaks.channels)
        ),
        tuple(
            _stretch(peaks, segment.start, segment.end, segment.speaker,
                     segment.channel if segment.channel < lanes else 0)
            for segment in segments
        ),
        tuple(_stretch(peaks, start, end) for start, end in silent),
        _pins(peaks, qualification),
    )  # fmt: skip


def _outline(channel: Sequence[int], top: int) -> str:
    """The loudness, up and down from the middle of its lane."""
    middle, step = top + LANE / 2, WIDTH / max(1, len(channel))
    half = [max(0.6, value / 100 * (LANE / 2 - 3)) for value in channel]
    above = [f"{n * step + step / 2:.1f} {middle - h:.1f}" for n, h in enumerate(half)]
    below = [f"{n * step + step / 2:.1f} {middle + h:.1f}" for n, h in enumerate(half)]
    return f"M0 {middle:.1f}L{'L'.join(above)}L{WIDTH} {middle:.1f}L{'L'.join(below[::-1])}Z"


def _side(segments: Sequence[Segment], channel: int, lanes: int) -> str:
    heard = [segment.speaker for segment in segments if segment.channel == channel]
    sides = [side for side in _SIDES if side in heard]
    if lanes == 2 and not sides:  # whoever says nothing on one lane is who is not on the other
        others = {segment.speaker for segment in segments}
        sides = [side for side in _SIDES if side not in others] if len(others) == 1 else []
    return " and ".join(sides)


def _stretch(peaks: Peaks, start: float, end: float, side: str = "", lane: int = 0) -> Stretch:
    scale = WIDTH / peaks.duration_s if peaks.duration_s else 0
    first, last = (min(max(0.0, second), peaks.duration_s) for second in (start, end))
    return Stretch(round(first * scale, 1), round(max(1.0, (last - first) * scale), 1),
                   start, end, side, lane)  # fmt: skip


def _pins(peaks: Peaks, qualification: Qualification | None) -> tuple[Pin, ...]:
    said = sorted(
        (evidence.at_s, name)
        for name, signal in (qualification.signals if qualification else {}).items()
        for evidence in signal.evidence
        if evidence.at_s is not None and evidence.at_s <= peaks.duration_s
    )
    ends: list[float] = []  # where the last pin of each row stands
    pins = []
    for number, (at, name) in enumerate(said, 1):
        x = min(max(at / peaks.duration_s, 0.012), 0.988) if peaks.duration_s else 0.0
        place = x * WIDTH
        row = next((n for n, last in enumerate(ends) if place - last >= _APART), len(ends))
        ends[row : row + 1] = [place]
        pins.append(Pin(number, name.replace("_", " "), at, round(x * 100, 2), row))
    return tuple(pins)
