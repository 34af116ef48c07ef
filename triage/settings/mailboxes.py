"""Sources of mail: how mailboxes are opened, read and marked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    model_validator,
)

from triage.settings.section import Seconds, Secret, Section
from triage.settings.sources import SourceBase

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_GOOGLE = "https://oauth2.googleapis.com"
_MICROSOFT = "https://login.microsoftonline.com"


class OAuth(Secret):
    """How a mailbox is opened without a password: `[sources.oauth]`.

    `device`: a person authorises once, with `triage mailbox authorise`; `client`: the application
    by itself (app-only), with its secret; `service-account`: a Google key that may act for the
    mailbox. `tenant` is Microsoft's. The URLs and `scope` are for `custom`, or override.
    """

    provider: Literal["microsoft", "google", "custom"]
    flow: Literal["device", "client", "service-account"]
    client_id: str = ""
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    key_file: Path | None = None
    tenant: str = "organizations"
    token_url: str = ""
    device_url: str = ""
    scope: str = ""
    ca_file: Path | None = None

    @property
    def token_endpoint(self) -> str:
        """Where tokens come from."""
        known = {
            "microsoft": f"{_MICROSOFT}/{self.tenant}/oauth2/v2.0/token",
            "google": f"{_GOOGLE}/token",
        }
        return self.token_url or known.get(self.provider, "")

    @property
    def device_endpoint(self) -> str:
        """Where codes for people come from; empty where the provider gives none for mail."""
        known = {"microsoft": f"{_MICROSOFT}/{self.tenant}/oauth2/v2.0/devicecode"}
        return self.device_url or known.get(self.provider, "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked for."""
        if self.scope:
            return tuple(self.scope.split())
        if self.provider == "google":
            return ("https://mail.google.com/",)
        if self.provider == "microsoft" and self.flow == "client":
            return ("https://outlook.office365.com/.default",)
        if self.provider == "microsoft":
            return ("https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access")
        return ()

    def secret_of(self, source: str) -> str:
        """The client's secret; empty where none is set: a device needs none."""
        if self.client_secret is None and self.client_secret_file is None:
            return ""
        what = f"source {source!r}: oauth.client_secret"
        return self.reveal(self.client_secret, self.client_secret_file, what)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "custom" and not self.token_url:
            raise ValueError("oauth.token_url is missing; provider = 'custom' needs it")
        if self.flow == "service-account" and self.key_file is None:
            raise ValueError("oauth.key_file is missing; flow = 'service-account' needs it")
        if self.flow != "service-account" and not self.client_id:
            raise ValueError(f"oauth.client_id is missing; flow = {self.flow!r} needs it")
        if self.flow == "client" and not (self.client_secret or self.client_secret_file):
            raise ValueError("oauth.client_secret is missing; flow = 'client' needs it")
        for url in (self.token_url, self.device_url):
            host = urlsplit(url).hostname
            if url and not url.startswith("https://") and host not in _LOCAL:
                raise ValueError(f"{url} would send secrets in clear; use https")
        return self


class Mark(Section):
    """What is done with a mail in its mailbox: a keyword, a flag, a Gmail label, another folder."""

    keyword: str = Field(default="", pattern=r"^[A-Za-z0-9_$.-]{0,60}$")
    flag: Literal["", "flagged", "seen", "answered"] = ""
    label: str = ""
    move: str = ""


class WriteBack(Section):
    """What is done with mails of each outcome, in every mailbox they were seen in; nothing where
    an outcome is not named.
    """

    forward: Mark = Mark()
    review: Mark = Mark()
    nurture: Mark = Mark()
    file: Mark = Mark()

    def of(self, outcome: str) -> Mark:
        """The mark of an outcome; an empty one for none."""
        return getattr(self, outcome) if outcome else Mark()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that are marked."""
        return tuple(name for name in type(self).model_fields if self.of(name) != Mark())


class ImapSource(SourceBase, Secret):
    """A mailbox. `security`: `tls`, `starttls`, or `none` (only for a server on this machine).

    With `idle` the server tells at once what arrives; every `idle_renew` seconds the connection is
    shown to be alive.
    """

    kind: Literal["imap"]
    host: str
    port: int | None = None
    security: Literal["tls", "starttls", "none"] = "tls"
    ca_file: Path | None = None
    username: str
    password: SecretStr | None = None
    password_file: Path | None = None
    oauth: OAuth | None = None
    folders: tuple[str, ...] = ("INBOX",)
    timeout: Seconds = 30.0
    batch: int = Field(default=50, ge=1, le=1000)
    backlog_batch: int = Field(default=500, ge=1, le=5000)
    idle: bool = True
    write_back: WriteBack | None = None
    idle_renew: float = Field(default=240.0, gt=0, lt=29 * 60)

    @property
    def secret(self) -> str:
        """The password."""
        return self.reveal(self.password, self.password_file, f"source {self.name!r}: password")

    @model_validator(mode="after")
    def _local_when_plain(self) -> Self:
        if self.oauth and (self.password or self.password_file):
            raise ValueError(f"source {self.name!r}: set the password or oauth, not both")
        if self.security == "none" and self.host not in _LOCAL:
            raise ValueError(
                f"source {self.name!r}: security = 'none' would send the password in clear to "
                f"{self.host}; use 'tls' or 'starttls'"
            )
        return self


class MaildirSource(SourceBase):
    """A maildir, or a folder of `.eml` files (searched with its subfolders)."""

    kind: Literal["maildir"]
    path: Path
