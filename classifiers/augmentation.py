"""Noise that the world adds to texts, added in training: lost fields, recogniser-like calls.

Only a machine's noise, never other words: variety of content comes from the corpus. Case needs
none, because the tokenizer ignores it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Final

from classifiers.verdict import Example

# How often each thing happens to an example, 0 to 1.
HIDE_BUSINESS: Final = 0.25
HIDE_PARTIES: Final = 0.3
HIDE_SUBJECT: Final = 0.2
UNTURN_CALL: Final = 0.35
UNPUNCTUATE: Final = {"call": 0.25, "email": 0.05}
DROP_WORDS: Final = 0.15
DROPPED_SHARE: Final = 0.05

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
