"""Mailboxes without passwords: a real mail server that asks a token server about every login."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.mails import mail
from tests.support.mailserver import Mailbox, MailServer
from tests.support.tokens import TokenServer
from triage.errors import Configuration, Transient
from triage.pipeline.ingest import ingest
from triage.settings import ImapSource, Limits
from triage.sources.build import build_source
from triage.sources.oauth import Access, Challenge, authorise
from triage.store.repository import Repository

pytestmark = pytest.mark.server("dovecot")


@pytest.fixture(scope="module")
def key() -> tuple[str, str]:
    """A private key and its public half."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return text.decode(), public.decode()


@pytest.fixture(scope="module")
def servers(key: tuple[str, str]) -> Iterator[tuple[TokenServer, MailServer]]:
    with (
        TokenServer(public_key=key[1]) as tokens,
        MailServer(introspection=f"{tokens.url}/introspect") as server,
    ):
        yield tokens, server


@pytest.fixture
def tokens(servers: tuple[TokenServer, MailServer]) -> TokenServer:
    tokens = servers[0]
    tokens.life, tokens.away, tokens.secret, tokens.approved = 3600.0, False, "", None
    tokens.asked.clear()
    return tokens


@pytest.fixture
def box(servers: tuple[TokenServer, MailServer], request: pytest.FixtureRequest) -> Mailbox:
    return Mailbox(servers[1], request.node.name.replace("_", "-")[:40])


def by_token(box: Mailbox, tokens: TokenServer, **oauth: Any) -> ImapSource:
    values = {
        "provider": "custom",
        "flow": "device",
        "client_id": "triage",
        "token_url": f"{tokens.url}/token",
        "device_url": f"{tokens.url}/device",
    }
    return box.settings(password=None, oauth=values | oauth)


def authorised(source: ImapSource, folder: Path, tokens: TokenServer) -> list[Challenge]:
    """Go through with it, as the person who types the code."""
    shown: list[Challenge] = []

    def show(challenge: Challenge) -> None:
        shown.append(challenge)
        tokens.asked["device_code"] = 0
        tokens.approved = source.username

    authorise(source, folder / "tokens", show)
    return shown


def poll(source: ImapSource, folder: Path, repository: Repository) -> int:
    return len(ingest(build_source(source, Limits(), folder), "", repository).fresh)


def test_a_person_authorises_with_a_code(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    box.append(mail("one"))
    source = by_token(box, tokens)
    with pytest.raises(Configuration, match="triage mailbox authorise inbox"):
        poll(source, tmp_path, repository)
    (shown,) = authorised(source, tmp_path, tokens)
    assert (shown.url, shown.code) == (f"{tokens.url}/activate", "WXYZ-1234")
    assert tokens.asked["device_code"] == 3  # it waited
    assert poll(source, tmp_path, repository) == 1
    kept = tmp_path / "tokens" / "inbox.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_a_token_is_used_until_it_ends_and_then_refreshed(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    source = by_token(box, tokens)
    authorised(source, tmp_path, tokens)
    box.append(mail("one"))
    assert poll(source, tmp_path, repository) == 1
    assert poll(source, tmp_path, repository) == 0
    assert tokens.asked["refresh_token"] == 0
    tokens.life = 30.0  # less than the time in which a token is no longer used
    tokens.expire()
    box.append(mail("two"))
    assert poll(source, tmp_path, repository) == 1
    assert tokens.asked["refresh_token"] == 1
    assert poll(source, tmp_path, repository) == 0
    assert tokens.asked["refresh_token"] == 2  # and each time with the refresh token that came last


def test_a_token_that_ends_in_mid_session_costs_a_connection_and_nothing_else(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    source = by_token(box, tokens).model_copy(update={"batch": 2})
    authorised(source, tmp_path, tokens)
    for number in range(6):
        box.append(mail(f"inquiry {number}"))
    built = build_source(source, Limits(), tmp_path)

    def interrupted() -> None:
        if not tokens.asked["refresh_token"]:
            tokens.expire()
            box.server.kill_sessions()

    with suppress(Transient):  # the connection ended; it may also have been opened again
        ingest(built, "", repository, arrived=interrupted)
    ingest(built, "", repository)
    assert len(repository.archive.listed()) == 6
    assert tokens.asked["refresh_token"] == 1


def test_many_connections_refresh_once(box: Mailbox, tokens: TokenServer, tmp_path: Path) -> None:
    source = by_token(box, tokens)
    authorised(source, tmp_path, tokens)
    stale = Access(source, tmp_path / "tokens").token()
    tokens.expire()

    def fresh(_number: int) -> str:
        return Access(source, tmp_path / "tokens").token(refused=stale)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(fresh, range(8)))) == 1
    assert tokens.asked["refresh_token"] == 1


def test_what_was_revoked_asks_for_a_person_and_can_be_granted_again(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    source = by_token(box, tokens)
    authorised(source, tmp_path, tokens)
    tokens.revoke()
    box.append(mail("one"))
    with pytest.raises(Configuration, match=r"invalid_grant.*triage mailbox authorise inbox"):
        poll(source, tmp_path, repository)
    authorised(source, tmp_path, tokens)
    assert poll(source, tmp_path, repository) == 1


def test_a_token_server_that_is_away_is_tried_again(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    source = by_token(box, tokens)
    authorised(source, tmp_path, tokens)
    tokens.expire()
    tokens.away = True
    with pytest.raises(Transient, match="answered 503"):
        poll(source, tmp_path, repository)
    tokens.away = False
    assert poll(source, tmp_path, repository) == 0  # nothing was lost but time


def test_an_application_opens_a_mailbox_by_itself(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    tokens.secret = "application-secret"
    box.append(mail("one"))
    # The test's server grants what the scope names.
    source = by_token(
        box, tokens, flow="client", client_secret=tokens.secret, scope=box.user, device_url=""
    )
    assert poll(source, tmp_path, repository) == 1
    tokens.expire()
    box.append(mail("two"))
    assert poll(source, tmp_path, repository) == 1
    wrong = by_token(box, tokens, flow="client", client_secret="wrong", scope=box.user)
    tokens.expire()
    with pytest.raises(Configuration, match="invalid_client"):
        poll(wrong, tmp_path, repository)


def test_a_service_account_acts_for_a_mailbox(
    box: Mailbox,
    tokens: TokenServer,
    key: tuple[str, str],
    repository: Repository,
    tmp_path: Path,
) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"private_key": key[0], "client_email": "triage@project.example"}))
    box.append(mail("one"))
    source = by_token(box, tokens, flow="service-account", client_id="", key_file=file)
    assert poll(source, tmp_path, repository) == 1
    assert tokens.asked["jwt-bearer"] == 1
    file.write_text("{}")
    tokens.expire()
    with pytest.raises(Configuration, match=r"oauth.key_file must be the JSON key"):
        poll(source, tmp_path, repository)


def test_a_mailbox_of_somebody_else_is_refused(
    box: Mailbox, tokens: TokenServer, repository: Repository, tmp_path: Path
) -> None:
    tokens.approved = "somebody-else"
    source = by_token(box, tokens)
    authorise(source, tmp_path / "tokens", lambda _: None)
    with pytest.raises(Configuration, match=r"refuses 'test-a-mailbox.*with a fresh token"):
        poll(source, tmp_path, repository)
