"""The tagger's heads without torch: what `tagger.TagHeads` computes, from arrays.

Several heads that differ by the chance of their training are asked, and their mean is what counts:
on a few thousand leads that is steadier than any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats, Ints
from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tagging import Tokens

_EPSILON: Final = 1e-5
_MEMBER: Final = "heads.{}."


@dataclass(frozen=True, slots=True)
class Scores:
    """`tags` (tokens, spans, 3) probabilities, `attention` (tokens, classes) shares that sum to 1
    over the tokens, `classes` logits of each class's values.
    """

    tags: Floats
    attention: Floats
    classes: tuple[Floats, ...]


class Heads:
    """The heads, from their weights by name; `reach` are the dilations of the convolutions."""

    def __init__(self, arrays: Mapping[str, Floats], reach: Sequence[int]) -> None:
        self._arrays, self._reach = arrays, tuple(reach)
        self._kernels = [
            (arrays[f"around.{at}.weight"].transpose(2, 1, 0), arrays[f"around.{at}.bias"])
            for at in range(len(self._reach))
        ]

    def scores(self, vectors: NDArray[np.floating[Any]], tokens: Tokens) -> Scores:
        """What is said of a text; `vectors` (tokens, width) are what `tagging.vectors_of` gave."""
        found = self._around(vectors.astype(np.float64), tokens.layout)
        tags = self._linear("tags", found).reshape(len(found), len(SPANS), 3)
        looks = self._linear("attend", found)
        attention = softmax(looks.T).T if len(found) else looks
        whole = found.mean(axis=0) if len(found) else np.zeros(found.shape[1])
        classes = tuple(
            self._linear(f"sides.{at}", np.concatenate([attention[:, at] @ found, whole]))
            for at in range(len(CLASSES))
        )
        return Scores(softmax(tags), attention, classes)

    def _around(self, vectors: Floats, layout: Ints) -> Floats:
        """What is read of each token and its neighbours, (tokens, width)."""
        found = self._linear("read", vectors)
        for kind in range(layout.shape[1]):
            found = found + self._arrays[f"layout.{kind}.weight"][layout[:, kind]]
        found = np.maximum(found, 0.0)
        for kernel, reach in zip(self._kernels, self._reach, strict=True):
            found = found + np.maximum(_convolved(found, kernel, reach), 0.0)
        centred = found - found.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + _EPSILON)
        even: Floats = centred / deviation * self._arrays["even.weight"] + self._arrays["even.bias"]
        return even

    def _linear(self, name: str, found: Floats) -> Floats:
        said: Floats = found @ self._arrays[f"{name}.weight"].T + self._arrays[f"{name}.bias"]
        return said


class Ensemble:
    """Several heads as one."""

    def __init__(self, members: Sequence[Heads]) -> None:
        self._members = tuple(members)

    @classmethod
    def of(cls, arrays: Mapping[str, Floats], reach: Sequence[int]) -> Ensemble:
        """From what `named` gave; other arrays are passed over."""
        prefix = _MEMBER.partition("{")[0]
        places = sorted({int(n.split(".")[1]) for n in arrays if n.startswith(prefix)})
        return cls(
            [
                Heads(
                    {
                        name.removeprefix(_MEMBER.format(place)): array
                        for name, array in arrays.items()
                        if name.startswith(_MEMBER.format(place))
                    },
                    reach,
                )
                for place in places
            ]
        )

    def scores(self, vectors: NDArray[np.floating[Any]], tokens: Tokens) -> Scores:
        """The mean of what each says: of probabilities and shares, and of classes' logits."""
        said = [member.scores(vectors, tokens) for member in self._members]
        return Scores(
            np.mean([one.tags for one in said], axis=0),
            np.mean([one.attention for one in said], axis=0),
            tuple(np.mean([one.classes[at] for one in said], axis=0) for at in range(len(CLASSES))),
        )


def named(members: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """The weights of several heads by one name each."""
    return {
        f"{_MEMBER.format(place)}{name}": array
        for place, arrays in enumerate(members)
        for name, array in arrays.items()
    }


def _convolved(found: Floats, kernel: tuple[Floats, Floats], reach: int) -> Floats:
    places, bias = kernel
    half = len(places) // 2
    padded = np.pad(found, ((half * reach, half * reach), (0, 0)))
    result: Any = bias
    for place, matrix in enumerate(places):
        result = result + padded[place * reach : place * reach + len(found)] @ matrix
    convolved: Floats = result
    return convolved


def softmax(logits: Floats) -> Floats:
    """Shares of the last axis."""
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = exponents / exponents.sum(axis=-1, keepdims=True)
    return shares
