"""The same person, whichever way they come: by call, then by mail, then by form.

People are known by phone number (E.164), by mail address, and by their name at a company. Whoever
links an inquiry to a person holds the lock of `exclusive`, so that two inquiries of one person that
are decided at the same moment never become two people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, text, tuple_, update

from triage.store import records, tables
from triage.store.database import Database, storable

_LOCK = 0x747269616768
_LONGEST = 400  # characters of a contact's value


@dataclass(frozen=True, slots=True)
class Contact:
    """What an inquiry says of who made it. `phone` is E.164, `email` and `company` are folded."""

    phone: str = ""
    email: str = ""
    name: str = ""
    company: str = ""

    @property
    def keys(self) -> list[tuple[str, str]]:
        """What a person is found by, as (kind, value)."""
        named = f"{self.company}|{self.name.casefold()}" if self.company and self.name else ""
        pairs = (("email", self.email), ("phone", self.phone), ("company", named))
        return [(kind, storable(value)[:_LONGEST]) for kind, value in pairs if value]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who made inquiries. `known`: there was one before."""

    id: str
    name: str
    company: str
    known: bool


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead that somebody sent."""

    inquiry_id: str
    received_at: datetime


def exclusive(database: Database, connection: Connection) -> None:
    """Until the transaction ends, nobody else links people.

    SQLite has one writer anyway. On PostgreSQL this is one short lock for all: people can be
    merged, so locks by person would have to be taken before it is known whose they are.
    """
    if not database.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def identify(
    database: Database, connection: Connection, inquiry_id: str, contact: Contact
) -> Person | None:
    """The person who made an inquiry, found or new; None where nothing says who it was.

    Found by several contacts of several people, these were one person all along: they are merged
    into the one known longest. A shared number does not make one person of two with other names.
    """
    if not contact.keys:
        return None
    found = _candidates(connection, contact)
    moment = records.now()
    if found:
        first = found[0]
        person = replace(
            first, name=first.name or contact.name, company=first.company or contact.company
        )
        connection.execute(
            update(tables.people)
            .where(tables.people.c.id == person.id)
            .values(name=person.name, company=person.company)
        )
        _merge(database, connection, person.id, [other.id for other in found[1:]])
    else:
        person = Person(records.new_id("per"), contact.name, contact.company, False)
        connection.execute(
            insert(tables.people).values(
                id=person.id, name=person.name, company=person.company, created_at=moment
            )
        )
    for kind, value in contact.keys:
        connection.execute(
            database.insert(tables.contacts)
            .values(kind=kind, value=value, person_id=person.id, created_at=moment)
            .on_conflict_do_nothing()
        )
    connection.execute(
        database.insert(tables.appearances)
        .values(inquiry_id=inquiry_id, person_id=person.id)
        .on_conflict_do_update(index_elements=["inquiry_id"], set_={"person_id": person.id})
    )
    return person


def _candidates(connection: Connection, contact: Contact) -> list[Person]:
    """People with one of the contacts, known longest first, each once."""
    contacts, people = tables.contacts, tables.people
    known = [
        (contacts.c.kind == kind) & (contacts.c.value == value) for kind, value in contact.keys
    ]
    query = (
        select(people.c.id, people.c.name, people.c.company, contacts.c.kind)
        .join(contacts, contacts.c.person_id == people.c.id)
        .where(or_(*known))
        .order_by(people.c.created_at, people.c.id)
    )
    found: dict[str, Person] = {}
    for row in connection.execute(query):
        if row.kind != "phone" or _may_be_one(row.name, contact.name):
            found.setdefault(row.id, Person(row.id, row.name, row.company, True))
    return list(found.values())


def _may_be_one(one: str, other: str) -> bool:
    """Whether two names can be the same person's: one is not stated, or they share a word."""
    first, second = (set(name.casefold().split()) for name in (one, other))
    return not first or not second or not first.isdisjoint(second)


def _merge(
    database: Database, connection: Connection, person_id: str, others: Sequence[str]
) -> None:
    contacts = tables.contacts
    for other in others:
        rows = connection.execute(select(contacts).where(contacts.c.person_id == other)).all()
        for row in rows:
            connection.execute(
                database.insert(contacts)
                .values(**row._asdict() | {"person_id": person_id})
                .on_conflict_do_nothing()
            )
        connection.execute(
            update(tables.appearances)
            .where(tables.appearances.c.person_id == other)
            .values(person_id=person_id)
        )
        connection.execute(delete(tables.people).where(tables.people.c.id == other))


def who_made(connection: Connection, inquiry_id: str) -> Person | None:
    """The person whom an inquiry was linked to before."""
    people, appearances = tables.people, tables.appearances
    query = (
        select(people)
        .join(appearances, appearances.c.person_id == people.c.id)
        .where(appearances.c.inquiry_id == inquiry_id)
    )
    row = connection.execute(query).first()
    return Person(row.id, row.name, row.company, True) if row else None


class People:
    """Reads who made which inquiries."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, inquiry_id: str) -> Person | None:
        """The person who made an inquiry; None where that is not known."""
        with self.database.read() as connection:
            return who_made(connection, inquiry_id)

    def lead_of(self, email: str, phone: str, *, other_than: str) -> Lead | None:
        """The newest lead of whoever has this mail address or number (E.164), but for one inquiry;
        None where there is none. Empty contacts are nobody's.
        """
        inquiries, appearances, contacts = tables.inquiries, tables.appearances, tables.contacts
        known = Contact(phone=phone, email=email).keys
        query = (
            select(inquiries.c.id, inquiries.c.received_at)
            .join(appearances, appearances.c.inquiry_id == inquiries.c.id)
            .join(contacts, contacts.c.person_id == appearances.c.person_id)
            .where(tuple_(contacts.c.kind, contacts.c.value).in_(known))
            .where(inquiries.c.label == "lead", inquiries.c.id != other_than)
            .order_by(inquiries.c.received_at.desc())
            .limit(1)
        )
        with self.database.read() as connection:
            row = connection.execute(query).first() if known else None
        return Lead(row.id, row.received_at) if row else None

    def inquiries(self, person_id: str) -> list[str]:
        """The inquiries of a person, oldest first."""
        inquiries, appearances = tables.inquiries, tables.appearances
        query = (
            select(inquiries.c.id)
            .join(appearances, appearances.c.inquiry_id == inquiries.c.id)
            .where(appearances.c.person_id == person_id)
            .order_by(inquiries.c.received_at, inquiries.c.id)
        )
        with self.database.read() as connection:
            return list(connection.execute(query).scalars())

    def leads_told(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Which destinations count which of these as a lead, as (inquiry, destination)."""
        table = tables.handovers
        found: list[tuple[str, str]] = []
        with self.database.read() as connection:
            for start in range(0, len(ids), 400):  # SQLite bounds the variables of a statement
                query = select(table.c.inquiry_id, table.c.destination).where(
                    table.c.inquiry_id.in_(ids[start : start + 400]), table.c.retracted_at.is_(None)
                )
                found += [(row.inquiry_id, row.destination) for row in connection.execute(query)]
        return found
