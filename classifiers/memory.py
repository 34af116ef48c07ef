"""What people corrected acts on the next similar inquiry, without training.

Beside the model stands a store of examples that people labelled, each with the vector the model
makes of its text and with what the model said of it. A new text is compared with all of them; those
that are close speak, and what they say is interpolated with the model's probabilities, as in
nearest-neighbour language models (Khandelwal et al. 2020). Two things keep that from doing harm:

- An example speaks the louder, the more the model says of the new text what it said of the example:
  a correction moves what the model gets wrong in the same way, and little else.
- The model has a say of its own, worth `Join.own` examples. Examples on which people agreed with it
  speak for it, so one wrong correction among right ones is voted down.

What is likely a lead stays so: see `guarded`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import LEAD, Floats
from classifiers.labels import LABELS, Label

MOST: Final = 10_000
"""Examples that are remembered: the newest."""
_NEAREST: Final = 24  # of all examples, those that may speak
_LEAST: Final = 0.02  # what weighs less is not heard
_SHARP: Final = 0.02
_TRIED: Final = 300  # examples on which a memory is tried

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Join:
    """How close is close; chosen on held-out texts (docs/memory.md).

    At a cosine of `middle` an example weighs half of what it can, `width` is how fast that changes.
    From about `same` on it is the same text but for names and figures, and weighs up to three times
    as much: one correction is enough for what comes again. `alien` is the part that an example
    weighs of a text of which the model says something else altogether. The model weighs as much as
    `own` examples.
    """

    middle: float = 0.5
    width: float = 0.1
    same: float = 0.8
    alien: float = 0.3
    own: float = 1.0


CAREFUL: Final = Join(middle=0.8, width=0.07, same=0.85)
"""Only what is nearly the same is close: where it is not known where usual texts lie, and where
memory was tried and found wanting."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """A labelled example. `vector` (hidden,) and `said` (labels,) are the model's. Examples that
    have something of `who` in common (a person, a conversation) count once together.
    """

    id: str
    label: Label
    vector: Vectors
    said: Vectors
    own: str = ""
    who: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """What memory makes of a text: `probabilities` (labels,) after joining, and the `ids` of the
    examples that spoke, the loudest first. `own` is the own label of the loudest that has the label
    which won.
    """

    probabilities: Floats
    ids: tuple[str, ...] = ()
    own: str = ""


class Memory:
    """Labelled examples as one matrix. Immutable, so that threads can share it.

    `centre` (hidden,) is where the vectors of usual texts lie: what all have in common says nothing
    of how like two are.
    """

    def __init__(
        self, examples: Sequence[Remembered], centre: Floats, join: Join | None = None
    ) -> None:
        self.examples = tuple(examples[:MOST])
        self.join = join or Join()
        self._centre = centre
        self._vectors = self._unit(np.array([each.vector for each in self.examples]))
        self._said = np.array([each.said for each in self.examples], dtype=np.float64)
        self._labels = np.array([LABELS.index(each.label) for each in self.examples], dtype=int)

    @classmethod
    def tried(cls, examples: Sequence[Remembered], centre: Floats) -> Memory:
        """A memory that was tried on its own newest examples, as if it had not known them. Where it
        makes more of them wrong than right, it is `CAREFUL`.
        """
        memory = cls(examples, centre)
        helped, hurt = memory.tally()
        return memory if helped > hurt else cls(examples, centre, CAREFUL)

    def tally(self) -> tuple[int, int]:
        """Of the newest examples, how many labels the others put right, and how many wrong."""
        newest = self._vectors[:_TRIED]
        helped = hurt = 0
        for row, near in enumerate(newest @ self._vectors.T):
            near[row] = -1.0
            said, truth = self._said[row], self._labels[row]
            places, weights = self._speaking(near, said, None, self.examples[row].who)
            after = self._joined(places, weights, said, 1.0).probabilities.argmax()
            was, right = said.argmax() == truth, after == truth
            helped, hurt = helped + int(right and not was), hurt + int(was and not right)
        return helped, hurt

    def __len__(self) -> int:
        return len(self.examples)

    def recall(
        self,
        vectors: Floats,
        probabilities: Floats,
        *,
        floor: float,
        may_speak: Callable[[int, str], bool] | None = None,
    ) -> list[Recalled]:
        """What the examples make of texts with `vectors` (texts, hidden), of which the model said
        `probabilities` (texts, labels).

        `floor`: the probability of a lead from which on nothing is filed unseen. `may_speak` tells
        whether an example, by its id, may say anything of a text, by its row.
        """
        if not len(self):
            return [Recalled(row) for row in probabilities]
        closeness = self._unit(vectors) @ self._vectors.T
        found = []
        for row, (near, said) in enumerate(zip(closeness, probabilities, strict=True)):
            allowed = partial(may_speak, row) if may_speak else None
            places, weights = self._speaking(near, said, allowed)
            found.append(self._joined(places, weights, said, floor))
        return found

    def _joined(
        self, places: NDArray[np.int64], weights: Floats, said: Floats, floor: float
    ) -> Recalled:
        if not len(places):
            return Recalled(said)
        votes = np.zeros(len(LABELS))
        np.add.at(votes, self._labels[places], weights)
        joined = (self.join.own * said + votes) / (self.join.own + votes.sum())
        joined = guarded(said, joined, floor)
        winners = [place for place in places if self._labels[place] == joined.argmax()]
        own = self.examples[winners[0]].own if winners else ""
        return Recalled(joined, tuple(self.examples[place].id for place in places), own)

    def _speaking(
        self,
        near: Vectors,
        said: Floats,
        may_speak: Callable[[str], bool] | None,
        apart: frozenset[str] = frozenset(),
    ) -> tuple[NDArray[np.int64], Floats]:
        """Places of the examples that speak, the loudest first, and how loud; one a person, and
        none of those `apart`.
        """
        count = min(len(near), _NEAREST)
        nearest = np.argpartition(-near, count - 1)[:count]
        close, join = near[nearest].astype(np.float64), self.join
        repeated = np.minimum(self._said[nearest], said).sum(axis=1)
        weights = join.alien + (1 - join.alien) * repeated
        weights *= _step(close, join.middle, join.width)
        weights *= 1 + 2 * _step(close, join.same, _SHARP)
        people = set(apart)
        kept = []
        for index in np.argsort(-weights, kind="stable"):
            example = self.examples[nearest[index]]
            if weights[index] < _LEAST:
                break
            if people.isdisjoint(example.who) and (not may_speak or may_speak(example.id)):
                people |= example.who
                kept.append(index)
        return nearest[kept], weights[kept]

    def _unit(self, vectors: Floats) -> Vectors:
        """Rows as directions from the centre, of length 1."""
        rows = np.asarray(vectors, dtype=np.float32).reshape(-1, len(self._centre))
        rows = rows - self._centre.astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        result: Vectors = rows / np.maximum(lengths, np.float32(1e-9))
        return result


def _step(values: Floats, middle: float, width: float) -> Floats:
    """From 0 to 1, a half at `middle`."""
    result: Floats = 1 / (1 + np.exp(-np.clip((values - middle) / width, -50, 50)))
    return result


def guarded(said: Floats, joined: Floats, floor: float) -> Floats:
    """`joined` probabilities (labels,), changed so that memory files no likely lead.

    Where the model `said` that a lead is as probable as `floor` or more, so that a person looks at
    it or it is forwarded, a lead stays that probable, whatever people said of others. So what is
    known of lost leads for the model alone holds with memory too.
    """
    if said[LEAD] < floor or joined[LEAD] >= floor:
        return joined
    result: Floats = joined * ((1 - floor) / (1 - joined[LEAD]))
    result[LEAD] = floor
    return result
