"""What arrived in a stretch of time as the model saw it, and alarms about sources that changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, select, update

from triage.store import records, tables
from triage.store.database import Database
from triage.store.settlements import PERSON
from triage.types import Inquiry, Transcript


@dataclass(frozen=True, slots=True)
class Judged:
    """An inquiry as the worker first judged it, whatever people said of it later."""

    id: str
    at: datetime
    channel: str
    label: str
    margin: float
    abstained: bool
    model: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about a source is different. `measure`: `labels`, `confidence`, `vocabulary` or
    `silence`; `label`: of which label, where it is about one. `text` says it to people, `detail`
    has the figures. `began_at`: when it was first noticed; `ended_at`: when it no longer was so.
    """

    id: int
    source: str
    measure: str
    label: str
    text: str
    detail: Mapping[str, Any]
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about."""
        return (self.source, self.measure, self.label)


class Drifts:
    """Reads windows, and keeps alarms. All times are aware, in UTC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def judged(self, source: str, since: datetime, until: datetime, most: int) -> list[Judged]:
        """What came from a source in `[since, until)`, the newest `most`, with the first verdict of
        each. What waited long before it was found is left out: it belongs to another time.
        """
        table, verdicts = tables.inquiries, tables.verdicts
        newest = (
            select(table.c.id, table.c.received_at, table.c.channel)
            .where(table.c.source == source, table.c.received_at >= since)
            .where(table.c.received_at < until, table.c.backlog.is_(False))
            .order_by(table.c.received_at.desc())
            .limit(most)
            .subquery()
        )
        first = (
            select(func.min(verdicts.c.id).label("id"))
            .where(verdicts.c.inquiry_id.in_(select(newest.c.id)))
            .group_by(verdicts.c.inquiry_id)
            .subquery()
        )
        query = (
            select(
                newest.c.id,
                newest.c.received_at,
                newest.c.channel,
                verdicts.c.label,
                verdicts.c.margin,
                verdicts.c.abstained,
                verdicts.c.model,
            )
            .join(verdicts, verdicts.c.inquiry_id == newest.c.id)
            .join(first, first.c.id == verdicts.c.id)
            .where(~verdicts.c.model.startswith(PERSON))
            .order_by(newest.c.received_at.desc())
        )
        with self.database.read() as connection:
            return [
                Judged(row.id, row.received_at, row.channel, row.label, row.margin,
                       bool(row.abstained), row.model)
                for row in connection.execute(query)
            ]  # fmt: skip

    def contents(self, ids: Sequence[str]) -> Iterator[tuple[Inquiry, Transcript | None]]:
        """What was parsed and heard of each of these, in any order."""
        table, heard = tables.contents, tables.transcripts
        for start in range(0, len(ids), 200):
            query = (
                select(table.c.data, heard.c.data.label("heard"))
                .outerjoin(heard, heard.c.inquiry_id == table.c.inquiry_id)
                .where(table.c.inquiry_id.in_(ids[start : start + 200]))
            )
            with self.database.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                transcript = records.restore(Transcript, row.heard) if row.heard else None
                yield records.restore(Inquiry, row.data), transcript

    def alarms(self, limit: int = 50, *, ended: bool = False) -> list[Alarm]:
        """What is different now, or (`ended`) no longer is, the newest first."""
        table = tables.drift_alarms
        is_over = table.c.ended_at.is_not(None) if ended else table.c.ended_at.is_(None)
        query = select(table).where(is_over).order_by(table.c.began_at.desc(), table.c.id.desc())
        with self.database.read() as connection:
            return [_alarm(row) for row in connection.execute(query.limit(limit))]

    def noticed(self, found: Sequence[Alarm]) -> list[Alarm]:
        """Keep what a look through all sources found; returns what is new.

        What was noticed before keeps its beginning; what is no longer found has ended, and so has
        what was said of a source that is gone.
        """
        table, moment = tables.drift_alarms, records.now()
        fresh = []
        with self.database.write() as connection:
            rows = connection.execute(
                select(table).where(table.c.ended_at.is_(None)).with_for_update()
            )
            known = {alarm.key: alarm for alarm in map(_alarm, rows)}
            for alarm in found:
                values = {"text": alarm.text, "detail": json.dumps(dict(alarm.detail))}
                if before := known.pop(alarm.key, None):
                    connection.execute(
                        update(table)
                        .where(table.c.id == before.id)
                        .values(seen_at=moment, **values)
                    )
                    continue
                fresh.append(alarm)
                connection.execute(
                    insert(table).values(
                        source=alarm.source, measure=alarm.measure, label=alarm.label,
                        began_at=moment, seen_at=moment, **values,
                    )
                )  # fmt: skip
            over = [alarm.id for alarm in known.values()]
            connection.execute(
                update(table)
                .where(and_(table.c.id.in_(over), table.c.ended_at.is_(None)))
                .values(ended_at=moment)
            )
        return fresh


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(
        row.id, row.source, row.measure, row.label, row.text, json.loads(row.detail),
        row.began_at, row.seen_at, row.ended_at,
    )  # fmt: skip
