from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support import servers
from tests.support.certificates import self_signed
from tests.support.mailserver import Mailbox, MailServer
from tests.support.postgres import Postgres
from triage.settings import Store
from triage.store.database import Database
from triage.store.repository import Repository

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A server that is missing: a reason to skip at home, a failure where all must be there."""
    for marker in item.iter_markers("server"):
        name = marker.args[0]
        if not servers.have(name):
            message = f"{name} is not installed; tests/install-servers.sh installs it"
            if os.environ.get("CI") == "true":
                pytest.fail(message)
            pytest.skip(message)


@pytest.fixture(autouse=True)
def logging_ends_with_the_test() -> Iterator[None]:
    """A command that ran in this process logs to its captured output, which is closed by now."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """An empty store on SQLite."""
    repository = Repository(Store(data_dir=tmp_path / "data"))
    repository.database.upgrade()
    yield repository
    repository.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL for the session. A test that asks for it is marked `server("postgresql")`."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(params=KINDS)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The settings of a store without tables, on each kind of database."""
    if request.param == "sqlite":
        yield Store(data_dir=tmp_path / "data")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield Store(data_dir=tmp_path / "data", database_url=url)
    server.drop(url)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The URL of a database with tables and nothing else, to be copied."""
    url = postgres.create()
    database = Database(url)
    database.upgrade()
    database.close()
    return url


@pytest.fixture(params=KINDS)
def any_repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    """An empty store on each kind of database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("repository")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create(template=request.getfixturevalue("migrated"))
    repository = Repository(Store(data_dir=tmp_path / "data", database_url=url))
    yield repository
    repository.close()
    server.drop(url)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The (certificate, key) of the session's mail server."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def dovecot(certificate: tuple[Path, Path]) -> Iterator[MailServer]:
    """A mail server for the session. A test that asks for it is marked `server("dovecot")`."""
    with MailServer(certificate) as server:
        yield server


@pytest.fixture
def mailbox(dovecot: MailServer) -> Mailbox:
    """An empty mailbox of a user that no other test has."""
    return Mailbox(dovecot, f"user-{uuid.uuid4().hex[:12]}")
