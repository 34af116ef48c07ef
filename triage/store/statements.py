"""What people say that an inquiry states, or does not. Rows are added, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, insert, select, update

from classifiers.labels import SignalName
from triage.store import records, tables
from triage.store.database import Database
from triage.store.records import Work
from triage.types import Signal

CORRECTED = "signal corrected"
"""The event in an inquiry's history."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody said that a signal is this; `signal` is None where it was not stated. `previous` is
    the value that held before, empty for none. `undoes`: the statement that this takes back, so
    that what was found without it holds again. `id` is 0 for one that is not stored yet.
    """

    name: SignalName
    signal: Signal | None
    previous: str
    by: str
    at: datetime
    undoes: int | None = None
    id: int = 0


class Statements:
    """The statements about inquiries."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, inquiry_id: str) -> list[Statement]:
        """What people said about an inquiry, in order, what was taken back among it."""
        table = tables.statements
        query = select(table).where(table.c.inquiry_id == inquiry_id).order_by(table.c.id)
        with self.database.read() as connection:
            return [
                Statement(
                    cast("SignalName", row.signal),
                    records.restore(Signal, row.data) if row.data else None,
                    row.previous,
                    row.by,
                    row.created_at,
                    row.undoes,
                    row.id,
                )
                for row in connection.execute(query)
            ]

    def add(self, work: Work, statement: Statement) -> bool:
        """Add one of which nothing else follows, because the inquiry is no lead; who is making it
        one looks again. False, and nothing is added, where it was settled since `work` was read.
        """
        table = tables.inquiries
        with self.database.write() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.id == work.id, table.c.due_at == work.due_at)
                .values(due_at=records.now())
            )
            if moved.rowcount == 1:
                write(connection, work.id, statement)
        return moved.rowcount == 1


def holding(statements: Sequence[Statement]) -> dict[SignalName, Statement]:
    """The latest statement about each signal that nobody took back."""
    undone = {one.undoes for one in statements}
    return {one.name: one for one in statements if one.undoes is None and one.id not in undone}


def write(connection: Connection, inquiry_id: str, statement: Statement) -> None:
    """Add a statement in the transaction of what follows from it."""
    signal = statement.signal
    connection.execute(
        insert(tables.statements).values(
            inquiry_id=inquiry_id,
            signal=statement.name,
            data=records.dump(signal) if signal else None,
            previous=statement.previous,
            undoes=statement.undoes,
            by=statement.by,
            created_at=statement.at,
        )
    )
    now = "taken back" if statement.undoes else (signal.value if signal else "not stated")
    detail = {"signal": statement.name, "from": statement.previous or "not stated", "to": now}
    if signal and signal.normalized and signal.normalized != signal.value:
        detail["normalized"] = signal.normalized
    quotes = [evidence.quote for evidence in signal.evidence] if signal else []
    records.note(
        connection, inquiry_id, CORRECTED, {**detail, "by": statement.by, "evidence": quotes}
    )
