"""`console`: the web console alone, beside a worker that runs elsewhere."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.web.server import Address


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(console)


def console(context: typer.Context) -> None:
    """Serve the web console alone, until it is stopped; `run` serves it beside the worker."""
    from triage.wiring import open_console, open_repository  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    settings = found.required_settings
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_repository(settings) as repository, open_console(settings, repository) as address:
        tell(address)
        stop.wait()


def tell(address: Address) -> None:
    """Say where the console is, and how to make the first user where there is none."""
    if address.set_up_url:
        output.note(f"console: nobody can sign in yet; set it up at {address.set_up_url}")
    else:
        output.note(f"console: {address.url}")
