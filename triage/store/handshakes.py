"""Sign-ins at a provider that are under way: begun here, and taken up once by the same browser."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete

from triage.store import records, tables
from triage.store.database import Database

LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Handshake:
    """What was asked of whom. `session_id`: the session of a user who wants the account linked;
    empty where somebody signs in.
    """

    issuer: str
    nonce: str
    verifier: str
    back: str
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """The secrets of a sign-in: `state` travels by the provider, `browser` stays in a cookie."""

    state: str
    browser: str
    handshake: Handshake


class Handshakes:
    """Begins sign-ins and takes them up. Only digests of their secrets are stored."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def begin(self, issuer: str, back: str, session_id: str = "") -> Begun:
        """A sign-in that may be taken up for ten minutes."""
        handshake = Handshake(
            issuer, secrets.token_urlsafe(32), secrets.token_urlsafe(48), back, session_id
        )
        state, browser, moment = secrets.token_urlsafe(32), secrets.token_urlsafe(32), records.now()
        table = tables.handshakes
        with self.database.write() as connection:
            connection.execute(delete(table).where(table.c.expires_at < moment))
            connection.execute(
                table.insert().values(
                    state=_digest(state),
                    browser=_digest(browser),
                    expires_at=moment + LASTS,
                    **{name: getattr(handshake, name) for name in Handshake.__dataclass_fields__},
                )
            )
        return Begun(state, browser, handshake)

    def take(self, state: str, browser: str) -> Handshake | None:
        """What was begun in this browser under this state, which is worth nothing afterwards; None
        where nothing was, or too long ago.
        """
        table = tables.handshakes
        with self.database.write() as connection:
            row = connection.execute(
                delete(table)
                .where(table.c.state == _digest(state), table.c.browser == _digest(browser))
                .where(table.c.expires_at > records.now())
                .returning(table)
            ).first()
        if row is None:
            return None
        return Handshake(row.issuer, row.nonce, row.verifier, row.back, row.session_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
