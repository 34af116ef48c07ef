"""What every table of the settings has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
)

from triage.errors import Configuration

Seconds = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


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
