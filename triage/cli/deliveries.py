"""`deliveries`: what reached the team, how fast, and what waits for whom."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import Json, Limit, choice, one, one_inquiry

if TYPE_CHECKING:
    from triage.settings import Settings
    from triage.store.destinations import Condition
    from triage.store.repository import Repository
    from triage.types import Delivery

deliveries = typer.Typer(no_args_is_help=True, help="Deliveries: leads on their way to endpoints.")

To = Annotated[str | None, typer.Option("--destination", help="Only those to this destination.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(deliveries, name="deliveries")


@deliveries.command("list")
def list_deliveries(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="pending, accepted or dead")] = None,
    destination: To = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first; `after` is the time from arrival to acceptance."""
    from triage.types import DeliveryState  # noqa: PLC0415 - heavy
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    chosen = choice("--state", state, list(DeliveryState))
    settings = of(context).required_settings
    with open_repository(settings) as repository:
        rows = repository.outbox.listed(
            limit=limit, state=DeliveryState(chosen) if chosen else None, destination=destination
        )
        conditions = repository.destinations.conditions()
    if as_json:
        for row in rows:
            output.show_json(row)
        return
    output.show_table(
        ["delivery", "inquiry", "destination", "event", "state", ">tries", ">after", "next try",
         "last error"],
        [
            [
                row.id,
                row.inquiry_id,
                row.destination,
                row.event,
                row.state,
                row.attempts,
                output.duration(row.arrival_s),
                _next_try(row, conditions.get(row.destination)),
                row.last_error,
            ]
            for row in rows
        ],
    )  # fmt: skip
    for condition in conditions.values():
        output.note(f"{condition.name}: {described(condition)}")


@deliveries.command("destinations")
def list_destinations(context: typer.Context, as_json: Json = False) -> None:
    """Show how each destination is, and how fast leads reach it (last 1000 deliveries)."""
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    settings = of(context).required_settings
    with open_repository(settings) as repository:
        found = _destinations(settings, repository)
    if as_json:
        for line in found:
            output.show_json(line)
        return
    names = ("name", "kind", "waiting", "dead", "accepted", "median_s", "p95_s", "condition")
    output.show_table(
        ["destination", "kind", ">waiting", ">dead", ">accepted", ">median", ">p95", "condition"],
        [
            [
                output.duration(value) if name.endswith("_s") else value
                for name, value in ((name, line[name]) for name in names)
            ]
            for line in found
        ],
    )


@deliveries.command("retry")
def retry_deliveries(
    context: typer.Context,
    delivery: Annotated[list[str] | None, typer.Argument(help="Ids, or beginnings.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    destination: To = None,
) -> None:
    """Make deliveries due now, under their old ids; a running worker sends them."""
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    if bool(delivery) == every:
        raise Usage("name the deliveries to retry, or use --all for all dead letters")
    if delivery and destination:
        raise Usage("--destination goes with --all")
    with open_repository(of(context).required_settings) as repository:
        outbox = repository.outbox
        if every:
            output.say(f"{outbox.revive_all(destination=destination)} due now")
            return
        ids = [one(outbox.find(prefix), "delivery", prefix) for prefix in delivery or []]
        changed = [name for name in ids if outbox.revive(name)]
    output.say(f"{len(changed)} of {len(ids)} due now")
    for name in ids:
        if name not in changed:
            output.note(f"{name} stays as it is: accepted, or a lead that was retracted since")
    raise typer.Exit(0 if len(changed) == len(ids) else 1)


@deliveries.command("enable")
def enable_destination(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A destination.")],
) -> None:
    """Send to a destination again that is stopped (it answered 410) or left alone."""
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    settings = of(context).required_settings
    with open_repository(settings) as repository:
        known = {destination.name for destination in settings.destinations}
        changed = repository.destinations.enable(name)
    if not changed and name not in known:
        raise Usage(f"no destination is named {name!r}; there are {', '.join(sorted(known))}")
    output.say(f"{name}: enabled" if changed else f"{name}: nothing was in the way")


@deliveries.command("acknowledge")
def acknowledge(
    context: typer.Context,
    inquiry: Annotated[str, typer.Argument(help="An inquiry's id, or the beginning of one.")],
    by: Annotated[str, typer.Option(help="Who looks after it. Default: your user name.")] = "",
) -> None:
    """Note that somebody looks after a lead: nobody is alarmed about it any more."""
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    with open_repository(of(context).required_settings) as repository:
        name = one_inquiry(repository, inquiry)
        first = repository.acknowledgements.acknowledge(name, by or getpass.getuser())
        known = repository.acknowledgements.get(name)
    who = known.by if known else by
    output.say(f"{name}: {who} looks after it" + ("" if first else " already"))


def described(condition: Condition) -> str:
    """What is in the way of a destination, and what to do about it."""
    if condition.stopped_at is not None:
        return (
            f"stopped {output.ago(condition.stopped_at)} ago, {condition.reason}; nothing is lost. "
            f"`triage deliveries enable {condition.name}` sends again"
        )
    until = condition.paused_until
    paused = f"left alone until {until.astimezone():%H:%M:%S}" if until else "failed"
    return f"{paused} after {condition.failures} failures in a row: {condition.reason}"


def _next_try(row: Delivery, condition: Condition | None) -> object:
    if row.next_at is None or condition is None:
        return row.next_at
    if condition.is_stopped:
        return "stopped"
    return max(row.next_at, condition.paused_until or row.next_at)


def _destinations(settings: Settings, repository: Repository) -> list[dict[str, Any]]:
    conditions = repository.destinations.conditions()
    counts = repository.outbox.counts_by_destination()
    kinds = {destination.name: destination.kind for destination in settings.destinations}
    lines: list[dict[str, Any]] = []
    for name in dict.fromkeys([*kinds, *counts]):
        condition = conditions.get(name)
        number = {str(state): found for state, found in counts.get(name, {}).items()}
        median, p95 = repository.outbox.speed(name)
        gone = "" if name in kinds else "not in the settings any more"
        lines.append(
            {
                "name": name,
                "kind": kinds.get(name),
                "waiting": number.get("pending", 0),
                "dead": number.get("dead", 0),
                "accepted": number.get("accepted", 0),
                "median_s": median,
                "p95_s": p95,
                "condition": gone or (described(condition) if condition else "works"),
            }
        )
    return lines
