"""What the worker runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    model_validator,
)

from triage.settings.oidc import Oidc, is_local
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


class Console(Section):
    """The web console. `listen` (`host:port`) is where it answers, `public_url` what people type:
    by https, unless it is on their own machine.
    """

    enabled: bool = True
    listen: str = Field(default="127.0.0.1:8080", pattern=r"^\S+:\d{1,5}$")
    public_url: str = Field(default="", pattern=r"^(https?://[^/\s?#@]+/?)?$")
    session_hours: float = Field(default=12.0, gt=0, le=24 * 90)
    trusted_proxies: tuple[str, ...] = ()
    oidc: Oidc | None = None

    @model_validator(mode="after")
    def _passwords_stay_secret(self) -> Self:
        if self.public_url.startswith("http:") and not is_local(self.host):
            raise ValueError(
                "public_url: passwords would travel in clear; it must begin with https"
            )
        if self.enabled and not self.public_url and not is_local(self.host):
            raise ValueError(
                f"listen: {self.listen} is open to other machines, so public_url is needed: "
                "the https address that people type, answered by a proxy in front of the console"
            )
        return self

    @property
    def host(self) -> str:
        """The name or address that people reach it by, without the port."""
        if self.public_url:
            return urlsplit(self.public_url).hostname or ""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def address(self) -> str:
        """What people type, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.listen}"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https."""
        return self.public_url.startswith("https:")

    @property
    def by_password(self) -> bool:
        """Whether a name and a password open it."""
        return self.oidc is None or not self.oidc.only
