"""`init`, `doctor` and `db`: setting a worker up, and finding out what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage.cli import output
from triage.cli.context import of

database = typer.Typer(no_args_is_help=True, help="The database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(doctor)
    app.add_typer(database, name="db")


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path(),
) -> None:
    """Write a commented triage.toml and a webhook secret to start from; overwrites nothing."""
    from triage.cli.template import write  # noqa: PLC0415

    for path in write(folder):
        output.say(f"wrote {path}")
    output.say(
        "\nNext: fill in the sources and destinations in triage.toml, then\n"
        "  triage doctor   checks every connection\n"
        "  triage run      starts the worker"
    )


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Check settings, database, sources, models and destinations; exit code 1 if one fails."""
    from triage.cli.checkup import checks  # noqa: PLC0415 - heavy

    found = of(context)
    found.quiet = not found.verbose
    found.configure_logs()
    settings = found.required_settings
    results = []
    with output.progress(
        "checking", 4 + len(settings.sources) + len(settings.destinations)
    ) as tell:
        for result in checks(settings):
            results.append(result)
            tell(len(results), result.what)
    if as_json:
        for result in results:
            output.show_json(result)
    else:
        output.show_table(
            ["check", "result", "detail"], [[r.what, r.state, r.detail] for r in results]
        )
    raise typer.Exit(1 if any(result.state == "failed" for result in results) else 0)


@database.command()
def upgrade(context: typer.Context) -> None:
    """Bring the tables to the form this version needs; does nothing if they have it."""
    from triage.store.repository import Repository  # noqa: PLC0415 - heavy

    repository = Repository(of(context).required_settings.store)
    try:
        before, after = repository.database.upgrade()
    finally:
        repository.close()
    if before == after:
        output.say(f"the database is at revision {after} already")
    else:
        output.say(f"the database went from revision {before or 'none'} to {after}")
