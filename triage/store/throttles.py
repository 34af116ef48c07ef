"""Slows down whoever guesses passwords, over restarts and over processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from triage.store import records, tables
from triage.store.database import Database

_FORGOTTEN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Key:
    """What is slowed down: `name` at most `longest` seconds at a time, after `free` tries."""

    name: str
    free: int = 5
    longest: float = 900.0

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row."""
        beyond = min(failures - self.free, 20)
        return timedelta(seconds=min(self.longest, 5 * 2.0**beyond) if beyond >= 0 else 0)


@dataclass(frozen=True, slots=True)
class Count:
    """What was known of a key."""

    failures: int
    last_at: datetime
    shut_until: datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """A try. `wait`: the seconds to wait where it was not counted; `before`: by a key's name, what
    was known of it before the try was counted.
    """

    at: datetime
    wait: float = 0.0
    before: Mapping[str, Count] = field(default_factory=dict)


class Throttles:
    """Counts failures. A try is counted before it is made, so that many at once are found out."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, keys: Sequence[Key]) -> float:
        """Count a try for each key; returns 0, or the seconds to wait where one is shut (then
        nothing is counted).
        """
        return self.tried(keys).wait

    def tried(self, keys: Sequence[Key]) -> Tried:
        """As `begin`; what it returns, a key's try can be given back with."""
        table, moment = tables.throttles, records.now()
        ordered = sorted(keys, key=lambda key: key.name)
        with self.database.write() as connection:
            connection.execute(delete(table).where(table.c.last_at < moment - _FORGOTTEN))
            for key in ordered:  # the row is locked from here on, for every writer in this order
                connection.execute(
                    self.database.insert(table)
                    .values(name=key.name, failures=0, last_at=moment, shut_until=moment)
                    .on_conflict_do_update(
                        index_elements=["name"], set_={"failures": table.c.failures}
                    )
                )
            query = select(table).where(table.c.name.in_([key.name for key in ordered]))
            rows = {row.name: row for row in connection.execute(query)}
            shut = max(row.shut_until for row in rows.values())
            if shut > moment:
                return Tried(moment, float((shut - moment).total_seconds()))
            for key in ordered:
                failures = rows[key.name].failures + 1
                connection.execute(
                    table.update()
                    .where(table.c.name == key.name)
                    .values(
                        failures=failures, last_at=moment, shut_until=moment + key.wait(failures)
                    )
                )
        before = {
            name: Count(row.failures, row.last_at, row.shut_until) for name, row in rows.items()
        }
        return Tried(moment, before=before)

    def give_back(self, tried: Tried, key: Key) -> None:
        """It went well: this one try counts no more, and the failures of others stay."""
        table, before = tables.throttles, tried.before[key.name]
        own = table.c.name == key.name
        with self.database.write() as connection:
            connection.execute(table.update().where(own).values(failures=table.c.failures - 1))
            # Where somebody tried since, the times are theirs.
            connection.execute(
                table.update()
                .where(own, table.c.last_at == tried.at)
                .values(last_at=before.last_at, shut_until=before.shut_until)
            )

    def clear(self, keys: Sequence[Key]) -> None:
        """It went well: forget the failures."""
        table = tables.throttles
        with self.database.write() as connection:
            connection.execute(delete(table).where(table.c.name.in_([key.name for key in keys])))
