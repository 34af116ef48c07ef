"""Records of a CSV file by their place in it, and what a row of each format says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from triage.errors import Configuration
from triage.settings import Cdr

_MASTER: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp",
    "lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
_UNIQUE: Final = re.compile(r"[\w.-]*\d{6,}\.\d+")
_CHANNEL: Final = re.compile(r"(?:PJSIP|SIP|IAX2|SCCP|Local|DAHDI)/(\d{2,6})[-@]")
_NAMED: Final = re.compile(r'\s*"?(.*?)"?\s*<[^>]*>\s*')
_SPAN: Final = 30  # lines that one record may have; a forgotten quote reaches no further
_LONGEST: Final = 65_536  # bytes of a line


@dataclass(frozen=True, slots=True)
class Record:
    """A row with the place of its first byte and that of the byte behind it."""

    start: int
    end: int
    row: Sequence[str]


def records(file: BinaryIO, delimiter: str) -> Iterator[Record]:
    """The complete records from where the file stands; one that is still written is left."""
    at = file.tell()
    while line := file.readline(_LONGEST):
        raw: bytes | None = line
        if line.count(b'"') % 2:
            raw = _spanning(file, line, at)
        if raw is None:
            return
        if not raw.endswith(b"\n") and len(raw) < _LONGEST:
            return
        text = raw.decode("utf-8-sig" if at == 0 else "utf-8", "replace")
        try:
            row = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            row = []
        yield Record(at, at + len(raw), row)
        at += len(raw)


def _spanning(file: BinaryIO, line: bytes, at: int) -> bytes | None:
    """A record that goes on in the next lines; None where its end is not written yet.

    A quote that nobody closed spoils one line only.
    """
    raw = line
    for _ in range(_SPAN):
        following = file.readline(_LONGEST)
        if not following:
            return None
        raw += following
        if not raw.count(b'"') % 2:
            return raw
    file.seek(at + len(line))
    return line


class Columns:
    """Which column of a file holds what. `header` is its first row.

    Raises `Configuration` where the settings name a column that is not there.
    """

    def __init__(self, cdr: Cdr, header: Sequence[str], where: str) -> None:
        self._format = cdr.format
        self._names = [_plain(name) for name in header]
        self._at: dict[str, int] = {}
        self.has_header = cdr.format == "freepbx"
        if cdr.format == "freepbx" and not {"src", "dst"} <= set(self._names):
            raise Configuration(
                f"{where}: {cdr.path} has no columns src and dst in its first line; it has "
                f"{', '.join(header)[:200] or 'none'}. format = 'asterisk' is for files without "
                "headers, 'csv' for others"
            )
        for name, column in cdr.columns.items():
            self._at[name] = self._found(name, column, header, where, cdr)
            self.has_header |= isinstance(column, str)

        self._keyed = self._places()

    def _found(
        self, field: str, column: str | int, header: Sequence[str], where: str, cdr: Cdr
    ) -> int:
        if isinstance(column, int):
            return column - 1
        if _plain(column) in self._names:
            return self._names.index(_plain(column))
        raise Configuration(
            f"{where}.columns.{field}: {cdr.path} has no column {column!r}; its first line has "
            f"{', '.join(header)[:300] or 'nothing'}"
        )

    def keys(self, row: Sequence[str]) -> tuple[str, str, str, str, str]:
        """Of a row what it is found by: id, name of the recording, caller, dialled, start.

        Like `stated`, for millions of rows.
        """
        at = self._keyed
        row = row if len(row) > max(at) else [*row, *[""] * len(_MASTER)]
        found = [row[place].strip() if 0 <= place < len(row) else "" for place in at]
        if self._format == "asterisk" and not _UNIQUE.fullmatch(found[0]):
            found[0] = ""
        if "/" in found[1] or "\\" in found[1]:
            found[1] = re.split(r"[/\\]", found[1])[-1]
        return (found[0], found[1], found[2], found[3], found[4])

    def _places(self) -> tuple[int, ...]:
        if self._format == "asterisk":
            return (len(_MASTER), -1, _MASTER.index("src"), _MASTER.index("dst"), 9)
        if self._format == "freepbx":
            wanted = ("uniqueid", "recordingfile", "src", "dst", "calldate")
            return tuple(self._names.index(w) if w in self._names else -1 for w in wanted)
        wanted = ("id", "recording", "caller", "dialled", "start")
        return tuple(self._at.get(name, -1) for name in wanted)

    def stated(self, row: Sequence[str]) -> dict[str, str]:
        """The fields of a row, and `file`: the name of its recording. Empty for a broken row."""
        if self._format == "csv":
            found = {name: row[at] for name, at in self._at.items() if 0 <= at < len(row)}
        elif self._format == "freepbx":
            found = _asterisk(dict(zip(self._names, row, strict=False)))
        else:
            found = _asterisk(_master(row))
        if "recording" in found:
            found["file"] = re.split(r"[/\\]", found["recording"])[-1]
        return {name: value.strip() for name, value in found.items() if value.strip()}


def _master(row: Sequence[str]) -> dict[str, str]:
    """Master.csv of Asterisk, whose last columns depend on `cdr.conf` (loguniqueid, loguserfield,
    newcdrcolumns): sixteen, then unique id, user field, then peeraccount, linkedid and sequence.
    """
    if len(row) < len(_MASTER):
        return {}
    named = dict(zip(_MASTER, row, strict=False))
    rest = list(row[len(_MASTER) :])
    if len(rest) >= 3:
        named |= dict(zip(("peeraccount", "linkedid", "sequence"), rest[-3:], strict=True))
        rest = rest[:-3]
    if len(rest) >= 2 or (rest and _UNIQUE.fullmatch(rest[0])):
        named["uniqueid"] = rest[0]
    return named


def _asterisk(named: Mapping[str, str]) -> dict[str, str]:
    """What Asterisk's fields mean, whichever file they stand in; FreePBX has a few of its own."""
    if not named.get("src") and not named.get("dst"):
        return {}
    name = _NAMED.fullmatch(named.get("clid", ""))
    answered = _CHANNEL.match(named.get("dstchannel", ""))
    placed = _CHANNEL.match(named.get("channel", ""))
    context = named.get("dcontext", "")
    direction = ""
    if named.get("did") or context.startswith(("from-trunk", "from-pstn", "from-did")):
        direction = "inbound"
    shown = named.get("cnam") or (name[1] if name else "")
    agent = placed if placed and not answered else answered
    return {
        "id": named.get("uniqueid", ""),
        "group": named.get("linkedid", ""),
        "caller": named.get("cnum") or named.get("src", ""),
        "name": "" if shown == named.get("src") else shown,
        "dialled": named.get("did") or named.get("dst", ""),
        "direction": direction,
        "agent": agent[1] if agent else "",
        "start": named.get("calldate") or named.get("start", ""),
        "duration": named.get("duration", ""),
        "recording": named.get("recordingfile", ""),
        "answered": "yes" if named.get("disposition", "").upper() == "ANSWERED" else "",
    }


def delimiter_of(line: str) -> str:
    """What separates the columns of a line."""
    return max(",;\t|", key=line.count)


def _plain(name: str) -> str:
    return " ".join(name.strip().strip('"').lower().split())
