"""`inquiries relabel`, `forget`, `renew` and `export`: what a person does about one inquiry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import inquiries, one_inquiry

if TYPE_CHECKING:
    from triage.pipeline.corrections import Corrected, Corrections

Id = Annotated[str, typer.Argument(help="An id, or the beginning of one.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def register() -> None:
    """Add the commands to `inquiries`."""
    inquiries.command("relabel")(relabel)
    inquiries.command("forget")(forget)
    inquiries.command("renew")(renew)
    inquiries.command("export")(export)


def relabel(
    context: typer.Context,
    inquiry: Id,
    label: Annotated[str, typer.Argument(help="lead, support, spam, …, or an own label.")],
    by: Annotated[str, typer.Option("--by", help="Who says so.")] = "",
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Say what an inquiry is: leads are sent, what was sent in error is retracted."""
    with _correcting(context, inquiry) as (found, corrections):
        corrected = corrections.relabel(found, label, by=by, note=note)
    _tell(found, corrected, as_json=as_json)


def forget(context: typer.Context, inquiry: Id) -> None:
    """Let a correction teach nothing about similar inquiries, until it is labelled anew.

    The inquiry itself stays what it is; to take a correction back, relabel it.
    """
    with _correcting(context, inquiry) as (found, corrections):
        forgotten = corrections.repository.memories.forget(found)
    said = "teaches nothing any more" if forgotten else "taught nothing: nobody labelled it"
    output.say(f"{found} {said}")


def renew(
    context: typer.Context,
    inquiry: Id,
    transcribe: Annotated[
        bool, typer.Option("--transcribe", help="Transcribe the recording again first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look for signals again, with the settings of now; who knows the lead is told what changed."""
    from triage.wiring import load_rulebook, transcribe_again  # noqa: PLC0415 - heavy

    with _correcting(context, inquiry) as (found, corrections):
        settings, repository = corrections.settings, corrections.repository
        transcript = transcribe_again(settings, repository, found) if transcribe else None
        corrected = corrections.renew(found, load_rulebook(settings), transcript)
    _tell(found, corrected, as_json=as_json)


def export(
    context: typer.Context,
    inquiry: Id,
    form: Annotated[
        str, typer.Option("--format", help="vcon, or raw: the mail or recording as it came.")
    ] = "vcon",
    original: Annotated[
        bool, typer.Option("--original", help="Put the mail or the recording in, whole.")
    ] = False,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
    unredacted: Annotated[
        bool, typer.Option("--unredacted", help="With the numbers that [redaction] masks.")
    ] = False,
) -> None:
    """Write one inquiry with all that was found, for other programs."""
    import json  # noqa: PLC0415 - with the next

    from triage.errors import Usage  # noqa: PLC0415
    from triage.wiring import open_exports  # noqa: PLC0415 - heavy

    if form not in {"vcon", "raw"}:
        raise Usage(f"--format {form}: choose vcon or raw")
    settings = of(context).required_settings
    with open_exports(settings, unredacted=unredacted) as exports:
        found = one_inquiry(exports.repository, inquiry)
        if form == "raw":
            content = exports.raw_copy(found)
        else:
            container = exports.exported(found, original=original)
            content = (json.dumps(container, ensure_ascii=False, indent=2) + "\n").encode()
    if target is None:
        typer.echo(content, nl=False)
        return
    try:
        target.write_bytes(content)
    except OSError as error:
        raise Usage(f"--output {target}: {error.strerror}") from error


@contextmanager
def _correcting(context: typer.Context, inquiry: str) -> Iterator[tuple[str, Corrections]]:
    """The whole id of an inquiry, and what acts on it."""
    from triage.wiring import open_corrections, open_repository  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    settings = of(context).required_settings
    with open_repository(settings) as repository:
        yield one_inquiry(repository, inquiry), open_corrections(settings, repository)


def _tell(inquiry: str, corrected: Corrected, *, as_json: bool) -> None:
    decision = corrected.decision
    if as_json:
        told = [
            {"id": event.id, "event": event.event, "destination": event.destination}
            for event in corrected.events
        ]
        output.show_json(
            {
                "inquiry_id": inquiry,
                "outcome": decision.outcome,
                "reason": decision.reason,
                "events": told,
            }
        )
        return
    output.say(f"{inquiry}: {decision.outcome}, {decision.reason}")
    for event in corrected.events:
        output.say(f"  {event.event} to {event.destination}, {event.id}; a running worker sends it")
    if not corrected.events:
        output.say("  nobody needs to be told: every destination knows that already")
