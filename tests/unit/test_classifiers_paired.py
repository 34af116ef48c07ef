"""The paired test: exact, by groups, and undecided where little was seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from classifiers.paired import compare


def outcome(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.array(pairs, dtype=bool)
    return rows[:, 0], rows[:, 1]


def test_it_is_mcnemars_exact_test() -> None:
    before, after = outcome([(0, 1)] * 9 + [(1, 0)] * 2 + [(1, 1)] * 50 + [(0, 0)] * 7)
    found = compare(before, after, np.arange(68))
    assert (found.better, found.worse, found.groups) == (9, 2, 68)
    assert found.p_better == pytest.approx(binomtest(9, 11, alternative="greater").pvalue)
    assert found.p_worse == pytest.approx(binomtest(2, 11, alternative="greater").pvalue)
    assert found.is_better
    assert not found.is_worse


def test_a_sender_with_many_mails_counts_once() -> None:
    before, after = outcome([(0, 1)] * 9)
    assert compare(before, after, np.arange(9)).is_better
    assert not compare(before, after, np.zeros(9, dtype=int)).is_better


def test_equal_models_are_neither_better_nor_worse() -> None:
    before, after = outcome([(1, 1)] * 30)
    found = compare(before, after, np.arange(30))
    assert (found.p_better, found.p_worse) == (1.0, 1.0)


def test_a_worse_one_is_shown_to_be() -> None:
    before, after = outcome([(1, 0)] * 8 + [(1, 1)] * 5)
    found = compare(before, after, np.arange(13))
    assert found.is_worse
    assert not found.is_better
