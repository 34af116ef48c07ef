"""What the world does to inquiries, done in training: lost fields, recogniser-like calls, and
leads that reach a business of another trade.

Never other words in the text itself: variety of content comes from the corpus. Case needs no noise,
because the tokenizer ignores it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from classifiers.calibration import LEAD, Ints
from classifiers.labels import LABELS
from classifiers.verdict import Example

# How often each thing happens to an example, 0 to 1.
HIDE_BUSINESS: Final = 0.25
HIDE_PARTIES: Final = 0.3
HIDE_SUBJECT: Final = 0.2
UNTURN_CALL: Final = 0.35
UNPUNCTUATE: Final = {"call": 0.25, "email": 0.05}
DROP_WORDS: Final = 0.15
DROPPED_SHARE: Final = 0.05

# What makes two businesses of other trades: no more than so many rare words in common.
MISDIAL: Final = LABELS.index("misdial")
RARE_SHARE: Final = 0.02
COMMON_WORDS: Final = 1
TRIES: Final = 20

_WORD = re.compile(r"[a-z]{4,}")
_TURN = re.compile(r"^\s*[\w .'-]{1,24}:\s+", re.MULTILINE)
_PUNCTUATION = re.compile(r"[.,!?;:\"“”()\[\]—-]+")


def augment(example: Example, rng: Random) -> Example:
    """A noisier copy of `example`, by the state of `rng` only."""
    example = _hide(example, rng)
    text = example.text
    if example.channel == "call" and rng.random() < UNTURN_CALL:
        text = without_turns(text)
    if rng.random() < UNPUNCTUATE[example.channel]:
        text = _PUNCTUATION.sub(" ", text)
    if rng.random() < DROP_WORDS:
        text = " ".join(w for w in text.split() if rng.random() >= DROPPED_SHARE) or text
    return replace(example, text=text)


def without_turns(text: str) -> str:
    """A call as a recogniser writes it that does not tell speakers apart: one block."""
    return " ".join(_TURN.sub("", text).split())


def _hide(example: Example, rng: Random) -> Example:
    if rng.random() < HIDE_BUSINESS:
        example = replace(example, business="")
    if rng.random() < HIDE_PARTIES:
        example = replace(example, sender="", recipient="")
    if rng.random() < HIDE_SUBJECT:
        example = replace(example, subject="")
    return example


class Misdirection:
    """Sends some leads to a business of another trade, where they are misdials.

    So a network learns to compare what is asked for with who was asked; the words alone cannot say
    it. Only a lead is sent elsewhere that names what its own business does: "are you open today?"
    is right anywhere; and none that the business answers, which it would not do. The other business
    has next to no rare word in common with it, neither in its profile nor in what it is asked for.
    """

    def __init__(self, examples: Sequence[Example], truth: Ints, share: float) -> None:
        self.examples, self.truth, self.share = examples, truth, share
        self.profiles = [_stems(example.business) for example in examples]
        worlds = [
            profile | _stems(f"{example.subject} {example.text}")
            for example, profile in zip(examples, self.profiles, strict=True)
        ]
        held = Counter(stem for world in worlds for stem in world)
        rare = {stem for stem, count in held.items() if count <= RARE_SHARE * len(examples)}
        self.worlds = [world & rare for world in worlds]
        self.others = [i for i, profile in enumerate(self.profiles) if len(profile & rare) > 1]

    def target(self, index: int, example: Example, rng: Random) -> tuple[Example, int]:
        """`example`, a noisier copy of number `index`, and its label; perhaps sent elsewhere."""
        label = int(self.truth[index])
        if label != LEAD or not example.business or rng.random() >= self.share:
            return example, label
        named = _stems(f"{example.subject} {example.text}") & self.worlds[index]
        answered = "Agent:" in self.examples[index].text
        if answered or not named & self.profiles[index]:
            return example, label
        for other in rng.sample(self.others, min(TRIES, len(self.others))):
            if len(self.worlds[other] & self.worlds[index]) <= COMMON_WORDS:
                there = self.examples[other]
                recipient = there.recipient if example.recipient else ""
                elsewhere = replace(example, business=there.business, recipient=recipient)
                return elsewhere, MISDIAL
        return example, label


def _stems(text: str) -> frozenset[str]:
    """The words of four letters or more by their first five letters: roof, roofe(r), roofi(ng)."""
    return frozenset(word[:5] for word in _WORD.findall(text.lower()))
