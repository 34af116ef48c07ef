"""Who looks after a hot lead, and which ones nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select

from triage.store import outbox, records, tables
from triage.store.database import Database
from triage.types import Delivery, Outcome


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody looks after an inquiry. `by` is what they said who they are."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """A hot lead that nobody acknowledged."""

    inquiry_id: str
    identity: str
    settled_at: datetime


class Acknowledgements:
    """One at most for each inquiry: the first counts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def acknowledge(self, inquiry_id: str, by: str) -> bool:
        """Note who looks after it; False where somebody did. Raises `KeyError` if unknown."""
        with self.database.write() as connection:
            column = tables.inquiries.c.id
            if connection.execute(select(column).where(column == inquiry_id)).first() is None:
                raise KeyError(inquiry_id)
            first = connection.execute(
                self.database.insert(tables.acknowledgements)
                .values(inquiry_id=inquiry_id, by=by[:200], at=records.now())
                .on_conflict_do_nothing()
                .returning(tables.acknowledgements.c.inquiry_id)
            ).first()
            if first:
                records.note(connection, inquiry_id, "acknowledged", {"by": by[:200]})
        return first is not None

    def escalate(self, event: Delivery) -> bool:
        """Put an event on its way, unless somebody acknowledged the inquiry meanwhile."""
        table = tables.acknowledgements.c
        with self.database.write() as connection:
            query = select(table.by).where(table.inquiry_id == event.inquiry_id)
            if connection.execute(query).first():
                return False
            outbox.add(connection, [event])
            records.note(
                connection, event.inquiry_id, "escalated", {"destination": event.destination}
            )
        return True

    def get(self, inquiry_id: str) -> Acknowledgement | None:
        """Who looks after an inquiry."""
        table = tables.acknowledgements
        with self.database.read() as connection:
            row = connection.execute(select(table).where(table.c.inquiry_id == inquiry_id)).first()
        return Acknowledgement(row.by, row.at) if row else None

    def overdue(
        self, event: str, waited: timedelta, oldest: timedelta, grades: Sequence[str], score: int
    ) -> list[Overdue]:
        """Forwarded leads of these grades that were decided at least `waited` and at most `oldest`
        ago, that nobody acknowledged and no `event` was written for. Oldest first, at most 100.
        """
        inquiries, moment = tables.inquiries.c, records.now()
        told, done = tables.deliveries.c, tables.acknowledgements.c
        query = (
            select(inquiries.id, inquiries.identity, inquiries.settled_at)
            .where(inquiries.outcome == Outcome.FORWARD, inquiries.score >= score)
            .where(inquiries.grade.in_(grades))
            .where(inquiries.settled_at <= moment - waited)
            .where(inquiries.settled_at >= moment - oldest)
            .where(~exists().where(done.inquiry_id == inquiries.id))
            .where(~exists().where(told.inquiry_id == inquiries.id, told.event == event))
            .order_by(inquiries.settled_at)
            .limit(100)
        )
        with self.database.read() as connection:
            return [Overdue(*row) for row in connection.execute(query)]
