"""What the text of such a mail says: who called, where the message was left, how long it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Final

from triage.intake.calls import values
from triage.intake.voicemail.systems import DATES, LABELS, STOP

_LABEL: Final = re.compile(
    r"^[ \t>*•|-]*(?:" + "|".join(f"(?P<{name}>{words})" for name, words in LABELS.items()) + r")"
    r"[ \t*]*(?::[ \t*]*|\t[ \t]*)(?P<value>[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_FROM: Final = re.compile(
    r"\b(?:voice[ -]?mail|voice[ -]?message|message|call|sprachnachricht|nachricht|anruf|mensaje"
    r"|appel|messaggio)\b[^.\n]{0,60}?\b(?:from|von|de|da)\b:?\s+(?P<who>[^\n]{2,90}?)"
    r"(?=\s*(?:$|\n|[;!]|,\s|\.(?:\s|$)|\bon (?:\w+day|\d|ext|[a-z]{3,9} \d)|\bat \d{1,2}[:.]\d\d"
    r"|\((?:\d+:\d\d|\d+ ?s)|\bin (?:your |the )?(?:mailbox|voice)|\bfor (?:ext|mailbox|you)"
    r"|\bto (?:ext|mailbox|your|\(?\+?\d)|\blasting|\bleft\b|\bam \d|\bto hear\b|\bduration\b))",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER: Final = re.compile(r"\+?\(?\d[\d\s().\-/\u2011]{5,18}\d")
_SHORT: Final = re.compile(r"(?<![\w.-])\d{2,6}(?![\w:.-])")
_NOBODY: Final = re.compile(
    r"\b(?:unknown|anonymous|withheld|private|restricted|unavailable|blocked|unbekannt|anonym|inconnu"
    r"|no caller id)\b",
    re.IGNORECASE,
)
_NO_NAME: Final = re.compile(
    r"\b(?:(?:wireless|toll free) caller|caller|an?|the|unknown|anonymous|unavailable"
    r"|private(?: number)?|number|mobile|ext(?:ension)?|tel)\b|[\"“”<>()\[\]|*]|\bat\s*$|^\s*at\b",
    re.IGNORECASE,
)
_CLOCKED: Final = re.compile(r"\(?\b(\d{1,3}:\d\d(?::\d\d)?)\b\)?")
_COUNTED: Final = re.compile(
    r"(?:(\d+)[ -]?m(?:in(?:ute)?s?)?\b[ ,]*(?:and )?)?(\d+)[ -]?"
    r"s(?:ec(?:ond)?s?|ek(?:unden?)?\.?)?\b",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(
    r"\((?P<a>\d+:\d\d(?::\d\d)?)\)|\((?P<b>(?:\d+ ?min\w* ?)?\d+ ?s\w*\.?)\)"
    r"|\b(?P<c>\d+:\d\d)[ -](?:long|minute)|\b(?P<d>\d+[ -]?sec\w*)(?:[ -]long)? "
    r"(?:voice|message|recording)|\blasting (?P<e>[\w :]{2,20})",
    re.IGNORECASE,
)
_MAILBOX: Final = re.compile(
    r"\b(?:mailbox|extension|ext\.?|nebenstelle)[ #:]*(\d[\w-]{0,19})", re.IGNORECASE
)
_LEFT: Final = re.compile(
    r"\bon ((?:\w+day, )?\w+ \d{1,2}, \d{4} at \d{1,2}:\d\d(?::\d\d)? ?[ap]m)"
    r"|\bon (\d{1,2}/\d{1,2}/\d{4} (?:at )?\d{1,2}:\d\d(?::\d\d)? ?[ap]m)"
    r"|\bam (\d{1,2}\.\d{1,2}\.\d{2,4}) um (\d{1,2}:\d\d)",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")
_LISTEN: Final = re.compile(r"play|listen|hear|recording|message|download", re.IGNORECASE)
_CLIPPED: Final = 200


@dataclass(frozen=True, slots=True)
class Who:
    """A caller as stated. `known`: something was said at all, be it that the number is withheld."""

    name: str = ""
    number: str = ""
    known: bool = False


def labelled(text: str) -> Mapping[str, Sequence[str]]:
    """The values behind labels, by what the label means; the value may be on the next line."""
    found: dict[str, list[str]] = {}
    for match in _LABEL.finditer(text):
        value = match["value"].strip(" \t*")
        if not value:
            rest = text[match.end() :].lstrip("\n")
            value = rest.partition("\n")[0].strip(" \t*")
            value = "" if _LABEL.match(value) else value
        if value and match.lastgroup != "heard":
            name = next(name for name in LABELS if match[name] is not None)
            found.setdefault(name, []).append(value[:_CLIPPED])
    return found


def sentence(text: str) -> Who:
    """The caller in a sentence like `you have a voicemail from …`."""
    for version in (text, " ".join(text.split())):
        for match in _FROM.finditer(version):
            if (found := who(match["who"])).known:
                return found
    return Who()


def who(stated: str) -> Who:
    """Name and number in what was stated of a caller."""
    number = _NUMBER.search(stated) or _SHORT.search(stated)
    rest = stated.replace(number[0], " ") if number else stated
    name = " ".join(_NO_NAME.sub(" ", rest).split()).strip(" ,;:-.'")
    if not any(character.isalpha() for character in name) or _LINK.search(name):
        name = ""
    digits = " ".join(number[0].replace("\u2011", "-").split()) if number else ""
    return Who(name[:80], digits, known=bool(number or name or _NOBODY.search(stated)))


def length(stated: str) -> float | None:
    """Seconds: `0:42`, `42`, `42 seconds`, `1 min 5 sec`."""
    if clock := _CLOCKED.search(stated):
        return values.seconds(clock[1])
    if counted := _COUNTED.search(stated):
        return 60.0 * int(counted[1] or 0) + int(counted[2])
    return values.seconds(stated)


def told_length(text: str) -> float | None:
    """The length of a message in a subject or a sentence."""
    match = _LENGTH.search(text)
    return length(next(filter(None, match.groups()))) if match else None


def mailbox(text: str) -> str:
    """The mailbox or extension that a text names."""
    match = _MAILBOX.search(text)
    return match[1] if match else ""


def moments(text: str, labels: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Stated times, the likeliest first."""
    dates, times = labels.get("date", ()), labels.get("time", ())
    for date in dates:
        yield from (f"{date} {time}" for time in times)
        yield date
    yield from times
    for match in _LEFT.finditer(" ".join(text.split())):
        yield " ".join(filter(None, match.groups()))


