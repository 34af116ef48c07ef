"""`redact`: masks a text, or silences a recording, without a database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.text import AUDIO


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(redact)


def redact(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="A text or a recording; - reads stdin.")
    ] = "-",
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the silenced copy of a recording goes (FLAC)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, with what was found and where.")
    ] = False,
) -> None:
    """Mask numbers of cards, banks and people in a text, or in a recording and what was said.

    The kinds are those of [redaction] in the settings. Without -o a recording is only transcribed.
    """
    from triage.errors import Usage  # noqa: PLC0415

    found = of(context)
    if Path(file).suffix.lower() in AUDIO:
        _recording(context, Path(file), target, as_json=as_json)
        return
    if target is not None:
        raise Usage("--output is for recordings; texts are printed")
    from triage.redaction.text import mask  # noqa: PLC0415 - heavy

    masked = mask(_read(file), found.settings.redaction.kinds)
    if not as_json:
        typer.echo(masked.text, nl=not masked.text.endswith("\n"))
        return
    spans = []
    for one in masked.replaced:
        start, end = masked.place(one.start, one.end)
        spans.append(
            {
                "kind": one.finding.kind,
                "original": [one.start, one.end],
                "masked": [start, end],
                "shown": one.shown,
            }
        )
    output.show_json({"text": masked.text, "spans": spans})


def _read(file: str) -> str:
    from triage.errors import Usage  # noqa: PLC0415

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Usage(f"{file}: {error.strerror}") from error
    return content.decode("utf-8", "replace")


def _recording(context: typer.Context, path: Path, target: Path | None, *, as_json: bool) -> None:
    from triage.errors import Usage  # noqa: PLC0415
    from triage.redaction import speech  # noqa: PLC0415 - heavy
    from triage.transcripts.host import TranscriberHost  # noqa: PLC0415

    found = of(context)
    found.quiet = not found.verbose
    found.configure_logs()
    if not path.is_file():
        raise Usage(f"{path}: no such file")
    if target is not None and not target.parent.is_dir():
        raise Usage(f"--output {target}: no such folder")
    settings = found.settings
    with TranscriberHost(settings.transcription, settings.limits) as host:
        heard = host.transcribe(path)
        masked = speech.mask(heard, settings.redaction.kinds)
        if target is not None:
            host.silence(path, target, masked.silent)
    told: dict[str, Any] = {
        "text": masked.transcript.text,
        "silent": [list(stretch) for stretch in masked.silent],
        "output": str(target) if target else None,
    }
    if as_json:
        output.show_json(told)
        return
    typer.echo(masked.transcript.text)
    for start, end in masked.silent:
        output.note(f"{'silenced' if target else 'to be silenced'}: {start:.1f} to {end:.1f} s")
