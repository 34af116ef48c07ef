"""Known contacts from a CSV file, as customer databases export them.

Columns are found by their headers, whatever their order; charset and delimiter by content. A row
that cannot be used costs only itself and is reported with its line number, never with its content.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import charset_normalizer

from triage.errors import Configuration
from triage.rules.senders import address_key, domain_key, phone_key

Kind = Literal["customer", "supplier"]

_COLUMNS: Final[Mapping[str, re.Pattern[str]]] = {
    "email": re.compile(r"\b(?:e ?mails?|mail address|mail)\b"),
    "domain": re.compile(r"\b(?:domains?|websites?|web site|homepage|url)\b"),
    "phone": re.compile(r"\b(?:tele)?phones?\b|\b(?:tel|mobile|cell|fon|telefon)\b"),
    "company": re.compile(r"\b(?:company|account|organi[sz]ation|business|firm)(?: name)?$"),
    "type": re.compile(r"\b(?:type|category|relationship|lifecycle stage)$"),
}
# Columns about a contact's data, not the data itself ("Email Opt Out", "Contact Owner Email").
_ABOUT: Final = re.compile(
    r"\b(?:opt|out|in|status|bounced?|valid|verified|count|date|owner|rep|size|id|consent)\b"
)
_TYPES: Final[Mapping[Kind, re.Pattern[str]]] = {
    "customer": re.compile(r"\b(?:customer|client|kunde|evangelist)", re.IGNORECASE),
    "supplier": re.compile(r"\b(?:supplier|vendor|lieferant)", re.IGNORECASE),
}
_DELIMITERS: Final = ",;\t|"
_CHARSETS: Final = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman"]
_SPAN: Final = 30  # lines that one row may have; a forgotten quote reaches no further
_LARGEST: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody known. Keys are as compared (see `senders`); `line` is where the row was."""

    kind: Kind
    company: str
    addresses: tuple[str, ...]
    domains: tuple[str, ...]
    phones: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Export:
    """What a file holds. `problems` has one sentence a row that was left out, with its line."""

    contacts: tuple[Contact, ...]
    problems: tuple[str, ...]


def read_export(path: Path, kind: Kind, country: str) -> Export:
    """Read a file. `kind` is what its contacts are where no `type` column says otherwise.

    Raises `Configuration` where the file cannot be read or has no column to know anybody by.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise Configuration(f"{path} is larger than {_LARGEST / 1e6:.0f} MB; export fewer rows")
        text = _text(path.read_bytes())
    except OSError as error:
        raise Configuration(f"{path} cannot be read: {error.strerror}") from error
    lines = text.splitlines(keepends=True)
    first = 1 if lines and re.fullmatch(r"sep=.\s*", lines[0], re.IGNORECASE) else 0
    header, delimiter = _header(lines[first] if len(lines) > first else "")
    columns = _columns(header)
    if not {"email", "domain", "phone"} & set(columns.values()):
        raise Configuration(
            f"{path}: no column for email, domain or phone in its first line "
            f"({', '.join(header) or 'empty'}); name one of them so"
        )
    contacts: list[Contact] = []
    problems: list[str] = []
    for number, fields in _records(lines, first + 1, delimiter):
        try:
            contact = _contact(_named(fields, columns, len(header)), kind, country, number)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if contact:
            contacts.append(contact)
    return Export(tuple(contacts), tuple(problems))


def _text(data: bytes) -> str:
    """UTF-8 or UTF-16 where the bytes say so, else the likeliest of what spreadsheets write."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        best = charset_normalizer.from_bytes(data, cp_isolation=_CHARSETS).best()
        return str(best) if best else data.decode("cp1252", "replace")


def _header(line: str) -> tuple[list[str], str]:
    """The names of the columns, and the delimiter that finds most of them."""
    rows = [(next(csv.reader([line], delimiter=mark), []), mark) for mark in _DELIMITERS]
    return max(rows, key=lambda row: len(row[0]))


def _columns(header: Sequence[str]) -> dict[int, str]:
    """Index to meaning, for the columns that say who somebody is."""
    found = {}
    for index, title in enumerate(header):
        plain = " ".join(re.findall(r"[^\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", title).lower()))
        for meaning in ("type", "domain", "email", "phone", "company"):
            if _COLUMNS[meaning].search(plain) and not _ABOUT.search(plain):
                if not (meaning == "type" and re.search(r"mail|phone|address", plain)):
                    found[index] = meaning
                break
    return found


def _records(
    lines: Sequence[str], start: int, delimiter: str
) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and fields of each row, or what is wrong with it.

    A row may go over several lines inside quotes. A quote that nothing closes costs its own line:
    reading goes on below it.
    """
    at = start
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        fields, taken = _record(lines[at : at + _SPAN], delimiter)
        yield at + 1, fields
        at += taken


def _record(lines: Sequence[str], delimiter: str) -> tuple[list[str] | str, int]:
    problem = "a quotation mark is not closed"
    for taken in range(1, len(lines) + 1):
        try:
            return next(csv.reader(lines[:taken], delimiter=delimiter, strict=True)), taken
        except csv.Error as error:
            if "unexpected end" not in str(error):
                problem = f"not a row of this table: {error}"
                break
    return problem, 1


def _named(
    fields: Sequence[str] | str, columns: Mapping[int, str], width: int
) -> dict[str, list[str]]:
    """The values of a row by meaning; several columns may have one meaning."""
    if isinstance(fields, str):
        raise ValueError(fields)  # noqa: TRY004 - the row is at fault, not the type
    if len(fields) > width and any(value.strip() for value in fields[width:]):
        raise ValueError(f"has {len(fields)} fields, the first line has {width}")
    named: dict[str, list[str]] = {}
    for index, value in enumerate(fields):
        if value.strip() and index in columns:
            named.setdefault(columns[index], []).append(value.strip())
    return named


def _contact(
    named: Mapping[str, Sequence[str]], kind: Kind, country: str, line: int
) -> Contact | None:
    """The contact of a row; None for one that is neither customer nor supplier (a prospect)."""
    stated = " ".join(named.get("type", ()))
    if stated:
        kinds = [name for name, words in _TYPES.items() if words.search(stated)]
        if not kinds:
            return None
        kind = kinds[0]
    addresses = _keys(named.get("email", ()), r"[\s;,]+", address_key, "email address")
    domains = _keys(
        [_host(value) for value in named.get("domain", ())], r"[\s;,]+", domain_key, "domain"
    )
    phones = _keys(
        named.get("phone", ()), r"[;,]+", lambda text: phone_key(text, country), "phone number"
    )
    if not (addresses or domains or phones):
        raise ValueError("has no email address, domain or phone number")
    company = " ".join((*named.get("company", ()), "")).strip()
    return Contact(kind, company, addresses, domains, phones, line)


def _host(value: str) -> str:
    """The host of a web address: people fill in `https://www.example.com/contact`."""
    host = re.sub(r"^[a-z]+://", "", value.strip(), flags=re.IGNORECASE)
    return re.split(r"[/:?#]", host)[0].removeprefix("www.")


def _keys(
    values: Sequence[str], between: str, key: Callable[[str], str], what: str
) -> tuple[str, ...]:
    parts = [part for value in values for part in re.split(between, value) if part.strip()]
    keys = [key(part) for part in parts]
    if not all(keys):
        raise ValueError(f"holds something that is no {what}")
    return tuple(keys)
