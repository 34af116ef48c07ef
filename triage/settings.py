"""Everything a deployment can set: one `triage.toml`, `TRIAGE_…` variables, secret files.

This is the only module that reads the environment. Variables override the file: nested fields are
joined by two underscores (`TRIAGE_STORE__DATA_DIR=/var/lib/triage`). Relative paths are relative to
the settings file. Every field is described in docs/settings.md; a test fails where one is missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from classifiers.labels import LABELS, Label
from triage.errors import Configuration

Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
SidecarName = Annotated[str, Field(pattern=r"^[^/{}]*\{(name|stem)\}[^/{}]+$")]


class Section(BaseModel):
    """A table of the settings file; an unknown key is an error, not a silent typo."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Secret(Section):
    """A secret given in place, or better in a file that only the worker can read."""

    def reveal(self, value: SecretStr | None, file: Path | None, what: str) -> str:
        """The secret's text; a trailing newline of a file is not part of it."""
        if value is not None:
            return value.get_secret_value()
        if file is None:
            raise Configuration(f"{what}: neither the value nor its file is set")
        try:
            return file.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            raise Configuration(f"{what}: secret file {file} is not UTF-8 text") from None
        except OSError as error:
            raise Configuration(
                f"{what}: cannot read secret file {file}: {error.strerror}"
            ) from error


class Business(Section):
    """Who is contacted; goes into the model's input.

    `country` (ISO 3166, two letters) is where a phone number without a country code is dialled.
    """

    name: str = ""
    sells: str = ""
    domains: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")

    @property
    def profile(self) -> str:
        """The profile as the model reads it: one line of text, empty where nothing is set."""
        parts = [self.name, self.sells, ", ".join(self.places)]
        return ". ".join(part.strip().rstrip(".") for part in parts if part.strip())


class IdealCustomer(Section):
    """What the fit of a lead is measured against; empty fields do not count."""

    industries: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    regions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    min_budget: float | None = None


class Store(Section):
    """Where the worker keeps its data. An empty `database_url` is SQLite inside `data_dir`."""

    data_dir: Path = Path("var")
    database_url: str = Field(default="", repr=False)  # may hold a password

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'triage.db'}"


class SourceBase(Section):
    """What every source has. `poll_every` in seconds; `campaign` is stored with its inquiries.

    `silent_after`: seconds without anything new after which that is an alarm; not set: twice the
    longest pause there was, at least 6 hours; 0: never.
    `since`: what arrived before that day is not read. `forward_past_days`: a lead that had arrived
    longer than that before its folder was first read is held, not forwarded by itself.
    """

    name: Name
    poll_every: Seconds = 30.0
    since: date | None = None
    forward_past_days: float = Field(default=3.0, ge=0, le=100_000)
    campaign: str = ""
    silent_after: float | None = Field(default=None, ge=0)
    enabled: bool = True


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


def _zone(name: str) -> str:
    """A time zone's name, once it is known to be one."""
    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"{name!r} is no time zone; write it like Europe/Berlin or America/New_York"
            ) from None
    return name


class MaildirSource(SourceBase):
    """A maildir, or a folder of `.eml` files (searched with its subfolders)."""

    kind: Literal["maildir"]
    path: Path


SIDECARS = ("{name}.json", "{stem}.json", "{name}_metadata.json", "{stem}_metadata.json")
"""What the sidecar of a recording may be called, the first that is there counting: `{name}` is the
recording's name, `{stem}` that without its ending."""
CallField = Literal[
    "caller", "name", "dialled", "direction", "agent", "start", "duration", "consent", "id",
    "group", "campaign", "recording",
]  # fmt: skip
Zone = Annotated[str, AfterValidator(_zone)]


class Cdr(Section):
    """Call detail records of a telephone system, a CSV file that grows: `[sources.cdr]`.

    `asterisk` is its Master.csv, without headers; `freepbx` its table `cdr` as CSV with headers;
    `csv` any other, whose `columns` say which header (or number, from 1) holds which field. A row
    belongs to a recording whose id or file name it holds, or else where a number is the same and
    the calls began within `within` seconds. A call waits `wait` seconds at most for its row.
    """

    path: Path
    format: Literal["asterisk", "freepbx", "csv"] = "asterisk"
    columns: dict[CallField, str | int] = {}
    timezone: Zone = ""
    within: Seconds = 20.0
    wait: float = Field(default=60.0, ge=0)

    @model_validator(mode="after")
    def _columns_where_needed(self) -> Self:
        if self.format == "csv" and not self.columns:
            raise ValueError(
                "cdr.columns is missing; format = 'csv' needs it, for example "
                'columns = { id = "Call ID", caller = "From", start = "Start time" }'
            )
        if self.format != "csv" and self.columns:
            raise ValueError(f"cdr.columns is for format = 'csv', not {self.format!r}")
        return self


