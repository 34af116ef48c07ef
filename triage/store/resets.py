"""Ways back for somebody who is locked out: a code that opens their account once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, update

from triage.errors import Usage
from triage.store import audit, records, tables
from triage.store.accounts import User, alone, named, user_of
from triage.store.audit import Actor
from triage.store.database import Database

LASTS: Final = timedelta(hours=1)


class Resets:
    """Makes codes and takes them. Only their digests are stored."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, name: str, *, by: Actor) -> str:
        """A code for a user, good for an hour; earlier ones of theirs end. Raises `Usage` where
        there is no such user, or they are shut out.
        """
        code = secrets.token_urlsafe(32)
        table = tables.resets
        with self.database.write() as connection:
            alone(self.database, connection)
            row = named(connection, name)
            if row is None:
                raise Usage(f"there is no user {name!r}; there are {_names(connection)}")
            user = user_of(row)
            if user.is_disabled:
                raise Usage(f"{user.name} is shut out; an administrator lets them in again")
            connection.execute(delete(table).where(table.c.user_id == user.id))
            connection.execute(
                table.insert().values(
                    digest=_digest(code), user_id=user.id, expires_at=records.now() + LASTS
                )
            )
            audit.note(connection, by, "way back made", user.name)
        return code

    def find(self, code: str) -> User | None:
        """Whose code this is; None where it is none, was used, is too old, or they are shut out."""
        table, users = tables.resets, tables.users
        query = (
            select(users)
            .join(table, table.c.user_id == users.c.id)
            .where(table.c.digest == _digest(code), table.c.expires_at > records.now())
            .where(users.c.disabled_at.is_(None))
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return user_of(row) if row else None

    def use(self, code: str, password: str, address: str) -> User | None:
        """Take a code: every session of its user ends, and `password` (a hash) is theirs from now
        on, unless it is empty. None where it opens nothing.
        """
        table, users = tables.resets, tables.users
        with self.database.write() as connection:
            alone(self.database, connection)
            taken = connection.execute(
                delete(table)
                .where(table.c.digest == _digest(code), table.c.expires_at > records.now())
                .returning(table.c.user_id)
            ).first()
            query = select(users).where(users.c.disabled_at.is_(None))
            row = taken and connection.execute(query.where(users.c.id == taken.user_id)).first()
            if not row:
                return None
            user = user_of(row)
            if password:
                chosen = update(users).where(users.c.id == user.id).values(password=password)
                connection.execute(chosen)
            sessions = tables.sessions
            connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
            actor = Actor(user.id, user.name, address)
            audit.note(connection, actor, "way back used", user.name)
        return user


def _names(connection: Connection) -> str:
    names = connection.execute(select(tables.users.c.name).order_by(tables.users.c.name).limit(20))
    return ", ".join(names.scalars()) or "none"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
