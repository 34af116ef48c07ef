"""The shortcut past the network: it settles what is plain, and never what may be a lead."""

import numpy as np
import pytest

from classifiers.calibration import LEAD, Blend, softmax
from classifiers.labels import LABELS
from classifiers.shortcut import GUARD, Shortcut, choose_shortcut

SPAM, SUPPORT = LABELS.index("spam"), LABELS.index("support")


def logits(*rows: dict[int, float]) -> np.ndarray:
    found = np.zeros((len(rows), len(LABELS)))
    for row, values in zip(found, rows, strict=True):
        for label, value in values.items():
            row[label] = value
    return found


def test_without_one_nothing_is_settled() -> None:
    alone, settled = Shortcut().settled(logits({SPAM: 40.0}))
    assert not settled.any()
    assert alone[0, SPAM] == pytest.approx(1.0)


def test_settles_what_is_clear_and_reads_what_is_not() -> None:
    _, settled = Shortcut(1.0, 0.8, GUARD).settled(logits({SPAM: 8.0}, {SPAM: 2.0}, {LEAD: 8.0}))
    assert settled.tolist() == [True, False, True]


def test_a_chance_of_a_lead_is_always_read() -> None:
    _, settled = Shortcut(1.0, 0.8, GUARD).settled(logits({SPAM: 8.0, LEAD: 5.0}))
    assert not settled.any()


def test_what_sounds_like_support_is_always_read() -> None:
    _, settled = Shortcut(1.0, 0.8, GUARD).settled(logits({SUPPORT: 12.0}, {SPAM: 12.0}))
    assert settled.tolist() == [False, True]


def test_the_two_parts_speak_where_it_does_not_settle() -> None:
    shortcut, blend = Shortcut(1.0, 0.8, GUARD), Blend(1.0, 1.0)
    lexical = logits({SPAM: 8.0}, {SPAM: 2.0})
    network = logits({SUPPORT: 20.0}, {SUPPORT: 20.0})
    said = shortcut.probabilities(blend, network, lexical)
    assert said.argmax(axis=1).tolist() == [SPAM, SUPPORT]
    assert said[1] == pytest.approx(softmax(network + lexical)[1])


def test_chosen_so_that_no_label_changes() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, len(LABELS), 600)
    hot = np.eye(len(LABELS))[truth]
    lexical = 5 * hot + rng.normal(0, 1, hot.shape)
    network = 5 * hot + rng.normal(0, 1, hot.shape)
    blend = Blend(1.0, 1.0)
    shortcut = choose_shortcut(blend, network, lexical, truth)
    _, settled = shortcut.settled(lexical)
    assert 0.2 < settled.mean() < 1
    said = shortcut.probabilities(blend, network, lexical).argmax(axis=1)
    assert said.tolist() == blend.probabilities(network, lexical).argmax(axis=1).tolist()


def test_none_is_chosen_where_the_parts_never_agree() -> None:
    lexical = logits(*[{SPAM: 9.0}] * 50)
    network = logits(*[{SUPPORT: 99.0}] * 50)
    shortcut = choose_shortcut(Blend(1.0, 1.0), network, lexical, np.full(50, SPAM))
    assert not shortcut.settled(lexical)[1].any()
