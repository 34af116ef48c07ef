"""A person authorises a mailbox on a device of their own (RFC 8628)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from oauthlib.oauth2 import DeviceClient

from triage.errors import Configuration, Transient
from triage.settings import ImapSource
from triage.sources.oauth.access import Access
from triage.sources.oauth.endpoint import Pending, ask_token, post, settings_of

_SLOWER = 5.0  # seconds that the specification adds at each `slow_down`


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a person does: open the page and type the code."""

    url: str
    code: str
    seconds: float


def authorise(
    source: ImapSource,
    folder: Path,
    show: Callable[[Challenge], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have a person grant access, and keep what they granted.

    Where the settings need no person (app-only, service account) a token is asked for at once, to
    show that it works. Raises `Configuration` or `Transient`.
    """
    oauth = settings_of(source)
    access = Access(source, folder)
    if oauth.flow != "device":
        access.token()
        return
    client = DeviceClient(oauth.client_id)
    told = _ask_device(source)
    challenge = Challenge(
        url=str(told.get("verification_uri") or told.get("verification_url") or ""),
        code=str(told["user_code"]),
        seconds=float(told.get("expires_in") or 900),
    )
    show(challenge)
    body = client.prepare_request_body(
        str(told["device_code"]),
        include_client_id=True,
        client_secret=oauth.secret_of(source.name) or None,
    )
    wait = float(told.get("interval") or 5)
    deadline = time.monotonic() + challenge.seconds
    while time.monotonic() < deadline:
        sleep(wait)
        try:
            granted = ask_token(source, client, body)
        except Pending as error:
            wait += _SLOWER if error.slower else 0.0
            continue
        if not granted.refresh_token:
            raise Configuration(
                f"source {source.name!r}: the server granted access for once only; add "
                "`offline_access` to oauth.scope, or whatever it asks for"
            )
        access.store(granted)
        return
    raise Configuration(f"source {source.name!r}: nobody typed the code in time; begin again")


def _ask_device(source: ImapSource) -> dict[str, Any]:
    oauth = settings_of(source)
    if not oauth.device_endpoint:
        raise Configuration(
            f"source {source.name!r}: oauth.device_url is missing; this provider gives no codes "
            "for mail, use flow = 'service-account' or 'client'"
        )
    url = oauth.device_endpoint
    asked = urlencode({"client_id": oauth.client_id, "scope": " ".join(oauth.scopes)})
    status, text = post(source, url, asked)
    try:
        told = json.loads(text)
    except ValueError as error:
        raise Transient(f"source {source.name!r}: {url} answered {status}, not in JSON") from error
    if not isinstance(told, dict) or not {"device_code", "user_code"} <= told.keys():
        said = told.get("error_description") or told.get("error") if isinstance(told, dict) else ""
        raise Configuration(
            f"source {source.name!r}: {url} gives no code ({status} {said}); correct "
            "[sources.oauth], or what is registered there"
        )
    return told
