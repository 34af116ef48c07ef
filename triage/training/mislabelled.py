"""Which confirmed labels are probably wrong, and what they should be (confident learning).

What is said of an item must come from a model that did not learn from it. An adapted model did, so
the model that ships reads all of them, and what the other items teach is added to it
(`classifiers.fewshot`), by cross-validation in which what one person wrote, one conversation and
texts that are nearly the same stay on one side. `cleanlab` decides which labels these probabilities
contradict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from classifiers import fewshot
from classifiers.calibration import Floats, Ints, softmax
from classifiers.dataset import Item
from classifiers.labels import LABELS, Label
from classifiers.model import Classifier
from classifiers.verdict import Example

LEAST: Final = 40
"""Confirmed labels without which cross-validation says nothing."""
_STRENGTH: Final = 0.3  # how far the others' labels may move the model; docs/label-errors.md
_BATCH: Final = 32
_NEAREST: Final = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An item with the label that a person gave it. What shares a `ties` entry (an author, a
    conversation) is one group.
    """

    id: str
    example: Example
    label: Label
    ties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mislabelled:
    """A label that is probably wrong. `sure`: of the two labels, how likely the `proposed` one is
    (0 to 1); `alike`: ids of the nearest items that have it.
    """

    id: str
    label: Label
    proposed: Label
    sure: float
    why: str
    alike: tuple[str, ...]


def find(
    items: Sequence[Confirmed], model: Classifier, progress: Progress = lambda _done, _of: None
) -> list[Mislabelled]:
    """The labels that are probably wrong, the surest first; none where there are under `LEAST`.

    `model` must not have learned from these items. `progress` is told how many were read, of how
    many; reading is what takes the time.
    """
    if len(items) < LEAST:
        return []
    vectors, trained = _read(items, model, progress)
    truth = np.array([LABELS.index(item.label) for item in items])
    groups = _groups(items)
    said = out_of_sample(vectors, trained, truth, groups, model.head[0])
    rows = np.arange(len(items))
    proposed = said.argmax(axis=1)
    chosen = [index for index in contradicted(said, truth) if proposed[index] != truth[index]]
    pair = said[rows, proposed] + said[rows, truth]
    sure = said[rows, proposed] / np.maximum(pair, 1e-12)
    near = _Nearest(vectors, groups)
    return [
        _doubt(items, said[index], truth, index, near(index), float(sure[index]))
        for index in sorted(chosen, key=lambda index: -sure[index])
    ]


def out_of_sample(
    vectors: Floats, trained: Floats, truth: Ints, groups: Ints, head: Floats
) -> Floats:
    """Probabilities (items, labels) of models that never saw the item, nor one of its group.

    `vectors` (items, hidden), `trained` logits (items, labels), `truth` label indices, `head`
    (labels, hidden).
    """
    inputs = vectors @ fewshot.directions(vectors, head)
    said = softmax(trained)
    for fitted, held in fewshot.split(truth, groups):
        few = (inputs[fitted], trained[fitted], truth[fitted])
        change = fewshot.fit_change(*few, _STRENGTH)
        said[held] = softmax(change.logits(inputs[held], trained[held]))
    return said


def contradicted(said: Floats, truth: Ints) -> list[int]:
    """Indices of the labels that probabilities (items, labels) contradict.

    Both ways of confident learning must agree: pruning by noise rate, by class and off diagonal.
    """
    from cleanlab.filter import find_label_issues  # noqa: PLC0415 - heavy

    # What nobody was labelled has no rate of errors: its column is left out.
    present = np.unique(truth)
    if len(present) < 2:
        return []
    columns = said[:, present]
    issues: Any = find_label_issues(
        np.searchsorted(present, truth),
        columns / np.maximum(columns.sum(axis=1, keepdims=True), 1e-12),
        filter_by="both",
        n_jobs=1,
    )
    return [int(index) for index in np.flatnonzero(issues)]


def _read(
    items: Sequence[Confirmed], model: Classifier, progress: Progress
) -> tuple[Floats, Floats]:
    """Text vectors (items, hidden) and the model's blended logits (items, labels)."""
    vectors, lexical = [], []
    for start in range(0, len(items), _BATCH):
        progress(start, len(items))
        part = model.vectors([item.example for item in items[start : start + _BATCH]])
        vectors.append(part[0])
        lexical.append(part[1])
    progress(len(items), len(items))
    weights, bias = model.head
    blend, found = model.manifest.blend, np.vstack(vectors)
    return found, blend.network * (found @ weights.T + bias) + blend.lexical * np.vstack(lexical)


def _groups(items: Sequence[Confirmed]) -> Ints:
    """A number for each item; near-duplicates and what is tied have the same one."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    alike = fewshot.near_groups([Item(item.id, item.example, item.label) for item in items])
    first: dict[str, int] = {}
    pairs = []
    for index, item in enumerate(items):
        ties = (*(f"tie {tie}" for tie in item.ties), f"alike {alike[index]}")
        pairs += [(index, first.setdefault(tie, index)) for tie in ties]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(items), len(items)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


class _Nearest:
    """Finds the items whose texts are nearest, of other groups."""

    def __init__(self, vectors: Floats, groups: Ints) -> None:
        centred = vectors - vectors.mean(axis=0)
        self._unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
        self._groups = groups

    def __call__(self, index: int) -> Ints:
        near = self._unit @ self._unit[index]
        near[self._groups == self._groups[index]] = -2.0
        order = np.argsort(-near)[:_NEAREST]
        found: Ints = order[near[order] > -2.0]
        return found


def _doubt(
    items: Sequence[Confirmed],
    said: Floats,
    truth: Ints,
    index: int,
    near: Ints,
    sure: float,
) -> Mislabelled:
    item, proposed = items[index], LABELS[int(said.argmax())]
    same = [int(other) for other in near if items[other].label == proposed]
    why = (
        f"reads like {_words(proposed)} ({said.max():.0%}), less like {_words(item.label)} "
        f"({said[truth[index]]:.0%})"
    )
    if same:
        why += (
            f"; of the {len(near)} nearest that people labelled, {len(same)} are {_words(proposed)}"
        )
    return Mislabelled(
        item.id, item.label, proposed, sure, why, tuple(items[other].id for other in same)
    )


def _words(label: str) -> str:
    return label.replace("_", " ")
