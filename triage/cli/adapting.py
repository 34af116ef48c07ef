"""`train OWN.jsonl`: the shipped model, adapted to a business's own examples and labels."""

from __future__ import annotations

from pathlib import Path

import typer

from classifiers.errors import ClassifierError
from classifiers.own import Adapted, adapt
from triage.cli import output
from triage.cli.context import of
from triage.cli.model import show_report
from triage.errors import Usage


def adapt_to(
    context: typer.Context,
    own: Path,
    out: Path,
    *,
    start: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Adapt, and say how, why, and how good it is. Raises `Usage` where nothing was written."""
    found = of(context)
    found.configure_logs()
    bases = {name: label.base for name, label in found.settings.taxonomy.items()}
    try:
        adapted = adapt(own, out, bases=bases, start=start, name=_name(out), threads=threads)
    except ClassifierError as error:
        raise Usage(str(error)) from error
    if as_json:
        output.show_json(adapted)
    else:
        _show(adapted)


def _show(adapted: Adapted) -> None:
    output.say(f"{adapted.method}: {adapted.why}")
    output.say(f"{adapted.model} written to {adapted.folder}", "bold")
    before, after = adapted.shipped, adapted.adapted
    output.show_table(
        [f"on {after.items} examples not fitted on", f">{before.model}", ">adapted"],
        [
            ["accuracy", f"{before.accuracy.value:.3f}", f"{after.accuracy.value:.3f}"],
            ["macro-F1", f"{before.macro_f1.value:.3f}", f"{after.macro_f1.value:.3f}"],
            ["lead recall", f"{before.lead_recall.value:.3f}", f"{after.lead_recall.value:.3f}"],
        ],
    )
    for base, (right, commonest) in adapted.divided.items():
        output.say(
            f"own labels of {base}: {right:.0%} told apart rightly; the commonest alone would be "
            f"{commonest:.0%}"
        )
    show_report(after, "examples not fitted on")
    output.say(f'Use it: artifact = "{adapted.folder}" in [classifier], or --model')


def _name(out: Path) -> str:
    """The model's name: the folder's, as verdicts carry it."""
    return out.name.replace("@", "-") or "own"
