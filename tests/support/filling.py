"""Puts a year of inquiries into a store, without the worker and as fast as the database can.

Indexes are made when the rows are there, and foreign keys are not looked at: what is written is
whole. The statistics are gathered at the end, as a database that has run for a while has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from tests.support.year import COLUMNS, NEWEST, Rows, Words, Year
from triage.store import tables
from triage.store.repository import Repository

_SEARCHED = (*COLUMNS["searchable"], "words")
_LEARN = "INSERT INTO inquiry_words (rowid, sender, subject, text) VALUES (?, ?, ?, ?)"
_INDEXES = {
    True: "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    False: (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conname = indexname)"
    ),
}


def fill(repository: Repository, year: Year, said: Callable[[str], None] = lambda _: None) -> None:
    """Write a year into an empty store, and gather statistics. `said` is told how far it is."""
    sqlite = repository.database.is_sqlite
    put = _put_sqlite if sqlite else _put_postgresql
    with _plainly(repository.database.engine, sqlite=sqlite) as cursor:
        with _in_bulk(cursor, sqlite=sqlite), _without_indexes(cursor, said, sqlite=sqlite):
            done = 0
            for rows, found in year.batches():
                put(cursor, rows, found)
                done += len(found)
                if done % 50_000 == 0:
                    said(f"{done:,} of {year.count:,}")
        if not sqlite:
            for name, last in year.last_ids().items():
                cursor.execute(f"SELECT setval('{name}_id_seq', {last})")
        said("statistics")
        cursor.execute("ANALYZE" if sqlite else "VACUUM ANALYZE")
    with repository.database.write() as connection:
        connection.execute(
            tables.review_progress.insert().values(name="settled", settled_at=NEWEST)
        )


@contextmanager
def _plainly(engine: Engine, *, sqlite: bool) -> Iterator[Any]:
    """The driver's own cursor, each statement a transaction of its own."""
    connection: Any = engine.raw_connection()
    if not sqlite:
        connection.dbapi_connection.autocommit = True
    cursor = connection.cursor()
    yield cursor
    cursor.close()
    connection.detach()
    connection.close()


@contextmanager
def _in_bulk(cursor: Any, *, sqlite: bool) -> Iterator[None]:
    begin, end = (
        (("PRAGMA synchronous=OFF", "PRAGMA foreign_keys=OFF", "PRAGMA cache_size=-400000"),
         ("PRAGMA synchronous=NORMAL", "PRAGMA foreign_keys=ON", "PRAGMA cache_size=-2000"))
        if sqlite
        else (("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"),
              ("RESET session_replication_role", "RESET maintenance_work_mem"))
    )  # fmt: skip
    for statement in begin:
        cursor.execute(statement)
    yield
    for statement in end:
        cursor.execute(statement)


@contextmanager
def _without_indexes(cursor: Any, said: Callable[[str], None], *, sqlite: bool) -> Iterator[None]:
    found = cursor.execute(_INDEXES[sqlite]).fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for name, statement in found:
        said(f"index {name}")
        cursor.execute(statement)


def _put_postgresql(cursor: Any, rows: Rows, found: Sequence[Words]) -> None:
    for name, columns in COLUMNS.items():
        values: Sequence[tuple[Any, ...]] = rows[name]
        if name == "searchable":
            columns = _SEARCHED  # noqa: PLW2901 - one more, which only this database has
            values = [(*row, one.vector) for row, one in zip(rows[name], found, strict=True)]
        named = ", ".join(f'"{column}"' for column in columns)
        with cursor.copy(f"COPY {name} ({named}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)


def _put_sqlite(cursor: Any, rows: Rows, found: Sequence[Words]) -> None:
    cursor.execute("BEGIN")
    for name, columns in COLUMNS.items():
        named = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        cursor.executemany(
            f"INSERT INTO {name} ({named}) VALUES ({marks})",
            [tuple(map(_plain, row)) for row in rows[name]],
        )
    cursor.executemany(_LEARN, [(one.place, one.sender, one.subject, one.text) for one in found])
    cursor.execute("COMMIT")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value
