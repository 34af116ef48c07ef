"""`backfill` and `inquiries release`: mail that came before the worker did."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import Json, Since, Source, Until, chosen, day, inquiries, one_inquiry

if TYPE_CHECKING:
    from triage.pipeline.backfill import Backfill, Progress, Survey
    from triage.pipeline.corrections import Corrections
    from triage.rules.rulebook import Rulebook
    from triage.store.records import Listed
    from triage.store.repository import Repository

_ALL = 1_000_000
_DAY = ["%Y-%m-%d"]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backfill)
    inquiries.command("release")(release)
    inquiries.command("rescore")(rescore)


def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The source, as the settings name it.")],
    since: Annotated[
        datetime, typer.Option(formats=_DAY, help="What arrived on that day or later.")
    ],
    until: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="… and on that day or earlier.")
    ] = None,
    folder: Annotated[
        list[str] | None, typer.Option(help="Folders. Default: those that the source reads.")
    ] = None,
    dry_run: DryRun = False,
    forward: Annotated[
        bool, typer.Option("--forward", help="Forward the leads. Else they wait to be released.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read what a source had before: old mails, or folders that are not read else.

    A worker may run meanwhile; it triages what arrives first. What was broken off goes on where it
    was when the command is given again, and nothing is doubled.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.sources.base import Span  # noqa: PLC0415 - heavy
    from triage.store import records  # noqa: PLC0415 - heavy
    from triage.wiring import open_backfill  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    begin, end = day(since), day(until, after=True) or records.now()
    if begin is None or begin >= end:
        raise Usage("--since must be before --until, and not in the future")
    with open_backfill(of(context).required_settings, source) as past:
        survey = past.survey(Span(begin, end), folder or ())
        progress = None if dry_run else _read(past, survey, forward=forward)
    if as_json:
        output.show_json(_plain(survey, progress, forward=forward))
    else:
        _show(survey, progress, forward=forward)
    unfinished = progress is not None and progress.read + progress.gone < progress.total
    raise typer.Exit(1 if unfinished else 0)


def _read(past: Backfill, survey: Survey, *, forward: bool) -> Progress:
    """Read what is missing until it is done or the command is interrupted."""
    from triage.pipeline.backfill import Progress  # noqa: PLC0415 - heavy

    if not survey.missing:
        return Progress(0)
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in _SIGNALS}
    progress = Progress(len(survey.missing))
    try:
        with output.progress("reading", len(survey.missing)) as advance:
            for progress in past.read(survey, forward=forward, stopping=stop.is_set):
                advance(progress.read + progress.gone)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return progress


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _plain(survey: Survey, progress: Progress | None, *, forward: bool) -> dict[str, Any]:
    tallies = [
        {"folder": folder, "month": month}
        | {name: getattr(tally, name) for name in ("items", "known", "coming", "missing", "size")}
        for (folder, month), tally in survey.tallies.items()
    ]
    return {
        "source": survey.source,
        "since": survey.span.since,
        "until": survey.span.until,
        "months": tallies,
        "missing": len(survey.missing),
        "estimate_s": round(survey.seconds, 1),
        "forward": forward,
        "done": progress,
    }


def _show(survey: Survey, progress: Progress | None, *, forward: bool) -> None:
    output.show_table(
        ["month", "folder", ">items", ">MB", ">known", ">coming", ">missing"],
        [
            [
                month,
                folder,
                tally.items,
                f"{tally.size / 1e6:.1f}",
                tally.known,
                tally.coming,
                tally.missing,
            ]
            for (folder, month), tally in survey.tallies.items()
        ],
    )
    told = "leads are forwarded" if forward else "leads are held until they are released"
    coming = sum(tally.coming for tally in survey.tallies.values())
    if coming:
        output.say(f"{coming} items are coming: the worker reads them by itself")
    if progress is None:
        output.say(
            f"{len(survey.missing)} items would be read ({told}); triaging them takes a worker "
            f"about {output.duration(survey.seconds)}"
        )
        return
    output.say(
        f"{progress.read} of {progress.total} items read: {progress.fresh} new inquiries, "
        f"{progress.read - progress.fresh} known by their content, {progress.refused} refused, "
        f"{progress.gone} gone; {told}. A running worker triages them"
    )


def release(
    context: typer.Context,
    inquiry: Annotated[list[str] | None, typer.Argument(help="Ids, or beginnings of ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All leads that are held.")] = False,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Forward leads that are held because they came before their source was read, or by a backfill.

    By --all, --source, --since and --until only what would be forwarded is released; an inquiry
    that is named goes its usual way, whatever it is.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.pipeline.corrections import Corrections  # noqa: PLC0415 - heavy
    from triage.types import Outcome  # noqa: PLC0415 - heavy
    from triage.wiring import load_rulebook, open_repository  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    settings = of(context).required_settings
    filters = chosen(source, since, until, held=True)
    filtered = filters != chosen(None, None, None, held=True)
    if bool(inquiry) == (every or filtered):
        raise Usage("name the inquiries to release, or use --all, --source, --since or --until")
    with open_repository(settings) as repository:
        corrections, rulebook = Corrections(settings, repository), load_rulebook(settings)
        if inquiry:
            found = [row for name in inquiry for row in _named(repository, name)]
        else:
            listed = repository.archive.listed(
                limit=_ALL, outcome=Outcome.REVIEW, label="lead", chosen=filters
            )
            found = [row for row in reversed(listed) if _forwards(corrections, rulebook, row.id)]
        rows = [_released(corrections, rulebook, row, dry_run=dry_run) for row in found]
    if as_json:
        for row in rows:
            output.show_json(row)
        return
    output.show_table(
        ["inquiry", "received", "from", "subject", "outcome", "reason"],
        [list(row.values())[:-1] for row in rows],
    )
    what = "would be released" if dry_run else "released; a running worker sends the events"
    output.say(f"{len(rows)} {what}")


def _named(repository: Repository, prefix: str) -> list[Listed]:
    from triage.store.archive import Chosen  # noqa: PLC0415 - heavy

    name = one_inquiry(repository, prefix)
    return repository.archive.listed(chosen=Chosen(id=name))


def _forwards(corrections: Corrections, rulebook: Rulebook, inquiry: str) -> bool:
    from triage.types import Outcome  # noqa: PLC0415 - heavy

    decision = corrections.releasable(inquiry, rulebook)
    return decision is not None and decision.outcome == Outcome.FORWARD


def _released(
    corrections: Corrections, rulebook: Rulebook, row: Listed, *, dry_run: bool
) -> dict[str, Any]:
    from triage.pipeline.corrections import NOT_YET  # noqa: PLC0415 - heavy

    if dry_run:
        decision, events = corrections.releasable(row.id, rulebook), []
    else:
        done = corrections.release(row.id, rulebook)
        decision = done.decision
        events = [f"{event.event} to {event.destination}" for event in done.events]
    return {
        "id": row.id,
        "received_at": row.received_at,
        "sender": row.sender,
        "subject": row.subject,
        "outcome": decision.outcome if decision else "",
        "reason": decision.reason if decision else NOT_YET,
        "events": events,
    }


def rescore(
    context: typer.Context,
    inquiry: Annotated[list[str] | None, typer.Argument(help="Ids, or beginnings of ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are settled.")] = False,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    forward: Annotated[
        bool, typer.Option("--forward", help="Tell destinations. Else new leads are held.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at settled inquiries again, with the model, the rules and the settings of now.

    Shows what changes. What a person said stands.
    """
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.pipeline.rescoring import Rescoring  # noqa: PLC0415 - heavy
    from triage.types import Stage  # noqa: PLC0415 - heavy
    from triage.wiring import (  # noqa: PLC0415 - heavy
        ActiveClassifier,
        LazyTagger,
        load_rulebook,
        open_repository,
    )

    of(context).configure_logs()
    settings = of(context).required_settings
    filters = chosen(source, since, until)
    if bool(inquiry) == (every or filters != chosen(None, None, None)):
        raise Usage("name the inquiries to look at, or use --all, --source, --since or --until")
    with open_repository(settings) as repository:
        ids = [one_inquiry(repository, prefix) for prefix in inquiry or []]
        if not ids:
            rows = repository.archive.listed(limit=_ALL, stage=Stage.SETTLED, chosen=filters)
            ids = [row.id for row in reversed(rows)]
        rescoring = Rescoring(
            settings,
            repository,
            ActiveClassifier(settings, repository),
            LazyTagger(settings.classifier),
            load_rulebook(settings),
        )
        found = list(rescoring.run(ids, forward=forward, dry_run=dry_run))
    if as_json:
        for row in found:
            output.show_json(row)
        return
    output.show_table(
        ["inquiry", "was", "is", ">score", ">now", "told"],
        [
            [
                row.id,
                f"{row.before.label}, {row.before.outcome}",
                f"{row.after.label}, {row.after.outcome}",
                row.before.score,
                row.after.score,
                ", ".join(row.events) or row.note,
            ]
            for row in found
        ],
    )
    what = "would change" if dry_run else "changed"
    output.say(f"{sum(not row.note for row in found)} of {len(ids)} {what}")
