"""The command line: options that hold for every command, and how errors end it.

Every command imports what it needs when it runs, so that `triage --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from triage import __version__
from triage.cli import (
    admin,
    console,
    correct,
    deliveries,
    mailbox,
    model,
    models,
    past,
    quarantine,
    recordings,
    records,
    redact,
    review,
    text,
    worker,
)
from triage.cli.context import Context
from triage.errors import Configuration, TriageError

app = typer.Typer(
    name="triage",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Triage inbound inquiries: mail and calls in, validated leads out.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"triage {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", "-s", help="Settings file. Default: ./triage.toml, if there."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log errors only.")] = False,
    version: Annotated[  # noqa: ARG001 - acts through its callback
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that hold for every command."""
    context.obj = Context(settings, verbose=verbose, quiet=quiet)


worker.register(app)
console.register(app)
text.register(app)
redact.register(app)
records.register(app)
correct.register()
review.register(app)
quarantine.register()
past.register(app)
deliveries.register(app)
mailbox.register(app)
recordings.register(app)
model.register(app)
models.register(app)
admin.register(app)


def main() -> None:
    """Run the command; exit code 0 done, 1 failed, 2 bad input or usage."""
    try:
        app()
    except Configuration as error:
        _complain(error)
        sys.exit(2)
    except TriageError as error:
        _complain(error)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`); leave without a second complaint.
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(error: TriageError) -> None:
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(str(error), err=True)
