"""Sources of calls: where recordings are kept, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from triage.settings.mailboxes import _LOCAL
from triage.settings.section import Seconds, Secret, Section
from triage.settings.sources import SourceBase

SidecarName = Annotated[str, Field(pattern=r"^[^/{}]*\{(name|stem)\}[^/{}]+$")]


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
    columns: dict[CallField, str | int] = Field(default_factory=dict)
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
    sidecar: dict[CallField, str] = Field(default_factory=dict)
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


class Calls(Section):
    """Which calls are transcribed at all. What is not is settled by rule, and stays visible.

    A call whose sidecar or record says that consent was refused never is, nor, with
    `require_consent`, one of which nobody says that it was given; `without_consent` is what
    becomes of those. `skip` names directions that are not read.
    """

    require_consent: bool = False
    without_consent: Literal["review", "file"] = "review"
    skip: tuple[Literal["outbound", "internal"], ...] = ()
