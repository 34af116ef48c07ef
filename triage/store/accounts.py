"""Who may use the console: accounts, their sessions' holders and what each may see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, select, text, update

from triage.errors import Usage
from triage.store import audit, records, tables
from triage.store.audit import Actor
from triage.store.database import Database

_LOCK = 0x747269616775  # one at a time where administrators are counted


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"

    def covers(self, other: Role) -> bool:
        """Whether this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which inquiries somebody may see: those of these sources, and of these campaigns.

    An empty tuple restricts nothing; where both are set, both must fit.
    """

    sources: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether nothing is kept from them."""
        return not (self.sources or self.campaigns)

    def covers(self, source: str, campaign: str) -> bool:
        """Whether an inquiry of this source and campaign may be seen."""
        return (not self.sources or source in self.sources) and (
            not self.campaigns or campaign in self.campaigns
        )

    def conditions(self, table: Table = tables.inquiries) -> list[ColumnElement[bool]]:
        """The same, for a query on a table with a source and a campaign."""
        column = table.c
        found: list[ColumnElement[bool]] = []
        if self.sources:
            found.append(column.source.in_(self.sources))
        if self.campaigns:
            found.append(column.campaign.in_(self.campaigns))
        return found


ALL = Reach()


@dataclass(frozen=True, slots=True)
class User:
    """An account. `name` is what they sign in with, in small letters."""

    id: str
    name: str
    role: Role
    reach: Reach
    created_at: datetime
    seen_at: datetime | None
    disabled_at: datetime | None

    @property
    def is_disabled(self) -> bool:
        """Whether they may not sign in."""
        return self.disabled_at is not None


