"""Stated times to calendar days: `by the 14th`, `Q2`, `within six weeks`, `before end of March`.

The calendar is dateutil's. dateparser gives nothing for most of these phrases, and costs more time
for one than all the rest of qualification together.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from dateutil import parser
from dateutil.relativedelta import FR, SA, relativedelta

from triage.signals.feasts import feast
from triage.signals.relative import counted, is_now, relative, weekday
from triage.signals.span import (
    MONTH,
    MONTH_FIRST,
    MONTHS,
    ORDINAL,
    ORDINALS,
    SEASONS,
    WEEKDAY,
    WEEKDAYS,
    Span,
    coming_month,
    month_of,
    on,
    season_of,
)

_DAY: Final = rf"({ORDINAL}|\d{{1,2}})\.?"
_RANGE: Final = re.compile(
    rf"{_DAY}(?: of)?(?: ({MONTHS}))? ?(?:-|\u2013|to|and|until) ?(?:the )?{_DAY}(?: of)? "
    rf"({MONTHS})\b"
)
_MONTH_RANGE: Final = re.compile(
    rf"\b({MONTHS})\.? (?:the )?{_DAY} ?(?:-|\u2013|to|and|until|through) ?(?:the "
    rf")?{_DAY}(?![\w:])"
)
_ISO: Final = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_FIGURES: Final = re.compile(r"\b(\d{1,2})([/.])(\d{1,2})(?:[/.](\d{4}|\d{2}))?\b")
_NAMED: Final = re.compile(
    rf"\b(?:(?P<m1>{MONTHS})\.?,? (?:the )?(?P<d1>{ORDINAL}|\d{{1,2}})\b"
    rf"|(?P<d2>{ORDINAL}|\d{{1,2}})\.?[ -](?:of )?(?P<m2>{MONTHS}))(?:,? (?P<year>20\d\d))?"
)
_NTH: Final = re.compile(
    rf"\b(first|second|third|fourth|last|[1-4](?:st|nd|rd|th)) (week(?:end)?|{WEEKDAYS})"
    rf"(?: (?:of|in))? ({MONTHS})\b"
)
_OF_NEXT: Final = re.compile(rf"\b({ORDINAL}) of next month\b")
_CALENDAR_WEEK: Final = re.compile(r"\b(?:calendar week|week|wk|kw|cw) ?(\d{1,2})\b")
_DAY_OF_THIS: Final = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)? (?:of )?this month\b")
_QUARTER: Final = re.compile(r"\bq([1-4])\b|\b(first|second|third|fourth) quarter\b")
_EDGE: Final = re.compile(
    r"\b(end|start|beginning|middle|early|mid|late)[ -](?:of )?(?:the |this |(next ))?"
    rf"({MONTHS}|month|year|week)\b"
)
_PARTS: Final = {
    "end": (31, 31), "start": (1, 1), "beginning": (1, 10), "early": (1, 10), "middle": (11, 20),
    "mid": (11, 20), "late": (21, 31),
}  # fmt: skip


def resolve(phrase: str, received: datetime, country: str) -> Span | None:
    """The days a stated time means, seen from the day the inquiry came; nothing where unclear.

    A year that is not stated is the next one in which the day is not past. "Before" and "by" give
    the day that bounds; "within" gives the interval from now. `country` (ISO 3166) decides whether
    3/4 is in March and when summer is.
    """
    text, today = phrase.lower(), received.date()
    if is_now(text):
        return on(today)
    readers = (counted, _range, _dated, _quarter, _edge, _nth, relative, feast, weekday, _season)
    for reader in readers:
        if span := reader(text, today, country):
            return span
    return _month_named(text, today) or _ordinal(text, today)


def _range(text: str, today: date, country: str) -> Span | None:
    if inside := _MONTH_RANGE.search(text):
        text = f"{inside[2]} to {inside[3]} {inside[1]}"
    match = _RANGE.search(text)
    if not match:
        return None
    first = _dated(f"{match[1]} {match[2] or match[4]}", today, country)
    last = _dated(f"{match[3]} {match[4]}", first.start if first else today, country)
    return Span(first.start, last.end) if first and last else None


def _dated(text: str, today: date, country: str) -> Span | None:
    """A date with its month: in figures, or named."""
    if iso := _ISO.search(text):
        return _parsed(iso[0], today, year=True)
    if figures := _FIGURES.search(text):
        day_first = country not in MONTH_FIRST or figures[2] == "."
        stated = figures[0].replace(".", "/")
        return _parsed(stated, today, year=bool(figures[4]), day_first=day_first)
    if named := _NAMED.search(text):
        day = _day_number(named["d1"] or named["d2"])
        stated = f"{day} {(named['m1'] or named['m2'])[:3]} {named['year'] or ''}"
        return _parsed(stated, today, year=bool(named["year"]), day_first=True)
    return None


def _parsed(text: str, today: date, *, year: bool, day_first: bool = False) -> Span | None:
    default = datetime(today.year, 1, 1)  # noqa: DTZ001 - only its date is used
    try:
        day = parser.parse(text, dayfirst=day_first, default=default).date()
    except (parser.ParserError, OverflowError):
        return None
    return on(day if year or day >= today else day + relativedelta(years=1))


def _quarter(text: str, today: date, _country: str) -> Span | None:
    if match := _QUARTER.search(text):
        which = int(match[1]) if match[1] else ORDINALS[match[2]]
        stated = re.search(r"\b(20\d\d)\b", text)
        year = int(stated[1]) if stated else today.year + (which * 3 < today.month)
    elif "quarter" in text:
        which, year = (today.month + 2) // 3 + ("next" in text), today.year
        which, year = (1, year + 1) if which > 4 else (which, year)
    else:
        return None
    start = date(year, which * 3 - 2, 1)
    end = start + relativedelta(months=2, day=31)
    return on(end) if "end" in text else Span(start, end)


def _edge(text: str, today: date, _country: str) -> Span | None:
    """Ends and beginnings: `end of March`, `the end of the month`, `early May`."""
    match = _EDGE.search(text)
    if not match:
        return None
    ahead = int(match[2] is not None)
    if match[3] == "week":
        return on(today + relativedelta(weekday=FR(1 + ahead)))
    if match[3] == "year":
        return month_of(date(today.year + ahead, 12, 1)) if match[1] in {"end", "late"} else None
    if match[3] == "month":
        month = month_of(today + relativedelta(months=ahead))
    else:
        month = coming_month(today, match[3])
    first, last = _PARTS[match[1]]
    return Span(month.start + relativedelta(day=first), month.start + relativedelta(day=last))


def _nth(text: str, today: date, _country: str) -> Span | None:
    """Weekdays, weeks and weekends counted in a month, and calendar weeks (ISO 8601)."""
    if week := _CALENDAR_WEEK.search(text):
        return _week_of(int(week[1]), today)
    if named := _OF_NEXT.search(text):
        return on(today + relativedelta(months=1, day=_day_number(named[1])))
    match = _NTH.search(text)
    if not match:
        return None
    month, last = coming_month(today, match[3]).start, match[1] == "last"
    which = ORDINALS.get(match[1]) or (0 if last else int(match[1][0]))
    day = SA if match[2].startswith("week") else WEEKDAY[match[2][:3]]
    found = month + relativedelta(day=31 if last else 1, weekday=day(-1) if last else day(which))
    if match[2] == "week":
        return Span(found - relativedelta(days=5), found + relativedelta(days=1))
    return Span(found, found + relativedelta(days=1)) if match[2] == "weekend" else on(found)


def _week_of(number_of_week: int, today: date) -> Span | None:
    for year in (today.year, today.year + 1):
        try:
            monday = date.fromisocalendar(year, number_of_week, 1)
        except ValueError:
            return None
        if monday + relativedelta(days=6) >= today:
            return Span(monday, monday + relativedelta(days=6))
    return None


def _season(text: str, today: date, country: str) -> Span | None:
    match = re.search(rf"\b({SEASONS})\b", text)
    if not match:
        return None
    this = season_of(match[1], today.year, country)
    return this if this.end >= today else season_of(match[1], today.year + 1, country)


def _month_named(text: str, today: date) -> Span | None:
    match = re.search(rf"\b({MONTHS})\b(?:,? (?:of )?(20\d\d))?", text)
    if not match:
        return None
    if match[2]:
        return month_of(date(int(match[2]), MONTH[match[1][:3]], 1))
    return coming_month(today, match[1])


def _ordinal(text: str, today: date) -> Span | None:
    """`by the 14th`: the next month that has such a day."""
    match = _DAY_OF_THIS.search(text) or re.search(rf"\b({ORDINAL})\b", text)
    day = _day_number(match[1]) if match else 0
    for ahead in range(4):
        moment = today + relativedelta(months=ahead, day=day) if 0 < day < 32 else today
        if moment >= today and moment.day == day:
            return on(moment)
    return None


def _day_number(text: str) -> int:
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    tens = {"twenty": 20, "thirty": 30}.get(re.split(r"[ -]", text)[0], 0)
    return tens + ORDINALS[re.split(r"[ -]", text)[-1]]
