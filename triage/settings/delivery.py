"""Who is told of leads, how, and what happens until somebody looks after one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    Field,
    SecretStr,
    model_validator,
)

from triage.settings.section import Name, Seconds, Secret, Section, Share

Grade = Literal["A", "B", "C", "D"]
DestinationKind = Literal[
    "webhook", "cloudevents", "smtp", "slack", "teams", "hubspot", "salesforce", "template", "file"
]
_WITHOUT_URL = frozenset({"smtp", "salesforce", "hubspot", "file"})
_SECRET_URL = frozenset({"slack", "teams"})  # whoever knows the URL may post
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "smtp": ("host", "sender", "recipients"),
    "hubspot": ("external_id",),
    "salesforce": ("url", "external_id"),
}
EVENTS = ("lead.qualified", "lead.updated", "lead.retracted")
"""The event types that a destination gets unless it chooses others."""


class Filter(Section):
    """Which inquiries a destination is told about; an empty list is no condition.

    `labels` may be own labels; `campaigns` and `businesses` may hold `*`, in any case of letters.
    """

    labels: tuple[str, ...] = ()
    grades: tuple[Grade, ...] = ()
    min_score: int = Field(default=0, ge=0, le=100)
    campaigns: tuple[str, ...] = ()
    businesses: tuple[str, ...] = ()
    channels: tuple[Literal["email", "call"], ...] = ()


class Destination(Secret):
    """Somebody who is told about leads. `timeout`: seconds for a whole try.

    `secret_file` may hold several signing secrets, one a line, newest first, and
    `previous_secrets` more: each signs, so that a receiver can change from one to the other at its
    own time. `workers`: tries under way at a time, where it is not `delivery.workers`.
    """

    name: Name
    kind: DestinationKind = "webhook"
    # Not shown: of some kinds the URL is the secret.
    url: str = Field(default="", pattern=r"^(https?://\S+)?$", repr=False)
    secret: SecretStr | None = None
    secret_file: Path | None = None
    previous_secrets: tuple[SecretStr, ...] = ()
    timeout: Seconds = 20.0
    events: tuple[str, ...] = EVENTS
    filter: Filter = Filter()
    allow_private: bool = False
    ca_file: Path | None = None
    workers: int | None = Field(default=None, ge=1, le=64)
    owns: bool = True
    mode: Literal["structured", "binary"] = "structured"
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    template: str = ""
    template_file: Path | None = None
    content_type: str = "application/json"
    external_id: str = ""
    client_id: str = ""
    path: Path | None = None

    @property
    def token(self) -> str:
        """The secret of kinds that do not sign: a password, a token, a webhook's URL; or empty."""
        if self.secret is None and self.secret_file is None:
            return ""
        return self.reveal(self.secret, self.secret_file, f"destination {self.name!r}: secret")

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The `whsec_…` secrets, newest first; at least one."""
        told = self.reveal(self.secret, self.secret_file, f"destination {self.name!r}: secret")
        previous = tuple(secret.get_secret_value() for secret in self.previous_secrets)
        return (*(told.split() or [""]), *previous)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for field in _NEEDED.get(self.kind, ()):
            if not getattr(self, field):
                raise ValueError(
                    f"destination {self.name!r}: {field} is missing; kind {self.kind!r} needs it"
                )
        if self.kind == "template" and not (self.template or self.template_file):
            raise ValueError(
                f"destination {self.name!r}: set template, or template_file, to what to send"
            )
        local = self.host in {"localhost", "127.0.0.1", "::1"}
        if self.kind == "smtp" and self.security == "none" and not local:
            raise ValueError(
                f"destination {self.name!r}: security = 'none' would send leads in clear to "
                f"{self.host}; use 'tls' or 'starttls'"
            )
        return self

    @model_validator(mode="after")
    def _has_url(self) -> Self:
        secret = self.secret is not None or self.secret_file is not None
        if self.kind in _SECRET_URL and secret:
            return self
        if not self.url and self.kind not in _WITHOUT_URL:
            raise ValueError(f"destination {self.name!r}: url is missing; it says where to post")
        return self


class DeliveryRules(Section):
    """Retries. `schedule` holds the waits in seconds between attempts (after the spec), with
    `jitter` as the share by which each is varied; after the last one the delivery is dead.

    After `breaker_after` failures in a row that are the destination's fault, it is left alone for
    `breaker_pause` seconds, twice as long each time up to `breaker_longest`, and then asked with
    one delivery. `workers`: tries under way at a time, for each destination.
    """

    schedule: tuple[float, ...] = (
        5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
    )  # fmt: skip
    jitter: Share = 0.1
    workers: int = Field(default=4, ge=1, le=64)
    breaker_after: int = Field(default=5, ge=1)
    breaker_pause: Seconds = 30.0
    breaker_longest: Seconds = 900.0


class People(Section):
    """When two inquiries of one person are one lead.

    A destination that was told of a lead gets `lead.updated`, not a second `lead.qualified`, for
    whatever the person asks within `window` seconds; 0: every inquiry is a lead of its own.
    """

    window: float = Field(default=30 * 86_400.0, ge=0)


class Links(Secret):
    """Links in events to what does not fit into them. `url`: where people reach the console.

    Links are signed with the secret and hold for `valid_days`. Without a URL there are none.
    """

    url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    secret: SecretStr | None = None
    secret_file: Path | None = None
    valid_days: float = Field(default=30.0, gt=0)

    @property
    def signing_secret(self) -> str:
        """What links are signed with."""
        return self.reveal(self.secret, self.secret_file, "links.secret")


class Acknowledge(Section):
    """Who looks after a hot lead, and who is told when nobody did.

    A forwarded lead of one of `grades` with a score of at least `min_score` that nobody
    acknowledged within `within` seconds is told to the destination `escalate_to`, once. `listen`
    (`host:port`) is where the worker answers the acknowledgement links in events; see `Links`.
    """

    within: Seconds = 900.0
    grades: tuple[Grade, ...] = ("A",)
    min_score: int = Field(default=0, ge=0, le=100)
    escalate_to: str = ""
    listen: str = Field(default="", pattern=r"^(\S+:\d{1,5})?$")
