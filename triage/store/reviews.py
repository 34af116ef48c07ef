"""What waits for a person, who has it in hand, and what people said about it.

Two reviewers never get the same item: whoever asks first holds it for a while. What was said is
kept in `reviews`; the correction that follows from it is another thing (see `corrections`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from triage.store import records, tables
from triage.store.accounts import ALL, Reach
from triage.store.database import Database
from triage.types import Outcome, Stage, Verdict

Kind = Literal["review", "suspect", "audit", "second", "dispute"]
PERSON = "person"
"""How the model of a verdict begins that a person gave."""
_PROGRESS = "settled"
MOST = 1000
"""Waiting items are counted up to here; whoever sees so many need not know how many more."""


@dataclass(frozen=True, slots=True)
class Item:
    """An inquiry that a person should look at; the greatest `priority` comes first."""

    inquiry_id: str
    kind: Kind
    priority: float
    not_by: str = ""


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
    """What two reviewers said about one inquiry, neither knowing of the other."""

    inquiry_id: str
    first: str
    second: str


class Reviews:
    """The queue's rows. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def progress(self) -> datetime | None:
        """Up to when settled inquiries were looked through; None: none yet."""
        table = tables.review_progress
        with self.database.read() as connection:
            return connection.execute(
                select(table.c.settled_at).where(table.c.name == _PROGRESS)
            ).scalar()

    def settled(self, since: datetime | None, most: int) -> list[Settled]:
        """Inquiries that were settled at that time or later, in that order."""
        table = tables.inquiries
        # The stage says nothing more, and would make SQLite read all that are settled.
        query = select(table).where(table.c.settled_at.is_not(None))
        if since is not None:
            query = query.where(table.c.settled_at >= since)
        return self._with_verdicts(query.order_by(table.c.settled_at).limit(most))

    def undecided(self, batch: int = 500) -> Iterator[list[Settled]]:
        """All that waits for a person's word, some at once, in the order of their ids."""
        table, after = tables.inquiries, ""
        waiting = (table.c.stage == Stage.SETTLED, table.c.outcome == Outcome.REVIEW)
        query = select(table).where(*waiting).order_by(table.c.id).limit(batch)
        while found := self._with_verdicts(query.where(table.c.id > after)):
            after = found[-1].inquiry_id
            yield [each for each in found if not each.by_person]

    def some(self, ids: Sequence[str]) -> list[Settled]:
        """Those of these inquiries (some hundred at most) that are settled."""
        table = tables.inquiries
        found = self._with_verdicts(select(table).where(table.c.id.in_(ids)))
        return [each for each in found if each.outcome]

    def _with_verdicts(self, query: Select[Any]) -> list[Settled]:
        with self.database.read() as connection:
            rows = {row.id: row for row in connection.execute(query)}
        found = {
            row.inquiry_id: records.restore(Verdict, row.data) for row in self._verdicts(list(rows))
        }
        return [_settled(row, found[name]) for name, row in rows.items() if name in found]

    def kept(
        self,
        offered: Sequence[Item],
        withdrawn: Sequence[str],
        until: datetime,
        seen: Mapping[str, datetime],
    ) -> None:
        """Put items into the queue and take others out; all up to `until` was looked through.

        An item that is there already gets its priority, and stays with whoever has it in hand.
        `seen` says when each was settled, as it was looked at: what was settled again meanwhile, by
        a reviewer above all, is left as it is.
        """
        table, progress = tables.review_items, tables.review_progress
        with self.database.write() as connection:
            same = _unchanged(connection, seen)
            offered = [item for item in offered if item.inquiry_id in same]
            withdrawn = [name for name in withdrawn if name in same]
            add = self.database.insert(table)
            changed = {"priority": add.excluded.priority}
            if offered:
                connection.execute(
                    add.on_conflict_do_update(index_elements=["inquiry_id"], set_=changed),
                    [_row(item) for item in sorted(offered, key=lambda item: item.inquiry_id)],
                )
            for start in range(0, len(withdrawn), 400):
                part = withdrawn[start : start + 400]
                connection.execute(
                    delete(table).where(
                        table.c.inquiry_id.in_(part), table.c.kind.in_(("review", "suspect"))
                    )
                )
            connection.execute(
                self.database.insert(progress)
                .values(name=_PROGRESS, settled_at=until)
                .on_conflict_do_update(index_elements=["name"], set_={"settled_at": until})
            )

    def offer(self, items: Sequence[Item]) -> None:
        """Put items into the queue that are not there yet."""
        if not items:
            return
        with self.database.write() as connection:
            add = self.database.insert(tables.review_items).on_conflict_do_nothing()
            connection.execute(add, [_row(item) for item in items])

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

    def said_by_people(self, ids: Sequence[str]) -> set[str]:
        """Of which of these the latest verdict is a person's."""
        return {row.inquiry_id for row in self._verdicts(ids) if row.model.startswith(PERSON)}

    def leads(self, ids: Sequence[str]) -> set[str]:
        """Which of these are leads by their latest verdict."""
        return {row.inquiry_id for row in self._verdicts(ids) if row.label == "lead"}

    def _verdicts(self, ids: Sequence[str]) -> list[Row[Any]]:
        with self.database.read() as connection:
            return [
                row
                for start in range(0, len(ids), 400)  # SQLite bounds the variables of a statement
                for row in connection.execute(_latest(ids[start : start + 400]))
            ]

    def claim(
        self, by: str, until: datetime, *, skip: Sequence[str] = (), reach: Reach = ALL
    ) -> str | None:
        """The next item for a reviewer, who holds it until then; None where nothing waits.

        What they hold already comes first, but for `skip`.
        """
        table = tables.review_items
        best = (
            select(table.c.inquiry_id)
            .where(*self._free(by, reach))
            .order_by(table.c.priority.desc())
            .limit(1)
            .with_for_update(skip_locked=True, of=table)
        )
        if skip:
            best = best.where(table.c.inquiry_id.not_in(skip))
        with self.database.write() as connection:
            # Two questions, each answered by an index, however much waits.
            found: str | None = connection.execute(best.where(table.c.claimed_by == by)).scalar()
            found = found or connection.execute(best).scalar()
            if found is not None:
                connection.execute(
                    update(table)
                    .where(table.c.inquiry_id == found)
                    .values(claimed_by=by, claimed_until=until)
                )
        return found

    def hold(self, inquiry_id: str, by: str, until: datetime) -> Item | None:
        """Hold an item for longer; None where it is no longer this reviewer's to decide."""
        table = tables.review_items
        free = or_(table.c.claimed_by.in_((by, "")), table.c.claimed_until < records.now())
        with self.database.write() as connection:
            row = connection.execute(
                update(table)
                .where(table.c.inquiry_id == inquiry_id, table.c.not_by != by, free)
                .values(claimed_by=by, claimed_until=until, ready_at=records.now())
                .returning(table.c.kind, table.c.priority, table.c.not_by)
            ).first()
        return Item(inquiry_id, row.kind, row.priority, row.not_by) if row else None

    def put_off(self, inquiry_id: str, by: str, until: datetime) -> bool:
        """A reviewer does not want to say: the item comes back at that time, to whoever asks."""
        table = tables.review_items
        with self.database.write() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.inquiry_id == inquiry_id, table.c.claimed_by == by)
                .values(claimed_by="", claimed_until=None, ready_at=until)
            )
        return moved.rowcount == 1

    def waiting(self, by: str, reach: Reach = ALL) -> int:
        """How many items a reviewer could get now, counted no further than `MOST`."""
        table = tables.review_items
        free = select(table.c.inquiry_id).where(*self._free(by, reach)).limit(MOST).subquery()
        query = select(func.count()).select_from(free)
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def queued(self, most: int) -> list[tuple[Item, datetime, str]]:
        """Items with the time they are ready and who holds them, the first ones first."""
        table = tables.review_items
        query = select(table).order_by(table.c.priority.desc()).limit(most)
        with self.database.read() as connection:
            return [
                (
                    Item(row.inquiry_id, row.kind, row.priority, row.not_by),
                    row.ready_at,
                    row.claimed_by,
                )
                for row in connection.execute(query)
            ]

    def said(self, review: Review, follows: Item | None = None) -> None:
        """Keep what somebody said; the item is done, and another one may follow from it."""
        items = tables.review_items
        values = {name: getattr(review, name) for name in Review.__dataclass_fields__}
        del values["id"]
        with self.database.write() as connection:
            connection.execute(delete(items).where(items.c.inquiry_id == review.inquiry_id))
            connection.execute(insert(tables.reviews).values(**values))
            if follows is not None:
                connection.execute(insert(items).values(**_row(follows)))

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
            connection.execute(
                insert(items).values(
                    **_row(again) | {"claimed_by": review.by, "claimed_until": until}
                )
            )

    def opinions(self, inquiry_id: str) -> list[Review]:
        """What reviewers said about an inquiry and did not take back, in order."""
        with self.database.read() as connection:
            return [_review(row) for row in connection.execute(_opinions(inquiry_id))]

    def audits(self, since: datetime | None) -> list[Review]:
        """What reviewers said of inquiries that were filed unseen and drawn by chance."""
        table = tables.reviews
        query = select(table).where(table.c.kind == "audit", table.c.undone_at.is_(None))
        if since is not None:
            query = query.where(table.c.at >= since)
        with self.database.read() as connection:
            return [_review(row) for row in connection.execute(query.order_by(table.c.id))]

    def filed(self, since: datetime | None) -> int:
        """How many inquiries were filed since then."""
        table = tables.inquiries
        query = select(func.count()).where(table.c.outcome == Outcome.FILE)
        if since is not None:
            query = query.where(table.c.received_at >= since)
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def pairs(self, since: datetime | None) -> list[Pair]:
        """What two reviewers said about the same inquiries."""
        first, second = tables.reviews.alias("first"), tables.reviews.alias("other")
        query = (
            select(first.c.inquiry_id, first.c.label, second.c.label.label("again"))
            .join(second, and_(second.c.inquiry_id == first.c.inquiry_id, second.c.id > first.c.id))
            .where(second.c.kind == "second", first.c.kind.not_in(("second", "dispute")))
            .where(first.c.undone_at.is_(None), second.c.undone_at.is_(None))
            .order_by(second.c.id)
        )
        if since is not None:
            query = query.where(second.c.at >= since)
        with self.database.read() as connection:
            return [Pair(row.inquiry_id, row.label, row.again) for row in connection.execute(query)]

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
                for row in connection.execute(_latest(ids))
            ]

    def alike(self, inquiry_id: str, most: int) -> list[str]:
        """Inquiries that share a sketch with one: nearly the same text, most of them."""
        table = tables.searchable
        found: dict[str, None] = {}
        with self.database.read() as connection:
            own = connection.execute(select(table).where(table.c.inquiry_id == inquiry_id)).first()
            for name in tables.SKETCHES if own else ():
                same = (
                    select(table.c.inquiry_id)
                    .where(table.c[name] == getattr(own, name))
                    .order_by(table.c.id.desc())
                    .limit(most)
                )
                found.update((other, None) for other in connection.execute(same).scalars())
        return [name for name in found if name != inquiry_id]

    def _free(self, by: str, reach: Reach) -> list[ColumnElement[bool]]:
        table, moment = tables.review_items, records.now()
        found: list[ColumnElement[bool]] = [
            table.c.ready_at <= moment,
            table.c.not_by != (by or "-"),
            or_(
                table.c.claimed_by.in_((by, "")),
                table.c.claimed_until.is_(None),
                table.c.claimed_until < moment,
            ),
        ]
        if limits := reach.conditions():
            seen = select(tables.inquiries.c.id).where(*limits)
            found.append(table.c.inquiry_id.in_(seen))
        return found


