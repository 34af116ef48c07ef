"""What waits for a person, and who has it in hand.

Two reviewers never get the same item: whoever asks first holds it for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    func,
    or_,
    select,
    update,
)

from triage.store import records, tables
from triage.store.accounts import ALL, Reach
from triage.store.database import Database

Kind = Literal["review", "suspect", "audit", "second", "dispute"]
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


class Waiting:
    """The queue's rows. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._seen: dict[str, datetime] = {}  # looked through, by this process

    def unseen(self, found: Mapping[str, datetime]) -> dict[str, datetime]:
        """Of inquiries with the times they were settled those not looked through in this process.

        The newest are read with every look, because a transaction may come late.
        """
        known = self._seen
        return {name: at for name, at in found.items() if known.get(name) != at}

    def looked(self, found: Mapping[str, datetime]) -> None:
        """These were looked through, and nothing followed from it."""
        self._seen |= found

    def progress(self) -> datetime | None:
        """Up to when settled inquiries were looked through; None: none yet."""
        table = tables.review_progress
        with self.database.read() as connection:
            return connection.execute(
                select(table.c.settled_at).where(table.c.name == _PROGRESS)
            ).scalar()

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
                ordered = sorted(offered, key=lambda item: item.inquiry_id)
                connection.execute(
                    add.on_conflict_do_update(index_elements=["inquiry_id"], set_=changed),
                    rows(connection, ordered),
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
        self._seen = {name: at for name, at in (self._seen | dict(seen)).items() if at >= until}

    def offer(self, items: Sequence[Item], seen: Mapping[str, datetime]) -> None:
        """Put items into the queue that are not there yet. `seen` says when each was settled, as it
        was looked at: what a person settled meanwhile does not wait.
        """
        if not items:
            return
        with self.database.write() as connection:
            same = _unchanged(connection, seen)
            add = self.database.insert(tables.review_items).on_conflict_do_nothing()
            if added := rows(connection, [item for item in items if item.inquiry_id in same]):
                connection.execute(add, added)

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

    def count(self, by: str, reach: Reach = ALL) -> int:
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
        if limits := reach.conditions(table):
            found += limits
        return found


def rows(connection: Connection, items: Sequence[Item]) -> list[dict[str, Any]]:
    """The rows of items that nobody has in hand; of inquiries that are erased there are none."""
    table, ids, known = tables.inquiries, [item.inquiry_id for item in items], dict[str, Row[Any]]()
    for start in range(0, len(ids), 400):
        query = select(table.c.id, table.c.source, table.c.campaign).where(
            table.c.id.in_(ids[start : start + 400])
        )
        known |= {row.id: row for row in connection.execute(query)}
    moment = records.now()
    return [
        {
            "inquiry_id": item.inquiry_id,
            "kind": item.kind,
            "priority": item.priority,
            "ready_at": moment,
            "claimed_by": "",
            "claimed_until": None,
            "not_by": item.not_by,
            "source": known[item.inquiry_id].source,
            "campaign": known[item.inquiry_id].campaign,
        }
        for item in items
        if item.inquiry_id in known
    ]


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
