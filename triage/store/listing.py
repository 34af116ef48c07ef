"""Pages of the list of inquiries, newest first: filtered, searched, and never counted through.

A page is found by where the one before it ended, so the thousandth costs what the first does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_

from triage.store import search, tables, words
from triage.store.accounts import ALL, Reach
from triage.store.database import Database
from triage.store.records import Listed
from triage.types import Stage

_LOOKED_THROUGH = 5000
"""Matches that one page looks through where filters leave out most of them."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which inquiries; what is empty says nothing. `since` and `until` bound the arrival, the
    second is left out. `words` are searched for as people type them (see `words.parse`).
    """

    label: str = ""
    outcome: str = ""
    channel: str = ""
    source: str = ""
    campaign: str = ""
    stage: str = ""
    since: datetime | None = None
    until: datetime | None = None
    held: bool | None = None
    words: str = ""
    reach: Reach = ALL


@dataclass(frozen=True, slots=True)
class Page:
    """Some inquiries, newest first. `next`: where the next page begins; empty after the last one.

    A page may hold fewer than asked for, even none, and still have a next one: where filters leave
    out most of what matches, no page looks through all of it.
    """

    rows: tuple[Listed, ...]
    next: str


class Listing:
    """Reads pages of inquiries."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def page(self, filters: Filters, before: str = "", limit: int = 50) -> Page:
        """The page that begins where another ended (`Page.next`), or the first one.

        A `before` that no page gave begins anew.
        """
        query = words.parse(filters.words)
        if query:
            return self._searched(filters, query, before, limit)
        return self._listed(filters, before, limit)

    def count(self, filters: Filters, most: int = 1000) -> int:
        """How many there are, counted no further than `most`."""
        query = words.parse(filters.words)
        table = tables.inquiries
        if query:
            found = search.matching(self.database, query, None, _LOOKED_THROUGH)
            rows = self._matches(filters, found).with_only_columns(table.c.id)
        else:
            rows = select(table.c.id).where(*_conditions(filters))
        counted = rows.limit(most).subquery()
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(counted)).scalar_one()

    def rows(self, ids: Sequence[str], reach: Reach = ALL) -> tuple[Listed, ...]:
        """The rows of these inquiries, newest first."""
        table = tables.inquiries
        found: list[Row[Any]] = []
        with self.database.read() as connection:
            for start in range(0, len(ids), 400):  # SQLite bounds the variables of a statement
                part = table.c.id.in_(ids[start : start + 400])
                found += connection.execute(select(table).where(part, *reach.conditions())).all()
        return _values(sorted(found, key=lambda row: (row.received_at, row.id), reverse=True))

    def _listed(self, filters: Filters, before: str, limit: int) -> Page:
        table = tables.inquiries
        query = select(table).where(*_conditions(filters))
        if place := _place(before):
            query = query.where(tuple_(table.c.received_at, table.c.id) < tuple_(*place))
        query = query.order_by(table.c.received_at.desc(), table.c.id.desc()).limit(limit + 1)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(_values(rows[:limit]), _cursor(last) if last else "")

    def _searched(self, filters: Filters, query: words.Query, before: str, limit: int) -> Page:
        start = int(before) if before.isdecimal() and len(before) < 19 else None
        most = _LOOKED_THROUGH if _conditions(filters) else limit + 1
        found = search.matching(self.database, query, start, most)
        rows = self._matches(filters, found).order_by(found.c.id.desc()).limit(limit + 1)
        with self.database.read() as connection:
            page = connection.execute(rows).all()
            if len(page) > limit:
                return Page(_values(page[:limit]), str(page[limit - 1].place))
            looked, oldest = connection.execute(
                select(func.count(), func.min(found.c.id)).select_from(found)
            ).one()
        return Page(_values(page), str(oldest) if looked == most else "")

    def _matches(self, filters: Filters, found: Any) -> Select[Any]:
        table, searchable = tables.inquiries, tables.searchable
        return (
            select(table, found.c.id.label("place"))
            .join(searchable, searchable.c.id == found.c.id)
            .join(table, table.c.id == searchable.c.inquiry_id)
            .where(*_conditions(filters))
        )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    column = tables.inquiries.c
    names = ("label", "outcome", "channel", "source", "campaign", "stage")
    found = [column[name] == value for name in names if (value := getattr(filters, name))]
    if filters.since:
        found.append(column.received_at >= filters.since)
    if filters.until:
        found.append(column.received_at < filters.until)
    if filters.held is not None:
        found.append(column.held != "" if filters.held else column.held == "")
    return found + filters.reach.conditions()


def _values(rows: Sequence[Row[Any]]) -> tuple[Listed, ...]:
    names = Listed.__dataclass_fields__
    return tuple(
        Listed(**{name: getattr(row, name) for name in names} | {"stage": Stage(row.stage)})
        for row in rows
    )


def _cursor(row: Row[Any]) -> str:
    return f"{row.received_at.timestamp():.6f}_{row.id}"


def _place(before: str) -> tuple[datetime, str] | None:
    moment, _, name = before.partition("_")
    try:
        return (datetime.fromtimestamp(float(moment), UTC), name) if name else None
    except (ValueError, OverflowError, OSError):
        return None
