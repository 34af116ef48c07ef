from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from tests.support.postgres import Postgres
from tests.support.stored import arrival, received
from triage.errors import Configuration, Transient
from triage.settings import Store
from triage.store import tables
from triage.store.database import Database
from triage.store.repository import Repository


def test_upgrading_is_repeatable(empty_store: Store) -> None:
    database = Database(empty_store.url)
    repository = Repository(empty_store)
    with pytest.raises(Configuration, match="triage db upgrade"):
        repository.require_current()
    found, after = database.upgrade()
    assert found is None
    assert after
    assert database.upgrade() == (after, after)
    assert database.revisions() == (after, after)
    repository.require_current()
    received(repository)
    database.upgrade()
    assert len(repository.archive.listed()) == 1
    repository.close()
    database.close()


def test_two_that_upgrade_at_once_both_succeed(empty_store: Store) -> None:
    start = threading.Barrier(3)

    def upgrade(_number: int) -> str:
        database = Database(empty_store.url)
        start.wait()
        _, after = database.upgrade()
        database.close()
        return after

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(upgrade, range(3)))) == 1


def test_the_migrations_make_the_tables_that_the_code_uses(any_repository: Repository) -> None:
    compared = {"compare_type": True, "include_name": tables.described}
    with any_repository.database.write() as connection:
        context = MigrationContext.configure(connection, opts=compared)
        assert compare_metadata(context, tables.metadata) == []


def test_times_come_back_aware_and_in_utc(any_repository: Repository) -> None:
    polls = any_repository.polls
    polls.failed("inbox", 2, "away", timedelta(minutes=5))
    polls.succeeded("inbox", 3, timedelta(seconds=30))
    state = polls.state("inbox")
    assert state is not None
    assert state.failures == 0
    assert state.last_item_at is not None
    assert state.next_at.tzinfo is UTC
    assert state.next_at - state.last_poll_at == timedelta(seconds=30)
    assert polls.state("other") is None


def test_a_time_in_another_zone_is_the_same_moment(any_repository: Repository) -> None:
    base = arrival("zoned")
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-8)))
    raw = type(base.raw)(base.raw.ref, moment, base.raw.sha256, 1, "message/rfc822")
    any_repository.arrivals.receive([type(base)(raw, "email", base.identity)])
    (line,) = any_repository.archive.listed()
    assert line.received_at == moment
    assert line.received_at.isoformat() == "2026-03-02T07:30:00+00:00"


def test_readers_do_not_wait_for_a_writer(any_repository: Repository) -> None:
    received(any_repository)
    with any_repository.database.write() as connection:
        connection.execute(text("UPDATE inquiries SET subject = 'half done'"))
        (line,) = any_repository.archive.listed()
        assert line.subject == ""
    (line,) = any_repository.archive.listed()
    assert line.subject == "half done"


def test_many_threads_may_read_at_once(any_repository: Repository) -> None:
    received(any_repository)
    start = threading.Barrier(30)

    def read(_: int) -> int:
        with any_repository.database.read() as connection:
            start.wait(timeout=20)  # all hold a connection at the same time
            found: int = connection.execute(text("SELECT count(*) FROM inquiries")).scalar_one()
            return found

    with ThreadPoolExecutor(30) as pool:
        assert set(pool.map(read, range(30))) == {1}


def test_a_snapshot_reads_by_one_connection_and_writes_nothing(any_repository: Repository) -> None:
    received(any_repository, "first")
    listed, snapshot = any_repository.archive.listed, any_repository.snapshot
    with ThreadPoolExecutor(1) as other, snapshot():
        with any_repository.database.read() as one, snapshot():
            pass
        with any_repository.database.read() as again:
            assert again is one  # of the same snapshot, which the one within did not end
        assert len(listed()) == 1
        other.submit(received, any_repository, "second").result()
        assert len(other.submit(listed).result()) == 2  # that thread has no snapshot
        assert len(listed()) == (1 if any_repository.database.is_sqlite else 2)
        with pytest.raises(RuntimeError, match="only reads"), any_repository.database.write():
            pass
    received(any_repository, "third")
    assert len(listed()) == 3


def test_a_snapshot_ends_however_it_ends(any_repository: Repository) -> None:
    def fail() -> None:
        with any_repository.snapshot():
            any_repository.archive.listed()
            raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        fail()
    received(any_repository)
    assert len(any_repository.archive.listed()) == 1


def test_sqlite_survives_readers_and_writers_together(repository: Repository) -> None:
    stop = threading.Event()

    def look() -> int:
        looks = 0
        while not stop.is_set():
            repository.worklist.due("email", 10)
            repository.archive.counts()
            looks += 1
        return looks

    def write(number: int) -> None:
        for round_ in range(15):
            repository.arrivals.receive([arrival(f"{number}-{round_}")])

    with ThreadPoolExecutor(12) as pool:
        readers = [pool.submit(look) for _ in range(4)]
        writers = [pool.submit(write, number) for number in range(8)]
        for writer in writers:
            writer.result()
        stop.set()
        assert all(reader.result() > 0 for reader in readers)
    assert repository.worklist.open_count() == 120


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "not a database URL"),
        ("mysql://localhost/triage", "mysql is not supported"),
    ],
)
def test_a_wrong_url_is_a_matter_of_settings(url: str, message: str) -> None:
    with pytest.raises(Configuration, match=message):
        Database(url)


def test_a_url_with_a_password_is_not_repeated() -> None:
    with pytest.raises(Configuration) as caught:
        Database("postgresql://triage:hunter2@host:port/triage")
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_a_matter_of_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Configuration, match=r"store\.data_dir"):
        Repository(Store(data_dir=tmp_path / "file" / "data"))


@pytest.mark.server("postgresql")
def test_a_postgresql_that_is_away_is_passing_trouble(postgres: Postgres) -> None:
    url = postgres.create()
    database = Database(url)
    database.upgrade()
    postgres.drop(url)
    with pytest.raises(Transient, match="database"), database.read() as connection:
        connection.execute(text("SELECT 1"))
    database.close()
    gone = Database("postgresql://triage@127.0.0.1:1/none")
    with pytest.raises(Transient), gone.write() as connection:
        connection.execute(text("SELECT 1"))
