"""Long lists, a page at a time. A page begins after a place, never at a number: however many rows
there are, one page reads as many as it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Final, Generic, Self, TypeVar

from sqlalchemy import ColumnElement, func, select, tuple_

from triage.errors import Usage
from triage.store import records, tables
from triage.store.accounts import ALL, Reach
from triage.store.database import Database
from triage.store.records import Listed
from triage.types import Channel, Delivery, DeliveryState, Outcome, Stage

T = TypeVar("T")
_PARTS: Final = 30


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
    """Rows, newest first, and where the next page begins; None where there is none."""

    rows: Sequence[T]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inquiries are asked for; what is empty says nothing. `until` is left out itself.

    `also`: conditions on `tables.inquiries` that others bring, such as a search.
    """

    label: str = ""
    outcome: Outcome | None = None
    channel: Channel | None = None
    source: str = ""
    campaign: str = ""
    stage: Stage | None = None
    since: datetime | None = None
    until: datetime | None = None
    also: tuple[ColumnElement[bool], ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same, for a query."""
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
        if self.since:
            found.append(column.received_at >= self.since)
        if self.until:
            found.append(column.received_at < self.until)
        return [*found, *self.also]


class Listing:
    """Pages of inquiries and deliveries, within somebody's reach."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def inquiries(
        self, wanted: Wanted, reach: Reach = ALL, *, after: Place | None = None, limit: int = 50
    ) -> Page[Listed]:
        """A page of inquiries, the newest first."""
        table = tables.inquiries
        query = (
            select(table)
            .where(*wanted.conditions())
            .order_by(table.c.received_at.desc(), table.c.id.desc())
            .limit(limit + 1)
        )
        if after:
            query = query.where(_before(table.c.received_at, table.c.id, after))
        names = Listed.__dataclass_fields__
        with self.database.read() as connection:
            rows = [
                Listed(**{name: row[name] for name in names} | {"stage": Stage(row["stage"])})
                for part in _singly(reach)
                for row in connection.execute(query.where(*part.conditions())).mappings()
            ]
        rows.sort(key=lambda row: (row.received_at, row.id), reverse=True)
        return _page(rows, limit, [Place(row.received_at, row.id) for row in rows])

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
        query = (
            select(*[table.c[name] for name in names])
            .order_by(table.c.created_at.desc(), table.c.id.desc())
            .limit(limit + 1)
        )
        if not reach.is_all:
            query = query.join(tables.inquiries, tables.inquiries.c.id == table.c.inquiry_id)
            query = query.where(*reach.conditions())
        if state:
            query = query.where(table.c.state == state)
        if destination:
            query = query.where(table.c.destination == destination)
        if after:
            query = query.where(_before(table.c.created_at, table.c.id, after))
        with self.database.read() as connection:
            rows = [
                Delivery(**dict(row) | {"state": DeliveryState(row["state"]), "body": ""})
                for row in connection.execute(query).mappings()
            ]
        return _page(rows, limit, [Place(row.created_at, row.id) for row in rows])

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
