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
    way for everything else. `formerly`: the identity that earlier versions gave such an item.
    """

    raw: RawItem
    channel: Channel
    identity: str
    campaign: str = ""
    sidecar: str = ""
    refused: str = ""
    backlog: bool = False
    formerly: str = ""


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
        moment = records.now()
        # One order for all writers, so that two with the same items wait instead of deadlocking.
        ordered = sorted(arrivals, key=lambda arrival: arrival.identity)
        with self.database.write() as connection:
            fresh = self._add(connection, ordered, moment) if ordered else {}
            if cursor is not None:
                self._move_cursor(connection, source, cursor, moment)
        return list(dict.fromkeys(fresh[a.identity] for a in arrivals if a.identity in fresh))

    def _add(
        self, connection: Connection, arrivals: Sequence[Arrival], moment: datetime
    ) -> dict[str, str]:
        """Store inquiries and sightings; returns the new ids by identity."""
        known = _ids(connection, [a.formerly for a in arrivals] + [a.identity for a in arrivals])
        missing = {a.identity: a for a in arrivals if not {a.identity, a.formerly} & known.keys()}
        fresh = {identity: records.new_id("inq") for identity in missing}
        if missing:
            connection.execute(
                self.database.insert(tables.inquiries).on_conflict_do_nothing(
                    index_elements=["identity"]
                ),
                [_row(fresh[identity], arrival, moment) for identity, arrival in missing.items()],
            )
            # Where two had the same item at once, one of them came first.
            stored = _ids(connection, list(missing))
            fresh = {name: new for name, new in fresh.items() if stored[name] == new}
            known |= stored
        connection.execute(
            self.database.insert(tables.sightings).on_conflict_do_nothing(),
            [_sighting(known.get(a.identity) or known[a.formerly], a, moment) for a in arrivals],
        )
        records.note_all(
            connection,
            [
                records.Noted(fresh[identity], event, detail)
                for identity, arrival in missing.items()
                if identity in fresh
                for event, detail in _events(arrival)
            ],
        )
        return fresh

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

    def lately(self, source: str, most: int) -> list[str]:
        """The keys of the last sightings of a source, newest first."""
        table = tables.sightings
        query = (
            select(table.c.key)
            .where(table.c.source == source)
            .order_by(table.c.id.desc())
            .limit(most)
        )
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

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


def _ids(connection: Connection, identities: Sequence[str]) -> dict[str, str]:
    """The ids of the inquiries that have these identities."""
    table = tables.inquiries
    wanted = sorted(set(identities) - {""})
    found: dict[str, str] = {}
    for start in range(0, len(wanted), 400):  # SQLite bounds the variables of a statement
        query = select(table.c.identity, table.c.id).where(
            table.c.identity.in_(wanted[start : start + 400])
        )
        found.update((row.identity, row.id) for row in connection.execute(query))
    return found


def _row(inquiry_id: str, arrival: Arrival, moment: datetime) -> dict[str, object]:
    raw, ref = arrival.raw, arrival.raw.ref
    return {
        "id": inquiry_id,
        "identity": arrival.identity,
        "channel": arrival.channel,
        "source": ref.source,
        "kind": ref.kind,
        "key": ref.key,
        "revision": ref.revision,
        "sha256": raw.sha256,
        "size": raw.size,
        "media_type": raw.media_type,
        "sidecar": arrival.sidecar,
        "received_at": raw.received_at,
        "created_at": moment,
        "stage": Stage.QUARANTINED if arrival.refused else Stage.RECEIVED,
        "attempts": 0,
        "due_at": moment,
        "error": arrival.refused,
        "sender": "",
        "subject": "",
        "campaign": arrival.campaign,
        "backlog": arrival.backlog,
    }


def _sighting(inquiry_id: str, arrival: Arrival, moment: datetime) -> dict[str, object]:
    ref = arrival.raw.ref
    return {
        "inquiry_id": inquiry_id,
        "source": ref.source,
        "key": ref.key,
        "revision": ref.revision,
        "seen_at": moment,
    }


def _events(arrival: Arrival) -> list[tuple[str, dict[str, str]]]:
    ref = arrival.raw.ref
    events = [("received", {"source": ref.source, "key": ref.key})]
    return [*events, ("quarantined", {"reason": arrival.refused})] if arrival.refused else events
