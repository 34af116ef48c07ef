"""The moves by which an inquiry comes from stage to stage, each with the result that it brings.

Every move is one short transaction that begins with `UPDATE … WHERE id = :id AND stage = :current`.
Where that finds no row, somebody else made the move: nothing is written and the caller is told.
That makes each step safe to repeat, whatever was killed, whenever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from triage.store import outbox, people, records, search, tables, threads
from triage.store.database import Database
from triage.store.handovers import Ledger, Plan
from triage.store.records import Work
from triage.types import (
    Decision,
    Delivery,
    Inquiry,
    Qualification,
    Stage,
    Transcript,
    Verdict,
)

SILENCED = "silenced"  # the event of a recording that took another one's place

# Built once: putting a statement together takes longer than SQLite does to carry it out.
_HELD = (
    select(tables.inquiries.c.id, tables.inquiries.c.stage)
    .where(tables.inquiries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(tables.inquiries.c.id)
    .with_for_update()
)
_PARSED = (
    update(tables.inquiries)
    .where(tables.inquiries.c.id == bindparam("work"))
    .values(
        stage=Stage.PARSED,
        attempts=0,
        error="",
        due_at=bindparam("due"),
        sender=bindparam("by"),
        subject=bindparam("about"),
        campaign=bindparam("of"),
        channel=bindparam("via"),
        recordings=bindparam("sounds"),
    )
)
_CONTENT = insert(tables.contents)


@dataclass(frozen=True, slots=True)
class Recording:
    """A stored recording. `size` in bytes; `silent` are the seconds that were silenced in it."""

    sha256: str
    size: int
    media_type: str
    silent: Sequence[tuple[float, float]] = ()


class Moves:
    """What each step leaves. All times are aware, in UTC; each move returns whether it was made."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def parsed(self, work: Work, inquiry: Inquiry) -> bool:
        """RECEIVED → PARSED, with what was parsed."""
        return bool(self.parsed_all([(work, inquiry)]))

    def parsed_all(self, pairs: Sequence[tuple[Work, Inquiry]]) -> list[str]:
        """As `parsed`, for many in one transaction; returns the ids of those that were moved."""
        moment = records.now()
        data = {work.id: records.dump(inquiry) for work, inquiry in pairs}
        entries = {work.id: search.entry(inquiry) for work, inquiry in pairs}
        with self.database.write() as connection:
            here = _held(connection, [work for work, _ in pairs])
            moved = [inquiry for work, inquiry in pairs if work.id in here]
            if not moved:
                return []
            connection.execute(_PARSED, [_parsed_row(inquiry, moment) for inquiry in moved])
            connection.execute(
                _CONTENT,
                [
                    {"inquiry_id": inquiry.id, "data": data[inquiry.id], "created_at": moment}
                    for inquiry in moved
                ],
            )
            search.put(connection, [entries[inquiry.id] for inquiry in moved])
            notes = [
                records.Noted(inquiry.id, "parsed", {"warnings": list(inquiry.warnings)})
                for inquiry in moved
            ]
            mails = [one for one in moved if one.channel == "email" or one.voicemail]
            legs = [inquiry for inquiry in moved if inquiry.call and inquiry.call.group]
            if mails or legs:
                # Two of one conversation may be parsed at once, and must see each other.
                people.exclusive(self.database, connection)
                notes += [
                    records.Noted(others[0], "reply", {"inquiry": name})
                    for name, others in threads.link_all(connection, mails)
                    if others
                ]
                notes += [
                    records.Noted(others[0], "another leg", {"inquiry": leg.id})
                    for leg in legs
                    if (others := threads.link_leg(connection, leg))
                ]
            records.note_all(connection, notes)
        return [inquiry.id for inquiry in moved]

    def transcribed(
        self, work: Work, transcript: Transcript, instead: Recording | None = None
    ) -> bool:
        """PARSED → TRANSCRIBED, with the transcript; one of an earlier part is replaced. `instead`:
        the recording that is stored in the place of the one that was heard.
        """
        moment = records.now()
        changes = asdict(instead) if instead else {}
        silent = changes.pop("silent", ())
        with self.database.write() as connection:
            if not move(connection, work, Stage.TRANSCRIBED, **changes):
                return False
            if instead:
                _note_silenced(connection, work, silent)
            table = tables.transcripts
            connection.execute(delete(table).where(table.c.inquiry_id == work.id))
            connection.execute(
                insert(table).values(
                    inquiry_id=work.id, data=records.dump(transcript), created_at=moment
                )
            )
            search.heard(connection, work.id, transcript)
            records.note(
                connection,
                work.id,
                "transcribed",
                {"engine": transcript.engine, "model": transcript.model, **_extent(transcript)},
            )
        return True

    def silenced(self, work: Work, instead: Recording) -> bool:
        """Another recording in the place of the stored one, whatever the stage."""
        changes = asdict(instead)
        silent, table = changes.pop("silent"), tables.inquiries
        same = (table.c.id == work.id) & (table.c.sha256 == work.sha256)
        with self.database.write() as connection:
            if connection.execute(update(table).where(same).values(changes)).rowcount != 1:
                return False
            _note_silenced(connection, work, silent)
        return True

    def heard(self, work: Work, inquiry: Inquiry, transcript: Transcript | None) -> bool:
        """PARSED → TRANSCRIBED for a mail with recordings: what was heard is part of `inquiry`, or
        is the `transcript` of the call that the mail turned out to be.
        """
        moment = records.now()
        table = tables.contents
        entry = search.entry(inquiry, transcript)
        notes = [found.note for found in inquiry.recordings if found.note]
        with self.database.write() as connection:
            if not move(connection, work, Stage.TRANSCRIBED):
                return False
            connection.execute(
                update(table)
                .where(table.c.inquiry_id == work.id)
                .values(data=records.dump(inquiry))
            )
            if transcript is not None:
                connection.execute(
                    insert(tables.transcripts).values(
                        inquiry_id=work.id, data=records.dump(transcript), created_at=moment
                    )
                )
            search.put(connection, [entry])
            detail = {"recordings": len(inquiry.recordings), "notes": notes}
            records.note(connection, work.id, "heard", detail)
        return True

    def read_on(self, work: Work, why: Mapping[str, Any]) -> bool:
        """TRANSCRIBED → PARSED, because what was read so far does not settle the call."""
        with self.database.write() as connection:
            if not move(connection, work, Stage.PARSED):
                return False
            records.note(connection, work.id, "reading on", why)
        return True

    def passed_over(self, work: Work, why: str) -> bool:
        """PARSED → TRANSCRIBED without a transcript, because nobody may make one."""
        with self.database.write() as connection:
            if not move(connection, work, Stage.TRANSCRIBED):
                return False
            records.note(connection, work.id, "not transcribed", {"reason": why})
        return True

    def classified(
        self, work: Work, verdict: Verdict, audit: Mapping[str, Any] | None = None
    ) -> bool:
        """PARSED or TRANSCRIBED → CLASSIFIED, with the verdict.

        `audit`: what it says about the verdict on the opening, of a call read whole to see that.
        """
        moment = records.now()
        with self.database.write() as connection:
            if not move(
                connection,
                work,
                Stage.CLASSIFIED,
                label=verdict.label,
                confidence=verdict.confidence,
            ):
                return False
            connection.execute(
                insert(tables.verdicts).values(
                    inquiry_id=work.id,
                    label=verdict.label,
                    margin=verdict.margin,
                    abstained=verdict.abstained,
                    model=verdict.model,
                    data=records.dump(verdict),
                    created_at=moment,
                )
            )
            records.note(
                connection,
                work.id,
                "classified",
                {"label": verdict.label, "confidence": verdict.confidence, "model": verdict.model}
                | ({"like": list(verdict.recalled)} if verdict.recalled else {}),
            )
            if audit is not None:
                records.note(connection, work.id, "opening audited", audit)
        return True

    def qualified(self, work: Work, qualification: Qualification | None) -> bool:
        """CLASSIFIED → QUALIFIED; `None` where the inquiry cannot be a lead."""
        moment = records.now()
        with self.database.write() as connection:
            columns = _score_columns(qualification)
            if not move(connection, work, Stage.QUALIFIED, **columns):
                return False
            if qualification:
                connection.execute(
                    insert(tables.qualifications).values(
                        inquiry_id=work.id,
                        verdict_id=_latest_verdict_id(connection, work.id),
                        score=qualification.score,
                        grade=qualification.grade,
                        data=records.dump(qualification),
                        created_at=moment,
                    )
                )
                records.note(connection, work.id, "qualified", columns)
        return True

    def settled(
        self, work: Work, decision: Decision, deliveries: Sequence[Delivery] | Plan
    ) -> bool:
        """QUALIFIED → SETTLED; the outbox rows are written in the transaction that decides.

        A plan is asked inside it what to write: what others were told meanwhile counts.
        """
        moment = records.now()
        with self.database.write() as connection:
            if not move(
                connection, work, Stage.SETTLED, outcome=decision.outcome, settled_at=moment
            ):
                return False
            connection.execute(
                insert(tables.decisions).values(
                    inquiry_id=work.id,
                    verdict_id=_latest_verdict_id(connection, work.id),
                    outcome=decision.outcome,
                    reason=decision.reason,
                    created_at=moment,
                )
            )
            if callable(deliveries):
                deliveries = deliveries(Ledger(self.database, connection, work.id))
            outbox.add(connection, deliveries)
            records.note(
                connection,
                work.id,
                "decided",
                {"outcome": decision.outcome, "reason": decision.reason},
            )
        return True


