"""Long lists, a page at a time. A page begins after a place, never at a number: however many rows
there are, one page reads as many as it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.sql.util import ClauseAdapter

from triage.errors import Usage
from triage.store import records, search, tables, words
from triage.store.accounts import ALL, Reach
from triage.store.database import Database
from triage.store.records import Listed
from triage.store.words import Query
from triage.types import Channel, Delivery, DeliveryState, Outcome, Stage

T = TypeVar("T")
_PARTS: Final = 30

_COLUMNS: Final = [tables.inquiries.c[name] for name in Listed.__dataclass_fields__]
_STAGE: Final = [column.name for column in _COLUMNS].index("stage")
_LOOKED_THROUGH = 5000
"""Matches of a search that one page looks through where filters leave out most of them."""
_PROMISING: Final = 500
"""Of these, the first, which hold a page unless the filters leave out nearly all."""
_FIRST_LOOK: Final = 2000
"""Rows of one filter among which a page of several filters is looked for first, and deliveries of
which a page shows those within somebody's reach.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: a row's time and id. As text it is opaque to whoever pages."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{self.at.timestamp():.6f}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The place in a text, None for an empty one. Raises `Usage` for what is none."""
        if not text:
            return None
        moment, _, name = text.partition("~")
        try:
            at = datetime.fromtimestamp(float(moment), records.now().tzinfo)
        except (ValueError, OverflowError, OSError):
            raise Usage("this is not a place in the list; begin at its first page") from None
        return cls(at, name[:100])


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows, newest first, and where the next page begins; None where there is none.

    A page may hold fewer rows than asked for, even none, and still have a next one: where filters
    leave out most of what a search finds, no page looks through all of it.
    """

    rows: Sequence[T]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inquiries are asked for; what is empty says nothing. `until` is left out itself.

    `words` are searched for as people type them, see `words.parse`. `also`: conditions on
    `tables.inquiries` that others bring.
    """

    label: str = ""
    outcome: Outcome | None = None
    channel: Channel | None = None
    source: str = ""
    campaign: str = ""
    stage: Stage | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    also: tuple[ColumnElement[bool], ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same, for a query."""
        return [*self.filters(), *self.bounds()]

    def filters(self) -> list[ColumnElement[bool]]:
        """Of these, all but what bounds the time of arrival."""
        column = tables.inquiries.c
        found = [
            condition == value
            for condition, value in (
                (column.label, self.label),
                (column.outcome, self.outcome),
                (column.channel, self.channel),
                (column.source, self.source),
                (column.campaign, self.campaign),
                # Nearly all are settled: their index by stage would only have to be sorted.
                (
                    column.stage.concat("") if self.stage is Stage.SETTLED else column.stage,
                    self.stage,
                ),
            )
            if value
        ]
        return [*found, *self.also]

    def bounds(self) -> list[ColumnElement[bool]]:
        """Of these, what bounds the time of arrival."""
        moment = tables.inquiries.c.received_at
        found = []
        if self.since:
            found.append(moment >= self.since)
        if self.until:
            found.append(moment < self.until)
        return found


class Listing:
    """Pages of inquiries and deliveries, within somebody's reach."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def inquiries(
        self, wanted: Wanted, reach: Reach = ALL, *, after: Place | None = None, limit: int = 50
    ) -> Page[Listed]:
        """A page of inquiries, the newest first."""
        table = tables.inquiries
        sought = words.parse(wanted.words)
        if sought:
            return self._found(wanted, reach, sought, after, limit)
        filters, bounds = wanted.filters(), wanted.bounds()
        if after:
            bounds.append(_before(table.c.received_at, table.c.id, after))
        with self.database.read() as connection:
            rows = [
                _listed(row)
                for part in _singly(reach)
                for row in self._newest(
                    connection, [*filters, *part.conditions()], bounds, limit + 1
                )
            ]
        rows.sort(key=lambda row: (row.received_at, row.id), reverse=True)
        return _page(rows, limit, [Place(row.received_at, row.id) for row in rows])

    def _newest(
        self,
        connection: Connection,
        filters: Sequence[ColumnElement[bool]],
        bounds: Sequence[ColumnElement[bool]],
        limit: int,
    ) -> Sequence[Row[Any]]:
        """The newest rows that pass filters, within bounds of the time.

        An index gives the newest of one filter, and the others are looked at row by row. Where they
        seldom or never go together PostgreSQL would read all rows so; there it is told, by an order
        that no index has, to ask the index of all filters first, which leaves little.
        """
        moment, name = tables.inquiries.c.received_at, tables.inquiries.c.id
        query = select(*_COLUMNS).where(*filters, *bounds).limit(limit)
        ordered = query.order_by(moment.desc(), name.desc())
        if self.database.is_sqlite or len(filters) < 2:
            return connection.execute(ordered).all()
        first = select(tables.inquiries).where(filters[0], *bounds)
        some = first.order_by(moment.desc(), name.desc()).limit(_FIRST_LOOK).subquery("some")
        rows = connection.execute(ClauseAdapter(some).traverse(ordered)).all()
        if len(rows) == limit:
            return rows
        nowhere = (moment + text("interval '0'")).desc()
        return connection.execute(query.order_by(nowhere, name.desc())).all()

    def _found(
        self, wanted: Wanted, reach: Reach, sought: Query, after: Place | None, limit: int
    ) -> Page[Listed]:
        """A page of what a search finds. Its places are those of `searchable`."""
        filtered = [*wanted.conditions(), *reach.conditions()]
        below = int(after.id) if after and after.id.isdecimal() and len(after.id) < 19 else None
        most = _LOOKED_THROUGH if filtered else limit + 1
        for look in search.looks(self.database, sought, below):
            found = search.matching(self.database, look, most)
            with self.database.read() as connection:
                self.database.row_by_row(connection)
                # By themselves: what a search found costs more than to look at it, so once only.
                query = select(found.c.id).order_by(found.c.id.desc())
                places = connection.execute(query).scalars().all()
                rows = self._at(connection, places, filtered, limit + 1)
            if len(rows) > limit:
                last = rows[limit - 1]
                return Page([_listed(row) for row in rows[:limit]], _position(last.position))
        end = places[-1] if len(places) == most else search.floor(self.database, look)
        return Page([_listed(row) for row in rows], None if end is None else _position(end))

    def _at(
        self,
        connection: Connection,
        places: Sequence[int],
        conditions: Sequence[ColumnElement[bool]],
        limit: int,
    ) -> Sequence[Row[Any]]:
        """Of the inquiries at these places, which are in order, the first that pass conditions."""
        rows: list[Row[Any]] = []
        for part in (places[:_PROMISING], places[_PROMISING:]):
            if part and len(rows) < limit:
                found = search.these(self.database, part)
                query = _matches(found, conditions).order_by(found.c.id.desc())
                rows += connection.execute(query.limit(limit - len(rows))).all()
        return rows

    def rows(self, ids: Sequence[str], reach: Reach = ALL) -> list[Listed]:
        """Those of these inquiries that are there and within reach, newest first."""
        table = tables.inquiries
        found: list[Listed] = []
        with self.database.read() as connection:
            for start in range(0, len(ids), 400):  # SQLite bounds the variables of a statement
                part = table.c.id.in_(ids[start : start + 400])
                query = select(*_COLUMNS).where(part, *reach.conditions())
                found += [_listed(row) for row in connection.execute(query)]
        return sorted(found, key=lambda row: (row.received_at, row.id), reverse=True)

    def count(self, wanted: Wanted, reach: Reach = ALL, *, most: int = 1000) -> int:
        """How many inquiries there are, counted no further than `most`."""
        filtered = [*wanted.conditions(), *reach.conditions()]
        query: Select[Any] = select(tables.inquiries.c.id).where(*filtered)
        if sought := words.parse(wanted.words):
            *_, look = search.looks(self.database, sought, None)
            found = search.matching(self.database, look, _LOOKED_THROUGH)
            query = _matches(found, filtered).with_only_columns(tables.inquiries.c.id)
        counted = query.limit(most).subquery()
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(counted)).scalar_one()

    def deliveries(
        self,
        reach: Reach = ALL,
        *,
        state: DeliveryState | None = None,
        destination: str = "",
        after: Place | None = None,
        limit: int = 50,
    ) -> Page[Delivery]:
        """A page of deliveries, the newest first; their bodies are left out."""
        table = tables.deliveries
        names = [name for name in Delivery.__dataclass_fields__ if name != "body"]
        most = limit + 1 if reach.is_all else _FIRST_LOOK
        query = (
            select(*[table.c[name] for name in names])
            .order_by(table.c.created_at.desc(), table.c.id.desc())
            .limit(most)
        )
        if state:
            query = query.where(table.c.state == state)
        if destination:
            query = query.where(table.c.destination == destination)
        if after:
            query = query.where(_before(table.c.created_at, table.c.id, after))
        with self.database.read() as connection:
            found = connection.execute(query if reach.is_all else _within(query, reach, limit + 1))
            rows = [
                Delivery(**dict(row) | {"state": DeliveryState(row["state"]), "body": ""})
                for row in found.mappings()
            ]
            page = _page(rows, limit, [Place(row.created_at, row.id) for row in rows])
            if page.next or reach.is_all:
                return page
            return Page(page.rows, _last(connection, query, most))

    def delivery(self, delivery_id: str) -> str | None:
        """The id of the inquiry that a delivery is about; None where there is no such delivery."""
        column = tables.deliveries.c
        query = select(column.inquiry_id).where(column.id == delivery_id)
        with self.database.read() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def changes(self) -> int:
        """A number that grows with whatever happens to any inquiry. Costs a look at an index."""
        with self.database.read() as connection:
            newest = connection.execute(select(func.max(tables.history.c.id))).scalar()
        return newest or 0


