"""What inquiries were taken for, and which are like one another: what the queue is filled by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    func,
    select,
)

from triage.store import records, tables
from triage.store.database import Database
from triage.types import Outcome, Stage, Verdict

PERSON = "person"
"""How the model of a verdict begins that a person gave."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An inquiry that was decided, with what tells whether a person should see it."""

    inquiry_id: str
    settled_at: datetime
    outcome: str
    label: str
    own: str
    score: int | None
    held: bool
    verdict: Verdict

    @property
    def by_person(self) -> bool:
        """Whether a person said what it is."""
        return self.verdict.model.startswith(PERSON)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An inquiry of the same sender, or with nearly the same text. `said`: by a person."""

    inquiry_id: str
    label: str
    said: bool


class Settlements:
    """Settled inquiries with their latest verdicts. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def settled(self, since: datetime, most: int) -> dict[str, datetime]:
        """Inquiries that were settled at that time or later, in that order, and when."""
        with self.database.read() as connection:
            rows = connection.execute(_SINCE, {"since": since, "most": most})
            return {row.id: row.settled_at for row in rows}

    def undecided(self, batch: int = 500) -> Iterator[list[Settled]]:
        """All that waits for a person's word, some at once, in the order of their ids."""
        table, after = tables.inquiries, ""
        waiting = (table.c.stage == Stage.SETTLED, table.c.outcome == Outcome.REVIEW)
        query = select(table).where(*waiting).order_by(table.c.id).limit(batch)
        while found := self._with_verdicts(query.where(table.c.id > after), {}):
            after = found[-1].inquiry_id
            yield [each for each in found if not each.by_person]

    def some(self, ids: Sequence[str]) -> list[Settled]:
        """Those of these inquiries (some hundred at most) that are settled."""
        found = self._with_verdicts(_SOME, {"ids": ids}) if ids else []
        return [each for each in found if each.outcome]

    def _with_verdicts(self, query: Select[Any], bound: Mapping[str, Any]) -> list[Settled]:
        with self.database.read() as connection:
            rows = {row.id: row for row in connection.execute(query, bound)}
        found = {
            row.inquiry_id: records.restore(Verdict, row.data)
            for row in self._verdicts(_VERDICTS, list(rows))
        }
        return [_settled(row, found[name]) for name, row in rows.items() if name in found]

    def filed(self, since: datetime | None) -> int:
        """How many inquiries were filed since then."""
        table = tables.inquiries
        query = select(func.count()).where(table.c.outcome == Outcome.FILE)
        if since is not None:
            query = query.where(table.c.received_at >= since)
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def neighbours(self, inquiry_id: str, most: int = 50) -> list[Neighbour]:
        """Settled inquiries of the same sender or with nearly the same text, newest first."""
        ids = self.alike(inquiry_id, most)
        table = tables.inquiries
        with self.database.read() as connection:
            sender = select(table.c.sender).where(table.c.id == inquiry_id).scalar_subquery()
            same = select(table.c.id).where(table.c.sender == sender, table.c.sender != "")
            ids += connection.execute(same.limit(most)).scalars()
            ids = list(dict.fromkeys(name for name in ids if name != inquiry_id))
            return [
                Neighbour(row.inquiry_id, row.label, row.model.startswith(PERSON))
                for row in connection.execute(_SAID, {"ids": ids})
            ]

    def alike(self, inquiry_id: str, most: int) -> list[str]:
        """Inquiries that share a sketch with one: nearly the same text, most of them."""
        table = tables.searchable
        found: dict[str, None] = {}
        with self.database.read() as connection:
            own = connection.execute(select(table).where(table.c.inquiry_id == inquiry_id)).first()
            for name in tables.SKETCHES if own and own.sketch_1 is not None else ():
                same = (
                    select(table.c.inquiry_id)
                    .where(table.c[name] == getattr(own, name))
                    .order_by(table.c.id.desc())
                    .limit(most)
                )
                found.update((other, None) for other in connection.execute(same).scalars())
        return [name for name in found if name != inquiry_id]

    def said_by_people(self, ids: Sequence[str]) -> set[str]:
        """Of which of these the latest verdict is a person's."""
        rows = self._verdicts(_SAID, ids)
        return {row.inquiry_id for row in rows if row.model.startswith(PERSON)}

    def _verdicts(self, latest: Select[Any], ids: Sequence[str]) -> list[Row[Any]]:
        with self.database.read() as connection:
            return [
                row
                for start in range(0, len(ids), 400)  # SQLite bounds the variables of a statement
                for row in connection.execute(latest, {"ids": ids[start : start + 400]})
            ]


def _latest(*columns: ColumnElement[Any]) -> Select[Any]:
    """The latest verdicts of some inquiries."""
    table = tables.verdicts
    some = table.c.inquiry_id.in_(bindparam("ids", expanding=True))
    newest = select(func.max(table.c.id)).where(some).group_by(table.c.inquiry_id)
    return select(*columns).where(table.c.id.in_(newest))


# Built once: putting a statement together takes longer than the database does to carry it out.
_SOME: Final = select(tables.inquiries).where(
    tables.inquiries.c.id.in_(bindparam("ids", expanding=True))
)
# The stage says nothing more, and would make SQLite read all that are settled.
_SINCE: Final = (
    select(tables.inquiries.c.id, tables.inquiries.c.settled_at)
    .where(tables.inquiries.c.settled_at >= bindparam("since"))
    .order_by(tables.inquiries.c.settled_at)
    .limit(bindparam("most"))
)
_VERDICTS: Final = _latest(tables.verdicts.c.inquiry_id, tables.verdicts.c.data)
_SAID: Final = _latest(
    tables.verdicts.c.inquiry_id, tables.verdicts.c.label, tables.verdicts.c.model
)


def _settled(row: Row[Any], verdict: Verdict) -> Settled:
    return Settled(
        row.id,
        row.settled_at,
        row.outcome,
        row.label,
        verdict.own,
        row.score,
        bool(row.held),
        verdict,
    )