def moment(stated: str, zone: tzinfo, near: datetime) -> datetime | None:
    """A stated time, in UTC; None where it is none, or not within a day and a half of `near`: days
    and months are easily mistaken for each other.
    """
    text = re.sub(r"\b(?:[Uu]hr|[A-Z]{3,4})$", "", " ".join(stated.split())).strip()
    found = [values.moment(text, zone)]
    for wanted in DATES:
        try:
            found.append(values.aware(datetime.strptime(text, wanted), zone))  # noqa: DTZ007
        except ValueError:
            continue
    close = timedelta(hours=36)
    return next((time for time in found if time and abs(time - near) < close), None)


def sent(date: str) -> tuple[datetime | None, tzinfo]:
    """When a mail was sent, and in which zone its clock was."""
    try:
        time = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError):
        return None, UTC
    return (time, time.tzinfo) if time.tzinfo else (time.replace(tzinfo=UTC), UTC)


def heard(text: str) -> tuple[str, str]:
    """What the telephone system made of the message, and the text without that."""
    for match in _LABEL.finditer(text):
        if match["heard"] is None:
            continue
        lines = [match["value"], *text[match.end() :].split("\n")[1:]]
        said = _said(lines)
        if said:
            end = match.end() + sum(len(line) + 1 for line in lines[1 : len(said)])
            return _joined(said), (text[: match.start()] + text[end:]).strip()
    return "", text


def before_link(text: str) -> tuple[str, str]:
    """The same where it stands in front of the link to the recording, without a label."""
    lines = text.split("\n")
    said = _said([line for line in lines if not _LINK.fullmatch(line.strip(" <>[]"))])
    found = _joined(said)
    return (found, "\n".join(line for line in lines if line not in said).strip())


def link(text: str) -> str:
    """Where the recording is said to be."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        match = _LINK.search(line)
        around = " ".join(lines[max(0, number - 1) : number + 1])
        if match and _LISTEN.search(around):
            return match[0].rstrip(".,)>]")[:500]
    return ""


def _said(lines: Sequence[str]) -> list[str]:
    said: list[str] = []
    for line in lines:
        if STOP.match(line) or (said and line.strip() and _LABEL.match(line)):
            break
        said.append(line)
    return said if any(line.strip() for line in said) else []


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(line.strip() for line in lines if line.strip()).strip('"“” ')
