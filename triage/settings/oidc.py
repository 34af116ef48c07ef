"""Signing in to the console at a provider of the organisation's own."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from triage.settings.section import Seconds, Secret

RoleName = Literal["viewer", "reviewer", "admin"]


class Oidc(Secret):
    """An OpenID provider whose accounts may sign in: `[console.oidc]`.

    `issuer` is its address; everything else it says of itself. `roles` says which value of
    `role_claim` gives which role; where several fit, the highest. `default_role` is the role of
    those whom no value names; without one they stay out. `only`: nobody signs in by password.
    """

    issuer: str = Field(pattern=r"^https?://[^\s?#@]+$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    title: str = Field(default="", max_length=60)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    name_claim: str = Field(default="email", min_length=1)
    role_claim: str = Field(default="groups", min_length=1)
    roles: Mapping[str, RoleName] = {}
    default_role: RoleName | Literal[""] = ""
    domains: tuple[str, ...] = ()
    create_users: bool = True
    only: bool = False
    timeout: Seconds = 10.0
    allow_private: bool = False
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.issuer.startswith("http:") and not is_local(urlsplit(self.issuer).hostname or ""):
            raise ValueError("issuer: it must begin with https")
        if "openid" not in self.scopes:
            raise ValueError("scopes: openid is missing; without it nobody says who signs in")
        if not self.roles and not self.default_role:
            raise ValueError(
                "roles: nobody would have a role; say which value of role_claim gives which role, "
                'as in roles = {"triage-admins" = "admin"}, or set default_role'
            )
        return self

    @property
    def secret(self) -> str:
        """The client's secret; empty where none is set: PKCE protects such a client too."""
        if self.client_secret is None and self.client_secret_file is None:
            return ""
        return self.reveal(
            self.client_secret, self.client_secret_file, "console.oidc.client_secret"
        )

    @property
    def known_as(self) -> str:
        """What people call the provider: its title, or its host."""
        return self.title or urlsplit(self.issuer).netloc


def is_local(host: str) -> bool:
    """Whether a name or an address is that of the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
