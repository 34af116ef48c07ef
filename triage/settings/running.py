"""What the worker runs on."""

from __future__ import annotations

from pathlib import Path

from pydantic import (
    Field,
)

from triage.settings.section import Seconds, Section


class Store(Section):
    """Where the worker keeps its data. An empty `database_url` is SQLite inside `data_dir`."""

    data_dir: Path = Path("var")
    database_url: str = Field(default="", repr=False)  # may hold a password

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'triage.db'}"


class Metrics(Section):
    """Figures for Prometheus. `listen` (`host:port`): where they are read; empty: nowhere."""

    listen: str = Field(default="", pattern=r"^(\S+:\d{1,5})?$")


class Engine(Section):
    """The embedded worker. Waits in seconds; `attempts` before an item is quarantined."""

    sweep_every: Seconds = 1.0
    attempts: int = Field(default=12, ge=1)
    retry_base: Seconds = 2.0
    retry_max: Seconds = 600.0
    workers: int = Field(default=2, ge=1, le=64)
