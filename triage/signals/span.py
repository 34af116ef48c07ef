"""Days: a stretch of them as a value, and the names of months, weekdays, seasons and ordinals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

MONTHS: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAYS: Final = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
SEASONS: Final = r"(?:spring|summer|autumn|fall|winter)"
ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13,
    "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18,
    "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
ORDINAL: Final = (
    r"(?:\d{1,2}(?:st|nd|rd|th)|(?:twenty|thirty)[ -](?:first|second|third|fourth|fifth|sixth"
    r"|seventh|eighth|ninth)|" + "|".join(sorted(ORDINALS, key=len, reverse=True)) + ")"
)
WEEKDAY: Final = {"mon": MO, "tue": TU, "wed": WE, "thu": TH, "fri": FR, "sat": SA, "sun": SU}
MONTH: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
SEASON: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
SOUTH: Final = frozenset({"AU", "NZ", "ZA", "AR", "CL", "UY", "NA", "BW"})
MONTH_FIRST: Final = frozenset({"US", "PH"})


DIGITS: Final = frozenset("0123456789")
MONTH_WORDS: Final = frozenset({
    *MONTH, "january", "february", "march", "april", "june", "july", "august", "sept", "september",
    "october", "november", "december",
})  # fmt: skip
ORDINAL_WORDS: Final = frozenset(ORDINALS)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __str__(self) -> str:
        """ISO 8601: a day, a month, or an interval."""
        if self.start == self.end:
            return self.start.isoformat()
        if self == month_of(self.start):
            return f"{self.start:%Y-%m}"
        return f"{self.start.isoformat()}/{self.end.isoformat()}"


def next_of(days: list[date], today: date) -> Span:
    """The first of some days that is not past."""
    return on(next(day for day in days if day >= today))


def coming_month(today: date, name: str) -> Span:
    """The named month, this year or, where it is past, next year."""
    month = MONTH[name[:3]]
    return month_of(date(today.year + (month < today.month), month, 1))


def month_of(day: date) -> Span:
    """The month a day is in."""
    return Span(day + relativedelta(day=1), day + relativedelta(day=31))


def year_of(year: int) -> Span:
    """A calendar year."""
    return Span(date(year, 1, 1), date(year, 12, 31))


def on(day: date) -> Span:
    """One day."""
    return Span(day, day)


def season_of(name: str, year: int, country: str) -> Span:
    """The three months of a season; `country` (ISO 3166) decides on which half of the globe."""
    month = SEASON[name]
    start = date(year, (month + 5) % 12 + 1 if country in SOUTH else month, 1)
    return Span(start, start + relativedelta(months=2, day=31))
