"""What people confirmed an inquiry to be: the only thing that anything is learned from.

The newest word counts, and only while it stands: where it was taken back, the latest verdict is the
model's again, and where two reviewers differ, nothing is confirmed until a third has decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, select

from triage.store import records, tables
from triage.store.database import Database
from triage.store.settlements import PERSON
from triage.types import Verdict


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person said. `label` is one of the nine, `own` the business's own name for it, if any.

    `source` is where it came in, `channel` `email` or `call`, `sha256` that of its raw bytes,
    `conversation` names what belongs together, and `held_out` says that no model may be trained on
    it.
    """

    inquiry_id: str
    label: str
    own: str
    by: str
    at: datetime
    note: str
    source: str
    channel: str
    conversation: str
    sha256: str
    held_out: bool


class Confirmations:
    """Reads confirmed labels, and keeps what is held out."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def all(self, batch: int = 500) -> Iterator[Confirmed]:
        """Every confirmed label, oldest word first."""
        query, after = _standing().limit(batch), 0
        while True:
            with self.database.read() as connection:
                rows = connection.execute(query.where(tables.corrections.c.id > after)).all()
            if not rows:
                return
            after = rows[-1].id
            yield from (_confirmed(row) for row in rows)

    def hold_out(self, ids: Sequence[str]) -> None:
        """Keep these from every training from now on."""
        add = self.database.insert(tables.held_out).on_conflict_do_nothing()
        rows = [{"inquiry_id": name, "at": records.now()} for name in sorted(ids)]
        with self.database.write() as connection:
            for start in range(0, len(rows), 400):
                connection.execute(add, rows[start : start + 400])

    def settled_last(self, limit: int) -> list[str]:
        """The inquiries that were settled last, the newest first."""
        table = tables.inquiries
        query = select(table.c.id).where(table.c.settled_at.is_not(None))
        with self.database.read() as connection:
            newest = query.order_by(table.c.settled_at.desc()).limit(limit)
            return list(connection.execute(newest).scalars())


def _standing() -> Select[Any]:
    said, verdicts, inquiries = tables.corrections, tables.verdicts, tables.inquiries
    later, waiting = verdicts.alias("later"), tables.review_items
    newer = select(later.c.id).where(
        later.c.inquiry_id == said.c.inquiry_id, later.c.id > said.c.verdict_id
    )
    disputed = select(waiting.c.inquiry_id).where(
        waiting.c.inquiry_id == said.c.inquiry_id, waiting.c.kind == "dispute"
    )
    return (
        select(
            said.c.id,
            said.c.inquiry_id,
            said.c.by,
            said.c.note,
            said.c.created_at,
            verdicts.c.data,
            inquiries.c.source,
            inquiries.c.channel,
            inquiries.c.sha256,
            tables.messages.c.conversation_id,
            tables.held_out.c.inquiry_id.label("kept_out"),
        )
        .join(verdicts, verdicts.c.id == said.c.verdict_id)
        .join(inquiries, inquiries.c.id == said.c.inquiry_id)
        .outerjoin(tables.messages, tables.messages.c.inquiry_id == said.c.inquiry_id)
        .outerjoin(tables.held_out, tables.held_out.c.inquiry_id == said.c.inquiry_id)
        .where(and_(verdicts.c.model.startswith(PERSON), ~newer.exists(), ~disputed.exists()))
        .order_by(said.c.id)
    )


def _confirmed(row: Row[Any]) -> Confirmed:
    verdict = records.restore(Verdict, row.data)
    # Whoever takes back their own word lets an earlier one stand, which was somebody else's.
    by = verdict.model.partition(":")[2] or row.by
    return Confirmed(
        row.inquiry_id,
        verdict.label,
        verdict.own,
        by,
        row.created_at,
        row.note,
        row.source,
        row.channel,
        row.conversation_id or row.inquiry_id,
        row.sha256,
        row.kept_out is not None,
    )
