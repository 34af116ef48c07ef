"""The access token of a mailbox: kept while it holds, and asked for again before it ends."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from oauthlib.oauth2 import BackendApplicationClient, Client, ServiceApplicationClient

from triage.errors import Configuration
from triage.settings import ImapSource
from triage.sources.oauth.endpoint import Granted, ask_token, settings_of
from triage.sources.oauth.vault import Vault

_EARLY = 60.0  # seconds before its end in which a token is no longer used


class Access:
    """Tokens for one source, shared by all its connections and by commands beside the worker.

    `folder`: where tokens are kept.
    """

    def __init__(self, source: ImapSource, folder: Path) -> None:
        self._source = source
        self._oauth = settings_of(source)
        self._vault = Vault(folder, source.name)

    def token(self, refused: str = "") -> str:
        """A token that should be accepted now, and that is not the one that was `refused`.

        Raises `Configuration` (`Revoked` where a person must authorise again) or `Transient`.
        """
        with self._vault.alone():
            stored = self._vault.read()
            usable = stored and stored.access_token and stored.access_token != refused
            if stored and usable and stored.expires_at - _EARLY > time.time():
                return stored.access_token
            granted = self._ask(stored)
            self._vault.write(granted)
        return granted.access_token

    def store(self, granted: Granted) -> None:
        """Keep what a person has just granted."""
        with self._vault.alone():
            self._vault.write(granted)

    def _ask(self, stored: Granted | None) -> Granted:
        if self._oauth.flow == "client":
            application = BackendApplicationClient(self._oauth.client_id)
            body = application.prepare_request_body(
                scope=" ".join(self._oauth.scopes),
                include_client_id=True,
                client_secret=self._oauth.secret_of(self._source.name),
            )
            return ask_token(self._source, application, body)
        if self._oauth.flow == "service-account":
            return self._as_service()
        if stored is None or not stored.refresh_token:
            raise Configuration(
                f"source {self._source.name!r}: nobody has authorised this mailbox; run "
                f"`triage mailbox authorise {self._source.name}`"
            )
        client = Client(self._oauth.client_id)
        secret = self._oauth.secret_of(self._source.name)
        body = client.prepare_refresh_body(
            refresh_token=stored.refresh_token,
            scope=" ".join(self._oauth.scopes),
            client_id=self._oauth.client_id,
            **({"client_secret": secret} if secret else {}),
        )
        granted = ask_token(self._source, client, body)
        # A server that gives no new one goes on accepting the old one.
        return replace(granted, refresh_token=granted.refresh_token or stored.refresh_token)

    def _as_service(self) -> Granted:
        """RFC 7523: a signed statement that this service acts for the mailbox."""
        key = self._key()
        client = ServiceApplicationClient(
            str(key.get("client_id", "")), private_key=str(key["private_key"])
        )
        body = client.prepare_request_body(
            issuer=str(key["client_email"]),
            subject=self._source.username,
            audience=self._oauth.token_endpoint,
            extra_claims={"scope": " ".join(self._oauth.scopes)},
        )
        return ask_token(self._source, client, body)

    def _key(self) -> dict[str, Any]:
        path = self._oauth.key_file
        try:
            key = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError) as error:
            raise Configuration(
                f"source {self._source.name!r}: oauth.key_file {path} cannot be read: {error}"
            ) from error
        if not isinstance(key, dict) or not {"private_key", "client_email"} <= key.keys():
            raise Configuration(
                f"source {self._source.name!r}: oauth.key_file must be the JSON key of a service "
                "account, with `private_key` and `client_email`"
            )
        return key
