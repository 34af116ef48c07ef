"""Who changed what, and from where. Rows are only added; the database refuses anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from triage.store import records, tables
from triage.store.database import Database


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account's id and name, and the network address they came from."""

    id: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `subject` is what was changed: a user's name, an inquiry's or delivery's id."""

    id: int
    at: datetime
    user_id: str
    by: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    address: str


def note(
    connection: Connection,
    actor: Actor,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry, in the transaction that makes it true."""
    connection.execute(
        tables.audit.insert().values(
            at=records.now(),
            user_id=actor.id,
            by=actor.name,
            action=action,
            subject=subject,
            detail=records.dump_detail(detail or {}),
            address=actor.address,
        )
    )


class Audit:
    """The log of changes."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(
        self, actor: Actor, action: str, subject: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Add an entry about something that has a transaction of its own."""
        with self.database.write() as connection:
            note(connection, actor, action, subject, detail)

    def listed(self, *, before: int | None = None, limit: int = 50) -> list[Entry]:
        """The newest entries, or the newest before an entry's id."""
        table = tables.audit
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.id < before)
        with self.database.read() as connection:
            return [
                Entry(**dict(row) | {"detail": records.restore_detail(row["detail"])})
                for row in connection.execute(query).mappings()
            ]
