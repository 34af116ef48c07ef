"""How many voices there are, and which of them says each phrase, from vectors of phrases.

All phrases are split in two; the halves are two voices where phrases of different halves are much
less alike than phrases of the same half. Halves are split again in the same way. Then the phrases
are read in order: a change of voice has to be worth more than the doubt about a short phrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.transcripts.turns.weights import Array

Labels = NDArray[np.intp]

MOST_VOICES: Final = 4
ALIKE: Final = ((2.5, 5.0, 8.0, 12.0), (0.70, 0.77, 0.84, 0.86))
"""Likeness between two halves over that within them, by the seconds of the shorter one: below it
they are two voices. The less there is, the more a single voice differs from itself by chance.
"""

LEAST_S: Final = 1.5
"""Seconds of speech that make a voice."""

_LATER: Final = (4.0, 0.1)
"""Seconds of speech that make a third voice, and how much less alike that must be."""

_NO_DOUBT: Final = 0.86
"""What is more alike than that is one voice, however little there is."""

_USUAL: Final = ((0.4, 0.55, 0.85, 1.25, 2.0, 3.0), (0.41, 0.56, 0.68, 0.75, 0.81, 0.87))
"""How alike a phrase of so many seconds is to what its voice says besides, in a clear recording."""

_STRANGE: Final = 0.65
"""Of what is usual in a recording: a phrase that is less alike than that is of another voice."""

_FEW: Final = 4
_PASSES: Final = 3
_TURN: Final = 0.05
_LONG_PAUSE_S: Final = 0.4
_HEAVIEST_S: Final = 3.0
_ROUNDS: Final = 20
_DIRECTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Voices:
    """Of each phrase: its voice from 0 on, in order of appearance; `margins`: how much more alike
    it is to what else that voice says than to any other voice (1 where there is one only, 0 where
    it is like none, or where one voice was found and there may be two).
    """

    labels: Labels
    margins: NDArray[np.float32]

    @property
    def count(self) -> int:
        """How many voices there are."""
        return int(self.labels.max()) + 1 if self.labels.size else 0


def apart(prints: Array, seconds: Array, gaps: Array) -> Voices:
    """Tell the voices of phrases apart.

    `prints` (phrases, width) are unit vectors; `seconds` how long each phrase is, `gaps` the pause
    before it.
    """
    groups, sure = _split(prints, seconds)
    labels = np.zeros(len(prints), np.intp)
    for number, group in enumerate(groups):
        labels[group] = number
    likeness = _likeness(prints, seconds, labels, len(groups))
    if len(groups) > 1:
        for _ in range(_PASSES):
            labels = _in_order(likeness, seconds, gaps)
            likeness = _likeness(prints, seconds, labels, len(groups))
    return _numbered(labels, likeness, seconds, sure=sure)


def _split(prints: Array, seconds: Array) -> tuple[list[Labels], bool]:
    """Groups of indices, a voice each, and whether a single one is clearly that."""
    groups: list[Labels] = [np.arange(len(prints))]
    whole: list[Labels] = []
    sure = True
    while groups:
        group = groups.pop()
        first = not groups and not whole
        halves = _halves(prints[group], seconds[group])
        differ = halves is not None and _differ(prints[group], seconds[group], halves, first=first)
        if halves is None or not differ or len(groups) + len(whole) + 2 > MOST_VOICES:
            whole.append(group)
            sure = sure and (not first or differ is not None)
        else:
            groups += [group[halves == 0], group[halves == 1]]
    return whole, sure


def _halves(prints: Array, seconds: Array) -> Labels | None:
    """The best split in two of those that start from a main direction; None where there is none."""
    weights = np.minimum(seconds, _HEAVIEST_S)[:, None]
    if len(prints) < _FEW:
        return None
    centred = prints - (prints * weights).sum(axis=0) / weights.sum()
    directions = np.linalg.svd(centred * np.sqrt(weights), full_matrices=False)[2]
    found: list[tuple[float, Labels]] = []
    for direction in directions[:_DIRECTIONS]:
        labels = (centred @ direction > 0).astype(np.intp)
        for _ in range(_ROUNDS):
            before = labels
            labels = (prints @ _centres(prints, seconds, labels, 2).T).argmax(axis=1)
            if (labels == before).all():
                break
        sums = [(prints * weights)[labels == half].sum(axis=0) for half in (0, 1)]
        found.append((float(sum(np.linalg.norm(part) for part in sums)), labels))
    labels = max(found, key=lambda pair: pair[0])[1]
    return None if labels.min() == labels.max() else labels


def _differ(prints: Array, seconds: Array, halves: Labels, *, first: bool) -> bool | None:
    """Whether two halves are two voices; None where they may be."""
    ones, others = halves == 0, halves == 1
    shorter = float(min(seconds[ones].sum(), seconds[others].sum()))
    if shorter < LEAST_S or min(ones.sum(), others.sum()) < 2:
        return False
    alike = between(prints, seconds, halves)
    limit = float(np.interp(shorter, *ALIKE))
    if not first:
        least, less = _LATER
        return shorter >= least and alike < limit - less
    if limit <= alike < _NO_DOUBT:
        return None
    return alike < limit


def between(prints: Array, seconds: Array, labels: Labels) -> float:
    """How alike phrases of two halves are over how alike those of one are: 1 for one voice."""
    weights = np.minimum(seconds, _HEAVIEST_S)
    pairs = np.outer(weights, weights)
    np.fill_diagonal(pairs, 0.0)
    alike = prints @ prints.T * pairs

    def mean(some: int, others: int) -> float:
        here = np.ix_(labels == some, labels == others)
        return float(alike[here].sum() / max(float(pairs[here].sum()), 1e-9))

    return mean(0, 1) / float(np.sqrt(max(mean(0, 0), 1e-3) * max(mean(1, 1), 1e-3)))


def _centres(prints: Array, seconds: Array, labels: Labels, count: int) -> Array:
    weighted = prints * seconds[:, None]
    sums = np.stack([weighted[labels == number].sum(axis=0) for number in range(count)])
    centres: Array = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return centres


def _likeness(prints: Array, seconds: Array, labels: Labels, count: int) -> Array:
    """How alike each phrase is to what else each voice says, as (phrases, voices)."""
    weighted = prints * seconds[:, None]
    sums = np.stack([weighted[labels == number].sum(axis=0) for number in range(count)])
    rest = np.repeat(sums[None], len(prints), axis=0)
    rest[np.arange(len(prints)), labels] -= weighted
    lengths = np.linalg.norm(rest, axis=2)
    found: Array = np.einsum("pw,pvw->pv", prints, rest) / np.maximum(lengths, 1e-9)
    return found


def _in_order(likeness: Array, seconds: Array, gaps: Array) -> Labels:
    """The likeliest voices of phrases in a row (Viterbi), where a change has its price."""
    weighted = likeness * np.clip(seconds, 0.3, 2.0)[:, None]
    total, back = weighted[0], np.zeros(likeness.shape, np.intp)
    for index in range(1, len(weighted)):
        price = _TURN / 3 if gaps[index] >= _LONG_PAUSE_S else _TURN
        stay, change = total, total.max() - price
        back[index] = np.where(stay >= change, np.arange(likeness.shape[1]), total.argmax())
        total = np.maximum(stay, change) + weighted[index]
    labels = np.zeros(len(weighted), np.intp)
    labels[-1] = total.argmax()
    for index in range(len(weighted) - 1, 0, -1):
        labels[index - 1] = back[index, labels[index]]
    return labels


def _numbered(labels: Labels, likeness: Array, seconds: Array, *, sure: bool) -> Voices:
    """Voices in order of appearance, without those that nothing is left of."""
    order = list(dict.fromkeys(labels.tolist()))
    labels = np.asarray([order.index(label) for label in labels], np.intp)
    likeness = likeness[:, order]
    places = np.arange(len(labels))
    own = likeness[places, labels]
    margins = np.ones(len(labels), np.float32)
    if len(order) > 1:
        rest = likeness.copy()
        rest[places, labels] = -np.inf
        margins = np.asarray(own - rest.max(axis=1), np.float32)
    doubtful = np.full(len(labels), not sure) | _strange(own, seconds)
    return Voices(labels, np.where(doubtful, np.float32(0.0), margins))


def _strange(own: Array, seconds: Array) -> NDArray[np.bool_]:
    """Which phrases are like no other of their voice. Noise makes all of them less alike."""
    alike = own / np.interp(seconds, *_USUAL)
    if len(alike) == 1:
        return np.zeros(1, np.bool_)
    level = float(np.median(alike)) if len(alike) >= _FEW else 1.0
    return np.asarray(alike < _STRANGE * level)
