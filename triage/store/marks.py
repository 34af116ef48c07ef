"""What became of each mail, as its mailbox was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ScalarSelect, func, or_, select

from triage.store import records, tables
from triage.store.database import Database

_RECENT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """A sighting whose mailbox does not know the outcome; `previous` is what it was told before."""

    sighting_id: int
    key: str
    outcome: str
    previous: str


class Marks:
    """Remembers what was marked where."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def due(self, source: str, outcomes: Sequence[str], limit: int) -> list[Due]:
        """What is to be marked in a source: mails with one of these outcomes, or with another than
        they were marked with. Only of the last days: switching this on leaves old mail alone, and
        so does a backfill. A mail that somebody moved or copied after it was marked carries its
        mark along, and stays where they put it.
        """
        sightings, inquiries, marks = tables.sightings, tables.inquiries, tables.marks
        carried = _carried().label("carried")
        query = (
            select(
                sightings.c.id,
                sightings.c.key,
                inquiries.c.outcome,
                func.coalesce(marks.c.outcome, carried, "").label("was"),
            )
            .join(inquiries, inquiries.c.id == sightings.c.inquiry_id)
            .outerjoin(marks, marks.c.sighting_id == sightings.c.id)
            .where(sightings.c.source == source, inquiries.c.outcome.is_not(None))
            .where(inquiries.c.settled_at >= records.now() - _RECENT, inquiries.c.held == "")
            .where(
                or_(
                    marks.c.sighting_id.is_(None)
                    & carried.is_(None)
                    & inquiries.c.outcome.in_(outcomes),
                    func.coalesce(marks.c.outcome, carried) != inquiries.c.outcome,
                )
            )
            .order_by(sightings.c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [Due(row.id, row.key, row.outcome, row.was) for row in connection.execute(query)]

    def store(self, results: Sequence[tuple[int, str, str]]) -> None:
        """(sighting, outcome, result) of what was tried; it is not tried again for this outcome."""
        if not results:
            return
        moment = records.now()
        table = tables.marks
        statement = self.database.insert(table)
        with self.database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["sighting_id"],
                    set_={
                        "outcome": statement.excluded.outcome,
                        "result": statement.excluded.result,
                        "at": statement.excluded.at,
                    },
                ),
                [
                    {"sighting_id": sighting, "outcome": outcome, "result": result, "at": moment}
                    for sighting, outcome, result in results
                ],
            )


def _carried() -> ScalarSelect[str]:
    """What a mail was last marked as in its mailbox before it was seen in this place."""
    here, before, marks = tables.sightings, tables.sightings.alias(), tables.marks.alias()
    return (
        select(marks.c.outcome)
        .join(before, before.c.id == marks.c.sighting_id)
        .where(before.c.inquiry_id == here.c.inquiry_id, before.c.source == here.c.source)
        .where(marks.c.result == "done", marks.c.at <= here.c.seen_at, before.c.id != here.c.id)
        .order_by(marks.c.at.desc())
        .limit(1)
        .correlate(here)
        .scalar_subquery()
    )
