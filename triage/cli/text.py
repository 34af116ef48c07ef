"""`classify` and `transcribe`: the models without a database, for scripts and for trying out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from triage.types import Transcript

AUDIO = {
    ".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".mp4", ".gsm", ".au", ".amr", ".webm",
    ".ulaw", ".alaw", ".aac",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(classify)
    app.command()(transcribe)


def classify(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="JSON Lines or .eml files; - reads stdin.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines also in a terminal.")] = False,
    artifact: Annotated[
        str | None, typer.Option("--model", help="A model folder. Default: the one that ships.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Add the words that made each label, and how the business fits."
        ),
    ] = False,
) -> None:
    """Label inquiries: one JSON object a line in, one a line out, in the same order.

    A line needs `id`, `channel` (`email` or `call`) and `body` or `text`; `business`, `from`, `to`
    and `subject` help. A bad line is answered with `{"id", "error"}`, and the exit code is 1.
    """
    from triage.cli.answers import answers  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    failed = False
    table = sys.stdout.isatty() and not as_json
    rows = []
    for answer in answers(files, found.settings, artifact, explain=explain):
        failed = failed or "error" in answer
        if table:
            rows.append([*_row(answer), *([_because(answer)] if explain else [])])
        else:
            output.show_json(answer)
    if table:
        columns = ["inquiry", "label", ">confidence", "outcome", ">score", "grade", "signals"]
        output.show_table([*columns, "because of"] if explain else columns, rows)
    raise typer.Exit(1 if failed else 0)


def _because(answer: dict[str, Any]) -> str:
    words = ", ".join(dict.fromkeys(word["text"] for word in answer.get("explanation", [])))
    fits = answer.get("business_fits")
    fit = "" if fits is None else f"fits the business: {fits:.0%}"
    return "\n".join(filter(None, (words, fit)))


def _row(answer: dict[str, Any]) -> list[Any]:
    if "error" in answer:
        return [answer["id"], "failed", "", "", "", "", answer["error"]]
    stated = [f"{name}: {signal['value']}" for name, signal in answer["signals"].items() if signal]
    return [
        answer["id"],
        answer["label"],
        f"{answer['confidence']:.0%}",
        answer["outcome"],
        answer["score"],
        answer["grade"],
        "\n".join(stated),
    ]


def transcribe(
    context: typer.Context,
    audio: Annotated[list[Path], typer.Argument(metavar="AUDIO…", help="Recordings or folders.")],
    engine: Annotated[
        str | None, typer.Option(help="faster-whisper or openai-whisper. Default: the settings'.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Installed weights or a folder. Default: the settings'.")
    ] = None,
    opening: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Read only the opening.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
) -> None:
    """Turn recordings into text. A file that cannot be read is reported, and the exit code is 1."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - heavy
    from functools import partial  # noqa: PLC0415

    from triage.errors import Permanent, Transient, Usage  # noqa: PLC0415
    from triage.settings import Transcription  # noqa: PLC0415
    from triage.transcripts.host import TranscriberHost  # noqa: PLC0415

    found = of(context)
    found.quiet = not found.verbose
    found.configure_logs()
    chosen: dict[str, Any] = found.settings.transcription.model_dump()
    chosen |= {
        name: value for name, value in (("engine", engine), ("model", model)) if value is not None
    }
    if chosen["engine"] not in {"faster-whisper", "openai-whisper"}:
        raise Usage(f"--engine {engine}: choose faster-whisper or openai-whisper")
    settings = Transcription(**chosen)
    paths = _recordings(audio)
    failed = False
    with (
        TranscriberHost(settings, found.settings.limits) as host,
        ThreadPoolExecutor(settings.workers) as pool,
        output.progress("transcribing", len(paths)) as advance,
    ):
        futures = [
            (path, pool.submit(partial(host.transcribe, path, opening_s=opening))) for path in paths
        ]
        for number, (path, future) in enumerate(futures, 1):
            advance(number - 1, path.name)
            try:
                _show(path, future.result(), as_json=as_json)
            except (Permanent, Transient) as error:
                failed = True
                _show_failure(path, error, as_json=as_json)
        advance(len(paths))
    raise typer.Exit(1 if failed else 0)


def _recordings(audio: list[Path]) -> list[Path]:
    """Files as named, folders by the endings that recordings have."""
    from triage.errors import Usage  # noqa: PLC0415

    paths: list[Path] = []
    for path in audio:
        if path.is_dir():
            found = [file for file in path.rglob("*") if file.suffix.lower() in AUDIO]
            paths.extend(sorted(file for file in found if file.is_file()))
        elif path.exists():
            paths.append(path)
        else:
            raise Usage(f"{path}: no such file or folder")
    if not paths:
        raise Usage(f"no recordings in {', '.join(map(str, audio))}")
    return paths


def _show(path: Path, transcript: Transcript, *, as_json: bool) -> None:
    if as_json:
        output.show_json(
            {
                "file": str(path),
                "duration_s": transcript.duration_s,
                "language": transcript.language,
                "engine": transcript.engine,
                "model": transcript.model,
                "partial": transcript.partial,
                "read_s": transcript.read_s if transcript.partial else transcript.duration_s,
                "warnings": transcript.warnings,
                "segments": [
                    {
                        "start": segment.start,
                        "end": segment.end,
                        "speaker": segment.speaker,
                        "voice": segment.voice,
                        "text": segment.text,
                        "confidence": segment.confidence,
                        "flags": segment.flags,
                        "words": segment.words,
                    }
                    for segment in transcript.segments
                ],
                "text": transcript.text,
            }
        )
        return
    output.say(
        f"{path} ({transcript.duration_s:.0f} s, {transcript.language or 'no speech'})", "bold"
    )
    for warning in transcript.warnings:
        output.say(f"  ! {warning}", "yellow")
    several = any(segment.voice > 1 for segment in transcript.segments)
    for segment in transcript.segments:
        who = f"{segment.speaker}: " if segment.speaker != "unknown" else ""
        if not who and several:
            who = f"voice {segment.voice}: " if segment.voice else "voice ?: "
        flags = f"  [{', '.join(segment.flags)}]" if segment.flags else ""
        minutes, seconds = divmod(int(segment.start), 60)
        style = "dim" if segment.flags else ""
        output.say(f"  {minutes:02}:{seconds:02}  {who}{segment.text}{flags}", style)


def _show_failure(path: Path, error: Exception, *, as_json: bool) -> None:
    if as_json:
        output.show_json({"file": str(path), "error": str(error)})
    else:
        output.say(f"{path}: {error}", "red")
