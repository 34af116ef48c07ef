"""The words of a window cut into sentences: what a person reads, and what evidence points to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from triage.transcripts.engine import Word

_END: Final = re.compile(r"[.?!…。]['\"”’)]*\s*$")  # noqa: RUF001 - the quotation marks are meant
# "Mr." or "St." ends no sentence, unless there is a pause behind it, as behind "Yes."
_SHORT: Final = re.compile(r"^\s*[A-Z][a-z]{0,2}\.$")
PAUSE_S: Final = 0.3


def sentences(words: Sequence[Word]) -> list[tuple[Word, ...]]:
    """The words in the same order, cut behind each sentence."""
    found: list[list[Word]] = []
    for word in words:
        if not found or _ends(found[-1][-1], word):
            found.append([])
        found[-1].append(word)
    return [tuple(sentence) for sentence in found]


def _ends(word: Word, following: Word) -> bool:
    if not _END.search(word.text):
        return False
    return not _SHORT.match(word.text) or following.start - word.end >= PAUSE_S


def in_order(words: Sequence[Word], seconds: float) -> list[Word]:
    """The words with times that never go back and stay within `seconds`."""
    placed: list[Word] = []
    before = 0.0
    for word in words:
        start = min(max(word.start, before), seconds)
        end = min(max(word.end, start), seconds)
        placed.append(Word(start, end, word.text, word.probability))
        before = end
    return placed
