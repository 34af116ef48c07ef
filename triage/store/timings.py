"""When each inquiry reached which milestone, from the rows that its steps left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Row, Select, func, select

from triage.store import tables
from triage.store.database import Database
from triage.types import DeliveryState

_PACED: Final = 2000  # inquiries from which the pace is learned
_ENOUGH: Final = 50
_IDLE_S: Final = 2.0  # seconds without anything settled after which there was nothing to do


@dataclass(frozen=True, slots=True)
class Times:
    """The milestones of an inquiry; None where it has not come so far.

    `arrived` is the mail server's word (whole seconds) or the file's, the others are this
    machine's. `delivered`: when the first destination accepted the first event.
    """

    inquiry_id: str
    arrived: datetime
    fetched: datetime
    classified: datetime | None
    settled: datetime | None
    delivered: datetime | None

    def since_arrival(self) -> dict[str, float]:
        """Seconds from arrival to each milestone that was reached; clocks may differ."""
        moments = {
            "fetched": self.fetched,
            "classified": self.classified,
            "settled": self.settled,
            "delivered": self.delivered,
        }
        return {
            name: max(0.0, (moment - self.arrived).total_seconds())
            for name, moment in moments.items()
            if moment is not None
        }


class Timings:
    """Reads times."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, inquiry_id: str) -> Times | None:
        """The times of one inquiry."""
        found = self._read(_query().where(tables.inquiries.c.id == inquiry_id))
        return found[0] if found else None

    def newest(self, limit: int = 1000) -> list[Times]:
        """The times of the inquiries that came last, newest first."""
        return self._read(_query().order_by(tables.inquiries.c.created_at.desc()).limit(limit))

    def pace(self) -> float | None:
        """Seconds between two inquiries that are settled one after the other, while there is
        enough to do; None where there was never enough lately.
        """
        table = tables.inquiries
        query = (
            select(table.c.settled_at)
            .where(table.c.settled_at.is_not(None))
            .order_by(table.c.settled_at.desc())
            .limit(_PACED)
        )
        with self.database.read() as connection:
            moments = list(connection.execute(query).scalars())
        gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(moments)]
        busy = [gap for gap in gaps if gap < _IDLE_S]
        return sum(busy) / len(busy) if len(busy) >= _ENOUGH else None

    def _read(self, query: Select[Any]) -> list[Times]:
        with self.database.read() as connection:
            return [_times(row) for row in connection.execute(query)]


def _query() -> Select[Any]:
    inquiries, verdicts, deliveries = tables.inquiries, tables.verdicts, tables.deliveries
    classified = (
        select(func.min(verdicts.c.created_at))
        .where(verdicts.c.inquiry_id == inquiries.c.id)
        .scalar_subquery()
    )
    delivered = (
        select(func.min(deliveries.c.accepted_at))
        .where(deliveries.c.inquiry_id == inquiries.c.id)
        .where(deliveries.c.state == DeliveryState.ACCEPTED)
        .scalar_subquery()
    )
    return select(
        inquiries.c.id,
        inquiries.c.received_at,
        inquiries.c.created_at,
        inquiries.c.settled_at,
        classified.label("classified_at"),
        delivered.label("delivered_at"),
    )


def _times(row: Row[Any]) -> Times:
    return Times(
        inquiry_id=row.id,
        arrived=row.received_at,
        fetched=row.created_at,
        classified=row.classified_at,
        settled=row.settled_at,
        delivered=row.delivered_at,
    )
