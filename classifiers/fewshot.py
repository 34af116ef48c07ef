"""A few examples of one's own, on top of a trained model.

The encoder stays frozen. A logistic regression over its text vectors, with the trained model's
logits as a fixed offset, learns what to add to them. It is held to zero, so that few examples
change little and none change nothing. Since it is linear, the result is the same network with
another head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats, Ints, softmax
from classifiers.dataset import Item, near_duplicates
from classifiers.errors import ArtifactError

STRENGTHS: Final = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""How far a change may go (inverse of the penalty); 0 is the trained model itself."""
FOLDS: Final = 5
_PREFIX: Final = "own."

Fitting = tuple[Floats, Floats, Ints]
"""Vectors (texts, hidden), trained logits (texts, labels), label indices (texts,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What is added to logits: `vectors @ weights + bias`; `weights` (hidden, labels)."""

    weights: Floats
    bias: Floats
    strength: float

    def logits(self, vectors: Floats, trained: Floats) -> Floats:
        """The changed logits, (texts, labels)."""
        result: Floats = trained + vectors @ self.weights + self.bias
        return result


def directions(vectors: Floats, head: Floats) -> Floats:
    """A linear map of text vectors to the inputs of a change, (hidden, hidden + labels).

    Beside the vector itself stand the logits of the trained `head` (labels, hidden): what the model
    knows of the labels is cheap to use, what else is in the text is there as well.
    """
    whole = np.sqrt(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).mean()) or 1.0
    logits = vectors @ head.T
    each = np.sqrt(((logits - logits.mean(axis=0)) ** 2).sum(axis=1).mean()) or 1.0
    return np.hstack([np.eye(vectors.shape[1]) / whole, head.T / each])


def fit_change(vectors: Floats, trained: Floats, truth: Ints, strength: float) -> Change:
    """The change with the least penalised log-loss.

    `vectors` (texts, hidden), `trained` logits (texts, labels), `truth` (texts,) label indices.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - heavy

    hidden, labels = vectors.shape[1], trained.shape[1]
    if strength == 0 or not len(truth):
        return Change(np.zeros((hidden, labels)), np.zeros(labels), 0.0)
    centre = vectors.mean(axis=0)
    inputs = np.hstack([vectors - centre, np.ones((len(truth), 1))])
    target = np.eye(labels)[truth]

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(hidden + 1, labels)
        said = softmax(trained + inputs @ weights)
        wrong = -np.log(np.maximum(said[np.arange(len(truth)), truth], 1e-300)).sum()
        gradient = inputs.T @ (said - target) + weights / strength
        return float(wrong + (flat @ flat) / (2 * strength)), gradient.ravel()

    found: Any = minimize(loss, np.zeros((hidden + 1) * labels), jac=True, method="L-BFGS-B")
    weights = found.x.reshape(hidden + 1, labels)
    return Change(weights[:-1], weights[-1] - centre @ weights[:-1], strength)


def joined(own: Fitting, also: Fitting | None) -> Fitting:
    """Vectors, logits and labels to fit to, with those of others where there are any."""
    if also is None:
        return own
    return (
        np.vstack([own[0], also[0]]),
        np.vstack([own[1], also[1]]),
        np.concatenate([own[2], also[2]]),
    )


def choose_strength(
    vectors: Floats, trained: Floats, truth: Ints, groups: Ints, also: Fitting | None = None
) -> float:
    """The strength that cross-validation favours; 0 where none is clearly better than no change.

    Of those whose gain in log-loss over no change exceeds twice its standard error, the one with
    the least loss: with a handful of examples chance alone would favour some change. `also` is
    fitted to in every fold, and measured in none.
    """
    losses = np.zeros((len(STRENGTHS), len(truth)))
    for fitted, held in split(truth, groups):
        for row, strength in enumerate(STRENGTHS):
            few = joined((vectors[fitted], trained[fitted], truth[fitted]), also)
            change = fit_change(*few, strength)
            said = softmax(change.logits(vectors[held], trained[held]))
            losses[row, held] = -np.log(np.maximum(said[np.arange(len(held)), truth[held]], 1e-12))
    gains = losses[0] - losses
    clear = gains.mean(axis=1) > 2 * gains.std(axis=1) / np.sqrt(max(len(truth), 1))
    best = [row for row in range(1, len(STRENGTHS)) if clear[row]]
    return STRENGTHS[max(best, key=lambda row: gains[row].mean())] if best else 0.0


def held_out(
    vectors: Floats, trained: Floats, truth: Ints, groups: Ints, also: Fitting | None = None
) -> Floats:
    """Probabilities (texts, labels) of changes that never saw the text, nor a near-duplicate.

    The strength is chosen within each fold, so that choosing it flatters nothing.
    """
    result = softmax(trained)
    for fitted, held in split(truth, groups):
        few = (vectors[fitted], trained[fitted], truth[fitted])
        strength = choose_strength(*few, groups[fitted], also)
        change = fit_change(*joined(few, also), strength)
        result[held] = softmax(change.logits(vectors[held], trained[held]))
    return result


def split(
    truth: Ints, groups: Ints, folds: int = FOLDS
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(fitted, held out) indices of folds with like labels; a group stays on one side."""
    from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415 - heavy

    folds = min(folds, len(set(groups.tolist())))
    if folds < 2:
        return []
    plan = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    # Labels of single texts are one kind here: the plan warns of each that is rarer than folds.
    counts = np.bincount(truth)
    kinds = np.where(counts[truth] < folds, -1, truth)
    if 0 < (kinds == -1).sum() < folds:
        kinds[kinds == -1] = np.bincount(truth).argmax()
    return [(fitted, held) for fitted, held in plan.split(kinds, kinds, groups) if len(held)]


