"""Reads what is known about inquiries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, select

from triage.store import records, tables
from triage.store.database import Database
from triage.store.records import HistoryEntry, Listed
from triage.types import (
    Decision,
    Inquiry,
    Outcome,
    Qualification,
    Stage,
    Transcript,
    Verdict,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which inquiries are meant, beside stage, outcome and label; what is not set says nothing.

    `since` and `until` bound the arrival, the second is left out. `reason`: part of the reason why
    it is quarantined or waits, in any case of letters.
    """

    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    held: bool = False
    id: str = ""


ANY = Chosen()
_LAST = "z" * 40  # after every letter and digit of an id


class Archive:
    """Everything stored about an inquiry, as values. `None` where a stage has no result yet."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def content(self, inquiry_id: str) -> Inquiry | None:
        """What was parsed."""
        return self._value(Inquiry, tables.contents, inquiry_id)

    def transcript(self, inquiry_id: str) -> Transcript | None:
        """What was said."""
        return self._value(Transcript, tables.transcripts, inquiry_id)

    def texts(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Subject of each, and what the person wrote, or else what was said."""
        contents, transcripts = tables.contents, tables.transcripts
        query = select(
            contents.c.inquiry_id, contents.c.data, transcripts.c.data.label("heard")
        ).outerjoin(transcripts, transcripts.c.inquiry_id == contents.c.inquiry_id)
        found: dict[str, tuple[str, str]] = {}
        with self.database.read() as connection:
            for start in range(0, len(ids), 400):  # SQLite bounds the variables of a statement
                part = query.where(contents.c.inquiry_id.in_(ids[start : start + 400]))
                for row in connection.execute(part):
                    inquiry = records.restore(Inquiry, row.data)
                    text = inquiry.text
                    if not text and row.heard:
                        text = records.restore(Transcript, row.heard).text
                    found[row.inquiry_id] = (inquiry.subject, text)
        return found

    def verdict(self, inquiry_id: str) -> Verdict | None:
        """The latest verdict."""
        return self._value(Verdict, tables.verdicts, inquiry_id)

    def qualification(self, inquiry_id: str) -> Qualification | None:
        """The latest qualification."""
        return self._value(Qualification, tables.qualifications, inquiry_id)

    def decision(self, inquiry_id: str) -> Decision | None:
        """The latest decision."""
        with self.database.read() as connection:
            row = connection.execute(_DECISION, {"inquiry": inquiry_id}).first()
        return Decision(Outcome(row.outcome), row.reason) if row else None

    def history(self, inquiry_id: str) -> list[HistoryEntry]:
        """What happened, in order."""
        table = tables.history
        query = select(table).where(table.c.inquiry_id == inquiry_id).order_by(table.c.id)
        with self.database.read() as connection:
            return [
                HistoryEntry(row.at, row.event, records.restore_detail(row.detail))
                for row in connection.execute(query)
            ]

    def listed(
        self,
        *,
        limit: int = 50,
        stage: Stage | None = None,
        outcome: Outcome | None = None,
        label: str | None = None,
        person_id: str | None = None,
        chosen: Chosen = ANY,
    ) -> list[Listed]:
        """Inquiries for a list, newest first, filtered by whatever is given."""
        table, appearances = tables.inquiries, tables.appearances
        query: Select[Any] = select(table).order_by(table.c.received_at.desc(), table.c.id.desc())
        if person_id is not None:
            query = query.join(appearances, appearances.c.inquiry_id == table.c.id)
            query = query.where(appearances.c.person_id == person_id)
        for column, value in (
            (table.c.stage, stage),
            (table.c.outcome, outcome),
            (table.c.label, label),
        ):
            if value is not None:
                query = query.where(column == value)
        for condition in _conditions(chosen):
            query = query.where(condition)
        names = Listed.__dataclass_fields__
        with self.database.read() as connection:
            rows = connection.execute(query.limit(limit)).mappings()
            return [
                Listed(**{name: row[name] for name in names} | {"stage": Stage(row["stage"])})
                for row in rows
            ]

    def held_leads(self) -> dict[str, int]:
        """How many leads of each source wait to be released."""
        table = tables.inquiries
        query = (
            select(table.c.source, func.count().label("number"))
            .where(table.c.held != "", table.c.label == "lead", table.c.outcome == Outcome.REVIEW)
            .group_by(table.c.source)
        )
        with self.database.read() as connection:
            return {row.source: row.number for row in connection.execute(query)}

    def counts(self) -> dict[Stage, int]:
        """How many inquiries stand at each stage."""
        table = tables.inquiries
        query = select(table.c.stage, func.count()).group_by(table.c.stage)
        with self.database.read() as connection:
            found = {Stage(stage): number for stage, number in connection.execute(query)}
        return {stage: found.get(stage, 0) for stage in Stage}

    def find(self, prefix: str) -> list[str]:
        """Ids that begin with `prefix`, ten at most: people type the part that is enough."""
        column = tables.inquiries.c.id
        # Bounds that an index understands; LIKE is one for few databases, and in few languages.
        between = column.between(prefix, prefix + _LAST)
        query = select(column).where(between, column.startswith(prefix, autoescape=True)).limit(10)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def _value(self, kind: type[T], table: Table, inquiry_id: str) -> T | None:
        with self.database.read() as connection:
            data = connection.execute(_NEWEST[table], {"inquiry": inquiry_id}).scalar()
        return None if data is None else records.restore(kind, data)


def _newest(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """The newest row of an inquiry."""
    order = table.c.id if "id" in table.c else table.c.created_at
    query = select(*columns).where(table.c.inquiry_id == bindparam("inquiry"))
    return query.order_by(order.desc()).limit(1)


# Built once: putting a statement together takes longer than the database does to carry it out.
_NEWEST: Final = {
    table: _newest(table, table.c.data)
    for table in (tables.contents, tables.transcripts, tables.verdicts, tables.qualifications)
}
_DECISION: Final = _newest(tables.decisions, tables.decisions.c.outcome, tables.decisions.c.reason)


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    column = tables.inquiries.c
    found: list[ColumnElement[bool]] = []
    if chosen.source:
        found.append(column.source == chosen.source)
    if chosen.since:
        found.append(column.received_at >= chosen.since)
    if chosen.until:
        found.append(column.received_at < chosen.until)
    if chosen.reason:
        found.append(column.error.icontains(chosen.reason, autoescape=True))
    if chosen.id:
        found.append(column.id == chosen.id)
    if chosen.held:
        found.append(column.held != "")
    return found
