"""Stated values to what they mean: numbers, times, directions, yes and no."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

import phonenumbers

from triage.types import Direction

EXTENSION_DIGITS: Final = 6
"""A number with more digits is an outside number."""

_DIRECTIONS: Final[Mapping[str, Direction]] = {
    **dict.fromkeys(("in", "i", "inbound", "incoming", "inward", "ingress"), "inbound"),
    **dict.fromkeys(("out", "o", "outbound", "outgoing", "outward", "egress"), "outbound"),
    **dict.fromkeys(("internal", "int", "local", "intercom"), "internal"),
}
_YES: Final = frozenset(
    {"true", "yes", "y", "1", "on", "given", "granted", "accepted", "agreed", "optin", "allowed"}
)
_NO: Final = frozenset(
    {"false", "no", "n", "0", "off", "denied", "refused", "declined", "withdrawn", "optout",
     "rejected", "none", "notgiven"}
)  # fmt: skip
_NOBODY: Final = frozenset(
    {"unknown", "anonymous", "withheld", "private", "restricted", "unavailable", "blocked",
     "nonumber", "asserted", "s", "<unknown>"}
)  # fmt: skip
_URI: Final = re.compile(r"(?:tel|sips?):([^@;>]+)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\+?[\d\s().\-/]{2,}")
_EPOCH: Final = re.compile(r"\d{9,13}(?:\.\d+)?")
_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)")
_AMPLE: Final = timedelta(days=366 * 60)


def number(stated: str, country: str) -> str:
    """A phone number as E.164 where that is clear, an extension or anything else as stated.

    `country` (ISO 3166) is where it was dialled. A number that is withheld is empty.
    """
    found = _URI.match(stated.strip())
    text = (found[1] if found else stated).strip()
    if "".join(text.lower().split()) in _NOBODY:
        return ""
    if not _NUMBER.fullmatch(text) or is_extension(text):
        return text
    for candidate in (text, f"+{text.lstrip('+0')}"):
        try:
            parsed = phonenumbers.parse(candidate, country)
        except phonenumbers.NumberParseException:
            continue
        international = candidate is text and text.startswith("+")
        reason = phonenumbers.is_possible_number_with_reason(parsed)
        possible = international and reason == phonenumbers.ValidationResult.IS_POSSIBLE
        if possible or phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return text


def is_number(text: str) -> bool:
    """Whether it is a phone number or an extension at all, and no name."""
    return bool(_NUMBER.fullmatch(text))


def is_extension(text: str) -> bool:
    """Whether it can be but a number inside a telephone system."""
    digits = digits_of(text)
    return 1 < len(digits) <= EXTENSION_DIGITS and not text.strip().startswith("+")


def digits_of(text: str) -> str:
    """The digits of a number."""
    return "".join(character for character in text if character.isdecimal())


def direction(stated: str) -> Direction | None:
    """Which way a call went; None where that is not said."""
    return _DIRECTIONS.get(_word(stated))


def consent(stated: str) -> bool | None:
    """Yes or no; None for nothing that is either."""
    word = _word(stated)
    return True if word in _YES else False if word in _NO else None


def seconds(stated: str) -> float | None:
    """A length of time: `61`, `61.5`, `1:01` or `00:01:01`."""
    text = stated.strip().removesuffix("s").strip()
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    try:
        length = float(text)
    except ValueError:
        return None
    return length if 0 <= length < 1e7 else None


def moment(stated: str, zone: tzinfo) -> datetime | None:
    """A point in time, in UTC: ISO 8601, RFC 2822, or seconds or milliseconds since 1970.

    `zone` is that of a time which does not say its own. None for what is no time.
    """
    text = stated.strip()
    if _EPOCH.fullmatch(text):
        since = float(text)
        return _sane(datetime.fromtimestamp(since / 1000 if since > 1e11 else since, UTC))
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return aware(read(text), zone)
        except (ValueError, TypeError, IndexError):
            continue
    return None


def aware(time: datetime, zone: tzinfo) -> datetime | None:
    """A time in UTC; one without a zone is in `zone`."""
    try:
        return _sane((time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC))
    except (OverflowError, ValueError):
        return None


def _sane(time: datetime) -> datetime | None:
    return time if abs(time - datetime(2030, 1, 1, tzinfo=UTC)) < _AMPLE else None


def _word(stated: str) -> str:
    return re.sub(r"[\s_-]+", "", stated.strip().lower())
