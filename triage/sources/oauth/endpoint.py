"""One request to a token server, and what its answer means in our own words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from oauthlib.oauth2 import Client, OAuth2Error

from triage.errors import Configuration, Transient
from triage.settings import ImapSource, OAuth

_TIMEOUT = 20.0
_DEFAULT_LIFE = 3600.0
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


class Pending(Transient):
    """The person has not decided yet; `slower`: ask less often."""

    def __init__(self, message: str, *, slower: bool) -> None:
        super().__init__(message)
        self.slower = slower


class Revoked(Configuration):
    """What was granted is worth nothing any more: a person must grant it again."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A token server's answer. `refresh_token` is empty where it gave none."""

    access_token: str
    expires_at: float
    refresh_token: str = ""


def settings_of(source: ImapSource) -> OAuth:
    """The source's `[sources.oauth]`. Raises `Configuration` where there is none."""
    if source.oauth is None:
        raise Configuration(
            f"source {source.name!r} has a password, not [sources.oauth]; there is nothing to "
            "authorise"
        )
    return source.oauth


def ask_token(source: ImapSource, client: Client, body: str) -> Granted:
    """Send a token request. Raises `Pending`, `Revoked`, `Configuration` or `Transient`."""
    oauth = settings_of(source)
    asked = time.time()
    status, text = post(source, oauth.token_endpoint, body)
    try:
        answer = client.parse_request_body_response(text)
    except OAuth2Error as error:
        raise _meaning(source, error, status) from error
    except ValueError as error:
        raise Transient(
            f"source {source.name!r}: {oauth.token_endpoint} answered {status}, and not in JSON"
        ) from error
    return Granted(
        access_token=str(answer["access_token"]),
        expires_at=asked + _life(answer),
        refresh_token=str(answer.get("refresh_token") or ""),
    )


def post(source: ImapSource, url: str, body: str) -> tuple[int, str]:
    """Post a form; returns (status, text). Raises `Transient` where nobody answers sensibly."""
    where = f"source {source.name!r}: {url}"
    verify: Any = True
    if (ca_file := settings_of(source).ca_file) is not None:
        verify = httpx2.create_ssl_context(verify=str(ca_file))
    try:
        with httpx2.Client(timeout=_TIMEOUT, verify=verify, trust_env=False) as client:
            answer = client.post(url, content=body, headers=_FORM)
    except httpx2.HTTPError as error:
        raise Transient(f"{where} cannot be reached: {error}") from error
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Transient(f"{where} answered {answer.status_code}")
    return answer.status_code, answer.text


def _life(answer: Mapping[str, Any]) -> float:
    try:
        return max(0.0, float(answer.get("expires_in") or _DEFAULT_LIFE))
    except (TypeError, ValueError):
        return _DEFAULT_LIFE


def _meaning(source: ImapSource, error: OAuth2Error, status: int) -> Exception:
    """The error of RFC 6749 or 8628 that a token server names, in our own words."""
    code = str(error.error or "")
    said = " ".join(f"{code}: {error.description or ''}".split())[:300]
    where = f"source {source.name!r}: the token server"
    if code in {"authorization_pending", "slow_down"}:
        return Pending(f"{where} waits for a decision", slower=code == "slow_down")
    if code in {"temporarily_unavailable", "server_error"} or status >= 500:
        return Transient(f"{where} answered {said}")
    if code in {"invalid_grant", "expired_token", "access_denied", "interaction_required"}:
        return Revoked(
            f"{where} no longer accepts what was granted ({said}); run "
            f"`triage mailbox authorise {source.name}`"
        )
    return Configuration(
        f"{where} refused the request ({said}); correct [sources.oauth], or what is "
        "registered there"
    )
