"""`mailbox`: how the sources are doing, and access to mailboxes without a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.sources.oauth import Challenge

mailbox = typer.Typer(no_args_is_help=True, help="Mailboxes: how they are doing, and access.")

Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(mailbox, name="mailbox")


@mailbox.command("list")
def list_mailboxes(context: typer.Context, as_json: Json = False) -> None:
    """Show every source: when it was read, when something came, what is wrong."""
    from triage.pipeline.silence import silences  # noqa: PLC0415 - heavy
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    settings = of(context).required_settings
    with open_repository(settings) as repository:
        states = {state.source: state for state in repository.polls.states()}
        held = repository.archive.held_leads()
        quiet = {found.source for found in silences(settings, repository)}
    rows = []
    for source in settings.sources:
        state = states.get(source.name)
        rows.append(
            {
                "source": source.name,
                "kind": source.kind,
                "enabled": source.enabled,
                "read_at": state.last_success_at if state else None,
                "last_item_at": state.last_item_at if state else None,
                "failures": state.failures if state else 0,
                "silent": source.name in quiet,
                "held_leads": held.get(source.name, 0),
                "error": state.error if state else "",
            }
        )
    if as_json:
        for row in rows:
            output.show_json(row)
        return
    output.show_table(
        ["source", "kind", "read", "last new item", ">held leads", ">failures", "problem"],
        [
            [
                row["source"],
                row["kind"] if row["enabled"] else f"{row['kind']}, off",
                row["read_at"],
                row["last_item_at"],
                row["held_leads"],
                row["failures"],
                row["error"] or ("unusually silent" if row["silent"] else ""),
            ]
            for row in rows
        ],
    )


@mailbox.command("authorise")
def authorise_mailbox(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The source, as the settings name it.")],
) -> None:
    """Grant access to a mailbox that has [sources.oauth], or grant it again.

    A running worker uses what was granted at its next try.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.settings import ImapSource  # noqa: PLC0415 - heavy
    from triage.sources.build import build_source, tokens_below  # noqa: PLC0415 - heavy
    from triage.sources.oauth import authorise  # noqa: PLC0415 - heavy

    settings = of(context).required_settings
    found = [
        source
        for source in settings.sources
        if source.name == name and isinstance(source, ImapSource)
    ]
    if not found:
        names = [source.name for source in settings.sources if isinstance(source, ImapSource)]
        raise Usage(f"no mailbox is named {name!r}; there are {', '.join(names) or 'none'}")
    authorise(found[0], tokens_below(settings.store.data_dir), _show)
    looked = build_source(found[0], settings.limits, settings.store.data_dir).check()
    output.say(f"{name} is authorised: {looked}", "green")


def _show(challenge: Challenge) -> None:
    output.say(
        f"Open {challenge.url} in a browser, sign in as somebody who may read the mailbox, and "
        f"type the code {challenge.code}. This waits for {output.duration(challenge.seconds)}."
    )
