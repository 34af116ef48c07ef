"""Sessions of the console and tokens of its API. Only digests are stored, so that a copy of the
database opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update

from triage.store import audit, records, tables
from triage.store.accounts import User, user_of
from triage.store.audit import Actor
from triage.store.database import Database

TOKEN_MARK: Final = "trg_"  # noqa: S105 - what every token begins with, so that scanners know it
_SEEN_EVERY: Final = timedelta(minutes=1)  # else each request would be a write


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in. `agent` is how their browser calls itself."""

    id: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a program signs in with; it may do what its scopes and its user's role both allow."""

    id: str
    user_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def open(
        self,
        actor: Actor,
        agent: str,
        lasts: timedelta,
        *,
        instead_of: str = "",
        detail: Mapping[str, str] | None = None,
    ) -> str:
        """A new session of a user; returns its secret, which nothing else can.

        `instead_of`: the secret of a session that ends with it. `detail`: for the audit log.
        """
        secret, moment = secrets.token_urlsafe(32), records.now()
        table = tables.sessions
        with self.database.write() as connection:
            connection.execute(delete(table).where(table.c.expires_at < moment))
            if instead_of:
                connection.execute(delete(table).where(table.c.digest == _digest(instead_of)))
            connection.execute(
                table.insert().values(
                    id=records.new_id("ses"),
                    digest=_digest(secret),
                    user_id=actor.id,
                    created_at=moment,
                    seen_at=moment,
                    expires_at=moment + lasts,
                    address=actor.address,
                    agent=agent[:200],
                )
            )
            connection.execute(
                update(tables.users).where(tables.users.c.id == actor.id).values(seen_at=moment)
            )
            audit.note(connection, actor, "signed in", actor.name, detail)
        return secret

    def find(self, secret: str) -> tuple[User, Session] | None:
        """Whose session this is; None where it ended or its user is disabled."""
        table, users, moment = tables.sessions, tables.users, records.now()
        with self.database.read() as connection:
            query = select(table).where(
                table.c.digest == _digest(secret), table.c.expires_at > moment
            )
            row = connection.execute(query).first()
            owner = (
                row
                and connection.execute(
                    select(users).where(users.c.id == row.user_id, users.c.disabled_at.is_(None))
                ).first()
            )
        if row is None or owner is None:
            return None
        if moment - row.seen_at > _SEEN_EVERY:
            with self.database.write() as connection:
                connection.execute(update(table).where(table.c.id == row.id).values(seen_at=moment))
        return user_of(owner), Session(
            row.id, row.user_id, row.created_at, row.seen_at, row.expires_at, row.address, row.agent
        )

    def of(self, user_id: str) -> list[Session]:
        """Where a user is signed in, the newest first."""
        table = tables.sessions
        query = (
            select(table)
            .where(table.c.user_id == user_id, table.c.expires_at > records.now())
            .order_by(table.c.created_at.desc())
        )
        names = Session.__dataclass_fields__
        with self.database.read() as connection:
            rows = connection.execute(query).mappings()
            return [Session(**{name: row[name] for name in names}) for row in rows]

    def end(self, actor: Actor, user_id: str, session_id: str | None = None) -> int:
        """End one session of a user, or all of them; returns how many."""
        table = tables.sessions
        condition = table.c.user_id == user_id
        if session_id is not None:
            condition &= table.c.id == session_id
        with self.database.write() as connection:
            ended = connection.execute(delete(table).where(condition)).rowcount
            if ended:
                action = "signed out" if user_id == actor.id else "signed out by another"
                audit.note(connection, actor, action, user_id, {"sessions": ended})
        return ended


class Tokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(
        self,
        user: User,
        name: str,
        scopes: Sequence[str],
        lasts: timedelta | None,
        *,
        by: Actor,
    ) -> tuple[str, Token]:
        """A new token: its secret, shown once, and what is kept of it."""
        secret, moment = TOKEN_MARK + secrets.token_urlsafe(32), records.now()
        token = Token(
            id=records.new_id("tok"),
            user_id=user.id,
            name=name,
            scopes=tuple(sorted(scopes)),
            created_at=moment,
            used_at=None,
            expires_at=moment + lasts if lasts else None,
            revoked_at=None,
        )
        with self.database.write() as connection:
            connection.execute(
                tables.tokens.insert().values(
                    id=token.id,
                    digest=_digest(secret),
                    user_id=user.id,
                    name=name,
                    scopes=" ".join(token.scopes),
                    created_at=moment,
                    expires_at=token.expires_at,
                )
            )
            audit.note(
                connection, by, "token created", user.name, {"token": name, "scopes": token.scopes}
            )
        return secret, token

    def find(self, secret: str) -> tuple[User, Token] | None:
        """Whose token this is; None where it is none, ended, or its user is disabled."""
        table, users, moment = tables.tokens, tables.users, records.now()
        query = select(table).where(table.c.digest == _digest(secret), table.c.revoked_at.is_(None))
        with self.database.read() as connection:
            row = connection.execute(query).first()
            owner = (
                row
                and connection.execute(
                    select(users).where(users.c.id == row.user_id, users.c.disabled_at.is_(None))
                ).first()
            )
        if row is None or owner is None:
            return None
        token = _token(row._mapping)
        if token.expires_at is not None and token.expires_at <= moment:
            return None
        if token.used_at is None or moment - token.used_at > _SEEN_EVERY:
            with self.database.write() as connection:
                connection.execute(
                    update(table).where(table.c.id == token.id).values(used_at=moment)
                )
        return user_of(owner), token

    def of(self, user_id: str) -> list[Token]:
        """A user's tokens that were not revoked, the newest first."""
        table = tables.tokens
        query = (
            select(table)
            .where(table.c.user_id == user_id, table.c.revoked_at.is_(None))
            .order_by(table.c.created_at.desc())
        )
        with self.database.read() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke(self, user: User, token_id: str, *, by: Actor) -> bool:
        """End a user's token; False where they have none of this id."""
        table = tables.tokens
        with self.database.write() as connection:
            row = connection.execute(
                update(table)
                .where(table.c.id == token_id, table.c.user_id == user.id)
                .where(table.c.revoked_at.is_(None))
                .values(revoked_at=records.now())
                .returning(table.c.name)
            ).first()
            if row:
                audit.note(connection, by, "token revoked", user.name, {"token": row.name})
        return row is not None


def _token(row: Any) -> Token:
    names = Token.__dataclass_fields__
    return Token(**{name: row[name] for name in names} | {"scopes": tuple(row["scopes"].split())})


def _digest(secret: str) -> str:
    # They are random and long: what protects passwords would only cost time here.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
