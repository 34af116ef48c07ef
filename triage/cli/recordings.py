"""`recordings`: what the names of recordings, their sidecars and call detail records say."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.intake.calls.reader import Known
    from triage.settings import CallSource, Settings

recordings = typer.Typer(no_args_is_help=True, help="Recordings: what is known about their calls.")

Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    app.add_typer(recordings, name="recordings")


@recordings.command("explain")
def explain_recording(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A recording, or just what one would be called.")],
    source: Annotated[
        str | None, typer.Option(help="The source. Default: the one that the file is in.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="A template to try instead of the settings' names.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a recording's name, sidecar and record say, and which layout read it.

    Nothing is transcribed or stored. The exit code is 1 if something could not be understood.
    """
    from triage.intake.calls.reader import SourceCalls  # noqa: PLC0415 - heavy

    settings = of(context).settings
    chosen = _chosen(settings, path, source)
    if name is not None:
        chosen = chosen.model_copy(update={"names": (name,)})
    calls = SourceCalls(chosen, settings, None)
    key = _key(chosen, path)
    known = calls.read(key, _beside(chosen, path))
    misfits = [] if known.told[0].source else list(calls.misfits(key))
    calls.close()
    if as_json:
        output.show_json(_data(key, chosen, known, misfits))
    else:
        _show(key, known, misfits)
    raise typer.Exit(1 if known.problems else 0)


def _chosen(settings: Settings, path: Path, name: str | None) -> CallSource:
    """The source that a file belongs to; one with the defaults where there is none."""
    from triage.errors import Usage  # noqa: PLC0415 - with the next
    from triage.settings import CallSource, RecordingsSource  # noqa: PLC0415 - heavy

    sources = [source for source in settings.sources if isinstance(source, CallSource)]
    if name is not None:
        for source in sources:
            if source.name == name:
                return source
        there = ", ".join(source.name for source in sources) or "none"
        raise Usage(f"no source of recordings is named {name!r}; there are {there}")
    for source in sources:
        if isinstance(source, RecordingsSource) and path.resolve().is_relative_to(source.path):
            return source
    return sources[0] if len(sources) == 1 else CallSource(name="none")


def _beside(source: CallSource, path: Path) -> str:
    """The text of the sidecar, where there is one."""
    from triage.settings import SIDECARS  # noqa: PLC0415 - heavy

    for like in getattr(source, "sidecars", SIDECARS):
        sidecar = path.with_name(like.format(name=path.name, stem=path.stem))
        if sidecar.is_file():
            return sidecar.read_text(encoding="utf-8-sig", errors="replace")
    return ""


def _key(source: CallSource, path: Path) -> str:
    """The path below the source's folder."""
    root = getattr(source, "path", None)
    if isinstance(root, Path) and path.resolve().is_relative_to(root):
        return path.resolve().relative_to(root).as_posix()
    return path.as_posix()


def _data(key: str, source: CallSource, known: Known, misfits: list[str]) -> dict[str, Any]:
    start = known.call.started_at
    return {
        "file": key,
        "source": source.name,
        "call": asdict(known.call) | {"started_at": start.isoformat() if start else None},
        "told": [
            {"by": told.source, "stated": dict(told.stated)} for told in known.told if told.source
        ],
        "problems": list(known.problems),
        "misfits": misfits,
    }


def _show(key: str, known: Known, misfits: list[str]) -> None:
    output.say(key, "bold")
    columns = [told for told in known.told if told.source]
    call = asdict(known.call)
    rows = [
        [
            _LABELS.get(field, field),
            *(told.stated.get(_LABELS.get(field, field), "") for told in columns),
            _meant(value),
        ]
        for field, value in call.items()
        if field not in {"sources", "withheld"}
    ]
    rows = [row for row in rows if any(row[1:])]
    if rows:
        output.show_table(["field", *(told.source for told in columns), "together"], rows)
    else:
        output.say("nothing is known about this call")
    if known.call.withheld:
        output.say(f"not transcribed: {known.call.withheld} (settings: [calls])", "yellow")
    for problem in known.problems:
        output.say(problem, "yellow")
    if misfits and not rows:
        output.say("its name fits none of these:")
    for misfit in misfits:
        output.say(f"  {misfit}", "dim")


def _meant(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_LABELS = {"caller_name": "name", "started_at": "start", "duration_s": "duration"}