def _unchanged(connection: Connection, seen: Mapping[str, datetime]) -> set[str]:
    """Those that are settled as they were, and stay so until the transaction ends."""
    table, ids = tables.inquiries, list(seen)
    found: set[str] = set()
    for start in range(0, len(ids), 400):
        query = select(table.c.id, table.c.settled_at).where(
            table.c.id.in_(ids[start : start + 400])
        )
        rows = connection.execute(query.order_by(table.c.id).with_for_update(read=True))
        found.update(row.id for row in rows if row.settled_at == seen[row.id])
    return found


def _latest(ids: Sequence[str]) -> Select[Any]:
    table = tables.verdicts
    newest = select(func.max(table.c.id)).where(table.c.inquiry_id.in_(ids))
    return select(table).where(table.c.id.in_(newest.group_by(table.c.inquiry_id)))


def _opinions(inquiry_id: str) -> Select[Any]:
    table = tables.reviews
    query = select(table).where(table.c.inquiry_id == inquiry_id, table.c.undone_at.is_(None))
    return query.order_by(table.c.id)


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


def _row(item: Item) -> dict[str, Any]:
    return {
        "inquiry_id": item.inquiry_id,
        "kind": item.kind,
        "priority": item.priority,
        "ready_at": records.now(),
        "claimed_by": "",
        "claimed_until": None,
        "not_by": item.not_by,
    }


def _review(row: Row[Any]) -> Review:
    names = Review.__dataclass_fields__
    return Review(**{name: getattr(row, name) for name in names})
