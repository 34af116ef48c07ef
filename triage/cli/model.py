"""`train` and `evaluate`: making a model, and saying how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from classifiers.evaluate import Estimate, Report


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(evaluate)


def train(
    corpus: Annotated[
        Path | None, typer.Option(help="Folder of JSON Lines. Default: the shipped corpus.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the model folder is written.")] = Path("model"),
    epochs: Annotated[int | None, typer.Option(help="Passes over the corpus.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all chance.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. Default: all.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
) -> None:
    """Fine-tune the classifier on a corpus and write a model folder.

    Files named `train-*`, `dev-*` and `test-*` are the splits; dev chooses the epoch and
    calibrates, test is only measured, at the end.
    """
    from classifiers.errors import ClassifierError  # noqa: PLC0415 - with the next
    from classifiers.train import Progress  # noqa: PLC0415 - heavy
    from classifiers.train import train as fine_tune  # noqa: PLC0415 - heavy
    from triage.demo.fixtures import corpus_folder  # noqa: PLC0415
    from triage.errors import Usage  # noqa: PLC0415

    source = corpus or corpus_folder()
    if not source.exists():
        raise Usage(f"--corpus {source}: no such folder")
    with output.progress("training", 1000) as advance:

        def report(step: Progress) -> None:
            share = (step.epoch - 1 + step.step / step.steps) / step.epochs
            found = f", dev macro-F1 {step.dev_macro_f1:.3f}" if step.dev_macro_f1 else ""
            now = f"epoch {step.epoch} of {step.epochs}, loss {step.loss:.3f}{found}"
            advance(round(share * 1000), now)
            if step.dev_macro_f1:
                output.note(f"{now}, {step.seconds:.0f} s")

        try:
            trained = fine_tune(
                source, out, epochs=epochs, seed=seed, threads=threads, progress=report
            )
        except ClassifierError as error:
            raise Usage(str(error)) from error
    if as_json:
        output.show_json(trained)
        return
    output.say(f"{trained.model} written to {trained.folder} in {trained.seconds:.0f} s", "bold")
    for name, figures in (("dev", trained.dev), ("test", trained.test)):
        if figures:
            _show(figures, name)


def evaluate(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines with a `label` on each line.")],
    model: Annotated[
        str | None, typer.Option(help="A model folder. Default: the one that ships.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Measure the classifier on labelled inquiries: per class and per source, with intervals."""
    from classifiers.dataset import read_items  # noqa: PLC0415 - heavy
    from classifiers.errors import ClassifierError  # noqa: PLC0415 - with the others
    from classifiers.evaluate import evaluate as measure  # noqa: PLC0415 - heavy
    from classifiers.verdict import Verdict  # noqa: PLC0415
    from triage.errors import Usage  # noqa: PLC0415
    from triage.wiring import load_classifier  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    settings = found.settings.classifier
    if model is not None:
        settings = settings.model_copy(update={"artifact": model})
    try:
        items = read_items(file)
        classifier = load_classifier(settings)
        verdicts: list[Verdict] = []
        with output.progress("classifying", len(items)) as advance:
            for start in range(0, len(items), 64):
                chunk = items[start : start + 64]
                verdicts.extend(classifier.classify([item.example for item in chunk]))
                advance(len(verdicts))
        report = measure(items, verdicts, lead_floor=found.settings.decision.lead_floor)
    except ClassifierError as error:
        raise Usage(str(error)) from error
    if as_json:
        output.show_json(report)
    else:
        _show(report, file.name)


def _show(report: Report, name: str) -> None:
    output.say(f"\n{name}: {report.items} items, {report.model}", "bold")
    output.show_table(
        ["label", ">items", ">precision", ">recall", ">F1"],
        [
            [label, f.support, _share(f.precision), _share(f.recall), _share(f.f1)]
            for label, f in report.classes.items()
        ],
    )
    output.show_table(
        ["source", ">items", ">accuracy", ">macro-F1"],
        [
            [source, f.items, _share(f.accuracy), _share(f.macro_f1)]
            for source, f in report.sources.items()
        ],
    )
    said = sorted({label for row in report.confusion.values() for label in row})
    output.show_table(
        ["true \\ said", *[f">{label}" for label in said]],
        [
            [truth, *[row.get(label, "") for label in said]]
            for truth, row in report.confusion.items()
        ],
    )
    overall: list[list[Any]] = [
        ["accuracy", _share(report.accuracy)],
        ["macro-F1 over the labels present", _share(report.macro_f1)],
        ["lead recall", _share(report.lead_recall)],
        ["true leads filed without review", _share(report.leads_filed)],
        ["…at most, with 95 % confidence", f"{report.leads_filed_bound:.3f}"],
        ["coverage (not sent to review)", f"{report.coverage:.3f}"],
        ["accuracy where covered", f"{report.accuracy_covered:.3f}"],
        ["expected calibration error", f"{report.calibration_error:.3f}"],
    ]
    output.show_table(["figure", ">value (95 % interval)"], overall)


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.2f}-{estimate.high:.2f})"
