"""What is shown of a training under way."""

from __future__ import annotations

import pytest

from classifiers.finetuning import Progress
from triage.pipeline.lesson import stepped


def test_progress_grows_and_the_time_left_shrinks() -> None:
    """Two epochs of ten steps, each a second."""
    shares, left = [], []
    for number in range(1, 21):
        epoch, step = (number - 1) // 10 + 1, (number - 1) % 10 + 1
        share, shown = stepped(Progress(epoch, 2, step, 10, 0.5, float(number)))
        assert (shown["epoch"], shown["step"], shown["loss"]) == (epoch, step, 0.5)
        shares.append(share)
        left.append(shown["seconds_left"])
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.8)
    assert left == sorted(left, reverse=True)
    assert left[9] == pytest.approx(10 + 20 / 6, abs=0.1)
    assert left[-1] == pytest.approx(20 / 6, abs=0.1)


def test_nothing_is_said_of_the_time_left_before_the_first_step() -> None:
    assert stepped(Progress(1, 3, 0, 10, 0.0, 0.0))[1]["seconds_left"] is None
