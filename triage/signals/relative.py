"""Times counted from today: `in two weeks`, `next month`, `Friday week`."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from dateutil.relativedelta import SU, relativedelta

from triage.signals.span import (
    MONTH,
    MONTHS,
    SEASONS,
    WEEKDAY,
    WEEKDAYS,
    Span,
    month_of,
    on,
    season_of,
    year_of,
)
from triage.signals.spoken import NUMBER, number

_NOW: Final = re.compile(
    r"\b(?:asap|today|tonight|right (?:now|away)|immediately|as soon as (?:possible|you can)"
    r"|24 hrs?|now|by dark)\b"
)
_WITHIN: Final = re.compile(
    rf"\b(within|in|next|over the next) (?:the next )?(?:about |around )?"
    rf"(?:{NUMBER},? (?:(?:or|to) )?)?({NUMBER}|an?|few|a few|a couple of|couple of) ?(day|week"
    rf"|month|year)s?\b"
)
_SEASON_NEXT: Final = re.compile(rf"\b({SEASONS})(?: of)? next year|\bnext year'?s? ({SEASONS})")


def is_now(text: str) -> bool:
    """Whether a phrase means today."""
    return _NOW.search(text) is not None


def counted(text: str, today: date, _country: str) -> Span | None:
    """Tomorrow, or so many days, weeks, months or years from now."""
    if re.search(r"\b(?:tomorrow|tmrw|in the morning)\b", text):
        return on(today + relativedelta(days=1))
    match = _WITHIN.search(text)
    if not match:
        return None
    few = {"a": 1.0, "an": 1.0, "few": 3.0, "a few": 3.0, "a couple of": 2.0, "couple of": 2.0}
    count = few.get(match[2]) or number(match[2])
    if count is None or count > 120:
        return None
    step = {
        "day": relativedelta(days=int(count)),
        "week": relativedelta(weeks=int(count)),
        "month": relativedelta(months=int(count)),
        "year": relativedelta(years=int(count)),
    }[match[3]]
    return on(today + step) if match[1] == "in" else Span(today, today + step)


def relative(text: str, today: date, country: str) -> Span | None:
    """The week, month or year that comes or runs."""
    sunday = today + relativedelta(weekday=SU)
    next_week = sunday + relativedelta(days=1)
    for words, span in (
        (r"\b(?:this|the) (?:week|wk)(?:end)?\b|\bthis arvo\b", Span(today, sunday)),
        (r"\bnext (?:week|wk)", Span(next_week, sunday + relativedelta(days=7))),
        (
            r"(?<!\d )(?<!\d of )(?<!(?:st|nd|rd|th) )(?<!(?:st|nd|rd|th) of )\bthis month\b",
            Span(today, today + relativedelta(day=31)),
        ),
        (r"\bnext month\b", month_of(today + relativedelta(months=1))),
        (r"\byear after next\b", year_of(today.year + 2)),
    ):
        if re.search(words, text):
            return span
    return _next_year(text, today.year + 1, country)


def _next_year(text: str, year: int, country: str) -> Span | None:
    if season := _SEASON_NEXT.search(text):
        return season_of(season[1] or season[2], year, country)
    if not re.search(r"\bnext (?:fiscal |financial )?year\b", text):
        return None
    named = re.search(rf"\b({MONTHS})\b", text)
    return month_of(date(year, MONTH[named[1][:3]], 1)) if named else year_of(year)


def weekday(text: str, today: date, _country: str) -> Span | None:
    """The next such weekday, or the one a week later."""
    match = re.search(rf"\b(next |a week )?({WEEKDAYS})\b( week)?", text)
    if not match:
        return None
    day = today + relativedelta(days=1, weekday=WEEKDAY[match[2][:3]](1))
    same_week = day <= today + relativedelta(weekday=SU)
    later = match[1] == "a week " or match[3] or (match[1] == "next " and same_week)
    return on(day + relativedelta(weeks=1) if later else day)
