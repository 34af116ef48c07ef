"""A private PostgreSQL for one test session."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from triage.demo.dovecot import free_port


def programs() -> Path | None:
    """The folder of the server's programs, the newest version; None where there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if named := shutil.which("initdb"):
        found.append(Path(named).resolve().parent)
    return max(found, key=_version, default=None)


class Postgres:
    """A server on a free port. It refuses to run as root, and is then run as `nobody`.

    `kept`: a folder for its data, which stays; a cluster that is in it already is used again.
    `settings`: of the server, beside those that spare the disk.
    """

    def __init__(self, kept: Path | None = None, **settings: str) -> None:
        folder = programs()
        assert folder is not None, "PostgreSQL is not installed"
        self.port = free_port()
        self.root = Path(tempfile.mkdtemp(prefix="triage-postgres-"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.root, "nobody", "nogroup")
        self._programs = folder
        self._data = kept or self.root / "data"
        if kept and self._as:
            kept.mkdir(parents=True, exist_ok=True)
            shutil.chown(kept, "nobody", "nogroup")
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._settings = settings

    def start(self) -> None:
        """Make a cluster, unless there is one, and wait until it answers."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.root),
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._as,
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.root / "log").read_text())
            time.sleep(0.05)

    def create(self, template: str = "", *, name: str = "") -> str:
        """A fresh database, empty or a copy of another; returns its SQLAlchemy URL."""
        self._databases += 1
        name = name or f"test_{self._databases}"
        source = template.rpartition("/")[2] or "template1"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database, whether there is one or not."""
        return f"postgresql://triage@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def close(self) -> None:
        """End the server, its children with it, and remove its files."""
        if self._process is not None:
            # Backends leave the process group; a fast shutdown ends them, and so does the
            # postmaster's death.
            for way in (signal.SIGINT, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, way)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=10)
        shutil.rmtree(self.root, ignore_errors=True)

    def _initialise(self) -> None:
        subprocess.run(
            [
                self._programs / "initdb",
                *("-D", self._data, "-U", "triage", "-A", "trust", "--no-sync"),
                *("--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **self._as,
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _address(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=triage dbname={database}"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(folder)))
