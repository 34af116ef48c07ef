"""The bound on lost leads: exact at the textbook numbers, and kept on leads never seen."""

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.bound import UNPROVEN_FLOOR, choose_floor, upper_bound
from classifiers.calibration import LEAD, AbstainRule
from classifiers.labels import LABELS

SUPPORT = LABELS.index("support")


def leads(*probabilities: float) -> NDArray[np.float64]:
    """Rows of true leads that got these probabilities of being one; the rest is support's."""
    rows = np.zeros((len(probabilities), len(LABELS)))
    rows[:, LEAD] = probabilities
    rows[:, SUPPORT] = 1 - rows[:, LEAD]
    return rows


def chosen(rows: NDArray[np.float64]) -> tuple[float, int, bool]:
    bound = choose_floor(rows, np.full(len(rows), LEAD))
    return bound.floor, bound.filed, bound.holds


def test_rule_of_three_and_more() -> None:
    assert upper_bound(0, 299) == pytest.approx(0.00997, abs=1e-5)
    assert upper_bound(0, 298) > 0.01
    assert upper_bound(1, 473) == pytest.approx(0.01, abs=1e-4)
    assert upper_bound(28, 28) == 1.0


def test_one_percent_cannot_be_shown_with_few_leads() -> None:
    rows = leads(*[0.9] * 290, 0.3)
    assert chosen(rows) == (UNPROVEN_FLOOR, 0, False)
    assert chosen(leads(*[0.9] * 27, 0.004)) == (0.004, 0, False)


def test_floor_is_the_least_probability_where_none_may_be_lost() -> None:
    rows = leads(*[0.9] * 300, 0.08, 0.3)
    assert chosen(rows) == (0.08, 0, True)


def test_nothing_at_risk_leaves_nothing_to_ask_for() -> None:
    assert chosen(leads(*[0.9] * 300)) == (1.0, 0, True)


def test_with_more_leads_some_may_be_filed() -> None:
    floor, filed, holds = chosen(leads(*[0.9] * 480, 0.02, 0.04, 0.06))
    assert (floor, filed, holds) == (0.04, 1, True)


def test_the_rule_with_the_floor_files_no_more_than_counted() -> None:
    rows = leads(*[0.9] * 300, 0.08, 0.3)
    rule = AbstainRule(lead=chosen(rows)[0])
    filed = (rows.argmax(axis=1) != LEAD) & ~rule.abstains(rows)
    assert filed.sum() == 0


def test_bound_is_kept_on_leads_never_seen() -> None:
    rng = np.random.default_rng(5)
    broken = 0
    for _ in range(200):
        draw = rng.beta(1.2, 0.5, size=320 + 5000)
        floor, _, holds = chosen(leads(*draw[:320]))
        assert holds
        broken += float(((draw[320:] < floor) & (draw[320:] < 0.5)).mean()) > 0.01
    assert broken <= 0.05 * 200 * 1.6  # 95 % confidence, and room for the chance of 200 draws
