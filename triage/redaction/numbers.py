"""Where a text has digits, in figures or words, and what stands between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from triage.redaction import spoken

_ELSEWHERE: Final = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|(?<!\S)\S{1,100}@\S{1,200}\.\w+"  # addresses hold ids, never what somebody reads out
    r"|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)",  # the time of day
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    rf"(?<![\w'\u2019])(?:{spoken.SPOKEN})|(?<![^\W_])(?P<figures>\d+)(?!(?!ok\b)[^\W_])",
    re.IGNORECASE,
)
_TIGHT: Final = re.compile(
    r"[-$\s\u2010-\u2015.,/·•_*()>|:;#\u00ad\u200b-\u200d\u2060\ufeff]{0,12}"
)
_TURN: Final = re.compile(
    r"(?:^|\n)[ \t]*(?:\[?\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?\]?[ \t]*)?"
    r"(?P<who>[A-Za-z][\w .'\u2019-]{0,30}):",
    re.IGNORECASE,
)
_SAID_BETWEEN: Final = """
um uh uhm huh er erm hm hmm mm mhm ah eh okay ok yes yeah yep yup right alright sure got it go ahead
on and then next dash hyphen space sorry so like well thanks thank you perfect great please gotcha
good cool lovely brilliant excellent wonderful correct check copy
"""
_SAID_ABOUT: Final = """
a the is are it's its that that's i i've me we let see here just wait hold moment sec second where
was get flip over read back could can would repeat say again what's what after last first comes more
followed by slower slowly bit have ready carry whenever you're digits digit numbers number other
side did catch one no not think oops my mistake there's there bear with minute
"""
_FILLERS: Final = frozenset(_SAID_BETWEEN.split())
_PATTER: Final = _FILLERS | frozenset(_SAID_ABOUT.split())
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_MOST_WORDS: Final = 16


class Gap(IntEnum):
    """What stands between two numbers: signs, words said while reading out, talk about reading out,
    or anything else.
    """

    TIGHT = 0
    LOOSE = 1
    PATTER = 2
    BROKEN = 3


@dataclass(frozen=True, slots=True)
class Number:
    """Digits at [start, end) of a text. `spoken`: in words. `speaker` as the text names it."""

    start: int
    end: int
    digits: str
    spoken: bool = False
    speaker: str = ""


def scan(text: str) -> list[Number]:
    """Every number of a text, in order; figures inside addresses and product codes are none."""
    away = [match.span() for match in _ELSEWHERE.finditer(text)]
    turns = [(match.start(), match["who"].strip().lower()) for match in _TURN.finditer(text)]
    found: list[Number] = []
    place = turn = 0
    speaker = ""
    for match in _NUMBER.finditer(text):
        while place < len(away) and away[place][1] <= match.start():
            place += 1
        if place < len(away) and away[place][0] <= match.start():
            continue
        while turn < len(turns) and turns[turn][0] <= match.start():
            speaker = turns[turn][1]
            turn += 1
        figures = match["figures"]
        plain = "".join(str(unicodedata.decimal(sign)) for sign in figures or "")
        said = plain or spoken.digits(match)
        found.append(Number(match.start(), match.end(), said, not figures, speaker))
    return found


def gap(text: str, before: Number, after: Number) -> Gap:
    """What stands between two numbers that follow each other."""
    between = text[before.end : after.start]
    if priced(between, after):
        return Gap.BROKEN
    if _TIGHT.fullmatch(between):
        return Gap.TIGHT
    words = [word.lower().replace("\u2019", "'") for word in _WORD.findall(_TURN.sub(" ", between))]
    if len(words) > _MOST_WORDS or re.search(r"[@%&=+]", between):
        return Gap.BROKEN
    if all(word in _FILLERS for word in words):
        return Gap.LOOSE
    return Gap.PATTER if all(word in _PATTER for word in words) else Gap.BROKEN


def priced(before: str, number: Number) -> bool:
    """Whether a currency stands before a number. Recognisers write one before long numbers too, but
    nobody says a price of seven figures without a pause.
    """
    return bool(re.search(r"[$€£]", before)) and len(number.digits) < 7


def runs(text: str, numbers: Sequence[Number], most: Gap = Gap.LOOSE) -> list[list[Number]]:
    """Numbers that belong together, as far as nothing worse than `most` stands between them."""
    found: list[list[Number]] = []
    for number in numbers:
        if found and gap(text, found[-1][-1], number) <= most:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def parts(text: str, numbers: Sequence[Number]) -> tuple[tuple[int, int], ...]:
    """Where they stand, as few stretches as possible: a new one where somebody else speaks, or
    says more than a sound.
    """
    found: list[tuple[int, int]] = []
    before: Number | None = None
    for number in numbers:
        between = text[before.end : number.start] if before else ""
        if before and not _TURN.search(between) and gap(text, before, number) <= Gap.LOOSE:
            found[-1] = (found[-1][0], number.end)
        else:
            found.append((number.start, number.end))
        before = number
    return tuple(found)


def joined(numbers: Sequence[Number]) -> str:
    """The digits of several numbers."""
    return "".join(number.digits for number in numbers)


def words_between(text: str, start: int, end: int) -> list[str]:
    """The words of a stretch, lower case, without the names of who speaks."""
    return [word.lower() for word in _WORD.findall(_TURN.sub(" ", text[start:end]))]
