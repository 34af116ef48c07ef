"""What every command gets: where the settings are, and how to talk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from triage.settings import Settings


@dataclass
class Context:
    """The global options. Settings are read when first asked for."""

    path: Path | None
    verbose: bool = False
    quiet: bool = False

    @cached_property
    def settings(self) -> Settings:
        """From the file that is there, else defaults: for commands that need no settings file."""
        from triage.settings import load, settings_file  # noqa: PLC0415 - heavy

        return load(settings_file(self.path))

    @property
    def required_settings(self) -> Settings:
        """From the file; raises `Usage` where there is none."""
        from triage.errors import Usage  # noqa: PLC0415 - with the next
        from triage.settings import settings_file  # noqa: PLC0415 - heavy

        if settings_file(self.path) is None:
            raise Usage(
                "no settings: there is no triage.toml here. `triage init` writes one, "
                "or name one with --settings FILE"
            )
        return self.settings

    def configure_logs(self) -> None:
        """Set logging up as the options ask."""
        from triage.telemetry import configure  # noqa: PLC0415 - heavy

        configure(verbose=self.verbose, quiet=self.quiet)


def of(context: typer.Context) -> Context:
    """The `Context` of a running command."""
    found: Context = context.find_object(Context) or Context(None)
    return found