class CallSource(SourceBase):
    """What sources of call recordings know about their calls; see docs/calls.md.

    `layout`: the telephone system that names the files and writes the sidecars; `auto` tries all.
    `names` are templates for other names, `sidecar` says where a sidecar's JSON states what.
    `timezone`: of times that do not say theirs.
    """

    layout: Literal[
        "auto", "freepbx", "twilio", "amazon-connect", "genesys", "3cx", "miarec", "none"
    ] = "auto"
    names: tuple[str, ...] = ()
    sidecar: dict[CallField, str] = {}
    timezone: Zone = "UTC"
    cdr: Cdr | None = None

    @field_validator("names", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class RecordingsBase(CallSource):
    """What every store of recordings has, wherever it is.

    A file is read once it has not changed for `settle_seconds`. Beside it may be a sidecar, under
    the first of the names in `sidecars` that is there (`{name}`: the recording's name, `{stem}`:
    that without its ending); a recording without one waits for it until it is `sidecar_wait`
    seconds old. Beyond what changed, everything is looked through at leisure: `sweep_files` files a
    poll at least, and not more often than every `sweep_every` seconds.
    """

    patterns: tuple[str, ...] = (
        "*.wav", "*.mp3", "*.flac", "*.ogg", "*.opus", "*.m4a", "*.gsm", "*.au", "*.amr", "*.webm",
        "*.ulaw", "*.alaw",
    )  # fmt: skip
    settle_seconds: float = Field(default=2.0, ge=0)
    sidecars: tuple[SidecarName, ...] = SIDECARS
    sidecar_wait: float = Field(default=0.0, ge=0)
    sweep_every: Seconds = 3600.0
    sweep_files: int = Field(default=10_000, ge=1)


class RecordingsSource(RecordingsBase):
    """A folder of call recordings. With `events` the system tells at once what arrives."""

    kind: Literal["recordings"]
    path: Path
    events: bool = True


class SftpSource(RecordingsBase, Secret):
    """A folder of call recordings on an SFTP server.

    The server must show a host key that is in `known_hosts` (none: that of the worker's user) or
    has one of the fingerprints in `host_keys`.
    """

    kind: Literal["sftp"]
    host: str
    port: int = Field(default=22, ge=1, le=65535)
    username: str
    password: SecretStr | None = None
    password_file: Path | None = None
    private_key_file: Path | None = None
    passphrase: SecretStr | None = None
    passphrase_file: Path | None = None
    known_hosts: Path | None = None
    host_keys: tuple[Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")], ...] = ()
    path: str = "."
    timeout: Seconds = 30.0

    @property
    def secret(self) -> str | None:
        """The password; None where a key is used instead."""
        if self.password is None and self.password_file is None:
            return None
        return self.reveal(self.password, self.password_file, f"source {self.name!r}: password")

    @property
    def key_passphrase(self) -> str | None:
        """What the private key is encrypted with; None where it is not."""
        if self.passphrase is None and self.passphrase_file is None:
            return None
        what = f"source {self.name!r}: passphrase"
        return self.reveal(self.passphrase, self.passphrase_file, what)

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if not (self.password or self.password_file or self.private_key_file):
            raise ValueError(f"source {self.name!r}: set private_key_file or password_file")
        if self.known_hosts and self.host_keys:
            raise ValueError(f"source {self.name!r}: set known_hosts or host_keys, not both")
        return self


class S3Source(RecordingsBase, Secret):
    """Call recordings in an S3 bucket, below `prefix`. `endpoint`: where it is not Amazon's.

    Without keys of its own it finds them as other programs for S3 do: `profile` of the shared
    credentials file, `AWS_…` variables, or the role of the machine.
    """

    kind: Literal["s3"]
    bucket: str
    prefix: str = ""
    endpoint: str = Field(default="", pattern=r"^(https?://\S+)?$")
    region: str = "us-east-1"
    access_key: str = ""
    access_key_file: Path | None = None
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    session_token: SecretStr | None = None
    session_token_file: Path | None = None
    profile: str = ""
    ca_file: Path | None = None
    timeout: Seconds = 30.0

    @property
    def key_id(self) -> str:
        """Which key is used; empty where none is set here."""
        if self.access_key_file is None:
            return self.access_key
        return self.reveal(None, self.access_key_file, f"source {self.name!r}: access_key")

    @property
    def secret(self) -> str:
        """The secret key; empty where none is set here."""
        if self.secret_key is None and self.secret_key_file is None:
            return ""
        what = f"source {self.name!r}: secret_key"
        return self.reveal(self.secret_key, self.secret_key_file, what)

    @property
    def token(self) -> str:
        """What goes with keys that hold for a while; empty for others."""
        if self.session_token is None and self.session_token_file is None:
            return ""
        what = f"source {self.name!r}: session_token"
        return self.reveal(self.session_token, self.session_token_file, what)

    @model_validator(mode="after")
    def _keys_are_whole(self) -> Self:
        key = bool(self.access_key or self.access_key_file)
        if key != bool(self.secret_key or self.secret_key_file):
            raise ValueError(f"source {self.name!r}: access_key and secret_key belong together")
        if key and self.profile:
            raise ValueError(f"source {self.name!r}: set access_key or profile, not both")
        url = urlsplit(self.endpoint)
        if url.scheme == "http" and url.hostname not in _LOCAL:
            raise ValueError(
                f"source {self.name!r}: {self.endpoint} would send recordings in clear; use https"
            )
        return self


Source = Annotated[
    ImapSource | MaildirSource | RecordingsSource | SftpSource | S3Source,
    Field(discriminator="kind"),
]


class Limits(Section):
    """Bounds on what is read from one item; what is larger is quarantined, never loaded whole.

    Attached documents are read only as far as their limits allow: `documents` of a mail, each for
    `document_seconds` at most.
    """

    mail_bytes: int = Field(default=40_000_000, gt=0)
    mail_parts: int = Field(default=500, gt=0)
    mail_depth: int = Field(default=50, gt=0)
    text_chars: int = Field(default=200_000, gt=0)
    documents: int = Field(default=10, ge=0)
    document_bytes: int = Field(default=20_000_000, gt=0)
    document_pages: int = Field(default=50, gt=0)
    document_chars: int = Field(default=100_000, gt=0)
    document_seconds: Seconds = 15.0
    recording_bytes: int = Field(default=500_000_000, gt=0)
    recording_seconds: Seconds = 4 * 3600.0


class Calls(Section):
    """Which calls are transcribed at all. What is not is settled by rule, and stays visible.

    A call whose sidecar or record says that consent was refused never is, nor, with
    `require_consent`, one of which nobody says that it was given; `without_consent` is what
    becomes of those. `skip` names directions that are not read.
    """

    require_consent: bool = False
    without_consent: Literal["review", "file"] = "review"
    skip: tuple[Literal["outbound", "internal"], ...] = ()


class Transcription(Section):
    """How calls become text. `model`: the name of installed weights or a folder with weights.

    `time_limit` is in seconds of work per second of audio (with a floor of 60 s a call).
    """

    engine: Literal["faster-whisper", "openai-whisper"] = "faster-whisper"
    model: str = "base"
    language: str = ""
    caller_channel: Literal["left", "right"] = "right"
    workers: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=1, ge=1, le=64)
    time_limit: Seconds = 5.0


class Classifier(Section):
    """Which model decides: `default` is the one that ships, else a folder that `train` wrote."""

    artifact: str = "default"
    threads: int = Field(default=1, ge=1, le=64)
    batch: int = Field(default=16, ge=1, le=256)
    runtime: Literal["auto", "openvino", "torch"] = "auto"


class Rules(Section):
    """What is known about senders before the model reads. `allow` and `block` hold mail addresses,
    domains (with their subdomains) and phone numbers in any notation; `customers` and `suppliers`
    CSV files, as customer databases export them. `authserv_ids` names the mail servers whose
    Authentication-Results are believed; `settle` whether mails that machines wrote about mails need
    no model. See docs/rules.md.
    """

    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    customers: tuple[Path, ...] = ()
    suppliers: tuple[Path, ...] = ()
    authserv_ids: tuple[str, ...] = ()
    settle: bool = True


class OwnLabel(Section):
    """A label of the business's own, for `base`, one of the nine; `[taxonomy.NAME]`.

    `outcome` replaces what the decision would be once it is clear (nothing unsure is decided by
    it): `forward`, `nurture` or `review` for leads, `file` or `review` for everything else.
    """

    base: Label
    outcome: Literal["forward", "nurture", "review", "file"] | None = None

    @model_validator(mode="after")
    def _no_lead_is_filed(self) -> Self:
        allowed = ("forward", "nurture", "review") if self.base == "lead" else ("file", "review")
        if self.outcome is not None and self.outcome not in allowed:
            raise ValueError(
                f"outcome = {self.outcome!r} is not possible for base = {self.base!r}; "
                f"choose {' or '.join(allowed)}"
            )
        return self


class DecisionRules(Section):
    """Thresholds from a verdict to an outcome.

    A lead whose score reaches `forward_score` is forwarded, below it nurtured. What is not labelled
    a lead is filed, unless the model abstains or the probability of a lead reaches `lead_floor`:
    then a person looks at it. `review_below` replaces the model's own abstain threshold.
    """

    forward_score: int = Field(default=30, ge=0, le=100)
    lead_floor: Share = 0.2
    review_below: Share | None = None


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


class Settings(BaseSettings):
    """The whole of the settings; build it with `load`."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="TRIAGE_", env_nested_delimiter="__"
    )

    business: Business = Business()
    ideal_customer: IdealCustomer = IdealCustomer()
    store: Store = Store()
    sources: tuple[Source, ...] = ()
    limits: Limits = Limits()
    calls: Calls = Calls()
    transcription: Transcription = Transcription()
    classifier: Classifier = Classifier()
    rules: Rules = Rules()
    taxonomy: dict[Name, OwnLabel] = {}
    decision: DecisionRules = DecisionRules()
    destinations: tuple[Destination, ...] = ()
    delivery: DeliveryRules = DeliveryRules()
    people: People = People()
    links: Links = Links()
    acknowledge: Acknowledge = Acknowledge()
    engine: Engine = Engine()
    metrics: Metrics = Metrics()

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        for what, names in (
            ("source", [source.name for source in self.sources]),
            ("destination", [destination.name for destination in self.destinations]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two {what}s are named {name!r}; names must differ")
        told = self.acknowledge.escalate_to
        if told and told not in {destination.name for destination in self.destinations}:
            raise ValueError(f"acknowledge.escalate_to: no destination is named {told!r}")
        for name, own in self.taxonomy.items():
            if name in LABELS and name != own.base:
                raise ValueError(
                    f"taxonomy.{name}: {name!r} is one of the nine labels and cannot stand for "
                    f"{own.base!r}; choose another name"
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what `load` read from the file."""
        return env_settings, init_settings


def load(path: Path | None) -> Settings:
    """Read and check the settings file (`None`: defaults and environment only).

    Raises `Configuration` with one line a problem: which field, what is wrong.
    """
    values: dict[str, Any] = {}
    if path is not None:
        if not path.is_file():
            raise Configuration(f"no settings file at {path}; `triage init` writes one")
        try:
            values = TomlConfigSettingsSource(Settings, toml_file=path)()
        except OSError as error:
            raise Configuration(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Configuration(f"{path} is not valid TOML: {error}") from error
    try:
        settings = Settings(**values)
    except SettingsError as error:  # a variable that should be JSON and is not
        raise Configuration(f"environment: {error}") from None
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise Configuration(
            "\n".join([f"{path or 'environment'}: wrong settings", *lines])
        ) from None
    base = path.resolve().parent if path else Path.cwd()
    anchored: Settings = _anchored(_with_folders(settings, base), base)
    return anchored


def _with_folders(settings: Settings, base: Path) -> Settings:
    """Models that are given as a folder, not by name, found from the settings file too."""
    classifier, speech = settings.classifier, settings.transcription
    if classifier.artifact != "default":
        found = str(base / Path(classifier.artifact).expanduser())
        classifier = classifier.model_copy(update={"artifact": found})
    if "/" in speech.model:
        found = str(base / Path(speech.model).expanduser())
        speech = speech.model_copy(update={"model": found})
    return settings.model_copy(update={"classifier": classifier, "transcription": speech})


def settings_file(explicit: Path | None) -> Path | None:
    """The file to use: the one asked for, `$TRIAGE_SETTINGS`, `./triage.toml`, or none."""
    if explicit is not None:
        return explicit
    if named := os.environ.get("TRIAGE_SETTINGS"):
        return Path(named)
    default = Path("triage.toml")
    return default if default.is_file() else None


def child_environment(overrides: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours: `overrides`, and what this one has but `TRIAGE_…`.

    Those may hold secrets, which no child needs.
    """
    inherited = {name: value for name, value in os.environ.items() if name[:7] != "TRIAGE_"}
    return {**inherited, **overrides}


def _anchored(value: Any, base: Path) -> Any:
    """A copy in which every relative path is absolute, so that no later `chdir` can move data."""
    if isinstance(value, Path):
        return base / value.expanduser()
    if isinstance(value, tuple):
        return tuple(_anchored(item, base) for item in value)
    if isinstance(value, BaseModel):
        changed = {name: _anchored(getattr(value, name), base) for name in type(value).model_fields}
        return value.model_copy(update=changed)
    return value
