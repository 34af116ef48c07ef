from __future__ import annotations

import itertools

import numpy as np
import pytest

from triage.transcripts.audio import RATE, Samples
from triage.transcripts.packing import ALIKE, Window, batches, windows


def speech(seconds: float, pauses: tuple[float, ...] = ()) -> Samples:
    """Noise as loud as speech, with 0.4 s of near silence around each pause."""
    samples = np.random.default_rng(3).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    for pause in pauses:
        samples[round((pause - 0.2) * RATE) : round((pause + 0.2) * RATE)] *= 0.001
    return samples


def test_what_fits_is_one_window() -> None:
    assert windows(speech(19.9), 20.0) == (Window(0, 0, round(19.9 * RATE)),)


def test_nothing_is_no_window() -> None:
    assert windows(np.zeros(0, np.float32), 20.0) == ()


@pytest.mark.parametrize("seconds", [20.1, 47.3, 61.0, 200.0, 333.3])
def test_windows_hold_everything_once_and_none_is_too_long(seconds: float) -> None:
    samples = speech(seconds)

    found = windows(samples, 20.0, side=1)

    assert (found[0].start, found[-1].end) == (0, samples.size)
    assert all(a.end == b.start for a, b in itertools.pairwise(found))
    assert max(window.seconds for window in found) <= 20.02
    assert {window.side for window in found} == {1}
    assert len(found) <= seconds / 20 * 1.35 + 1


def test_cuts_are_in_the_pauses() -> None:
    found = windows(speech(54.0, pauses=(16.0, 20.5, 35.0)), 20.0)

    assert [window.end / RATE for window in found[:2]] == pytest.approx([16.0, 35.0], abs=0.2)


def test_windows_are_about_equally_long() -> None:
    found = windows(speech(100.0, pauses=tuple(np.arange(3.0, 100.0, 3.0).tolist())), 20.0)

    assert min(window.seconds for window in found) > 10.0


def test_batches_hold_every_window_once_and_alike_ones() -> None:
    lengths = (19.0, 3.0, 18.0, 12.0, 17.0, 2.5, 0.4)
    found = [Window(0, 0, round(seconds * RATE)) for seconds in lengths]

    groups = batches(found, 3)

    assert sorted(position for group in groups for position in group) == list(range(7))
    assert groups[0] == (0, 2, 4)
    for group in groups:
        assert len(group) <= 3
        assert min(lengths[at] for at in group) >= ALIKE * max(lengths[at] for at in group)


def test_a_batch_of_one_is_each_window_alone() -> None:
    found = [Window(0, 0, RATE), Window(1, 0, RATE)]

    assert batches(found, 1) == [(0,), (1,)]
    assert batches([], 8) == []