def _matches(found: Subquery, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    table, searchable = tables.inquiries, tables.searchable
    return (
        select(*_COLUMNS, found.c.id.label("position"))
        .join(searchable, searchable.c.id == found.c.id)
        .join(table, table.c.id == searchable.c.inquiry_id)
        .where(*conditions)
    )


def _within(query: Select[Any], reach: Reach, limit: int) -> Select[Any]:
    """Those of some deliveries whose inquiries are within reach, in the same order."""
    some, table = query.subquery("some"), tables.inquiries
    return (
        select(some)
        .join(table, table.c.id == some.c.inquiry_id)
        .where(*reach.conditions())
        .order_by(some.c.created_at.desc(), some.c.id.desc())
        .limit(limit)
    )


def _last(connection: Connection, query: Select[Any], most: int) -> Place | None:
    """Where some deliveries end, if there are that many; None where no more can follow."""
    row = connection.execute(query.offset(most - 1).limit(1)).first()
    return Place(row.created_at, row.id) if row else None


def _position(number: int) -> Place:
    return Place(search.second(number), str(number))


def _listed(row: Row[Any]) -> Listed:
    values = list(row[: len(_COLUMNS)])
    values[_STAGE] = Stage(values[_STAGE])
    return Listed(*values)


def _singly(reach: Reach) -> list[Reach]:
    """A reach as several of one source and one campaign each, because an index gives the newest of
    one, but not of several, without sorting all of them.
    """
    parts = list(product(reach.sources or [""], reach.campaigns or [""]))
    if len(parts) > _PARTS:
        return [reach]
    return [Reach(tuple(filter(None, [s])), tuple(filter(None, [c]))) for s, c in parts]


def _before(moment: ColumnElement[Any], name: ColumnElement[Any], place: Place) -> Any:
    return tuple_(moment, name) < tuple_(place.at, place.id)


def _page(rows: list[T], limit: int, places: list[Place]) -> Page[T]:
    return Page(rows[:limit], places[limit - 1] if len(rows) > limit else None)
