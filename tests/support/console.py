"""The console as a server for tests, and visitors who are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from classifiers.model import Classifier
from triage.delivery.client import HttpClient
from triage.pipeline.corrections import Corrections
from triage.pipeline.discretion import Discretion
from triage.pipeline.exports import Exports
from triage.pipeline.learning import Learning
from triage.pipeline.replay import Replay
from triage.pipeline.waveforms import Waveforms
from triage.redaction.speech import Seconds
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.contact import FREE_MAIL
from triage.sources.base import Source
from triage.store.accounts import ALL, Reach, Role, User
from triage.store.audit import Actor
from triage.store.repository import Repository
from triage.transcripts.peaks import measure
from triage.web import passwords
from triage.web.desk import Desk
from triage.web.oidc import Provider
from triage.web.server import serving

PASSWORD = "correct horse battery"
# Hashing is slow on purpose; once is enough for all users of a test run.
_HASH = passwords.hashed(PASSWORD)
NOBODY = Actor("", "test")


@dataclass(frozen=True)
class Served:
    """A console that answers at `url`."""

    url: str
    desk: Desk
    set_up_url: str

    @property
    def repository(self) -> Repository:
        return self.desk.repository

    def visitor(self, **headers: str) -> httpx2.Client:
        """A browser: it keeps cookies and says that requests come from a page of ours."""
        browser = {"sec-fetch-site": "same-origin", "user-agent": "test"}
        return httpx2.Client(base_url=self.url, headers=browser | headers, timeout=30)

    def user(self, role: Role, name: str = "", reach: Reach = ALL) -> User:
        """A user, new unless there is one of the name."""
        accounts = self.repository.accounts
        known = accounts.credentials(name or role)
        return known[0] if known else accounts.create(name or role, _HASH, role, reach, by=NOBODY)

    def signed_in(self, role: Role, name: str = "", reach: Reach = ALL) -> httpx2.Client:
        """The browser of a user with a session."""
        user = self.user(role, name, reach)
        actor = Actor(user.id, user.name, "127.0.0.1")
        secret = self.repository.sessions.open(actor, "test", timedelta(hours=1))
        visitor = self.visitor()
        visitor.cookies.set("triage-session", secret, domain="127.0.0.1")
        return visitor

    def program(self, role: Role, *scopes: str, reach: Reach = ALL) -> httpx2.Client:
        """A program with a token."""
        user = self.user(role, f"{role}-program", reach)
        secret, _ = self.repository.tokens.create(user, "test", scopes, None, by=NOBODY)
        headers = {"authorization": f"Bearer {secret}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30)


def no_model() -> Classifier:
    """What a desk without a model loads: whoever asks for it fails."""
    raise AssertionError("no model here")


def desk_for(
    repository: Repository, load: Callable[[], Classifier] = no_model, **settings: Any
) -> Desk:
    """A desk, without a model unless there is one to `load`."""
    console = {"listen": "127.0.0.1:0"} | settings.pop("console", {})
    chosen = Settings.model_validate({"console": console} | settings)

    def no_source(name: str) -> Source:
        raise AssertionError(name)

    def no_silence(path: Path, out: Path, seconds: Seconds) -> None:
        raise AssertionError("no recording is silenced here")

    return Desk(
        chosen,
        repository,
        Corrections(chosen, repository),
        Replay(repository, no_source, {}),
        Exports(chosen, repository, Discretion.of(chosen), no_silence),
        load,
        lambda: Rulebook(chosen.rules, chosen.business, FREE_MAIL),
        Learning(chosen, repository),
        Waveforms(repository, Discretion.of(chosen), lambda path: measure(path, chosen.limits)),
        Provider(oidc, HttpClient()) if (oidc := chosen.console.oidc) else None,
    )


@contextmanager
def served(
    repository: Repository, load: Callable[[], Classifier] = no_model, **settings: Any
) -> Iterator[Served]:
    """A running console over a store."""
    desk = desk_for(repository, load, **settings)
    with serving(desk) as address:
        yield Served(f"http://127.0.0.1:{address.port}", desk, address.set_up_url)
