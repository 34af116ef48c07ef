"""Inquiries on their way through the stages: which are due, and what becomes of those that fail.

Moves are guarded as all of them are, see `moves`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from triage.errors import Permanent
from triage.store import records, tables
from triage.store.moves import Moves, move
from triage.store.records import Work
from triage.types import (
    Channel,
    SourceRef,
    Stage,
)

REFUSED = "refused:"  # how the identity of an item begins that its source refused

_OPEN = tuple(stage for stage in Stage if stage not in {Stage.SETTLED, Stage.QUARANTINED})

# Built once: putting a statement together takes longer than SQLite does to carry it out.
_ROWS = select(tables.inquiries).where(tables.inquiries.c.id.in_(bindparam("ids", expanding=True)))
_BEGUN = (
    update(tables.inquiries)
    .where(tables.inquiries.c.id == bindparam("work"))
    .where(tables.inquiries.c.stage == bindparam("at"))
    .values(attempts=bindparam("count"))
)


class Worklist(Moves):
    """The open inquiries. All times are aware, in UTC; each move returns whether it was made."""

    def due(
        self,
        channel: Channel,
        limit: int,
        skip: Collection[str] = (),
        *,
        backlog: bool | None = None,
    ) -> list[Work]:
        """Open inquiries of a channel whose time has come: nearest to their end first, then oldest.

        `skip`: ids that are in work. `backlog`: only what waited long, or only what did not.
        """
        order = {stage: position for position, stage in enumerate(Stage)}
        query = (
            select(tables.inquiries)
            .where(tables.inquiries.c.stage.in_(_OPEN))
            .where(tables.inquiries.c.channel == channel)
            .where(tables.inquiries.c.due_at <= records.now())
            .order_by(tables.inquiries.c.due_at)
            .limit(limit)
        )
        if backlog is not None:
            query = query.where(tables.inquiries.c.backlog == backlog)
        if skip:
            query = query.where(tables.inquiries.c.id.not_in(skip))
        with self.database.read() as connection:
            works = [_work(row) for row in connection.execute(query)]
        return sorted(works, key=lambda work: -order[work.stage])

    def open_count(self) -> int:
        """How many inquiries still have a next step, due or not."""
        query = select(func.count()).where(tables.inquiries.c.stage.in_(_OPEN))
        with self.database.read() as connection:
            return connection.execute(query).scalar_one()

    def get(self, inquiry_id: str) -> Work | None:
        """The row of one inquiry."""
        return self.rows([inquiry_id]).get(inquiry_id)

    def rows(self, ids: Sequence[str]) -> dict[str, Work]:
        """The rows of some inquiries, by id."""
        with self.database.read() as connection:
            return {row.id: _work(row) for row in connection.execute(_ROWS, {"ids": list(ids)})}

    def holds(self, sha256: str) -> bool:
        """Whether a stored content is any inquiry's."""
        query = select(tables.inquiries.c.id).where(tables.inquiries.c.sha256 == sha256).limit(1)
        with self.database.read() as connection:
            return connection.execute(query).first() is not None

    def begun(self, works: Sequence[Work]) -> None:
        """Count an attempt before it is made: an item that kills the process is found out too."""
        with self.database.write() as connection:
            connection.execute(
                _BEGUN,
                [
                    {"work": work.id, "at": work.stage, "count": work.attempts + 1}
                    for work in sorted(works, key=lambda work: work.id)
                ],
            )

    def postponed(self, work: Work, error: str, wait: timedelta, *, counts: bool = True) -> bool:
        """A step failed and is tried again after `wait`; `counts` as one of its attempts."""
        with self.database.write() as connection:
            moved = connection.execute(
                update(tables.inquiries)
                .where(tables.inquiries.c.id == work.id, tables.inquiries.c.stage == work.stage)
                .values(
                    attempts=work.attempts + int(counts),
                    due_at=records.now() + wait,
                    error=error,
                )
            )
            return moved.rowcount == 1

    def quarantined(self, work: Work, reason: str) -> bool:
        """Any open stage → QUARANTINED, with a reason that a person understands."""
        with self.database.write() as connection:
            if not move(connection, work, Stage.QUARANTINED, error=reason):
                return False
            records.note(
                connection, work.id, "quarantined", {"reason": reason, "stage": work.stage}
            )
        return True

    def released(self, work: Work) -> bool:
        """What is not decided yet is no longer held: it goes its usual way from now on."""
        table = tables.inquiries
        with self.database.write() as connection:
            moved = connection.execute(
                update(table)
                .where(table.c.id == work.id, table.c.stage == work.stage, table.c.held != "")
                .values(held="")
            )
            if moved.rowcount:
                records.note(connection, work.id, "released", {})
        return moved.rowcount == 1

    def resumes(self, work: Work) -> Stage:
        """The stage from which a quarantined inquiry goes on; its own where it only waits."""
        if work.stage is not Stage.QUARANTINED:
            return work.stage
        with self.database.read() as connection:
            return _resume_stage(connection, work.id)

    def requeue(self, inquiry_id: str) -> bool:
        """QUARANTINED → the last stage that has a result; makes a waiting inquiry due now.

        Raises `Permanent` for an item that its source refused: only a part of it is here.
        """
        moment = records.now()
        with self.database.write() as connection:
            row = connection.execute(
                select(tables.inquiries).where(tables.inquiries.c.id == inquiry_id)
            ).first()
            if row is None or row.stage == Stage.SETTLED:
                return False
            work = _work(row)
            stage = work.stage
            if work.identity.startswith(REFUSED):
                raise Permanent(
                    f"{inquiry_id} was refused at its source ({work.error}); only a part of it was "
                    "kept, so there is nothing to take up again"
                )
            if stage is Stage.QUARANTINED:
                stage = _resume_stage(connection, inquiry_id)
            if not move(connection, work, stage, due_at=moment):
                return False
            records.note(connection, inquiry_id, "requeued", {"stage": stage})
        return True


def _work(row: Row[Any]) -> Work:
    return Work(
        id=row.id,
        identity=row.identity,
        ref=SourceRef(row.source, row.kind, row.key, row.revision),
        channel=row.channel,
        sha256=row.sha256,
        size=row.size,
        media_type=row.media_type,
        sidecar=row.sidecar,
        received_at=row.received_at,
        stage=Stage(row.stage),
        attempts=row.attempts,
        due_at=row.due_at,
        error=row.error,
        campaign=row.campaign,
        backlog=row.backlog,
        held=row.held,
        recordings=row.recordings,
    )


def _resume_stage(connection: Connection, inquiry_id: str) -> Stage:
    """The stage whose result is the last one stored, so that work already done is kept."""
    for table, stage in (
        (tables.qualifications, Stage.QUALIFIED),
        (tables.verdicts, Stage.CLASSIFIED),
        (tables.transcripts, Stage.TRANSCRIBED),
        (tables.contents, Stage.PARSED),
    ):
        query = select(table.c.inquiry_id).where(table.c.inquiry_id == inquiry_id).limit(1)
        if connection.execute(query).first():
            return stage
    return Stage.RECEIVED
