"""How each source is doing: when it was last read, what went wrong, when it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from triage.store import records, tables
from triage.store.database import Database


@dataclass(frozen=True, slots=True)
class PollState:
    """The health of a source. `failures` counts failed polls since the last good one."""

    source: str
    last_poll_at: datetime
    last_success_at: datetime | None
    last_item_at: datetime | None
    failures: int
    next_at: datetime
    error: str


class Polls:
    """Remembers every source's last poll, over restarts."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def succeeded(self, source: str, new_items: int, wait: timedelta) -> None:
        """A poll went well and the next is due after `wait`."""
        moment = records.now()
        values = {
            "last_poll_at": moment,
            "last_success_at": moment,
            "failures": 0,
            "next_at": moment + wait,
            "error": "",
        }
        if new_items:
            values["last_item_at"] = moment
        self._save(source, values)

    def failed(self, source: str, failures: int, error: str, wait: timedelta) -> None:
        """A poll failed for the `failures`-th time in a row; the next is due after `wait`."""
        moment = records.now()
        self._save(
            source,
            {
                "last_poll_at": moment,
                "failures": failures,
                "next_at": moment + wait,
                "error": error,
            },
        )

    def state(self, source: str) -> PollState | None:
        """The health of one source; None if it was never polled."""
        return next((state for state in self.states() if state.source == source), None)

    def states(self) -> list[PollState]:
        """The health of all sources that were ever polled."""
        with self.database.read() as connection:
            rows = connection.execute(select(tables.polls).order_by(tables.polls.c.source))
            return [PollState(**row) for row in rows.mappings()]

    def arrivals(self, source: str, last: int) -> list[datetime]:
        """When the newest items that a source showed arrived, oldest first; among them those that
        another source had shown before.
        """
        table, sightings = tables.inquiries, tables.sightings
        query = (
            select(table.c.received_at)
            .join(sightings, sightings.c.inquiry_id == table.c.id)
            .where(sightings.c.source == source)
            .order_by(table.c.received_at.desc())
            .limit(last)
        )
        with self.database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def _save(self, source: str, values: dict[str, object]) -> None:
        with self.database.write() as connection:
            connection.execute(
                self.database.insert(tables.polls)
                .values(source=source, **values)
                .on_conflict_do_update(index_elements=["source"], set_=values)
            )
