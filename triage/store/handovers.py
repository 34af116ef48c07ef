"""What each destination knows of whose leads: read and written in the transaction that decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from triage.store import outbox, people, records, tables
from triage.store.database import Database
from triage.store.people import Contact, Person
from triage.types import Delivery

_IDENTITY: Final = select(tables.inquiries.c.identity).where(
    tables.inquiries.c.id == bindparam("inquiry")
)


@dataclass(frozen=True, slots=True)
class Handover:
    """A destination knows an inquiry as (part of) the lead `lead_id`, the id of the event that told
    of it first; `opened`: that event was about this very inquiry.
    """

    inquiry_id: str
    destination: str
    lead_id: str
    opened: bool
    at: datetime


class Ledger:
    """Who was told what, for one inquiry, in one transaction."""

    def __init__(self, database: Database, connection: Connection, inquiry_id: str) -> None:
        self._database = database
        self._connection = connection
        self.inquiry_id = inquiry_id
        self._identities: dict[str, str] = {}
        self._events: dict[str, dict[tuple[str, str], int]] = {}

    def exclusive(self) -> None:
        """Wait for whoever else decides about leads; nobody else begins until this one ended."""
        people.exclusive(self._database, self._connection)

    def identify(self, contact: Contact) -> Person | None:
        """Who made the inquiry; see `people.identify`."""
        return people.identify(self._database, self._connection, self.inquiry_id, contact)

    def person(self) -> Person | None:
        """Who is known to have made the inquiry."""
        return people.who_made(self._connection, self.inquiry_id)

    def told(self) -> dict[str, Handover]:
        """The destinations that count this inquiry as (part of) a lead."""
        table = tables.handovers
        rows = self._handovers(select(table).where(table.c.inquiry_id == self.inquiry_id))
        return {handover.destination: handover for handover in rows}

    def earlier(self, person: Person, since: datetime) -> dict[str, Handover]:
        """For each destination, the newest lead it was told of since then that came of another
        inquiry of the person.
        """
        table, appearances = tables.handovers, tables.appearances
        rows = self._handovers(
            select(table)
            .join(appearances, appearances.c.inquiry_id == table.c.inquiry_id)
            .where(appearances.c.person_id == person.id, table.c.inquiry_id != self.inquiry_id)
            .where(table.c.opened, table.c.at >= since)
            .order_by(table.c.at)
        )
        return {handover.destination: handover for handover in rows}

    def thread(self) -> dict[str, Handover]:
        """For each destination, the newest lead it was told of that came of another mail of the
        inquiry's conversation.
        """
        table, messages, mine = tables.handovers, tables.messages, tables.messages.alias()
        rows = self._handovers(
            select(table)
            .join(messages, messages.c.inquiry_id == table.c.inquiry_id)
            .join(mine, mine.c.conversation_id == messages.c.conversation_id)
            .where(mine.c.inquiry_id == self.inquiry_id, table.c.inquiry_id != self.inquiry_id)
            .order_by(table.c.at)
        )
        return {handover.destination: handover for handover in rows}

    def owners(self, person: Person) -> set[str]:
        """Destinations that have a lead of the person, else one of somebody at their company."""
        found = self._owners([person.id])
        if not found and person.company:
            # Asked for by themselves: together with the rest SQLite would read every handover,
            # because most people's company is the same, none.
            column = tables.people.c
            same = select(column.id).where(column.company == person.company)
            colleagues = self._connection.execute(same).scalars().all()
            for start in range(0, len(colleagues), 400):
                found |= self._owners(colleagues[start : start + 400])
        return found

    def _owners(self, people_ids: Sequence[str]) -> set[str]:
        table, appearances = tables.handovers, tables.appearances
        query = (
            select(table.c.destination)
            .distinct()
            .join(appearances, appearances.c.inquiry_id == table.c.inquiry_id)
            .where(appearances.c.person_id.in_(people_ids), table.c.retracted_at.is_(None))
            .where(table.c.inquiry_id != self.inquiry_id)
        )
        return set(self._connection.execute(query).scalars())

    def followers(self, handover: Handover) -> list[str]:
        """Other inquiries that the destination counts to the same lead, oldest first."""
        table = tables.handovers
        rows = self._handovers(
            select(table)
            .where(table.c.destination == handover.destination)
            .where(table.c.lead_id == handover.lead_id, table.c.inquiry_id != handover.inquiry_id)
            .order_by(table.c.at, table.c.inquiry_id)
        )
        return [row.inquiry_id for row in rows]

    def identity(self, inquiry_id: str) -> str:
        """What an inquiry is told apart by; ids of events follow from it."""
        if inquiry_id not in self._identities:
            found = self._connection.execute(_IDENTITY, {"inquiry": inquiry_id}).scalar_one()
            self._identities[inquiry_id] = found
        return self._identities[inquiry_id]

    def count(self, inquiry_id: str, destination: str, event: str) -> int:
        """How many events of a type were written for a destination about an inquiry, before this
        transaction.
        """
        if inquiry_id not in self._events:
            self._events[inquiry_id] = outbox.events_of(self._connection, inquiry_id)
        return self._events[inquiry_id].get((destination, event), 0)

    def last_body(self, destination: str, events: Sequence[str]) -> str:
        """The body of the newest event of these types about this inquiry; empty if none."""
        table = tables.deliveries
        query = (
            select(table.c.body)
            .where(table.c.inquiry_id == self.inquiry_id, table.c.destination == destination)
            .where(table.c.event.in_(events))
            .order_by(table.c.created_at.desc(), table.c.sequence.desc())
            .limit(1)
        )
        return self._connection.execute(query).scalar() or ""

    def hand_over(self, inquiry_id: str, destination: str, lead_id: str, *, opened: bool) -> None:
        """From now on the destination counts the inquiry to the lead `lead_id`."""
        values = {
            "lead_id": lead_id, "opened": opened, "at": records.now(), "retracted_at": None,
        }  # fmt: skip
        self._connection.execute(
            self._database.insert(tables.handovers)
            .values(inquiry_id=inquiry_id, destination=destination, **values)
            .on_conflict_do_update(index_elements=["inquiry_id", "destination"], set_=values)
        )

    def take_back(self, handover: Handover) -> None:
        """The destination no longer counts the inquiry as a lead."""
        table = tables.handovers
        self._connection.execute(
            update(table)
            .where(table.c.inquiry_id == handover.inquiry_id)
            .where(table.c.destination == handover.destination)
            .values(retracted_at=records.now())
        )

    def _handovers(self, query: Select[Any]) -> list[Handover]:
        rows = self._connection.execute(query.where(tables.handovers.c.retracted_at.is_(None)))
        return [_handover(row) for row in rows]


Plan = Callable[[Ledger], Sequence[Delivery]]
"""What a decision makes known to whom; called inside the transaction, so it must be quick."""


def _handover(row: Row[Any]) -> Handover:
    return Handover(row.inquiry_id, row.destination, row.lead_id, row.opened, row.at)
