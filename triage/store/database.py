"""Opens the database, for SQLite and PostgreSQL, so that concurrent writers never lose an update.

SQLite: WAL, `synchronous=NORMAL`, and `BEGIN IMMEDIATE` for every transaction that may write. With
the driver's own deferred BEGIN, read-then-write transactions fail with "database is locked"
whatever the timeout. NORMAL can lose the last commits when power fails; nothing is stored that the
source would not show again or that could not be delivered again under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, local
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator

from triage.errors import Configuration, Permanent, Transient

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x747269616765  # "triage"
_WORKER_LOCK = _LOCK + 1
_CONNECTIONS = 80  # at most; as many threads may be set, and PostgreSQL's own default is 100
_READ_ONLY = "triage_read_only"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. SQLite has no time zone, so naive values would drift."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values: which zone they meant cannot be known later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Aware again, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SafeText(TypeDecorator[str]):
    """Text of any length that every database takes: PostgreSQL refuses NUL, no driver encodes half
    of a surrogate pair, and both come in mail. Each is replaced by one character, so that offsets
    into a text stay true.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text without NUL and halves of surrogate pairs, of equal length."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


class Database:
    """One engine and its transactions. `url` is SQLAlchemy's, for `sqlite` or `postgresql`."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            # Neither the URL nor the reason is repeated: a password may be in both.
            raise Configuration(
                "store.database_url: not a database URL; it looks like "
                "postgresql://user:password@host/name"
            ) from None
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise Configuration(
                f"store.database_url: {parsed.get_backend_name()} is not supported; "
                "use sqlite or postgresql"
            )
        self.engine: Engine = create_engine(
            parsed,
            # A server may have gone meanwhile; a file has not.
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            pool_size=8,
            max_overflow=_CONNECTIONS - 8,
            hide_parameters=True,  # they are the text of inquiries, and errors are logged
        )
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # SQLite has one writer at a time and lets the others sleep and look again; threads that
        # queue here instead go on at once.
        self._writing: AbstractContextManager[Any] = Lock() if self.is_sqlite else nullcontext()
        self._thread = local()  # its `shared` is the connection of a snapshot
        # The two dialects' INSERT … ON CONFLICT are spelled alike, but are two functions.
        self.insert: Callable[[Table], Any] = sqlite.insert if self.is_sqlite else postgresql.insert
        if self.is_sqlite:
            if parsed.database:
                _make_folder(Path(parsed.database).parent)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A short transaction; commits at the end. Raises `Transient` where the server is away."""
        if self._shared is not None:  # what is read afterwards would be older than what is written
            raise RuntimeError("a snapshot only reads; write when it has ended")
        with self._writing, _transient_faults(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot that takes no write lock."""
        if self._shared is not None:
            with _transient_faults():
                yield self._shared
            return
        with _transient_faults(), self.engine.connect() as connection:
            yield connection.execution_options(**{_READ_ONLY: True})

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that this thread reads meanwhile is read by one connection, without a transaction for
        each; on SQLite as of one moment. Writing waits until it has ended.
        """
        if self._shared is not None:
            yield
            return
        with self.read() as connection:
            self._thread.shared = connection
            try:
                yield
            finally:
                self._thread.shared = None

    @property
    def _shared(self) -> Connection | None:
        return getattr(self._thread, "shared", None)

    def row_by_row(self, connection: Connection) -> None:
        """Until the connection is given back, look up the few rows that were found one by one. Else
        PostgreSQL, which thinks that they are many, may read all of a table to join them.
        """
        if not self.is_sqlite:
            connection.execute(text("SET LOCAL enable_hashjoin = off"))
            connection.execute(text("SET LOCAL enable_mergejoin = off"))

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the tables to this version's revision; returns (before, after). Repeatable."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with _transient_faults(), self.engine.begin() as connection:
            if not self.is_sqlite:  # there, two upgrades at once would both find no tables
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            before = MigrationContext.configure(connection).get_current_revision()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            after = MigrationContext.configure(connection).get_current_revision()
        return before, after or ""

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this is the only worker on the database, for as long as the block lasts.

        PostgreSQL lets go of the lock when the connection ends, however it ends. SQLite is one
        folder's, and the folder has a lock of its own.
        """
        if self.is_sqlite:
            yield True
            return
        with _transient_faults(), self.engine.connect() as connection:
            query = text("SELECT pg_try_advisory_lock(:key)")
            locked = connection.execute(query, {"key": _WORKER_LOCK}).scalar_one()
            connection.commit()  # the lock is the session's, not the transaction's
            yield bool(locked)
            # The pool keeps the session, so the lock must be given back.
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _WORKER_LOCK})

    def revisions(self) -> tuple[str | None, str]:
        """(revision of the database, revision this version needs)."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        return current, ScriptDirectory.from_config(config).get_current_head() or ""

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Configuration(
            f"store.data_dir: cannot create {folder}: {error.strerror}; choose a folder that the "
            "worker's user may write"
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "busy_timeout=5000",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def _transient_faults() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Transient(f"database: all {_CONNECTIONS} connections are in use") from error
    except OperationalError as error:
        raise Transient(f"database: {str(error.orig).strip()}") from error
    except DataError as error:  # a NUL in what is looked for, say; what is stored has none
        raise Permanent(f"database: {str(error.orig).strip()}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Transient(f"database: {str(error.orig).strip()}") from error
        raise
