"""Which of several candidates is right: a linear model over named features and a vector.

Features are hashed into buckets (Weinberger et al. 2009), so that the model is one array and any
name may be used. What the names mean, and what the vector is, is the caller's business.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np

from classifiers.calibration import Floats, Ints

BUCKETS: Final = 1 << 15
"""Of an array of weights; behind them is the constant, and then what each part of a vector weighs,
if candidates of that signal have one.
"""

_STRENGTH: Final = 0.1
"""The inverse of the regularisation (L2) of the logistic regression."""

_FOLDS: Final = 5

Features = Mapping[str, float]
NOTHING: Final[Floats] = np.zeros(0)
"""The vector of a candidate that has none."""

Row = tuple[Ints, Floats, Floats]
"""Buckets, values and vector of one candidate."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights (BUCKETS + 1 + length of the vector,) and the probability from which the best
    candidate is taken.
    """

    weights: Floats
    floor: float

    def probability(self, features: Features, vector: Floats = NOTHING) -> float:
        """How probable it is that a candidate is right."""
        return _probability(hashed(features, vector), self.weights)


@dataclass(frozen=True, slots=True)
class Choices:
    """The candidates of one signal in one text, hashed, and which of them are right.

    `stated`: whether the text states the signal at all; `writer` wrote the text.
    """

    writer: str
    stated: bool
    rows: tuple[Row, ...]
    right: tuple[bool, ...]


def hashed(features: Features, vector: Floats = NOTHING) -> Row:
    """Buckets and values, with the vector as it is."""
    places = np.array([zlib.crc32(name.encode()) % BUCKETS for name in features], dtype=np.int64)
    return places, np.array(list(features.values()), dtype=np.float64), vector


def fit_ranking(choices: Sequence[Choices]) -> tuple[Ranking, float]:
    """A ranking, and its F1 on texts by writers that it was not fitted on.

    The floor is the one with the best F1 there.
    """
    groups = writer_groups((one.writer for one in choices), _FOLDS)
    best: list[tuple[float, bool, bool]] = []
    for group in groups:
        weights = _fitted([one for one in choices if one.writer not in group])
        best += [_best(one, weights) for one in choices if one.writer in group]
    floor, f1 = _floor(best)
    return Ranking(_fitted(choices), floor), f1


def writer_groups(writers: Iterable[str], count: int) -> list[set[str]]:
    """Writers in groups of about as many texts."""
    counts = Counter(writers)
    groups: list[set[str]] = [set() for _ in range(min(count, len(counts)))]
    for writer, _ in counts.most_common():
        least = min(groups, key=lambda group: sum(counts[one] for one in group))
        least.add(writer)
    return groups


def _fitted(choices: Sequence[Choices]) -> Floats:
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 - heavy
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    rows = [row for one in choices for row in one.rows]
    right = [right for one in choices for right in one.right]
    if len(set(right)) < 2:
        weights: Floats = np.zeros(BUCKETS + 1)
        weights[-1] = 30.0 if right and right[0] else -30.0
        return weights
    ends = np.cumsum([0, *(len(places) for places, _, _ in rows)])
    places = np.concatenate([places for places, _, _ in rows])
    values = np.concatenate([values for _, values, _ in rows])
    table = csr_matrix((values, places, ends), shape=(len(rows), BUCKETS))
    table.sum_duplicates()
    if len(rows[0][2]):
        table = hstack([table, csr_matrix(np.stack([vector for _, _, vector in rows]))]).tocsr()
    model = LogisticRegression(C=_STRENGTH, solver="liblinear").fit(table, right)
    return np.insert(model.coef_[0], BUCKETS, model.intercept_[0])


def _best(one: Choices, weights: Floats) -> tuple[float, bool, bool]:
    """The best candidate's probability, whether it is right, and whether anything is stated."""
    scores = [_probability(row, weights) for row in one.rows]
    if not scores:
        return 0.0, False, one.stated
    at = int(np.argmax(scores))
    return scores[at], one.right[at], one.stated


def _probability(row: Row, weights: Floats) -> float:
    places, values, vector = row
    odds = float(weights[places] @ values + weights[BUCKETS])
    if len(vector) and len(weights) > BUCKETS + 1:
        odds += float(weights[BUCKETS + 1 :] @ vector)
    return 1 / (1 + exp(-min(max(odds, -30.0), 30.0)))


def _floor(best: Sequence[tuple[float, bool, bool]]) -> tuple[float, float]:
    """The floor with the best F1, and that F1."""
    stated = sum(one[2] for one in best)
    found = {}
    for floor in np.arange(0.1, 0.9, 0.02):
        said = [right for score, right, _ in best if score >= floor]
        found[round(float(floor), 2)] = 2 * sum(said) / max(1, len(said) + stated)
    floor = max(found, key=lambda key: found[key])
    return floor, found[floor]