def _extent(transcript: Transcript) -> dict[str, Any]:
    """How much was read, where that is not all."""
    if not transcript.partial:
        return {}
    return {"read_s": transcript.read_s, "of_s": transcript.duration_s}


def _held(connection: Connection, works: Sequence[Work]) -> set[str]:
    """Which of these are still at their stage; they stay there until the transaction ends."""
    stages = {work.id: work.stage for work in works}
    rows = connection.execute(_HELD, {"ids": list(stages)})
    return {row.id for row in rows if row.stage == stages[row.id]}


def _parsed_row(inquiry: Inquiry, moment: datetime) -> dict[str, object]:
    return {
        "work": inquiry.id,
        "due": moment,
        "by": str(inquiry.author),
        "about": inquiry.subject,
        "of": inquiry.campaign,
        "via": inquiry.channel,
        "sounds": len(inquiry.recordings),
    }


def move(connection: Connection, work: Work, stage: Stage, **values: Any) -> bool:
    """The guarded update; a completed step starts the next one with a clean slate."""
    table = tables.inquiries
    found = (table.c.id == work.id) & (table.c.stage == work.stage)
    if stage is Stage.SETTLED:  # what was released meanwhile is decided again
        found &= table.c.held == work.held
    moved = connection.execute(
        update(table)
        .where(found)
        .values({"attempts": 0, "error": "", "due_at": records.now()} | values | {"stage": stage})
    )
    return moved.rowcount == 1


def _note_silenced(
    connection: Connection, work: Work, seconds: Sequence[tuple[float, float]]
) -> None:
    silenced = {"instead_of": work.sha256, "seconds": list(seconds)}
    records.note(connection, work.id, SILENCED, silenced)


def _score_columns(qualification: Qualification | None) -> dict[str, Any]:
    if qualification is None:
        return {}
    return {"score": qualification.score, "grade": qualification.grade}


def _latest_verdict_id(connection: Connection, inquiry_id: str) -> int:
    query = select(func.max(tables.verdicts.c.id)).where(tables.verdicts.c.inquiry_id == inquiry_id)
    newest: int = connection.execute(query).scalar_one()
    return newest
