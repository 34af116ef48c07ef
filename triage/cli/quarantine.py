"""`inquiries retry`: what was quarantined is taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import Json, Reason, Since, Source, Until, chosen, inquiries, one_inquiry

if TYPE_CHECKING:
    from triage.store.archive import Chosen
    from triage.store.repository import Repository

_ALL = 1_000_000


def register() -> None:
    """Add the command to `inquiries`."""
    inquiries.command("retry")(retry)


def retry(
    context: typer.Context,
    inquiry: Annotated[list[str] | None, typer.Argument(help="Ids, or beginnings of ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are quarantined.")] = False,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    reason: Reason = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take quarantined or waiting inquiries up again; a running worker does the rest.

    Mails and recordings that were refused (too large, say) are read again from their source. The
    exit code is 1 if one could not be taken up.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.wiring import open_replay, open_repository  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    settings = of(context).required_settings
    filters = chosen(source, since, until, reason)
    filtered = filters != chosen(None, None, None)
    if bool(inquiry) == (every or filtered):
        raise Usage(
            "name the inquiries to retry, or use --all or --source, --since, --until, --reason for "
            "those in quarantine"
        )
    with open_repository(settings) as repository:
        ids = [one_inquiry(repository, prefix) for prefix in inquiry or []]
        ids = ids or _quarantined(repository, filters)
        replay = open_replay(settings, repository)
        results = list(replay.plan(ids) if dry_run else replay.run(ids))
    if as_json:
        for result in results:
            output.show_json(result)
    else:
        output.show_table(["inquiry", "result"], [[r.id, r.result] for r in results])
        good = sum(result.good for result in results)
        what = "would be taken up again" if dry_run else "taken up again"
        output.say(f"{good} of {len(results)} {what}")
    raise typer.Exit(0 if all(result.good for result in results) else 1)


def _quarantined(repository: Repository, filters: Chosen) -> list[str]:
    from triage.types import Stage  # noqa: PLC0415 - heavy

    rows = repository.archive.listed(limit=_ALL, stage=Stage.QUARANTINED, chosen=filters)
    return [row.id for row in reversed(rows)]
