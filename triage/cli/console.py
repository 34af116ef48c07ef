"""`console`: the web console alone, beside a worker that runs elsewhere, and a way back into it."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import output, stopping
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.web.server import Address

commands = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="console")


@commands.callback()
def console(context: typer.Context) -> None:
    """Serve the web console alone, until it is stopped; `run` serves it beside the worker."""
    if context.invoked_subcommand:
        return
    from triage.wiring import open_console, open_repository  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    settings = found.required_settings
    stop = stopping.asked()
    with open_repository(settings) as repository, open_console(settings, repository) as address:
        tell(address)
        stopping.until(stop)


@commands.command("reset-password")
def reset_password(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Who cannot sign in any more.")],
) -> None:
    """Print a link that lets somebody choose another password: once, within an hour.

    For administrators who lock themselves out, too: whoever may run this may read the database.
    """
    from triage.store.audit import Actor  # noqa: PLC0415 - heavy
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    settings = of(context).required_settings
    with open_repository(settings) as repository:
        code = repository.resets.create(name, by=Actor("", getpass.getuser(), "command line"))
    output.say(f"{settings.console.address}/reset?code={code}")
    output.note("it works once, within an hour; whoever has it is that user")


def tell(address: Address) -> None:
    """Say where the console is, and how to make the first user where there is none."""
    if address.set_up_url:
        output.note(f"console: nobody can sign in yet; set it up at {address.set_up_url}")
    else:
        output.note(f"console: {address.url}")
