"""`triage evaluate --signals` and the second half of `triage train`: what leads state."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from triage.cli import output
from triage.errors import Usage
from triage.settings import Classifier


def train_signals(
    source: Path, out: Path, *, seed: int | None, threads: int | None, wanted: bool
) -> Any:
    """Train the tagger on the marked leads of a corpus and add it to a model folder.

    A corpus without such leads is an error only where the tagger was `wanted` by name.
    """
    from classifiers.errors import ClassifierError, TrainingError  # noqa: PLC0415 - with the next
    from classifiers.tag_training import TagRecipe, files_of, train_tagger  # noqa: PLC0415 - heavy
    from triage.signals.measure import marked_leads  # noqa: PLC0415
    from triage.signals.rank_training import rank  # noqa: PLC0415

    try:
        recipe = TagRecipe() if seed is None else TagRecipe(seed=seed)
        rows = [row for file in files_of(source) for row in marked_leads(file)]
        trained = train_tagger(
            source, out, partial(rank, rows), recipe=recipe, threads=threads, report=output.note
        )
    except TrainingError as error:
        if wanted:
            raise Usage(str(error)) from error
        output.note(f"no tagger trained, the shipped one will be used: {error}")
        return None
    except ClassifierError as error:
        raise Usage(str(error)) from error
    output.note(f"signals {trained.version} written to {out} in {trained.seconds:.0f} s")
    return trained


def show_signals(file: Path, settings: Classifier, *, as_json: bool) -> None:
    """Measure signals on the marked leads of a file, all together and by writer."""
    from classifiers.errors import ClassifierError  # noqa: PLC0415 - with the next
    from triage.signals.measure import CHOSEN, by_writer, marked_leads, measure  # noqa: PLC0415
    from triage.wiring import load_tagger  # noqa: PLC0415 - heavy

    try:
        rows = marked_leads(file)
        tagger = load_tagger(settings)
    except (ClassifierError, OSError, ValueError) as error:
        raise Usage(f"{file}: {error}") from error
    if not rows:
        raise Usage(f"{file}: no lead has `signals`; nothing can be measured")
    figures = measure(rows, tagger)
    writers = by_writer(rows)
    each = {name: measure(group, tagger) for name, group in writers.items() if len(writers) > 1}
    if as_json:
        output.show_json({"leads": len(rows), "signals": figures, "writers": each})
        return
    output.say(f"\n{file.name}: {len(rows)} leads with signals", "bold")
    output.show_table(
        ["signal", ">stated", ">found", ">precision", ">recall", ">F1 or accuracy", *each],
        [
            [
                name + (" (accuracy)" if name in CHOSEN else ""),
                one.marked,
                one.found,
                f"{one.precision.value:.3f}",
                f"{one.recall.value:.3f}",
                f"{one.figure.value:.3f} ({one.figure.low:.2f}-{one.figure.high:.2f})",
                *(f"{theirs[name].figure.value:.2f}" for theirs in each.values()),
            ]
            for name, one in figures.items()
        ],
    )