def near_groups(items: Sequence[Item]) -> Ints:
    """A number for each item; items that are nearly the same have the same one."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    place = {item.id: index for index, item in enumerate(items)}
    pairs = [(place[a], place[b]) for a, b, _ in near_duplicates(items, items)]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(items), len(items)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Tells own labels of one base apart: a linear model over text vectors.

    `names` in the order of the columns of `weights` (hidden, names) and of `bias`.
    """

    names: tuple[str, ...]
    weights: Floats
    bias: Floats

    @classmethod
    def fit(cls, vectors: Floats, own: Sequence[str], strength: float = 10.0) -> Division:
        """Learn from text vectors and their own labels, of which there are two or more."""
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

        centre = vectors.mean(axis=0)
        scale = float(np.sqrt(((vectors - centre) ** 2).sum(axis=1).mean())) or 1.0
        model: Any = LogisticRegression(C=strength, class_weight="balanced", max_iter=3000)
        model.fit((vectors - centre) / scale, list(own))
        slopes, offsets = model.coef_ / scale, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn keeps one row, for the second
            slopes, offsets = np.vstack([-slopes, slopes]), np.concatenate([-offsets, offsets])
        names = tuple(str(name) for name in model.classes_)
        return cls(names, slopes.T, offsets - slopes @ centre)

    def said(self, vectors: Floats) -> list[str]:
        """The likeliest own label of each text."""
        return [self.names[index] for index in (vectors @ self.weights + self.bias).argmax(axis=1)]

    def arrays(self, base: str) -> dict[str, NDArray[Any]]:
        """What an artifact holds of it, by name; the names of the columns are in the manifest."""
        return {
            f"{_PREFIX}{base}.weight": self.weights.T.astype(np.float32),
            f"{_PREFIX}{base}.bias": self.bias.astype(np.float32),
        }

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[Any]], own: Mapping[str, str]) -> dict[str, Division]:
        """The divisions by base that `tensors` describe; `own` maps own labels to bases."""
        found = {}
        for base in dict.fromkeys(own.values()):
            names = tuple(name for name, stands_for in own.items() if stands_for == base)
            try:
                slopes, bias = (tensors[f"{_PREFIX}{base}.{part}"] for part in ("weight", "bias"))
            except KeyError as error:
                raise ArtifactError(f"its tensor {error} is missing; train it again") from error
            if not len(slopes) == len(bias) == len(names):
                raise ArtifactError(f"its tensors for {base!r} do not fit its own labels")
            found[base] = cls(names, slopes.T.astype(np.float64), bias.astype(np.float64))
        return found


def is_division(name: str) -> bool:
    """Whether a tensor of this name belongs to `Division.arrays`."""
    return name.startswith(_PREFIX)
