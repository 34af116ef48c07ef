"""A recording that is read in parts: cut at a pause, joined again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.transcripts import parts
from triage.transcripts.engine import NO_SPEECH
from triage.types import Segment, Transcript

RATE = parts.RATE


def speech(*pauses: tuple[float, float]) -> NDArray[np.float32]:
    """Ten seconds of noise, silent in the pauses."""
    side = np.random.default_rng(7).normal(0, 0.1, 10 * RATE).astype(np.float32)
    for start, end in pauses:
        side[int(start * RATE) : int(end * RATE)] = 0
    return side


def test_a_part_ends_where_both_sides_are_quiet() -> None:
    sides = [speech((7.0, 7.6), (8.5, 9.5)), speech((8.9, 9.4))]
    cut, end = parts.cut(sides, 0.0, to_pause=True)
    assert 8.9 < end < 9.4
    assert [side.size for side in cut] == [round(end * RATE)] * 2


def test_the_rest_begins_where_the_part_ended() -> None:
    (rest,), end = parts.cut([speech()], 4.0, to_pause=False)
    assert (rest.size, end) == (6 * RATE, 10.0)
    (nothing,), _ = parts.cut([speech()], 12.0, to_pause=False)
    assert nothing.size == 0


def test_parts_become_one_transcript() -> None:
    first = Segment(1.0, 3.0, "agent", "Hello.", 0.9)
    second = Segment(2.0, 4.0, "caller", "A quote, please.", 0.9)
    opening = Transcript((first,), "en", "e", "m", 60.0, partial=True, read_s=18.5)
    rest = Transcript(parts.moved([second], 18.5), "", "e", "m", 60.0, warnings=(NO_SPEECH,))
    whole = parts.joined(opening, rest)
    assert [(s.start, s.text) for s in whole.segments] == [
        (1.0, "Hello."),
        (20.5, "A quote, please."),
    ]
    assert (whole.partial, whole.read_s, whole.language, whole.warnings) == (False, None, "en", ())
