"""Call detail records found by id, by recording, or by number and time, in a file that grows.

What is remembered of each row is where it stands: a small SQLite file beside the store maps keys to
places, so that a lookup reads one row and a poll only what was appended. It can be deleted at any
time; it is made again, as it is for a file that was replaced.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import structlog

from triage.errors import Configuration, Permanent
from triage.intake.calls import values
from triage.intake.calls.cdr_rows import Columns, Record, delimiter_of, records
from triage.intake.calls.facts import Told, told
from triage.settings import Cdr
from triage.types import Call

log = structlog.get_logger(__name__)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS places
    (key INTEGER, start INTEGER, place INTEGER, PRIMARY KEY (key, start, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state
    (one INTEGER PRIMARY KEY CHECK (one = 1), read INTEGER, head BLOB, tail BLOB, format TEXT);
"""
_CHUNK: Final = 20_000  # rows indexed in one transaction
_EDGE: Final = 256  # bytes by which a file is known again
_TAIL_DIGITS: Final = 7  # of a number: trunks and names write the same one differently
_LEGS: Final = 50  # rows of one id that are looked at


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a lookup: what a row told, or in words what was looked for."""

    told: Told | None
    sought: str = ""


class CdrFile:
    """The records of one source. Safe to use from several threads.

    `index`: the file of places; None keeps them in memory. `where` names the settings in errors.
    """

    def __init__(self, cdr: Cdr, zone: str, country: str, index: Path | None, where: str) -> None:
        self.cdr = cdr
        self._zone = ZoneInfo(cdr.timezone or zone)
        self._country, self._where = country, where
        self._index_path = index
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._columns: Columns | None = None
        self._delimiter = ","

    def find(self, call: Call, file: str) -> Looked:
        """The row of a call whose recording is named `file`.

        Raises `Permanent` where the records cannot be read now, in words for people.
        """
        sought = self._sought(call, file)
        with self._lock:
            try:
                return Looked(self._found(call, file), sought)
            except OSError as error:
                raise Permanent(
                    f"{self.cdr.path} cannot be read ({self._where}.path): {error.strerror}"
                ) from error
            except sqlite3.DatabaseError as error:
                self._forget()
                raise Permanent(f"{self._index_path} was damaged and is made again: {error}") from (
                    error
                )
            except Configuration as error:
                raise Permanent(str(error)) from error

    def check(self) -> str:
        """One line about the file, without indexing it. Raises `Configuration`."""
        try:
            with self.cdr.path.open("rb") as opened:
                size = opened.seek(0, 2)
                self._understood(opened)
        except OSError as error:
            raise Configuration(
                f"{self.cdr.path} cannot be read ({self._where}.path): {error.strerror}"
            ) from error
        return f"{self.cdr.path}, {size / 1e6:.1f} MB"

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _sought(self, call: Call, file: str) -> str:
        parts = [f"id {call.id}" if call.id else "", f"recording {file}"]
        if call.started_at and (number := _outside(call)):
            local = call.started_at.astimezone(self._zone)
            parts.append(f"{number} within {self.cdr.within:g} s of {local:%Y-%m-%d %H:%M:%S}")
        return ", ".join(part for part in parts if part)

    def _found(self, call: Call, file: str) -> Told | None:
        with self.cdr.path.open("rb") as opened:
            self._refresh(opened)
            keys = [_key("id", call.id)] if call.id else []
            keys.append(_key("file", _stem(file)))
            rows = list(self._at(opened, self._places(keys)))
            exact = [told for told in rows if self._is_of(told, call, file)]
            if exact:
                return _best(exact)
            number = _outside(call)
            if not number or call.started_at is None:
                return None
            within = timedelta(seconds=self.cdr.within)
            places = self._places([_key("number", _ending(number))], call.started_at, within)
            rows = [row for row in self._at(opened, places) if _has_number(row, number)]
            return self._nearest(rows, call.started_at)

    def _is_of(self, told: Told, call: Call, file: str) -> bool:
        recorded = told.stated.get("file", "")
        same_file = bool(recorded) and _stem(recorded) == _stem(file)
        return same_file or (bool(call.id) and told.stated.get("id") == call.id)

    def _nearest(self, rows: Sequence[Told], start: datetime) -> Told | None:
        """The row that began nearest; None where two calls are as near."""
        ranked = sorted(
            (
                abs((told.call.started_at - start).total_seconds()),
                told.call.group or told.call.id,
                at,
            )
            for at, told in enumerate(rows)
            if told.call.started_at
        )
        if not ranked:
            return None
        nearest = [entry for entry in ranked if entry[0] == ranked[0][0]]
        if len({group for _, group, _ in nearest}) > 1:
            return None
        return _best([rows[at] for _, _, at in nearest])

    def _at(self, file: BinaryIO, places: Sequence[int]) -> Iterator[Told]:
        for place in places:
            file.seek(place)
            record = next(records(file, self._delimiter), None)
            if record is None or self._columns is None:
                continue
            stated = self._columns.stated(record.row)
            if stated:
                yield told(
                    f"cdr:{self.cdr.path.name}", stated, zone=self._zone, country=self._country
                )

    def _places(
        self, keys: Sequence[int], start: datetime | None = None, within: timedelta = timedelta()
    ) -> list[int]:
        database = self._opened()
        found: list[int] = []
        for key in keys:
            query, more = "SELECT place FROM places WHERE key = ?", []
            if start is not None:
                query += " AND start BETWEEN ? AND ?"
                more = [int((start - within).timestamp()), int((start + within).timestamp()) + 1]
            rows = database.execute(f"{query} ORDER BY place LIMIT ?", (key, *more, _LEGS))
            found += [place for (place,) in rows]
        return list(dict.fromkeys(found))

    def _refresh(self, file: BinaryIO) -> None:
        """Take in what was appended; all of it where the file is not the one it was."""
        database = self._opened()
        size = file.seek(0, 2)
        state = database.execute("SELECT read, head, tail, format FROM state").fetchone()
        layout = self.cdr.model_dump_json(exclude={"wait", "within"}) + self._zone.key
        read = state[0] if state else 0
        if state and (state[3] != layout or read > size or (state[1:3]) != _edges(file, read)):
            log.info("call detail records are read anew", file=str(self.cdr.path))
            database.execute("DELETE FROM places")
            database.execute("DELETE FROM state")
            database.commit()
            self._columns, read = None, 0
        if self._columns is None:
            self._columns = self._understood(file)
        if size == read:
            return
        file.seek(read)
        batch: list[Record] = []
        for record in records(file, self._delimiter):
            batch.append(record)
            if len(batch) == _CHUNK:
                self._store(database, file, batch, layout)
                batch = []
        if batch:
            self._store(database, file, batch, layout)

    def _understood(self, file: BinaryIO) -> Columns | None:
        file.seek(0)
        line = file.readline(_EDGE * 100)
        if not line.endswith(b"\n"):
            return None  # its first line is being written
        self._delimiter = delimiter_of(line.decode("utf-8", "replace"))
        if self.cdr.format == "asterisk":
            self._delimiter = ","
        file.seek(0)
        first = next(records(file, self._delimiter), None)
        return Columns(self.cdr, first.row if first else (), self._where)

    def _store(
        self, database: sqlite3.Connection, file: BinaryIO, batch: Sequence[Record], layout: str
    ) -> None:
        if self._columns is None:
            return
        rows = []
        for record in batch:
            if record.start == 0 and self._columns.has_header:
                continue
            rows += [(key, start, record.start) for key, start in self._keys(record.row)]
        read = batch[-1].end
        back = file.tell()
        edges = _edges(file, read)
        file.seek(back)
        database.executemany("INSERT OR IGNORE INTO places VALUES (?, ?, ?)", sorted(rows))
        database.execute(
            "INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?)", (read, *edges, layout)
        )
        database.commit()

    def _keys(self, row: Sequence[str]) -> Iterator[tuple[int, int]]:
        assert self._columns is not None  # noqa: S101 - the caller asked
        identity, file, caller, dialled, began = self._columns.keys(row)
        start = self._seconds(began)
        if identity:
            yield _key("id", identity), start
        if file:
            yield _key("file", _stem(file)), start
        for party in (caller, dialled) if start else ():
            if len(party) >= _TAIL_DIGITS:
                digits = party if party.isdecimal() else values.digits_of(party)
                if len(digits) >= _TAIL_DIGITS:
                    yield _key("number", digits[-_TAIL_DIGITS:]), start

    def _seconds(self, stated: str) -> int:
        """A time as seconds since 1970; 0 where it is none."""
        try:
            time = datetime.fromisoformat(stated)
        except ValueError:
            found = values.moment(stated, self._zone)
            return int(found.timestamp()) if found else 0
        return int((time if time.tzinfo else time.replace(tzinfo=self._zone)).timestamp())

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            if self._index_path is not None:
                self._index_path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                self._index_path or ":memory:", check_same_thread=False, timeout=30
            )
            self._database.execute("PRAGMA cache_size = -32000")
            self._database.executescript(_SCHEMA)
        return self._database

    def _forget(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._index_path is not None:
            self._index_path.unlink(missing_ok=True)
        self._columns = None


def _best(rows: Sequence[Told]) -> Told:
    """Of several rows of one call (a queue writes one for each phone that rang), the one in which
    somebody answered, and the longest.
    """
    return max(rows, key=lambda r: ("answered" in r.stated, r.call.duration_s or 0.0))


def _outside(call: Call) -> str:
    """The number by which a call is known outside."""
    for party in (call.caller, call.dialled):
        if len(values.digits_of(party)) >= _TAIL_DIGITS and values.is_number(party):
            return party
    return ""


def _has_number(row: Told, number: str) -> bool:
    """Whether a row is about a number; trunks leave out what the office need not dial."""
    wanted = values.digits_of(number)
    parties = (values.digits_of(party) for party in (row.call.caller, row.call.dialled))
    return any(
        party.endswith(wanted) or wanted.endswith(party)
        for party in parties
        if len(party) >= _TAIL_DIGITS
    )


def _ending(number: str) -> str:
    return values.digits_of(number)[-_TAIL_DIGITS:]


def _stem(file: str) -> str:
    """A recording's name without its ending: many are converted after the record was written."""
    name, dot, ending = file.rpartition(".")
    return name if dot and 1 <= len(ending) <= 5 and not ending.isdecimal() else file


def _key(kind: str, value: str) -> int:
    digest = hashlib.blake2b(f"{kind}:{value}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _edges(file: BinaryIO, read: int) -> tuple[bytes, bytes]:
    """The first and the last bytes of what was read."""
    file.seek(0)
    head = file.read(min(_EDGE, read))
    file.seek(max(0, read - _EDGE))
    return hashlib.sha256(head).digest(), hashlib.sha256(file.read(min(_EDGE, read))).digest()
