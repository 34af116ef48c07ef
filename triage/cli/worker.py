"""`run`, `poll` and `demo`: the worker at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import console, output, stopping
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.demo.play import Ending
    from triage.wiring import Worker


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(poll)
    app.command()(demo)


def run(context: typer.Context) -> None:
    """Run the worker until it is stopped: poll the sources, triage what comes, forward leads."""
    from triage.wiring import open_worker, worker_console  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    settings = found.required_settings
    stop = stopping.asked()
    with open_worker(settings) as worker, worker_console(settings, worker) as address:
        _warn_of_gaps(worker, len(settings.destinations))
        worker.engine.start()
        output.note(
            f"polling {len(worker.sources)} sources, forwarding to "
            f"{len(settings.destinations)} destinations; Ctrl-C stops"
        )
        if address:
            console.tell(address)
        worker.classifier()  # load the model now, not when the first inquiry waits for it
        stopping.until(stop)
        output.note("stopping: finishing the steps that have begun")


def poll(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="One source. Default: all.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to work at most.", min=1)] = 3600.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Read the sources once, triage what is new, deliver, and stop.

    The exit code is 1 if a source failed or work was left over.
    """
    import structlog  # noqa: PLC0415 - heavy

    from triage.errors import TriageError, Usage  # noqa: PLC0415 - with the next
    from triage.wiring import open_worker  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    settings = found.required_settings
    failed = False
    rows: list[list[Any]] = []
    with open_worker(settings) as worker:
        if source is not None and source not in worker.sources:
            raise Usage(f"no source is named {source!r}; there are {', '.join(worker.sources)}")
        _warn_of_gaps(worker, len(settings.destinations))
        for name in [source] if source else list(worker.sources):
            try:
                result = worker.engine.poll(name)
                rows.append([name, "ok", result.seen, len(result.fresh), ""])
            except Exception as error:  # noqa: BLE001 - one source never stops the others
                if not isinstance(error, TriageError):
                    structlog.get_logger(__name__).exception("unexpected error", source=name)
                failed = True
                rows.append([name, "failed", "", "", str(error)])
        drained = worker.engine.drain(timeout)
        for name in (row[0] for row in rows if row[1] == "ok"):
            worker.engine.mark(name)
        waiting = worker.repository.outbox.open_count()
        left = worker.repository.worklist.open_count()
        held = sum(worker.repository.archive.held_leads().values())
    if as_json:
        for name, state, seen, new, problem in rows:
            output.show_json(
                {"source": name, "state": state, "seen": seen, "new": new, "error": problem}
            )
    else:
        output.show_table(["source", "result", ">seen", ">new", "problem"], rows)
    _tell_what_waits(left, waiting, held)
    raise typer.Exit(1 if failed or not drained or left or waiting else 0)


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--folder", help="Where the demo keeps its data.")] = Path(
        "demo-data"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Triage a shipped mailbox and shipped recordings, with leads arriving at a local endpoint."""
    from triage.demo.play import Stageplay, play  # noqa: PLC0415 - heavy

    found = of(context)
    found.quiet = not found.verbose
    found.configure_logs()
    stage = Stageplay(folder)
    with output.progress("triaging", stage.total) as advance:
        ending = play(stage, advance)
    if as_json:
        output.show_json(ending)
    else:
        _show(ending, folder)
    raise typer.Exit(0 if ending.good else 1)


def _show(ending: Ending, folder: Path) -> None:
    output.show_table(
        ["inquiry", "channel", "label", ">confidence", "signals", "outcome", ">delivered in"],
        [
            [
                row.inquiry,
                row.channel,
                row.label,
                f"{row.confidence:.0%}" if row.confidence is not None else "",
                row.signals,
                row.outcome,
                f"{row.delivered_s:.1f} s" if row.delivered_s is not None else "",
            ]
            for row in ending.rows
        ],
    )
    as_written = sum(row.expected for row in ending.rows)
    output.say(
        f"{len(ending.rows)} inquiries, {ending.leads} leads forwarded; the endpoint accepted "
        f"{ending.accepted} with a valid signature, {ending.doubled} twice, refused "
        f"{ending.refused}; {ending.unfinished} unfinished",
        "bold green" if ending.good else "bold red",
    )
    output.say(f"{as_written} of {len(ending.rows)} came out as their authors expected")
    output.say(f"Look around: triage -s {folder}/triage.toml inquiries list")


def _tell_what_waits(inquiries: int, deliveries: int, held: int) -> None:
    if held:
        output.note(
            f"{held} leads are held, because they came before their source was read, or by a "
            "backfill; see `triage inquiries list --held` and `triage inquiries release`"
        )
    if inquiries or deliveries:
        output.note(f"{inquiries} inquiries and {deliveries} deliveries wait for another try")


def _warn_of_gaps(worker: Worker, destinations: int) -> None:
    if not worker.sources:
        output.note("warning: no sources are set, nothing will come in; see [[sources]]")
    if not destinations:
        output.note("warning: no destinations are set, leads wait for one; see [[destinations]]")
