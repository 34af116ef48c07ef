"""Stated times to calendar days: what dateparser leaves open (quarters, ends of months, "within six
weeks", bare ordinals), with dateparser for dates that name their month.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from dateutil.easter import easter

from triage.signals.spoken import NUMBER, number

MONTHS: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAYS: Final = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
_ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13,
    "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18,
    "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
ORDINAL: Final = (
    r"(?:\d{1,2}(?:st|nd|rd|th)|(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth"
    r"|seventh|eighth|ninth)|" + "|".join(sorted(_ORDINALS, key=len, reverse=True)) + ")"
)
SEASONS: Final = r"(?:spring|summer|autumn|fall|winter)"
_SOUTH: Final = {"AU", "NZ", "ZA", "AR", "CL", "UY", "NA", "BW"}
_SEASON_START: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MONTH_FIRST: Final = {"US", "PH"}
_DAYS: Final = {"day": 1, "week": 7, "fortnight": 14}


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __str__(self) -> str:
        """ISO 8601: a day, a month, or an interval."""
        if self.start == self.end:
            return self.start.isoformat()
        if self == _month(self.start.year, self.start.month):
            return f"{self.start:%Y-%m}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


def resolve(phrase: str, received: datetime, country: str) -> Span | None:
    """The days a stated time means, seen from the day the inquiry came; nothing where unclear.

    A year that is not stated is the next one in which the day is not past. "Before" and "by" give
    the day that bounds; "within" gives the interval from now.
    """
    text = phrase.lower()
    today = received.date()
    for reader in (_now, _within, _range, _dated, _quarter, _edge, _relative, _feast, _weekday):
        if span := reader(text, today, country):
            return span
    return _month_named(text, today) or _season(text, today, country) or _ordinal(text, today)


def _now(text: str, today: date, _country: str) -> Span | None:
    soon = (
        r"\b(?:asap|today|tonight|right (?:now|away)|immediately|as soon as possible|24 hr|now)\b"
    )
    if re.search(soon, text):
        return Span(today, today)
    if re.search(r"\b(?:tomorrow|tmrw|in the morning)\b", text):
        return _days(today, 1)
    return None


def _within(text: str, today: date, _country: str) -> Span | None:
    match = re.search(
        rf"\b(within|in|next|over the next)\s+(?:the next )?(?:about |around )?({NUMBER}|a|few|couple of)"
        r"\s*(day|week|fortnight|month|year)s?\b",
        text,
    )
    if not match:
        return None
    count = {"a": 1.0, "few": 3.0, "couple of": 2.0}.get(match[2]) or number(match[2])
    if count is None or count > 120:
        return None
    end = _later(today, int(count), match[3])
    return Span(today, end) if match[1] != "in" else Span(end, end)


def _later(today: date, count: int, unit: str) -> date:
    if unit in _DAYS:
        return today + timedelta(days=count * _DAYS[unit])
    months = today.month - 1 + count * (12 if unit == "year" else 1)
    year, month = today.year + months // 12, months % 12 + 1
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _range(text: str, today: date, country: str) -> Span | None:
    day = rf"(\d{{1,2}}|{ORDINAL})\.?"
    match = re.search(
        rf"{day}(?: of)?(?: ({MONTHS}))?\s*(?:-|–|to|and|until)\s*(?:the )?{day}(?: of)? ({MONTHS})\b",
        text,
    )
    if not match:
        return None
    first = _dated(f"{match[1]} {match[2] or match[4]}", today, country)
    last = _dated(f"{match[3]} {match[4]}", today, country)
    if not first or not last:
        return None
    end = last.end if last.end >= first.start else last.end.replace(year=first.start.year + 1)
    return Span(first.start, end) if end >= first.start else None


def _dated(text: str, today: date, country: str) -> Span | None:
    if iso := re.search(r"\b(20\d\d)-(\d\d)-(\d\d)\b", text):
        return _exact(int(iso[1]), int(iso[2]), int(iso[3]))
    if figures := re.search(r"\b(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}|\d{2}))?\b", text):
        first, second = int(figures[1]), int(figures[2])
        month_first = country in _MONTH_FIRST and "." not in figures[0]
        month, day = (first, second) if month_first else (second, first)
        if month > 12:
            month, day = day, month
        return _coming(today, month, day, figures[3])
    named = re.search(
        rf"\b(?:({MONTHS})\.?,? (?:the )?({ORDINAL}|\d{{1,2}})\b|({ORDINAL}|\d{{1,2}})\.?[ -](?:of )?"
        rf"({MONTHS}))(?:,? (20\d\d))?",
        text,
    )
    if not named:
        return None
    month = _month_number(named[1] or named[4])
    return _coming(today, month, _day_number(named[2] or named[3]), named[5])


def _coming(today: date, month: int, day: int, year: str | None) -> Span | None:
    if year:
        return _exact(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this = _exact(today.year, month, day)
    return this if this is None or this.end >= today else _exact(today.year + 1, month, day)


def _exact(year: int, month: int, day: int) -> Span | None:
    try:
        moment = date(year, month, day)
    except ValueError:
        return None
    return Span(moment, moment)


def _quarter(text: str, today: date, _country: str) -> Span | None:
    match = re.search(r"\bq([1-4])\b|\b(first|second|third|fourth) quarter\b", text)
    if match:
        which = int(match[1]) if match[1] else _ORDINALS[match[2]]
        stated = re.search(r"\b(20\d\d)\b", text)
        year = int(stated[1]) if stated else today.year + (which * 3 < today.month)
        return Span(date(year, which * 3 - 2, 1), _month(year, which * 3).end)
    if re.search(r"\bquarter\b", text):
        which = (today.month - 1) // 3 + (2 if "next" in text else 1)
        year = today.year + (which > 4)
        end = _month(year, (which - 1) % 4 * 3 + 3).end
        return (
            Span(end, end) if "end" in text else Span(end.replace(month=end.month - 2, day=1), end)
        )
    return None


def _edge(text: str, today: date, _country: str) -> Span | None:
    """Ends and beginnings: `end of March`, `the end of the month`, `early May`, `mid-June`."""
    match = re.search(
        rf"\b(end|start|beginning|middle|early|mid|late)[ -](?:of )?(?:the |this |(next ))?"
        rf"({MONTHS}|month|year|week)\b",
        text,
    )
    if not match:
        return None
    if match[3] == "week":
        end = today + timedelta(days=4 - today.weekday() + (7 if match[2] else 0))
        return Span(end, end) if end >= today else _days(today, 4 - today.weekday() + 7)
    if match[3] == "year":
        year = today.year + bool(match[2])
        return Span(date(year, 12, 1), date(year, 12, 31)) if match[1] in {"end", "late"} else None
    if match[3] == "month":
        month = _month(today.year, today.month)
        month = _following(month) if match[2] else month
    else:
        month = _coming_month(today, _month_number(match[3]))
    parts = {"end": (month.end.day, 31), "start": (1, 1), "beginning": (1, 10), "early": (1, 10),
             "middle": (11, 20), "mid": (11, 20), "late": (21, 31)}  # fmt: skip
    first, last = parts[match[1]]
    start = month.start.replace(day=min(first, month.end.day))
    return Span(start, month.start.replace(day=min(last, month.end.day)))


def _relative(text: str, today: date, country: str) -> Span | None:
    monday = today - timedelta(days=today.weekday())
    if re.search(r"\bthis (?:week|wk)(?:end)?\b|\bthis arvo\b", text):
        return Span(today, monday + timedelta(days=6))
    if re.search(r"\bnext (?:week|wk)\b", text):
        return Span(monday + timedelta(days=7), monday + timedelta(days=13))
    if "this month" in text:
        return Span(today, _month(today.year, today.month).end)
    if "next month" in text:
        return _following(_month(today.year, today.month))
    if "year after next" in text:
        return _year(today.year + 2)
    if season := re.search(rf"\b({SEASONS})(?: of)? next year|next year'?s? ({SEASONS})", text):
        return _season_of(season[1] or season[2], today.year + 1, country)
    if re.search(r"\bnext (?:fiscal |financial )?year\b", text) and not re.search(
        MONTHS + r"\b", text
    ):
        return _year(today.year + 1)
    return None


def _feast(text: str, today: date, _country: str) -> Span | None:
    if re.search(r"\bchristmas|xmas\b", text):
        return _coming(today, 12, 25, None)
    if re.search(r"\bnew year\b(?!')", text):
        return _coming(today, 1, 1, None)
    if "easter" in text:
        sunday = easter(today.year)
        return Span(sunday, sunday) if sunday >= today else Span(*[easter(today.year + 1)] * 2)
    if "thanksgiving" in text:
        first = date(today.year, 11, 1)
        day = 22 + (3 - first.weekday()) % 7
        return _coming(today, 11, day, None)
    return None


def _weekday(text: str, today: date, _country: str) -> Span | None:
    match = re.search(rf"\b(next |a week )?({WEEKDAYS})\b", text)
    if not match:
        return None
    wanted = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(match[2][:3])
    ahead = (wanted - today.weekday()) % 7 or 7
    if match[1] == "next " and ahead < 7 - today.weekday():  # "next Friday" said on a Tuesday
        ahead += 7
    return _days(today, ahead + (7 if match[1] == "a week " else 0))


def _month_named(text: str, today: date) -> Span | None:
    match = re.search(rf"\b({MONTHS})\b(?:,? (?:of )?(20\d\d))?", text)
    if not match:
        return None
    month = _month_number(match[1])
    if match[2]:
        return _month(int(match[2]), month)
    if "next year" in text:
        return _month(today.year + 1, month)
    return _coming_month(today, month)


def _season(text: str, today: date, country: str) -> Span | None:
    match = re.search(rf"\b({SEASONS})\b", text)
    if not match:
        return None
    this = _season_of(match[1], today.year, country)
    return this if this.end >= today else _season_of(match[1], today.year + 1, country)


def _season_of(name: str, year: int, country: str) -> Span:
    start = _SEASON_START[name]
    if country in _SOUTH:
        start = (start + 5) % 12 + 1
    first = _month(year, start)
    return Span(first.start, _following(_following(first)).end)


def _ordinal(text: str, today: date) -> Span | None:
    match = re.search(rf"\b({ORDINAL})\b", text)
    if not match:
        return None
    day = _day_number(match[1])
    month = _month(today.year, today.month)
    for _ in range(3):
        if day <= month.end.day and month.start.replace(day=max(day, 1)) >= today:
            moment = month.start.replace(day=day)
            return Span(moment, moment)
        month = _following(month)
    return None


def _day_number(text: str) -> int:
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    tens = {"twenty": 20, "thirty": 30}.get(re.split(r"[ -]", text)[0], 0)
    return tens + _ORDINALS[re.split(r"[ -]", text)[-1]]


def _month_number(name: str) -> int:
    return [month.lower() for month in calendar.month_abbr].index(name[:3])


def _coming_month(today: date, month: int) -> Span:
    return _month(today.year + (month < today.month), month)


def _month(year: int, month: int) -> Span:
    return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _following(month: Span) -> Span:
    after = month.end + timedelta(days=1)
    return _month(after.year, after.month)


def _year(year: int) -> Span:
    return Span(date(year, 1, 1), date(year, 12, 31))


def _days(today: date, ahead: int) -> Span:
    moment = today + timedelta(days=ahead)
    return Span(moment, moment)