class Accounts:
    """The users. Every change is in the audit log, in the transaction that makes it.

    The last administrator who can sign in stays one: changes that would end that raise `Usage`.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def any(self) -> bool:
        """Whether there is a user at all; where there is none, the console is to be set up."""
        with self.database.read() as connection:
            return connection.execute(select(tables.users.c.id).limit(1)).first() is not None

    def create_first(self, name: str, password: str, address: str) -> User | None:
        """The first administrator; None where somebody was quicker. `password` is its hash."""
        with self.database.write() as connection:
            alone(self.database, connection)
            if connection.execute(select(tables.users.c.id).limit(1)).first():
                return None
            user = add(connection, name, password, Role.ADMIN, ALL)
            audit.note(connection, Actor(user.id, user.name, address), "console set up", user.name)
        return user

    def create(
        self, name: str, password: str, role: Role, reach: Reach = ALL, *, by: Actor
    ) -> User:
        """Add a user. `password` is its hash. Raises `Usage` where the name is taken."""
        with self.database.write() as connection:
            alone(self.database, connection)
            if named(connection, name):
                raise Usage(f"there is a user {name!r} already; choose another name")
            user = add(connection, name, password, role, reach)
            audit.note(connection, by, "user created", name, told(role, reach))
        return user

    def change(self, user_id: str, role: Role, reach: Reach, *, by: Actor) -> User:
        """Give a user a role and a reach; both hold from the next request on."""
        with self.database.write() as connection:
            user = self._held(connection, user_id)
            if role is not Role.ADMIN:
                keep_an_admin(connection, user)
            values = {"role": role, **_columns(reach)}
            connection.execute(
                update(tables.users).where(tables.users.c.id == user_id).values(**values)
            )
            before = told(user.role, user.reach)
            audit.note(
                connection,
                by,
                "user changed",
                user.name,
                {"from": before, "to": told(role, reach)},
            )
            return self._held(connection, user_id)

    def disable(self, user_id: str, *, disabled: bool, by: Actor) -> User:
        """Shut a user out, sessions and tokens with them, or let them in again."""
        with self.database.write() as connection:
            user = self._held(connection, user_id)
            if disabled:
                keep_an_admin(connection, user)
                connection.execute(
                    delete(tables.sessions).where(tables.sessions.c.user_id == user_id)
                )
            connection.execute(
                update(tables.users)
                .where(tables.users.c.id == user_id)
                .values(disabled_at=records.now() if disabled else None)
            )
            audit.note(connection, by, "user disabled" if disabled else "user enabled", user.name)
            return self._held(connection, user_id)

    def set_password(self, user_id: str, password: str, *, by: Actor) -> None:
        """Give a user another password (its hash) and end every session they have."""
        with self.database.write() as connection:
            user = self._held(connection, user_id)
            connection.execute(
                update(tables.users).where(tables.users.c.id == user_id).values(password=password)
            )
            connection.execute(delete(tables.sessions).where(tables.sessions.c.user_id == user_id))
            audit.note(connection, by, "password changed", user.name)

    def rehashed(self, user_id: str, old: str, new: str) -> None:
        """Keep the same password under a better hash."""
        table = tables.users
        with self.database.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == user_id, table.c.password == old)
                .values(password=new)
            )

    def get(self, user_id: str) -> User | None:
        """A user by id."""
        table = tables.users
        with self.database.read() as connection:
            row = connection.execute(select(table).where(table.c.id == user_id)).first()
        return user_of(row) if row else None

    def credentials(self, name: str) -> tuple[User, str] | None:
        """A user and the hash of their password, by the name they sign in with."""
        with self.database.read() as connection:
            row = named(connection, name)
        return (user_of(row), row.password) if row else None

    def listed(self) -> list[User]:
        """All of them, by name."""
        with self.database.read() as connection:
            rows = connection.execute(select(tables.users).order_by(tables.users.c.name))
            return [user_of(row) for row in rows]

    def _held(self, connection: Connection, user_id: str) -> User:
        alone(self.database, connection)
        table = tables.users
        row = connection.execute(select(table).where(table.c.id == user_id)).first()
        if row is None:
            raise Usage(f"no user {user_id}")
        return user_of(row)


def user_of(row: Row[Any]) -> User:
    """The user in a row of `tables.users`."""
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        reach=Reach(tuple(json.loads(row.sources)), tuple(json.loads(row.campaigns))),
        created_at=row.created_at,
        seen_at=row.seen_at,
        disabled_at=row.disabled_at,
    )


def folded(name: str) -> str:
    """A name as it is kept and compared."""
    return " ".join(name.split()).casefold()


def add(connection: Connection, name: str, password: str, role: Role, reach: Reach) -> User:
    """Put a user into the table; that the name is free was seen to."""
    user = User(records.new_id("usr"), folded(name), role, reach, records.now(), None, None)
    connection.execute(
        tables.users.insert().values(
            id=user.id,
            name=user.name,
            role=role,
            password=password,
            created_at=user.created_at,
            **_columns(reach),
        )
    )
    return user


def _columns(reach: Reach) -> dict[str, str]:
    return {
        "sources": json.dumps(reach.sources),
        "campaigns": json.dumps(reach.campaigns, ensure_ascii=False),
    }


def told(role: Role, reach: Reach) -> dict[str, str | Sequence[str]]:
    """A role and a reach, for the audit log."""
    return {"role": role, "sources": reach.sources, "campaigns": reach.campaigns}


def named(connection: Connection, name: str) -> Row[Any] | None:
    """The row of the user with a name."""
    query = select(tables.users).where(tables.users.c.name == folded(name))
    return connection.execute(query).first()


def keep_an_admin(connection: Connection, user: User) -> None:
    """Raise `Usage` where this is the last administrator who can sign in."""
    table = tables.users
    query = select(func.count()).where(
        table.c.role == Role.ADMIN, table.c.disabled_at.is_(None), table.c.id != user.id
    )
    if user.role is Role.ADMIN and not connection.execute(query).scalar_one():
        raise Usage(f"{user.name} is the last administrator; make somebody else one first")


def alone(database: Database, connection: Connection) -> None:
    """Until the transaction ends, nobody else changes accounts. SQLite has one writer anyway."""
    if not database.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
