"""Feasts by which people set their dates, fixed and movable."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from dateutil.easter import easter
from dateutil.relativedelta import MO, TH, relativedelta

from triage.signals.span import Span, next_of

_FEASTS: Final = (("christmas|xmas", 12, 25), ("new year", 1, 1), ("halloween", 10, 31))
_MOVING: Final = (
    ("thanksgiving", 11, TH(4), 1), ("memorial day", 5, MO(-1), 31), ("labou?r day", 9, MO(1), 1),
)  # fmt: skip


def feast(text: str, today: date, _country: str) -> Span | None:
    """The next day of a feast that a text names."""
    for words, month_number, day_number in _FEASTS:
        if re.search(rf"\b(?:{words})\b", text):
            return next_of([date(today.year + n, month_number, day_number) for n in (0, 1)], today)
    for words, month_number, weekday, day_number in _MOVING:
        if re.search(rf"\b{words}\b", text):
            step = relativedelta(month=month_number, day=day_number, weekday=weekday)
            return next_of([today + step, today + relativedelta(years=1) + step], today)
    if "easter" in text:
        return next_of([easter(today.year), easter(today.year + 1)], today)
    return None
