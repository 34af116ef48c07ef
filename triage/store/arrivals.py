"""Takes items in: exactly one inquiry for each, together with how far the source was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_, update

from triage.store import records, tables
from triage.store.database import Database
from triage.store.worklist import REFUSED
from triage.types import REFUSED_MARK, Channel, FolderCursor, RawItem, Stage


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item to be taken in. Equal `identity` means the same inquiry, however often it is seen.

    `refused` is set where the item was too large or unreadable at the source: it is quarantined
    with that reason, and what is stored is as much of it as could be had. What is `backlog` makes
    way for everything else; what is `held` is told to nobody, for that reason. `again`: it was
    refused before, and replaces what was kept then. `formerly`: the identity that earlier versions
    gave such an item.
    """

    raw: RawItem
    channel: Channel
    identity: str
    campaign: str = ""
    sidecar: str = ""
    refused: str = ""
    backlog: bool = False
    held: str = ""
    again: bool = False
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
            better = [a for a in ordered if a.again and not a.refused]
            replaced = {a.identity: self._replace(connection, a, moment) for a in better}
            fresh = {name: found for name, found in replaced.items() if found}
            fresh |= self._add(connection, ordered, moment) if ordered else {}
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

    def _replace(self, connection: Connection, arrival: Arrival, moment: datetime) -> str:
        """An item that was refused can be had after all: its inquiry goes on with all of it.

        Returns the inquiry's id; empty where there is no such inquiry, or where it came in another
        way meanwhile: then that one has the sightings, and the refused part is gone.
        """
        table, sightings, ref = tables.inquiries, tables.sightings, arrival.raw.ref
        old = connection.execute(
            select(table.c.id)
            .join(sightings, sightings.c.inquiry_id == table.c.id)
            .where(sightings.c.source == ref.source, sightings.c.key == ref.key)
            .where(sightings.c.revision.in_((ref.revision, ref.revision + REFUSED_MARK)))
            .where(table.c.stage == Stage.QUARANTINED)
            .where(table.c.identity.startswith(REFUSED, autoescape=True))
        ).scalar()
        if old is None:
            return ""
        known = _ids(connection, [arrival.identity, arrival.formerly])
        if same := known.get(arrival.identity) or known.get(arrival.formerly):
            connection.execute(
                update(sightings).where(sightings.c.inquiry_id == old).values(inquiry_id=same)
            )
            connection.execute(delete(table).where(table.c.id == old))
            records.note(connection, same, "joined", {"inquiry": old})
            return ""
        changes = _row(old, arrival, moment)
        kept = {"id", "created_at", "received_at", "backlog", "held"}
        connection.execute(
            update(table)
            .where(table.c.id == old)
            .values({name: value for name, value in changes.items() if name not in kept})
        )
        records.note(connection, old, "fetched again", {"source": ref.source, "key": ref.key})
        return str(old)

    def beginnings(self, source: str) -> dict[str, datetime]:
        """When each folder of a source was first read."""
        table = tables.beginnings
        query = select(table.c.folder, table.c.at).where(table.c.source == source)
        with self.database.read() as connection:
            return {row.folder: row.at for row in connection.execute(query)}

    def begin(self, source: str, folder: str) -> datetime:
        """A folder is read; returns when that was for the first time."""
        with self.database.write() as connection:
            self._begin(connection, source, folder, records.now())
        return self.beginnings(source)[folder]

    def _begin(self, connection: Connection, source: str, folder: str, moment: datetime) -> None:
        connection.execute(
            self.database.insert(tables.beginnings)
            .values(source=source, folder=folder, at=moment)
            .on_conflict_do_nothing()
        )

    def at(self, source: str, key: str) -> str | None:
        """The id of the inquiry that a source showed at a place; None where it showed nothing."""
        table = tables.sightings
        query = (
            select(table.c.inquiry_id)
            .where(table.c.source == source, table.c.key == key)
            .order_by(table.c.id.desc())
            .limit(1)
        )
        with self.database.read() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def places(self, inquiry_id: str) -> list[tuple[str, str]]:
        """The (source, key) of every sighting of an inquiry, the newest first."""
        table = tables.sightings
        query = (
            select(table.c.source, table.c.key)
            .where(table.c.inquiry_id == inquiry_id)
            .order_by(table.c.id.desc())
        )
        with self.database.read() as connection:
            return [(row.source, row.key) for row in connection.execute(query)]

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
        self._begin(connection, source, cursor.folder, moment)

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
        "held": arrival.held,
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
    for event, reason in (("held", arrival.held), ("quarantined", arrival.refused)):
        if reason:
            events.append((event, {"reason": reason}))
    return events
