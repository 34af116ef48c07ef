"""What people said of inquiries, as far as similar ones may profit from it; beside it what a model
made of their texts. The corrections are the truth; the rest can be made again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update

from triage.store import records, tables
from triage.store.database import Database
from triage.store.settlements import PERSON
from triage.types import Verdict

_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Taught:
    """A person's word on an inquiry that still holds. `conversation` is empty where there is none,
    `sender` as lists show it.
    """

    inquiry_id: str
    verdict_id: int
    verdict: Verdict
    sender: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a model made of a text: float32 bytes of its vector and of the labels' probabilities."""

    inquiry_id: str
    verdict_id: int
    vector: bytes
    said: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """How far corrections were read: the last, how many there are, and how many teach nothing."""

    last: int = 0
    count: int = 0
    forgotten: int = 0


class Memories:
    """Reads what corrections teach, and keeps vectors."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def mark(self) -> Mark:
        """Changes with every correction, whoever made it, and with all that is forgotten or erased.

        The count is there because a correction can become visible after one with a greater id.
        """
        table = tables.corrections
        forgotten = select(func.count()).where(table.c.teaches.is_(False)).scalar_subquery()
        query = select(func.max(table.c.id), func.count(), forgotten)
        with self.database.read() as connection:
            row = connection.execute(query).one()
        return Mark(row[0] or 0, row[1], row[2])

    def since(self, mark: Mark) -> list[str]:
        """The inquiries of the corrections after it, one entry a correction."""
        table = tables.corrections
        query = select(table.c.inquiry_id).where(table.c.id > mark.last)
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def taught(self, most: int, ids: Sequence[str] | None = None) -> list[Taught]:
        """What people said and nobody took back since, the newest first; of all, or of some."""
        said, verdicts, later = tables.corrections, tables.verdicts, tables.verdicts.alias("later")
        inquiries, messages = tables.inquiries, tables.messages
        newer = select(later.c.id).where(
            later.c.inquiry_id == said.c.inquiry_id, later.c.id > said.c.verdict_id
        )
        query = (
            select(
                said.c.inquiry_id,
                said.c.verdict_id,
                verdicts.c.data,
                inquiries.c.sender,
                messages.c.conversation_id,
            )
            .join(verdicts, verdicts.c.id == said.c.verdict_id)
            .join(inquiries, inquiries.c.id == said.c.inquiry_id)
            .outerjoin(messages, messages.c.inquiry_id == said.c.inquiry_id)
            .where(verdicts.c.model.startswith(PERSON), said.c.teaches.is_(True))
            .where(~newer.exists())
            .order_by(said.c.id.desc())
            .limit(most)
        )
        chunks = (
            [None] if ids is None else [ids[n : n + _CHUNK] for n in range(0, len(ids), _CHUNK)]
        )
        found: list[Taught] = []
        with self.database.read() as connection:
            for chunk in chunks:
                part = query if chunk is None else query.where(said.c.inquiry_id.in_(chunk))
                found += [
                    Taught(
                        row.inquiry_id,
                        row.verdict_id,
                        records.restore(Verdict, row.data),
                        row.sender,
                        row.conversation_id or "",
                    )
                    for row in connection.execute(part)
                ]
        return found

    def kept(self, reader: str) -> dict[str, Kept]:
        """What was kept for a reader, by inquiry."""
        table = tables.memories
        with self.database.read() as connection:
            rows = connection.execute(select(table).where(table.c.reader == reader)).all()
        return {
            row.inquiry_id: Kept(row.inquiry_id, row.verdict_id, row.vector, row.said)
            for row in rows
        }

    def keep(self, reader: str, made: Sequence[Kept]) -> None:
        """Keep what a reader made, in place of what it made before. An inquiry that was erased
        meanwhile is passed over.
        """
        table, ids = tables.memories, [each.inquiry_id for each in made]
        with self.database.write() as connection:
            inquiries = tables.inquiries
            there = select(inquiries.c.id).where(inquiries.c.id.in_(ids)).order_by(inquiries.c.id)
            alive = set(connection.execute(there.with_for_update()).scalars())
            same = table.c.inquiry_id.in_(ids), table.c.reader == reader
            connection.execute(delete(table).where(*same))
            rows = [_row(each, reader) for each in made if each.inquiry_id in alive]
            if rows:
                connection.execute(insert(table), rows)

    def forget(self, inquiry_id: str) -> bool:
        """Let an inquiry teach nothing any more, until somebody labels it anew; whether it did.

        What people said of it stays.
        """
        said, vectors = tables.corrections, tables.memories
        with self.database.write() as connection:
            connection.execute(delete(vectors).where(vectors.c.inquiry_id == inquiry_id))
            changed = connection.execute(
                update(said)
                .where(said.c.inquiry_id == inquiry_id, said.c.teaches.is_(True))
                .values(teaches=False)
            )
        return changed.rowcount > 0


def _row(made: Kept, reader: str) -> Mapping[str, object]:
    return {
        "inquiry_id": made.inquiry_id,
        "reader": reader,
        "verdict_id": made.verdict_id,
        "vector": made.vector,
        "said": made.said,
    }
