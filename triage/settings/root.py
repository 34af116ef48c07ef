"""The whole of the settings, from the file and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from classifiers.labels import LABELS
from triage.errors import Configuration
from triage.settings.business import Business, IdealCustomer
from triage.settings.delivery import Acknowledge, DeliveryRules, Destination, Links, People
from triage.settings.drift import Drift
from triage.settings.learning import Learning
from triage.settings.mailboxes import ImapSource, MaildirSource
from triage.settings.recordings import Calls, RecordingsSource, S3Source, SftpSource
from triage.settings.redaction import Redaction
from triage.settings.running import Console, Engine, Metrics, Store
from triage.settings.section import Name
from triage.settings.triaging import (
    Classifier,
    DecisionRules,
    Limits,
    OwnLabel,
    Review,
    Rules,
    Transcription,
)

Source = Annotated[
    ImapSource | MaildirSource | RecordingsSource | SftpSource | S3Source,
    Field(discriminator="kind"),
]


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
    redaction: Redaction = Redaction()
    review: Review = Review()
    learning: Learning = Learning()
    drift: Drift = Drift()
    destinations: tuple[Destination, ...] = ()
    delivery: DeliveryRules = DeliveryRules()
    people: People = People()
    links: Links = Links()
    acknowledge: Acknowledge = Acknowledge()
    engine: Engine = Engine()
    metrics: Metrics = Metrics()
    console: Console = Console()

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
