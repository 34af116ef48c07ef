"""`inquiries`: what came in, and what was decided about whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.store.archive import Chosen
    from triage.store.repository import Repository

inquiries = typer.Typer(no_args_is_help=True, help="Inquiries: what came in and what became of it.")

Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_DAY = ["%Y-%m-%d"]
Source = Annotated[str | None, typer.Option("--source", help="Only of this source.")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=_DAY, help="Arrived on that day or later.")
]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=_DAY, help="Arrived on that day or earlier.")
]
Reason = Annotated[str, typer.Option("--reason", help="Part of the reason it is quarantined for.")]
Limit = Annotated[int, typer.Option(help="At most that many.", min=1, max=100_000)]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(inquiries, name="inquiries")


@inquiries.command("list")
def list_inquiries(
    context: typer.Context,
    stage: Annotated[str | None, typer.Option(help="settled, quarantined, received, …")] = None,
    outcome: Annotated[str | None, typer.Option(help="forward, review, nurture or file")] = None,
    label: Annotated[str | None, typer.Option(help="lead, support, spam, …")] = None,
    held: Annotated[
        bool, typer.Option("--held", help="What nobody is told of: it came before, or by backfill.")
    ] = False,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    reason: Reason = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List inquiries, newest first."""
    from classifiers.labels import LABELS  # noqa: PLC0415 - with the next
    from triage.types import Outcome, Stage  # noqa: PLC0415 - heavy
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    chosen_stage = choice("--stage", stage, list(Stage))
    chosen_outcome = choice("--outcome", outcome, list(Outcome))
    with open_repository(of(context).required_settings) as repository:
        rows = repository.archive.listed(
            limit=limit,
            stage=Stage(chosen_stage) if chosen_stage else None,
            outcome=Outcome(chosen_outcome) if chosen_outcome else None,
            label=choice("--label", label, LABELS),
            chosen=chosen(source, since, until, reason, held=held),
        )
    if as_json:
        for row in rows:
            output.show_json(row)
        return
    output.show_table(
        ["inquiry", "received", "channel", "from", "subject", "label", "outcome", ">score"],
        [
            [
                row.id,
                row.received_at,
                row.channel,
                row.sender,
                row.subject or row.error,
                row.label or row.stage,
                f"{row.outcome or row.stage}{', held' if row.held else ''}",
                row.score,
            ]
            for row in rows
        ],
    )
    if not rows:
        output.note("no inquiries yet; `triage poll` reads the sources once, `triage run` always")


@inquiries.command("show")
def show_inquiry(
    context: typer.Context,
    inquiry: Annotated[str, typer.Argument(help="An id, or the beginning of one.")],
    as_json: Json = False,
) -> None:
    """Show all that is known about one inquiry."""
    from triage.cli.dossier import show  # noqa: PLC0415 - heavy
    from triage.store.dossier import collect  # noqa: PLC0415 - with the others
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    with open_repository(of(context).required_settings) as repository:
        dossier = collect(repository, one_inquiry(repository, inquiry))
    if as_json:
        output.show_json(dossier)
    else:
        show(dossier)


def chosen(
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    reason: str = "",
    *,
    held: bool = False,
) -> Chosen:
    """The options that say which inquiries are meant."""
    from triage.store.archive import Chosen  # noqa: PLC0415 - heavy

    return Chosen(source or "", day(since), day(until, after=True), reason, held)


def day(stated: datetime | None, *, after: bool = False) -> datetime | None:
    """When a day of this machine's calendar begins; `after`: when it is over."""
    if stated is None:
        return None
    return (stated + timedelta(days=int(after))).astimezone()


def choice(option: str, value: str | None, allowed: Any) -> str | None:
    """The value of an option. Raises `Usage` where it is not among the allowed ones."""
    from triage.errors import Usage  # noqa: PLC0415

    if value is not None and value not in list(allowed):
        raise Usage(f"{option} {value}: choose one of {', '.join(allowed)}")
    return value


def one_inquiry(repository: Repository, prefix: str) -> str:
    """The inquiry whose id begins so. Raises `Usage` unless there is exactly one."""
    return one(repository.archive.find(prefix), "inquiry", prefix)


def one(found: list[str], what: str, prefix: str) -> str:
    """The only one of what was found for a prefix. Raises `Usage` for none or several."""
    from triage.errors import Usage  # noqa: PLC0415

    if len(found) == 1 or prefix in found:
        return prefix if prefix in found else found[0]
    if not found:
        raise Usage(f"no {what} begins with {prefix!r}")
    raise Usage(f"{prefix!r} is the beginning of several: {', '.join(found)}")
