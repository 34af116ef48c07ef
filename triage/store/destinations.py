"""What the worker learned about destinations: which ones are stopped, which are left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from triage.store import records, tables
from triage.store.database import Database


@dataclass(frozen=True, slots=True)
class Condition:
    """A destination that does not simply work. `reason` is for people.

    `stopped_at`: it wants nothing any more, until a person enables it. `paused_until`: it is left
    alone until then, after `failures` failures in a row.
    """

    name: str
    stopped_at: datetime | None
    paused_until: datetime | None
    failures: int
    reason: str

    @property
    def is_stopped(self) -> bool:
        """Whether a person has to enable it."""
        return self.stopped_at is not None

    def is_paused(self, now: datetime) -> bool:
        """Whether it is left alone at the moment."""
        return self.paused_until is not None and self.paused_until > now


class Destinations:
    """Conditions by name; a destination without one works."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def conditions(self) -> dict[str, Condition]:
        """Every destination that is stopped or was left alone and did not accept anything since."""
        table = tables.destinations
        with self.database.read() as connection:
            return {
                row.name: Condition(
                    row.name, row.stopped_at, row.paused_until, row.failures, row.reason
                )
                for row in connection.execute(select(table).order_by(table.c.name))
            }

    def stop(self, name: str, reason: str) -> None:
        """It wants nothing any more; what waits for it waits until `enable`."""
        self._put(name, stopped_at=records.now(), paused_until=None, failures=0, reason=reason)

    def pause(self, name: str, until: datetime, failures: int, reason: str) -> None:
        """Leave it alone until then, unless it is stopped."""
        table = tables.destinations
        values = {"paused_until": until, "failures": failures, "reason": reason}
        with self.database.write() as connection:
            connection.execute(
                self.database.insert(table)
                .values(name=name, stopped_at=None, **values)
                .on_conflict_do_update(
                    index_elements=["name"], set_=values, where=table.c.stopped_at.is_(None)
                )
            )

    def recovered(self, name: str) -> None:
        """It accepted something: nothing remarkable any more, unless it was stopped meanwhile."""
        table = tables.destinations
        with self.database.write() as connection:
            connection.execute(
                delete(table).where(table.c.name == name, table.c.stopped_at.is_(None))
            )

    def enable(self, name: str) -> bool:
        """Send to it again, at once; False where nothing was in the way."""
        table = tables.destinations
        with self.database.write() as connection:
            return connection.execute(delete(table).where(table.c.name == name)).rowcount == 1

    def _put(self, name: str, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(
                self.database.insert(tables.destinations)
                .values(name=name, **values)
                .on_conflict_do_update(index_elements=["name"], set_=values)
            )
