"""Stated times to calendar days: `by the 14th`, `Q2`, `within six weeks`, `before end of March`.

The calendar is dateutil's. dateparser gives nothing for most of these phrases, and costs more time
for one than all the rest of qualification together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from dateutil import parser
from dateutil.easter import easter
from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

from triage.signals.spoken import NUMBER, number

MONTHS: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAYS: Final = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
SEASONS: Final = r"(?:spring|summer|autumn|fall|winter)"
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
_WEEKDAY: Final = {"mon": MO, "tue": TU, "wed": WE, "thu": TH, "fri": FR, "sat": SA, "sun": SU}
_MONTH: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_SEASON: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SOUTH: Final = frozenset({"AU", "NZ", "ZA", "AR", "CL", "UY", "NA", "BW"})
_MONTH_FIRST: Final = frozenset({"US", "PH"})
_FEASTS: Final = (("christmas|xmas", 12, 25), ("new year", 1, 1), ("halloween", 10, 31))
_MOVING: Final = (
    ("thanksgiving", 11, TH(4), 1), ("memorial day", 5, MO(-1), 31), ("labou?r day", 9, MO(1), 1),
)  # fmt: skip

_NOW: Final = re.compile(
    r"\b(?:asap|today|tonight|right (?:now|away)|immediately|as soon as (?:possible|you can)"
    r"|24 hrs?|now|by dark)\b"
)
_WITHIN: Final = re.compile(
    rf"\b(within|in|next|over the next) (?:the next )?(?:about |around )?({NUMBER}|an?|few|a few"
    r"|a couple of) ?(day|week|month|year)s?\b"
)
_DAY: Final = rf"({ORDINAL}|\d{{1,2}})\.?"
_RANGE: Final = re.compile(
    rf"{_DAY}(?: of)?(?: ({MONTHS}))? ?(?:-|\u2013|to|and|until) ?(?:the )?{_DAY}(?: of)? "
    rf"({MONTHS})\b"
)
_ISO: Final = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_FIGURES: Final = re.compile(r"\b(\d{1,2})([/.])(\d{1,2})(?:[/.](\d{4}|\d{2}))?\b")
_NAMED: Final = re.compile(
    rf"\b(?:(?P<m1>{MONTHS})\.?,? (?:the )?(?P<d1>{ORDINAL}|\d{{1,2}})\b"
    rf"|(?P<d2>{ORDINAL}|\d{{1,2}})\.?[ -](?:of )?(?P<m2>{MONTHS}))(?:,? (?P<year>20\d\d))?"
)
_NTH: Final = re.compile(rf"\b(first|second|third|fourth|last) ({WEEKDAYS}) (?:of|in) ({MONTHS})\b")
_QUARTER: Final = re.compile(r"\bq([1-4])\b|\b(first|second|third|fourth) quarter\b")
_EDGE: Final = re.compile(
    r"\b(end|start|beginning|middle|early|mid|late)[ -](?:of )?(?:the |this |(next ))?"
    rf"({MONTHS}|month|year|week)\b"
)
_PARTS: Final = {
    "end": (31, 31), "start": (1, 1), "beginning": (1, 10), "early": (1, 10), "middle": (11, 20),
    "mid": (11, 20), "late": (21, 31),
}  # fmt: skip
_SEASON_NEXT: Final = re.compile(rf"\b({SEASONS})(?: of)? next year|\bnext year'?s? ({SEASONS})")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __str__(self) -> str:
        """ISO 8601: a day, a month, or an interval."""
        if self.start == self.end:
            return self.start.isoformat()
        if self == _month(self.start):
            return f"{self.start:%Y-%m}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


def resolve(phrase: str, received: datetime, country: str) -> Span | None:
    """The days a stated time means, seen from the day the inquiry came; nothing where unclear.

    A year that is not stated is the next one in which the day is not past. "Before" and "by" give
    the day that bounds; "within" gives the interval from now. `country` (ISO 3166) decides whether
    3/4 is in March and when summer is.
    """
    text, today = phrase.lower(), received.date()
    if _NOW.search(text):
        return Span(today, today)
    readers = (_soon, _range, _dated, _quarter, _edge, _relative, _feast, _weekday, _season)
    for reader in readers:
        if span := reader(text, today, country):
            return span
    return _month_named(text, today) or _ordinal(text, today)


def _soon(text: str, today: date, _country: str) -> Span | None:
    if re.search(r"\b(?:tomorrow|tmrw|in the morning)\b", text):
        return _on(today + relativedelta(days=1))
    match = _WITHIN.search(text)
    if not match:
        return None
    few = {"a": 1.0, "an": 1.0, "few": 3.0, "a few": 3.0, "a couple of": 2.0}
    count = few.get(match[2]) or number(match[2])
    if count is None or count > 120:
        return None
    step = {
        "day": relativedelta(days=int(count)),
        "week": relativedelta(weeks=int(count)),
        "month": relativedelta(months=int(count)),
        "year": relativedelta(years=int(count)),
    }[match[3]]
    return _on(today + step) if match[1] == "in" else Span(today, today + step)


def _range(text: str, today: date, country: str) -> Span | None:
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
        day_first = country not in _MONTH_FIRST or figures[2] == "."
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
    return _on(day if year or day >= today else day + relativedelta(years=1))


def _quarter(text: str, today: date, _country: str) -> Span | None:
    if match := _QUARTER.search(text):
        which = int(match[1]) if match[1] else _ORDINALS[match[2]]
        stated = re.search(r"\b(20\d\d)\b", text)
        year = int(stated[1]) if stated else today.year + (which * 3 < today.month)
    elif "quarter" in text:
        which, year = (today.month + 2) // 3 + ("next" in text), today.year
        which, year = (1, year + 1) if which > 4 else (which, year)
    else:
        return None
    start = date(year, which * 3 - 2, 1)
    end = start + relativedelta(months=2, day=31)
    return _on(end) if "end" in text else Span(start, end)


def _edge(text: str, today: date, _country: str) -> Span | None:
    """Ends and beginnings: `end of March`, `the end of the month`, `early May`."""
    match = _EDGE.search(text)
    if not match:
        return None
    ahead = int(match[2] is not None)
    if match[3] == "week":
        return _on(today + relativedelta(weekday=FR(1 + ahead)))
    if match[3] == "year":
        return _month(date(today.year + ahead, 12, 1)) if match[1] in {"end", "late"} else None
    if match[3] == "month":
        month = _month(today + relativedelta(months=ahead))
    else:
        month = _coming_month(today, match[3])
    first, last = _PARTS[match[1]]
    return Span(month.start + relativedelta(day=first), month.start + relativedelta(day=last))


def _relative(text: str, today: date, country: str) -> Span | None:
    sunday = today + relativedelta(weekday=SU)
    next_week = sunday + relativedelta(days=1)
    for words, span in (
        (r"\b(?:this|the) (?:week|wk)(?:end)?\b|\bthis arvo\b", Span(today, sunday)),
        (r"\bnext (?:week|wk)", Span(next_week, sunday + relativedelta(days=7))),
        (r"\bthis month\b", Span(today, today + relativedelta(day=31))),
        (r"\bnext month\b", _month(today + relativedelta(months=1))),
        (r"\byear after next\b", _year(today.year + 2)),
    ):
        if re.search(words, text):
            return span
    return _next_year(text, today.year + 1, country)


def _next_year(text: str, year: int, country: str) -> Span | None:
    if season := _SEASON_NEXT.search(text):
        return _season_of(season[1] or season[2], year, country)
    if not re.search(r"\bnext (?:fiscal |financial )?year\b", text):
        return None
    named = re.search(rf"\b({MONTHS})\b", text)
    return _month(date(year, _MONTH[named[1][:3]], 1)) if named else _year(year)


def _feast(text: str, today: date, _country: str) -> Span | None:
    if nth := _NTH.search(text):
        month = _coming_month(today, nth[3]).start
        day, last = _WEEKDAY[nth[2][:3]], nth[1] == "last"
        which = day(-1) if last else day(_ORDINALS[nth[1]])
        return _on(month + relativedelta(day=31 if last else 1, weekday=which))
    for words, month_number, day_number in _FEASTS:
        if re.search(rf"\b(?:{words})\b", text):
            return _next_of([date(today.year + n, month_number, day_number) for n in (0, 1)], today)
    for words, month_number, weekday, day_number in _MOVING:
        if re.search(rf"\b{words}\b", text):
            step = relativedelta(month=month_number, day=day_number, weekday=weekday)
            return _next_of([today + step, today + relativedelta(years=1) + step], today)
    if "easter" in text:
        return _next_of([easter(today.year), easter(today.year + 1)], today)
    return None


def _weekday(text: str, today: date, _country: str) -> Span | None:
    match = re.search(rf"\b(next |a week )?({WEEKDAYS})\b( week)?", text)
    if not match:
        return None
    day = today + relativedelta(days=1, weekday=_WEEKDAY[match[2][:3]](1))
    same_week = day <= today + relativedelta(weekday=SU)
    later = match[1] == "a week " or match[3] or (match[1] == "next " and same_week)
    return _on(day + relativedelta(weeks=1) if later else day)


def _season(text: str, today: date, country: str) -> Span | None:
    match = re.search(rf"\b({SEASONS})\b", text)
    if not match:
        return None
    this = _season_of(match[1], today.year, country)
    return this if this.end >= today else _season_of(match[1], today.year + 1, country)


def _season_of(name: str, year: int, country: str) -> Span:
    month = _SEASON[name]
    start = date(year, (month + 5) % 12 + 1 if country in _SOUTH else month, 1)
    return Span(start, start + relativedelta(months=2, day=31))


def _month_named(text: str, today: date) -> Span | None:
    match = re.search(rf"\b({MONTHS})\b(?:,? (?:of )?(20\d\d))?", text)
    if not match:
        return None
    if match[2]:
        return _month(date(int(match[2]), _MONTH[match[1][:3]], 1))
    return _coming_month(today, match[1])


def _ordinal(text: str, today: date) -> Span | None:
    """`by the 14th`: the next month that has such a day."""
    match = re.search(rf"\b({ORDINAL})\b", text)
    day = _day_number(match[1]) if match else 0
    for ahead in range(4):
        moment = today + relativedelta(months=ahead, day=day) if 0 < day < 32 else today
        if moment >= today and moment.day == day:
            return _on(moment)
    return None


def _day_number(text: str) -> int:
    if digits := re.match(r"\d+", text):
        return int(digits[0])
    tens = {"twenty": 20, "thirty": 30}.get(re.split(r"[ -]", text)[0], 0)
    return tens + _ORDINALS[re.split(r"[ -]", text)[-1]]


def _next_of(days: list[date], today: date) -> Span:
    return _on(next(day for day in days if day >= today))


def _coming_month(today: date, name: str) -> Span:
    month = _MONTH[name[:3]]
    return _month(date(today.year + (month < today.month), month, 1))


def _month(day: date) -> Span:
    return Span(day + relativedelta(day=1), day + relativedelta(day=31))


def _year(year: int) -> Span:
    return Span(date(year, 1, 1), date(year, 12, 31))


def _on(day: date) -> Span:
    return Span(day, day)
