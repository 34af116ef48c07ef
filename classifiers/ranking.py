"""Which of several candidates is right, or none: a linear model over named features and a vector.

The candidates of a text are weighed against one another and against there being none (a conditional
logit, McFadden 1974): which of five days is meant is a question about all five. Features are hashed
into buckets (Weinberger et al. 2009), so that the model is one array and any name may be used. What
the names mean, and what the vector is, is the caller's business.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats, Ints

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BUCKETS: Final = 1 << 15
"""Of an array of weights; behind them is the constant, and then what each part of a vector weighs,
if candidates of that signal have one.
"""

_PENALTY: Final = 5.0
"""Of weights (L2), twice that where there are vectors, which have many; the constant has none."""

_STEPS: Final = 200  # of the optimiser, at most

_FOLDS: Final = 5

Features = Mapping[str, float]
NOTHING: Final[Floats] = np.zeros(0)
"""The vector of a candidate that has none."""

Row = tuple[Ints, Floats, Floats]
"""Buckets, values and vector of one candidate."""


Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Field:
    """The candidates of one signal in one text. `rows`: each as it is weighed; `near`: which of
    them share words, (candidates, candidates): they say the same, so their probabilities add up.
    """

    rows: tuple[Row, ...]
    near: Bools


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights (BUCKETS + 1 + length of the vector,) and the probability from which the best
    candidate is taken.
    """

    weights: Floats
    floor: float

    def best(self, field: Field) -> tuple[int, float]:
        """The likeliest candidate's place and how probable it is; -1 and 0 where there is none."""
        return _best(field, self.weights)


@dataclass(frozen=True, slots=True)
class Choices:
    """The candidates of one signal in one text, and which of them are right.

    `stated`: whether the text states the signal at all; `writer` wrote the text.
    """

    writer: str
    stated: bool
    field: Field
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
        for one in choices:
            if one.writer in group:
                at, probability = _best(one.field, weights)
                best.append((probability, at >= 0 and one.right[at], one.stated))
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
    """The weights that make the right candidates likeliest, or none where none is right."""
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy

    offered = [one for one in choices if one.field.rows]
    rows = [row for one in offered for row in one.field.rows]
    if not rows:
        return np.zeros(BUCKETS + 1)
    text = np.repeat(np.arange(len(offered)), [len(one.right) for one in offered])
    right = np.array([right for one in offered for right in one.right])
    none = np.ones(len(offered), bool)
    none[text[right]] = False
    sparse = _table(rows)
    used = np.unique(sparse.indices)  # most buckets are empty
    table, vectors = sparse[:, used], np.stack([vector for _, _, vector in rows])
    across, split = table.T.tocsr(), len(used)
    penalty = _PENALTY * (2 if vectors.shape[1] else 1)

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = table @ weights[:split] + vectors @ weights[split:-1] + weights[-1]
        most = np.zeros(len(offered))
        np.maximum.at(most, text, odds)
        share, silence = np.exp(odds - most[text]), np.exp(-most)
        every = silence + np.bincount(text, share, len(offered))
        good = np.bincount(text, share * right, len(offered)) + silence * none
        pull = share / every[text] - share * right / good[text]
        slope = np.concatenate([across @ pull, vectors.T @ pull, [pull.sum()]])
        slope[:-1] += penalty * weights[:-1]
        value = np.log(every / good).sum() + penalty / 2 * weights[:-1] @ weights[:-1]
        return float(value), slope

    start = np.zeros(split + vectors.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    weights = np.zeros(BUCKETS + 1 + vectors.shape[1])
    weights[used], weights[BUCKETS], weights[BUCKETS + 1 :] = (
        found[:split],
        found[-1],
        found[split:-1],
    )
    return weights


def _table(rows: Sequence[Row]) -> csr_matrix:
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - heavy

    ends = np.cumsum([0, *(len(places) for places, _, _ in rows)])
    places = np.concatenate([places for places, _, _ in rows])
    values = np.concatenate([values for _, values, _ in rows])
    table = csr_matrix((values, places, ends), shape=(len(rows), BUCKETS))
    table.sum_duplicates()
    return table


def _best(field: Field, weights: Floats) -> tuple[int, float]:
    if not field.rows:
        return -1, 0.0
    odds = np.array([_odds(row, weights) for row in field.rows])
    shares = np.exp(odds - max(0.0, odds.max()))
    shares /= shares.sum() + np.exp(-max(0.0, odds.max()))
    at = int(odds.argmax())
    return at, float(shares[field.near[at]].sum())


def _odds(row: Row, weights: Floats) -> float:
    places, values, vector = row
    odds = float(weights[places] @ values + weights[BUCKETS])
    if len(vector) and len(weights) > BUCKETS + 1:
        odds += float(weights[BUCKETS + 1 :] @ vector)
    return odds


def _floor(best: Sequence[tuple[float, bool, bool]]) -> tuple[float, float]:
    """The floor with the best F1, and that F1."""
    stated = sum(one[2] for one in best)
    found = {}
    for floor in np.arange(0.1, 0.9, 0.02):
        said = [right for score, right, _ in best if score >= floor]
        found[round(float(floor), 2)] = 2 * sum(said) / max(1, len(said) + stated)
    floor = max(found, key=lambda key: found[key])
    return floor, found[floor]
