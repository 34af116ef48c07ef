"""Takes items in: exactly one inquiry for each, together with how far the source was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, tuple_

from triage.store import records, tables
from triage.store.database import Database
from triage.types import Channel, FolderCursor, RawItem, Stage


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item to be taken in. Equal `identity` means the same inquiry, however often it is seen.

    `refused` is set where the item was too large or unreadable at the source: it is quarantined
    with that reason, and what is stored is as much of it as could be had. What is `backlog` makes
    way for everything else.
    """

    raw: RawItem
    channel: Channel
    identity: str
    campaign: str = ""
    sidecar: str = ""
    refused: str = ""
    backlog: bool = False


class Arrivals:
    """What sources showed, and how far each was read."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def receive(
        self, arrivals: Sequence[Arrival], source: str = "", cursor: FolderCursor | None = None
    ) -> list[str]:
        """Take items in and move the source's cursor, all or nothing; returns the new ids.

        What was seen before gets another sighting, not another inquiry.
        """
        fresh: dict[int, str] = {}
        moment = records.now()
        # One order for all writers, so that two with the same items wait instead of deadlocking.
        ordered = sorted(enumerate(arrivals), key=lambda numbered: numbered[1].identity)
        with self.database.write() as connection:
            for number, arrival in ordered:
                new = self._add(connection, arrival, moment)
                if new:
                    fresh[number] = new
            if cursor is not None:
                self._move_cursor(connection, source, cursor, moment)
        return [fresh[number] for number in sorted(fresh)]

    def _add(self, connection: Connection, arrival: Arrival, moment: datetime) -> str | None:
        raw, ref = arrival.raw, arrival.raw.ref
        stage = Stage.QUARANTINED if arrival.refused else Stage.RECEIVED
        inquiry_id: str | None = connection.execute(
            self.database.insert(tables.inquiries)
            .values(
                id=records.new_id("inq"),
                identity=arrival.identity,
                channel=arrival.channel,
                source=ref.source,
                kind=ref.kind,
                key=ref.key,
                revision=ref.revision,
                sha256=raw.sha256,
                size=raw.size,
                media_type=raw.media_type,
                sidecar=arrival.sidecar,
                received_at=raw.received_at,
                created_at=moment,
                stage=stage,
                attempts=0,
                due_at=moment,
                error=arrival.refused,
                sender="",
                subject="",
                campaign=arrival.campaign,
                backlog=arrival.backlog,
            )
            .on_conflict_do_nothing(index_elements=["identity"])
            .returning(tables.inquiries.c.id)
        ).scalar()
        known = (
            inquiry_id
            or connection.execute(
                select(tables.inquiries.c.id).where(tables.inquiries.c.identity == arrival.identity)
            ).scalar_one()
        )
        connection.execute(
            self.database.insert(tables.sightings)
            .values(
                inquiry_id=known,
                source=ref.source,
                key=ref.key,
                revision=ref.revision,
                seen_at=moment,
            )
            .on_conflict_do_nothing()
        )
        if inquiry_id:
            records.note(connection, inquiry_id, "received", {"source": ref.source, "key": ref.key})
            if arrival.refused:
                records.note(connection, inquiry_id, "quarantined", {"reason": arrival.refused})
        return inquiry_id

    def _move_cursor(
        self, connection: Connection, source: str, cursor: FolderCursor, moment: datetime
    ) -> None:
        values = {
            "uidvalidity": cursor.uidvalidity,
            "last_uid": cursor.last_uid,
            "backlog_from": cursor.backlog_from,
            "backlog_to": cursor.backlog_to,
            "updated_at": moment,
        }
        connection.execute(
            self.database.insert(tables.cursors)
            .values(source=source, folder=cursor.folder, **values)
            .on_conflict_do_update(index_elements=["source", "folder"], set_=values)
        )

    def cursor(self, source: str, folder: str) -> FolderCursor | None:
        """How far a folder was read; None if never."""
        table = tables.cursors
        query = select(table).where(table.c.source == source, table.c.folder == folder)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return FolderCursor(folder, row.uidvalidity, row.last_uid, row.backlog_from, row.backlog_to)

    def known(self, source: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these (key, revision) pairs of a source were seen before."""
        table = tables.sightings
        found: set[tuple[str, str]] = set()
        with self.database.read() as connection:
            for start in range(0, len(keys), 400):  # SQLite bounds the variables of a statement
                query = select(table.c.key, table.c.revision).where(
                    table.c.source == source,
                    tuple_(table.c.key, table.c.revision).in_(keys[start : start + 400]),
                )
                found.update((row.key, row.revision) for row in connection.execute(query))
        return found
