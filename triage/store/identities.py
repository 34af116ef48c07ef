"""Who somebody is at the provider that they sign in at: an issuer and a subject, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from triage.errors import Usage
from triage.store import audit, records, tables
from triage.store.accounts import (
    ALL,
    Role,
    User,
    add,
    alone,
    folded,
    keep_an_admin,
    named,
    told,
    user_of,
)
from triage.store.audit import Actor
from triage.store.database import Database


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at a provider. `email` is empty unless the provider verified it."""

    issuer: str
    subject: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """An identity that opens a user's account."""

    issuer: str
    subject: str
    email: str
    created_at: datetime
    seen_at: datetime | None


class Identities:
    """Links accounts at providers with users. Every change is in the audit log."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def find(self, identity: Identity) -> User | None:
        """Whose it is, shut out or not."""
        with self.database.read() as connection:
            return _owner(connection, identity)

    def of(self, user_id: str) -> list[Linked]:
        """A user's, by issuer."""
        table = tables.identities
        query = select(table).where(table.c.user_id == user_id).order_by(table.c.issuer)
        names = Linked.__dataclass_fields__
        with self.database.read() as connection:
            rows = connection.execute(query).mappings()
            return [Linked(**{name: row[name] for name in names}) for row in rows]

    def enter(self, identity: Identity, role: Role | None, *, address: str) -> User | None:
        """The user whose it is, with the role that the provider gives; None where it is nobody's.

        `role` None leaves theirs. Raises `Usage` where they would stop being the last
        administrator.
        """
        with self.database.write() as connection:
            alone(self.database, connection)
            user = _owner(connection, identity)
            if user is None or user.is_disabled:
                return user
            if role is not None and role is not user.role:
                _promote(connection, user, role, Actor(user.id, user.name, address))
            table = tables.identities
            connection.execute(
                update(table)
                .where(table.c.issuer == identity.issuer, table.c.subject == identity.subject)
                .values(email=identity.email, seen_at=records.now())
            )
            return _owner(connection, identity)

    def adopt(
        self, identity: Identity, name: str, role: Role, *, create: bool, address: str
    ) -> User:
        """The user of an identity that is nobody's yet: one whom an administrator made for it
        (named by the verified address, with no password and no other identity), else a new one.

        Raises `Usage` where the name is somebody else's, or nobody was made and none may be
        created.
        """
        with self.database.write() as connection:
            alone(self.database, connection)
            if (known := _owner(connection, identity)) is not None:  # a twin was quicker
                return known
            if (made := _awaited(connection, identity)) is not None:
                _link(connection, made, identity, Actor(made.id, made.name, address))
                return made
            if not create:
                raise Usage("no user of this console was made for it")
            if not folded(name) or len(folded(name)) > 80:
                raise Usage("it comes without a name that was verified and can be one here")
            if named(connection, name):
                raise Usage(
                    f"there is a user {folded(name)!r} already; if that is you, sign in by "
                    "password and link the two in your account"
                )
            user = add(connection, name, "", role, ALL)
            actor = Actor(user.id, user.name, address)
            audit.note(connection, actor, "user created", user.name, told(role, ALL))
            _link(connection, user, identity, actor)
            return user

    def link(self, user: User, identity: Identity, *, by: Actor) -> None:
        """Have it open a user's account. Raises `Usage` where it opens another's."""
        with self.database.write() as connection:
            alone(self.database, connection)
            known = _owner(connection, identity)
            if known is not None and known.id != user.id:
                raise Usage("that account opens another user's; sign out there first")
            if known is None:
                _link(connection, user, identity, by)

    def unlink(self, user: User, issuer: str, *, by: Actor) -> bool:
        """Have nothing of an issuer open a user's account any more."""
        table = tables.identities
        with self.database.write() as connection:
            gone = connection.execute(
                delete(table).where(table.c.user_id == user.id, table.c.issuer == issuer)
            ).rowcount
            if gone:
                audit.note(connection, by, "account unlinked", user.name, {"issuer": issuer})
        return bool(gone)


def _owner(connection: Connection, identity: Identity) -> User | None:
    table, users = tables.identities, tables.users
    row = connection.execute(
        select(users)
        .join(table, table.c.user_id == users.c.id)
        .where(table.c.issuer == identity.issuer, table.c.subject == identity.subject)
    ).first()
    return user_of(row) if row else None


def _awaited(connection: Connection, identity: Identity) -> User | None:
    row = named(connection, identity.email) if identity.email else None
    if row is None or row.password or row.disabled_at is not None:
        return None
    table = tables.identities
    taken = connection.execute(select(table.c.subject).where(table.c.user_id == row.id).limit(1))
    return None if taken.first() else user_of(row)


def _link(connection: Connection, user: User, identity: Identity, by: Actor) -> None:
    moment = records.now()
    connection.execute(
        tables.identities.insert().values(
            issuer=identity.issuer,
            subject=identity.subject,
            user_id=user.id,
            email=identity.email,
            created_at=moment,
            seen_at=moment,
        )
    )
    detail = {"issuer": identity.issuer, "subject": identity.subject, "email": identity.email}
    audit.note(connection, by, "account linked", user.name, detail)


def _promote(connection: Connection, user: User, role: Role, by: Actor) -> None:
    if role is not Role.ADMIN:
        keep_an_admin(connection, user)
    users = tables.users
    connection.execute(update(users).where(users.c.id == user.id).values(role=role))
    audit.note(
        connection, by, "user changed", user.name,
        {"from": told(user.role, user.reach), "to": told(role, user.reach)},
    )  # fmt: skip
