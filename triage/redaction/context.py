"""Numbers that somebody announces: "my account number is …", or asks for and gets."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from typing import Final

from triage.redaction.numbers import Gap, Number, gap, joined, priced, words_between

REACH: Final = 14  # words between an announcement and its number, at most
_FAR: Final = 250  # characters
_OTHER_TOPICS: Final = """
phone telephone cell mobile call reach text fax zip postcode postal address street avenue road order
invoice dollars dollar euros pounds budget quote estimate feet square units extension email pm am
model serial ticket tracking year years old percent employees claim customer ending ends application
flight payment
"""
_STOPS: Final = frozenset(_OTHER_TOPICS.split())  # after these something else is told


def first_after(
    text: str, numbers: Sequence[Number], position: int, reach: int = REACH
) -> int | None:
    """The index of the number that an announcement ending at `position` is about."""
    index = bisect_left(numbers, position, key=lambda number: number.start)
    if index == len(numbers) or numbers[index].start - position > _FAR:
        return None
    start = numbers[index].start
    words = words_between(text, position, start)
    told = len(words) <= reach and not _STOPS.intersection(words)
    return index if told and not priced(text[position:start], numbers[index]) else None


def told(
    text: str,
    numbers: Sequence[Number],
    position: int,
    lengths: Sequence[int],
    reach: int = REACH,
    most: Gap = Gap.PATTER,
) -> list[Number]:
    """The number told after `position`, as far as it has one of these lengths in digits; the first
    length is what it should have. Empty where none is told.
    """
    first = first_after(text, numbers, position, reach)
    if first is None:
        return []
    taken: list[Number] = []
    sums: dict[int, int] = {}
    total = 0
    for number in islice(numbers, first, None):
        if taken and gap(text, taken[-1], number) > most:
            break
        taken.append(number)
        total += len(number.digits)
        sums[total] = len(taken)
        if total >= max(lengths):
            break
    for length in lengths:
        if length in sums:
            return taken[: sums[length]]
    return []


def like_phone(numbers: Sequence[Number]) -> bool:
    """Whether it is written as phone numbers are: 3-3-4, 3-4, or eleven digits after one zero."""
    sizes = [len(number.digits) for number in numbers]
    digits = joined(numbers)
    if digits[:1] == "0" and digits[:2] != "00" and len(digits) in {10, 11}:
        return True
    return sizes in ([3, 3, 4], [3, 4], [1, 3, 3, 4]) or joined(numbers[:3])[3:6] == "555"


def near(pattern: re.Pattern[str], text: str, start: int, end: int, reach: int) -> bool:
    """Whether a pattern stands within `reach` characters of [start, end)."""
    return bool(pattern.search(text, max(0, start - reach), end + reach))
