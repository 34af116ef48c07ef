"""Which words made a label: what each adds to it in the lexical part and in the network.

The lexical part is linear, so that its share is exact. The network ends in a mean over token
vectors and a linear head: the logit is a sum over tokens, and what a token's vector adds to it is
taken as the token's share (class activation mapping, Zhou et al. 2016). Vectors know of their
neighbours, so this is an approximation; `benchmarks/explain.py` measures how far removing the words
changes the verdict. It costs one reading and no gradients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.artifact import Manifest
from classifiers.calibration import Floats
from classifiers.encoder import BaseModel, parts
from classifiers.labels import LABELS, Label
from classifiers.lexical import Lexical
from classifiers.runtime import Runtime, padded
from classifiers.text import BODY_CHARS, render
from classifiers.verdict import Example

# Marks inside a word are single: rendering shortens only runs of them, so that the words of a text
# and of its rendering are the same, in the same order.
_WORD: Final = re.compile(r"\w+(?:['\u2019@._-]\w+)*")
_ABOUT: Final = len(" | about: ")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an example's `subject` or `text`, from `start` to `end` there.

    `weight` is what it adds to the label's logit, beyond the mean of what it adds to all labels.
    """

    field: Literal["subject", "text"]
    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explainer:
    """What the weights of words follow from: the parts of a loaded model.

    `head` (labels, hidden) is the network's label head.
    """

    runtime: Runtime
    head: Floats
    lexical: Lexical
    base: BaseModel
    manifest: Manifest

    def words(self, example: Example, label: Label) -> list[Word]:
        """Every word of the example in order, weighed for `label`. One reading of the example."""
        blend, chosen = self.manifest.blend, LABELS.index(label)
        header, text = render(example)
        heading, content = self.base.tokenizer.encode_batch(
            [header, text], add_special_tokens=False
        )
        shares = blend.lexical * _above_mean(
            self.lexical.shares([*heading.ids, *content.ids]), chosen
        )
        shares += blend.network * self._network_shares(
            header, text, len(heading.ids), len(content.ids), chosen
        )
        # The subject is what ends the header.
        subject = len(render(replace(example, subject=""))[0]) + _ABOUT
        found = list(_words("subject", example.subject, 0)) if example.subject.strip() else []
        named = _weighed(found, header, subject, heading.offsets, shares[: len(heading.ids)])
        said = list(_body_words(example.text))
        return named + _weighed(said, text, 0, content.offsets, shares[len(heading.ids) :])

    def _network_shares(
        self, header: str, text: str, heading: int, content: int, chosen: int
    ) -> Floats:
        """What each of the header's and the text's tokens adds to the network's logit, (tokens,).

        `heading` and `content` are their counts.
        """
        [windows] = self.base.windows([(header, text)], self.manifest.reading)
        shown = min(heading, self.manifest.reading.header)
        places = parts(range(content), shown, self.manifest.reading)
        vectors = self.runtime.vectors(*padded(windows))
        direction = self.head[chosen] - self.head.mean(axis=0)
        shares = np.zeros(heading + content)
        for window, place, found in zip(windows, places, vectors, strict=True):
            each = found[: len(window)] @ direction
            shares[:shown] += each[1 : 1 + shown]  # [CLS] header [SEP] part [SEP]
            within = np.array(place, dtype=np.int64) + heading
            shares[within] += each[2 + shown : -1]
        result: Floats = shares / sum(len(window) for window in windows)
        return result


def strongest(words: Sequence[Word], *, share: float = 0.15, most: int = 12) -> list[Word]:
    """The words that speak most for the label: a `share` of all, at most `most`, heaviest first."""
    count = min(most, max(1, round(share * len(words))))
    ranked = sorted(words, key=lambda word: -word.weight)[:count]
    return [word for word in ranked if word.weight > 0]


def _above_mean(logits: Floats, chosen: int) -> Floats:
    result: Floats = logits[:, chosen] - logits.mean(axis=1)
    return result


def _words(field: Literal["subject", "text"], text: str, offset: int) -> Iterator[Word]:
    for match in _WORD.finditer(text):
        yield Word(field, match.start() + offset, match.end() + offset, match.group(), 0.0)


def _body_words(text: str) -> Iterator[Word]:
    """The words that `text.body` keeps of a text."""
    if len(text) <= BODY_CHARS:
        yield from _words("text", text, 0)
        return
    half = BODY_CHARS // 2
    yield from _words("text", text[:half], 0)
    yield from _words("text", text[-half:], len(text) - half)


def _weighed(
    words: Sequence[Word],
    rendered: str,
    start: int,
    offsets: Sequence[tuple[int, int]],
    shares: Floats,
) -> list[Word]:
    """`words` with the sum of their tokens' shares. They begin at `start` in `rendered`."""
    spans = np.array([m.span() for m in _WORD.finditer(rendered, start)][: len(words)])
    if not len(spans) or not len(offsets):
        return []
    first: NDArray[np.int64] = np.array(offsets)[:, 0]
    owner = np.searchsorted(spans[:, 0], first, side="right") - 1
    inside = (owner >= 0) & (first < spans[owner, 1])
    weights = np.bincount(owner[inside], shares[inside], minlength=len(spans))
    return [
        replace(word, weight=float(weight))
        for word, weight in zip(words, weights, strict=False)  # a long subject is cut
    ]
