"""What people confirmed, which of it a look found to be in doubt, and what they answered to that.

A doubt is about one word of a person, a row of `corrections`. Once somebody says something else of
the inquiry, or keeps what was said, the doubt is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from triage.store import records, tables
from triage.store.accounts import ALL, Reach
from triage.store.confirmed import Confirmations, Confirmed
from triage.store.database import Database


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said that still stands. `kept`: somebody looked at it again and stayed with
    it.
    """

    correction_id: int
    said: Confirmed
    kept: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """A confirmed label that is probably wrong. `sure`: of the two labels, how likely the
    `proposed` one is; `alike`: inquiries that people gave that label, the nearest first.
    """

    correction_id: int
    inquiry_id: str
    label: str
    proposed: str
    sure: float
    why: str
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A look through all confirmed labels: how many there were, how many are in doubt."""

    at: datetime
    by: str
    model: str
    confirmed: int
    found: int


@dataclass(frozen=True, slots=True)
class Answers:
    """How often people took what was proposed, and how often they kept what was said."""

    taken: int
    kept: int


class Doubts:
    """Labels in doubt. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def words(self) -> Iterator[Word]:
        """Everything that people confirmed, oldest word first."""
        said, checks = tables.corrections, tables.label_checks
        newest = select(said.c.inquiry_id, func.max(said.c.id).label("id"))
        with self.database.read() as connection:
            rows = connection.execute(newest.group_by(said.c.inquiry_id))
            ids = {row.inquiry_id: row.id for row in rows}
            kept = set(connection.execute(select(checks.c.correction_id).where(checks.c.kept))
                       .scalars())  # fmt: skip
        for confirmed in Confirmations(self.database).all():
            if number := ids.get(confirmed.inquiry_id):
                yield Word(number, confirmed, number in kept)

    def found(self, doubts: Sequence[Doubt], look: Look) -> None:
        """Keep what a look found instead of what the last one did."""
        table = tables.label_doubts
        with self.database.write() as connection:
            connection.execute(delete(table))
            for start in range(0, len(doubts), 400):
                connection.execute(
                    insert(table), [_row(doubt) for doubt in doubts[start : start + 400]]
                )
            connection.execute(
                insert(tables.label_looks).values(
                    at=look.at, by=look.by, model=look.model,
                    confirmed=look.confirmed, found=look.found,
                )
            )  # fmt: skip

    def last(self) -> Look | None:
        """The last look; None where nobody looked yet."""
        table = tables.label_looks
        with self.database.read() as connection:
            row = connection.execute(select(table).order_by(table.c.id.desc()).limit(1)).first()
        return Look(row.at, row.by, row.model, row.confirmed, row.found) if row else None

    def open(
        self, reach: Reach = ALL, *, skip: Sequence[str] = (), limit: int = 100
    ) -> list[Doubt]:
        """What is still in doubt, the surest first."""
        table = tables.label_doubts
        query = (
            select(table)
            .where(*_still(), *_within(reach))
            .order_by(table.c.sure.desc(), table.c.inquiry_id)
            .limit(limit)
        )
        if skip:
            query = query.where(table.c.inquiry_id.not_in(skip))
        with self.database.read() as connection:
            return [
                Doubt(row.correction_id, row.inquiry_id, row.label, row.proposed, row.sure,
                      row.why, tuple(json.loads(row.alike)))
                for row in connection.execute(query)
            ]  # fmt: skip

    def count(self, reach: Reach = ALL) -> int:
        """How many are still in doubt."""
        table = tables.label_doubts
        query = select(func.count()).select_from(table).where(*_still(), *_within(reach))
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def of(self, inquiry_id: str) -> Doubt | None:
        """The doubt about an inquiry's label; None where there is none any more."""
        table = tables.label_doubts
        query = select(table).where(table.c.inquiry_id == inquiry_id, *_still())
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Doubt(row.correction_id, row.inquiry_id, row.label, row.proposed, row.sure,
                     row.why, tuple(json.loads(row.alike)))  # fmt: skip

    def answered(self, doubt: Doubt, by: str, *, kept: bool) -> None:
        """Keep what somebody answered."""
        with self.database.write() as connection:
            connection.execute(
                insert(tables.label_checks).values(
                    inquiry_id=doubt.inquiry_id,
                    correction_id=doubt.correction_id,
                    label=doubt.label,
                    proposed=doubt.proposed,
                    kept=kept,
                    by=by,
                    at=records.now(),
                )
            )

    def answers(self) -> Answers:
        """What people answered so far."""
        table = tables.label_checks
        query = select(table.c.kept, func.count()).group_by(table.c.kept)
        with self.database.read() as connection:
            found = {bool(kept): number for kept, number in connection.execute(query)}
        return Answers(found.get(False, 0), found.get(True, 0))


def _still() -> list[ColumnElement[bool]]:
    """A doubt holds: the word in doubt is the last one, and nobody kept it."""
    table, said, checks = tables.label_doubts, tables.corrections, tables.label_checks
    newer = select(said.c.id).where(
        and_(said.c.inquiry_id == table.c.inquiry_id, said.c.id > table.c.correction_id)
    )
    answered = select(checks.c.id).where(checks.c.correction_id == table.c.correction_id)
    return [~newer.exists(), ~answered.exists()]


def _within(reach: Reach) -> list[ColumnElement[bool]]:
    limits = reach.conditions()
    if not limits:
        return []
    seen = select(tables.inquiries.c.id).where(*limits)
    return [tables.label_doubts.c.inquiry_id.in_(seen)]


def _row(doubt: Doubt) -> dict[str, object]:
    return {
        "inquiry_id": doubt.inquiry_id,
        "correction_id": doubt.correction_id,
        "label": doubt.label,
        "proposed": doubt.proposed,
        "sure": doubt.sure,
        "why": doubt.why,
        "alike": json.dumps(list(doubt.alike)),
    }
