"""What people said about inquiries. The correction that follows from it is another thing (see
`corrections`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from triage.store import records, tables, waiting
from triage.store.database import Database
from triage.store.settlements import PERSON
from triage.store.waiting import Item, Kind


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said about an item. `was` and `outcome`: what had been decided before."""

    id: int
    inquiry_id: str
    kind: Kind
    label: str
    was: str
    outcome: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said an inquiry is, and nobody said otherwise since."""

    inquiry_id: str
    label: str
    by: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What two reviewers said, neither knowing of the other, and of how many inquiries."""

    first: str
    second: str
    number: int


class Reviews:
    """What was said, item by item. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def reviewed(self, ids: Sequence[str]) -> set[str]:
        """Which of these somebody reviewed, and did not take back."""
        table = tables.reviews
        found: set[str] = set()
        with self.database.read() as connection:
            for start in range(0, len(ids), 400):
                query = select(table.c.inquiry_id).where(
                    table.c.inquiry_id.in_(ids[start : start + 400]), table.c.undone_at.is_(None)
                )
                found.update(connection.execute(query).scalars())
        return found

    def said(self, review: Review, follows: Item | None = None) -> None:
        """Keep what somebody said; the item is done, and another one may follow from it."""
        items = tables.review_items
        values = {name: getattr(review, name) for name in Review.__dataclass_fields__}
        del values["id"]
        with self.database.write() as connection:
            connection.execute(delete(items).where(items.c.inquiry_id == review.inquiry_id))
            connection.execute(insert(tables.reviews).values(**values))
            if follows is not None and (row := waiting.rows(connection, [follows])):
                connection.execute(insert(items), row)

    def last(self, by: str) -> Review | None:
        """The last thing that a reviewer said and did not take back."""
        table = tables.reviews
        query = select(table).where(table.c.by == by, table.c.undone_at.is_(None))
        with self.database.read() as connection:
            row = connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()
        return _review(row) if row else None

    def undone(self, review: Review, until: datetime) -> None:
        """A reviewer took it back, and has the item in hand again."""
        items, table = tables.review_items, tables.reviews
        others = _opinions(review.inquiry_id).where(table.c.id != review.id)
        with self.database.write() as connection:
            connection.execute(
                update(table).where(table.c.id == review.id).values(undone_at=records.now())
            )
            first = connection.execute(others).first()
            again = Item(
                review.inquiry_id,
                review.kind,
                1.0,
                first.by if first and review.kind == "second" else "",
            )
            connection.execute(delete(items).where(items.c.inquiry_id == review.inquiry_id))
            held = {"claimed_by": review.by, "claimed_until": until}
            if rows := waiting.rows(connection, [again]):
                connection.execute(insert(items), [row | held for row in rows])

    def opinions(self, inquiry_id: str) -> list[Review]:
        """What reviewers said about an inquiry and did not take back, in order."""
        with self.database.read() as connection:
            return [_review(row) for row in connection.execute(_opinions(inquiry_id))]

    def audited(self, since: datetime | None) -> tuple[int, int]:
        """How many of those that were filed unseen and drawn by chance reviewers have looked at,
        and how many of them are leads: by their word, or by that of whoever had the last one.
        """
        table, inquiries = tables.reviews, tables.inquiries
        # An own label's base is the inquiry's label; `lead` itself is what most people say.
        leads = case((or_(table.c.label == "lead", inquiries.c.label == "lead"), 1), else_=0)
        query = (
            select(func.count(), func.coalesce(func.sum(leads), 0))
            .select_from(table.join(inquiries, inquiries.c.id == table.c.inquiry_id))
            .where(table.c.kind == "audit", table.c.undone_at.is_(None))
        )
        if since is not None:
            query = query.where(table.c.at >= since)
        with self.database.read() as connection:
            self.database.row_by_row(connection)
            number, found = connection.execute(query).one()
        return number, found

    def pairs(self, since: datetime | None) -> list[Pair]:
        """What two reviewers said about the same inquiries, the most frequent first."""
        first, second = tables.reviews.alias("first"), tables.reviews.alias("other")
        said = (first.c.label, second.c.label)
        query = (
            select(*said, func.count())
            .join(second, and_(second.c.inquiry_id == first.c.inquiry_id, second.c.id > first.c.id))
            .where(second.c.kind == "second", first.c.kind.not_in(("second", "dispute")))
            .where(first.c.undone_at.is_(None), second.c.undone_at.is_(None))
            .group_by(*said)
            .order_by(func.count().desc(), *said)
        )
        if since is not None:
            query = query.where(second.c.at >= since)
        with self.database.read() as connection:
            return [Pair(*row) for row in connection.execute(query)]

    def labelled(self, batch: int = 500) -> Iterator[Said]:
        """All inquiries whose latest verdict is a person's, oldest word first."""
        table, verdicts = tables.corrections, tables.verdicts
        later = verdicts.alias("later")
        newer = select(later.c.id).where(later.c.inquiry_id == table.c.inquiry_id)
        query = (
            select(table)
            .join(verdicts, verdicts.c.id == table.c.verdict_id)
            .where(verdicts.c.model.startswith(PERSON))
            .where(~newer.where(later.c.id > table.c.verdict_id).exists())
            .order_by(table.c.id)
            .limit(batch)
        )
        after = 0
        while True:
            with self.database.read() as connection:
                rows = connection.execute(query.where(table.c.id > after)).all()
            if not rows:
                return
            after = rows[-1].id
            for row in rows:
                yield Said(row.inquiry_id, row.label, row.by, row.note, row.created_at)


def _opinions(inquiry_id: str) -> Select[Any]:
    table = tables.reviews
    query = select(table).where(table.c.inquiry_id == inquiry_id, table.c.undone_at.is_(None))
    return query.order_by(table.c.id)


def _review(row: Row[Any]) -> Review:
    names = Review.__dataclass_fields__
    return Review(**{name: getattr(row, name) for name in names})
