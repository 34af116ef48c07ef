"""What people corrected, and inquiries that are decided again: each in one transaction with the
events it causes. Nothing is overwritten: verdicts, qualifications and decisions are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, insert, select, update

from triage.store import outbox, records, search, statements, tables
from triage.store.database import Database
from triage.store.handovers import Ledger, Plan
from triage.store.records import Work
from triage.store.statements import Statement
from triage.types import Decision, Delivery, Qualification, Stage, Transcript, Verdict
from triage.types import Outcome as Decided


@dataclass(frozen=True, slots=True)
class Correction:
    """Somebody said what an inquiry is. `label` and `previous` may be own labels."""

    label: str
    previous: str
    by: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a new look at an inquiry found."""

    verdict: Verdict
    qualification: Qualification | None
    decision: Decision


class Corrections:
    """Decides settled inquiries again."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def apply(
        self,
        work: Work,
        correction: Correction,
        outcome: Outcome,
        plan: Plan,
        held: str = "",
        transcript: Transcript | None = None,
    ) -> list[Delivery] | None:
        """Whatever stage → SETTLED, as a person said; returns the events that this caused.

        `held`: why it is told to nobody, from now on. `transcript`: a better one. None: the inquiry
        moved meanwhile; read it again and repeat.
        """
        with self.database.write() as connection:
            if not _settle(connection, work, outcome.qualification, outcome.decision, held=held,
                           label=outcome.verdict.label,
                           confidence=outcome.verdict.confidence):  # fmt: skip
                return None
            if transcript is not None:
                _replace_transcript(connection, work.id, transcript)
            verdict_id = _add_verdict(connection, work.id, outcome.verdict)
            connection.execute(
                insert(tables.corrections).values(
                    inquiry_id=work.id,
                    verdict_id=verdict_id,
                    label=correction.label,
                    previous=correction.previous,
                    by=correction.by,
                    note=correction.note,
                    created_at=correction.at,
                )
            )
            queued = tables.review_items
            connection.execute(delete(queued).where(queued.c.inquiry_id == work.id))
            said = {name: value for name, value in asdict(correction).items() if name != "at"}
            if work.held and not held:
                said["held"] = work.held
            records.note(connection, work.id, "corrected", said)
            return self._decided(connection, work, verdict_id, outcome, plan)

    def held_until(self, inquiry_id: str, moment: datetime) -> str:
        """Why an inquiry was held until somebody said what it is, then or later; empty where no
        correction since then let it go.
        """
        table = tables.history
        query = select(table.c.detail).where(
            table.c.inquiry_id == inquiry_id, table.c.event == "corrected", table.c.at >= moment
        )
        with self.database.read() as connection:
            details = connection.execute(query.order_by(table.c.id)).scalars()
            found = (records.restore_detail(detail).get("held", "") for detail in details)
            return str(next(filter(None, found), ""))

    def renew(
        self,
        work: Work,
        transcript: Transcript | None,
        outcome: Outcome,
        plan: Plan,
        held: str = "",
        statement: Statement | None = None,
    ) -> list[Delivery] | None:
        """Store a better transcript (if there is one) and what follows from a new look. `held`: why
        it is told to nobody, from now on. `statement`: what a person said that it states.
        """
        with self.database.write() as connection:
            if not _settle(connection, work, outcome.qualification, outcome.decision, held=held):
                return None
            if work.held and not held:
                records.note(connection, work.id, "released", {})
            if transcript is not None:
                _replace_transcript(connection, work.id, transcript)
            if statement is not None:
                statements.write(connection, work.id, statement)
            table = tables.verdicts
            query = select(table.c.id).where(table.c.inquiry_id == work.id)
            verdict_id = connection.execute(query.order_by(table.c.id.desc()).limit(1)).scalar_one()
            return self._decided(connection, work, verdict_id, outcome, plan)

    def rescored(
        self, work: Work, outcome: Outcome, plan: Plan, held: str
    ) -> list[Delivery] | None:
        """A new verdict, and what follows from it; None: the inquiry moved meanwhile."""
        with self.database.write() as connection:
            if not _settle(connection, work, outcome.qualification, outcome.decision, held=held,
                           label=outcome.verdict.label,
                           confidence=outcome.verdict.confidence):  # fmt: skip
                return None
            verdict_id = _add_verdict(connection, work.id, outcome.verdict)
            records.note(
                connection,
                work.id,
                "rescored",
                {"label": outcome.verdict.label, "model": outcome.verdict.model},
            )
            return self._decided(connection, work, verdict_id, outcome, plan)

    def _decided(
        self, connection: Connection, work: Work, verdict_id: int, outcome: Outcome, plan: Plan
    ) -> list[Delivery]:
        moment = records.now()
        if outcome.qualification:
            connection.execute(
                insert(tables.qualifications).values(
                    inquiry_id=work.id,
                    verdict_id=verdict_id,
                    score=outcome.qualification.score,
                    grade=outcome.qualification.grade,
                    data=records.dump(outcome.qualification),
                    created_at=moment,
                )
            )
        decision = outcome.decision
        connection.execute(
            insert(tables.decisions).values(
                inquiry_id=work.id,
                verdict_id=verdict_id,
                outcome=decision.outcome,
                reason=decision.reason,
                created_at=moment,
            )
        )
        deliveries = list(plan(Ledger(self.database, connection, work.id)))
        outbox.add(connection, deliveries)
        records.note(
            connection,
            work.id,
            "decided",
            {
                "outcome": decision.outcome,
                "reason": decision.reason,
                "events": _events(deliveries),
            },
        )
        return deliveries

    def of(self, inquiry_id: str) -> list[Correction]:
        """What people said about an inquiry, in order."""
        table = tables.corrections
        query = select(table).where(table.c.inquiry_id == inquiry_id).order_by(table.c.id)
        with self.database.read() as connection:
            return [
                Correction(row.label, row.previous, row.by, row.note, row.created_at)
                for row in connection.execute(query)
            ]

    def before(self, inquiry_id: str, moment: datetime) -> Outcome | None:
        """What was found and decided at a time; None where nothing was yet."""
        with self.database.read() as connection:

            def newest(table: Table, *conditions: ColumnElement[bool]) -> Row[Any] | None:
                query = select(table).where(table.c.inquiry_id == inquiry_id, *conditions)
                query = query.where(table.c.created_at < moment).order_by(table.c.id.desc())
                return connection.execute(query.limit(1)).first()

            verdict, decision = newest(tables.verdicts), newest(tables.decisions)
            if verdict is None or decision is None:
                return None
            of = tables.qualifications.c.verdict_id == verdict.id
            qualified = newest(tables.qualifications, of)
        return Outcome(
            records.restore(Verdict, verdict.data),
            records.restore(Qualification, qualified.data) if qualified else None,
            Decision(Decided(decision.outcome), decision.reason),
        )


def _replace_transcript(connection: Connection, inquiry_id: str, transcript: Transcript) -> None:
    table = tables.transcripts
    connection.execute(
        update(table)
        .where(table.c.inquiry_id == inquiry_id)
        .values(data=records.dump(transcript), created_at=records.now())
    )
    search.heard(connection, inquiry_id, transcript)
    records.note(connection, inquiry_id, "transcribed",
                 {"engine": transcript.engine, "model": transcript.model})  # fmt: skip


def _settle(
    connection: Connection,
    work: Work,
    qualification: Qualification | None,
    decision: Decision,
    **values: Any,
) -> bool:
    """The guarded move. It also locks the row: what is told is decided by one at a time. What
    was settled anew after it was read has another `due_at`: two looks never undo each other.
    """
    moment = records.now()
    table = tables.inquiries
    moved = connection.execute(
        update(table)
        .where(table.c.id == work.id, table.c.stage == work.stage)
        .where(table.c.due_at == work.due_at)
        .values(
            stage=Stage.SETTLED,
            attempts=0,
            error="",
            due_at=moment,
            settled_at=moment,
            outcome=decision.outcome,
            score=qualification.score if qualification else None,
            grade=qualification.grade if qualification else None,
            **values,
        )
    )
    return moved.rowcount == 1


def _add_verdict(connection: Connection, inquiry_id: str, verdict: Verdict) -> int:
    added = connection.execute(
        insert(tables.verdicts)
        .values(
            inquiry_id=inquiry_id,
            label=verdict.label,
            margin=verdict.margin,
            abstained=verdict.abstained,
            model=verdict.model,
            data=records.dump(verdict),
            created_at=records.now(),
        )
        .returning(tables.verdicts.c.id)
    )
    verdict_id: int = added.scalar_one()
    return verdict_id


def _events(deliveries: Sequence[Delivery]) -> list[str]:
    return [f"{delivery.event} to {delivery.destination}" for delivery in deliveries]
