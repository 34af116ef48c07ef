"""Which voice answers the call and which one calls, by what they say. English only.

Words and groups of up to three words count for one role or the other, with weights that were
fitted on written calls (`benchmarks/turns.py --fit`). How turns begin and end counts too: "< we"
begins one, "speaking >" ends one. Who speaks first counts for nothing: recordings begin anywhere.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Final

from triage.types import Speaker

LANGUAGE: Final = "en"
PAIR: Final = 2.5
"""How much more one voice must speak for a role than the other voice."""

ALONE: Final = 3.0
"""How much a single voice must speak for calling."""

BEGIN, END = "<", ">"
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|\?")


def roles(turns: Sequence[Sequence[str]], language: str) -> list[Speaker]:
    """Who each voice is, from the texts of its turns; `unknown` where that is not clear.

    Of more than two voices at most two get a role. A single voice is the caller or unknown: who
    answers a call is heard alone where the other side was not recorded, which is no reason to doubt
    a caller's message.
    """
    found: list[Speaker] = ["unknown"] * len(turns)
    if language != LANGUAGE or not turns:
        return found
    points = [score(texts) for texts in turns]
    if len(turns) == 1:
        return ["caller" if points[0] <= -ALONE else "unknown"]
    ranked = sorted(range(len(turns)), key=lambda voice: points[voice])
    caller, agent = ranked[0], ranked[-1]
    if points[agent] - points[caller] < PAIR:
        return found
    if len(turns) == 2 or points[caller] <= -ALONE:
        found[caller] = "caller"
    if len(turns) == 2 or points[agent] >= ALONE:
        found[agent] = "agent"
    return found


def score(texts: Iterable[str]) -> float:
    """How much a voice's turns are those of an agent; below zero: of a caller."""
    weights = _weights()
    return sum(weights.get(gram, 0.0) for gram in grams(texts))


def grams(texts: Iterable[str]) -> set[str]:
    """The words of turns, and what stands together in them, in groups of up to three."""
    found: set[str] = set()
    for text in texts:
        words = ["0" if word.isdigit() else word for word in _words(text)]
        found.update(words)
        turn = [BEGIN, *words, END]
        found.update(" ".join(pair) for pair in pairwise(turn))
        found.update(" ".join(group) for group in zip(turn, turn[1:], turn[2:], strict=False))
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("\u2019", "'"))


@functools.cache
def _weights() -> Mapping[str, float]:
    content = files(__package__).joinpath("roles.json").read_text(encoding="utf-8")
    weights: dict[str, float] = json.loads(content)
    return weights
