"""`train` and `evaluate`: making a model, and saying how good it is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli import output
from triage.cli.context import of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.evaluate import Estimate, Report
    from classifiers.train import Trained


class Part(StrEnum):
    """What `train --only` trains."""

    LABELS = "labels"
    SIGNALS = "signals"
    OPENING = "opening"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)
    app.command()(evaluate)


def train(
    context: typer.Context,
    own: Annotated[
        Path | None,
        typer.Argument(
            metavar="OWN.jsonl", help="Examples of your own: adapts the shipped model to them."
        ),
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(help="Folder of JSON Lines. Default: the shipped corpus.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the model folder is written.")] = Path("model"),
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the corpus. With --start and 0 its network stays, and all that "
            "stands on it is fitted anew.",
            min=0,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all chance.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads. Default: all.", min=1)] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="The model folder to begin with, or `default`: with OWN.jsonl the shipped one, "
            "for a corpus none."
        ),
    ] = None,
    newer: Annotated[
        list[str] | None,
        typer.Option(
            help="With --start: a writer of the corpus whom that model has not read; repeatable. "
            "Their items count twice, beside half of the others."
        ),
    ] = None,
    only: Annotated[
        Part | None, typer.Option(help="Train one part, and keep the other that is in --out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
) -> None:
    """Fine-tune the classifier on a corpus, or adapt it to examples of your own; write a folder.

    With OWN.jsonl: under 300 examples only the last layer is fitted, from there on the whole
    network is trained; labels may be those of the section `taxonomy`. What is not better is not
    written.
    Without it the files of a corpus named `train-*`, `dev-*` and `test-*` are the splits; dev
    chooses the epoch and calibrates, test is only measured, at the end; with --start a network is
    trained on for one epoch, which serves where a corpus has grown; the matcher learns from
    `profiles-*` whom a business serves. Then the tagger learns
    from the leads whose signals are marked, to read what others state, and last is chosen when the
    opening of a call is enough.
    """
    if own is not None:
        if any(option is not None for option in (corpus, epochs, seed, only)):
            raise typer.BadParameter(
                "--corpus, --epochs, --seed and --only are for training on a corpus"
            )
        from triage.cli.adapting import adapt_to  # noqa: PLC0415 - heavy

        adapt_to(context, own, out, start=start or "default", threads=threads, as_json=as_json)
        return
    from triage.cli.signals import train_signals  # noqa: PLC0415
    from triage.demo.fixtures import corpus_folder  # noqa: PLC0415
    from triage.errors import Usage  # noqa: PLC0415

    source = corpus or corpus_folder()
    if not source.exists():
        raise Usage(f"--corpus {source}: no such folder")
    if newer and start is None:
        raise Usage("--newer says what a model has not read: say with --start which model")
    if only in (None, Part.LABELS):
        trained = _train_labels(
            source,
            out,
            start=start,
            newer=newer or (),
            epochs=epochs,
            seed=seed,
            threads=threads,
        )
        if as_json:
            output.show_json(trained)
        else:
            _show_trained(trained)
    if only in (None, Part.SIGNALS):
        tagger = train_signals(source, out, seed=seed, threads=threads, wanted=only is Part.SIGNALS)
        if as_json and only is Part.SIGNALS:
            output.show_json(tagger)
    if only is not Part.SIGNALS:
        _choose_opening(source, out, as_json=as_json and only is Part.OPENING)


def _choose_opening(source: Path, out: Path, *, as_json: bool) -> None:
    """Choose when the opening of a call is enough, for the model in the folder."""
    from classifiers import opening  # noqa: PLC0415 - heavy
    from classifiers.dataset import read_corpus  # noqa: PLC0415 - heavy
    from classifiers.errors import ClassifierError  # noqa: PLC0415
    from classifiers.model import Classifier  # noqa: PLC0415 - heavy
    from triage.errors import Usage  # noqa: PLC0415

    try:
        rule = opening.choose(Classifier.load(out), read_corpus(source))
        if rule is None:
            output.note("no rule for openings: that takes calls in dev-*.jsonl and calibration-*")
            return
        opening.write(out, rule)
    except ClassifierError as error:
        raise Usage(str(error)) from error
    if as_json:
        output.show_json(rule)
        return
    bound = rule.bound
    output.note(
        f"openings: {rule.stopped:.0%} of calls that are no leads stop early, "
        f"{rule.agreement:.1%} of calls keep their label; of {bound.leads} leads {bound.filed} "
        f"stop, at most {bound.upper:.2%}"
        + ("" if bound.holds else ", which shows too little: calls are read whole")
    )


def _train_labels(
    source: Path,
    out: Path,
    *,
    start: str | None,
    newer: Sequence[str],
    epochs: int | None,
    seed: int | None,
    threads: int | None,
) -> Trained:
    """Train and show the classifier; a tagger that is in the folder stays there."""
    from classifiers import tag_artifact  # noqa: PLC0415 - with the next
    from classifiers.errors import ClassifierError  # noqa: PLC0415 - with the next
    from classifiers.finetuning import Progress  # noqa: PLC0415 - heavy
    from classifiers.train import train as fine_tune  # noqa: PLC0415 - heavy
    from triage.errors import Usage  # noqa: PLC0415

    kept = tag_artifact.kept(out)
    with output.progress("training", 1000) as advance:

        def report(step: Progress) -> None:
            share = (step.epoch - 1 + step.step / step.steps) / step.epochs
            found = f", dev macro-F1 {step.dev_macro_f1:.3f}" if step.dev_macro_f1 else ""
            now = f"{step.part}: epoch {step.epoch} of {step.epochs}, loss {step.loss:.3f}{found}"
            advance(round(share * 1000), now)
            if step.dev_macro_f1 or (step.part == "matcher" and step.step == step.steps):
                output.note(f"{now}, {step.seconds:.0f} s")

        try:
            trained = fine_tune(
                source,
                out,
                start=start,
                newer=newer,
                epochs=epochs,
                seed=seed,
                threads=threads,
                progress=report,
            )
        except ClassifierError as error:
            raise Usage(str(error)) from error
    tag_artifact.restore(out, kept)
    return trained


def _show_trained(trained: Trained) -> None:
    output.say(f"{trained.model} written to {trained.folder} in {trained.seconds:.0f} s", "bold")
    for name, figures in (("dev", trained.dev), ("test", trained.test)):
        if figures:
            show_report(figures, name)


def evaluate(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="JSON Lines with a `label` on each line.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model folder. Default: the one that ships.")
    ] = None,
    behaviour: Annotated[
        bool,
        typer.Option("--behaviour", help="FILE holds minimal pairs. Default: the shipped ones."),
    ] = False,
    signals: Annotated[
        bool, typer.Option("--signals", help="Measure what marked leads in FILE state.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Measure the classifier on labelled inquiries: per class and per source, with intervals.

    With --behaviour on minimal pairs: what must not change a label, and what must. With --signals
    on leads whose signals are marked: F1 of each, or accuracy.
    """
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
    if behaviour:
        from triage.cli.pairs import show_behaviour  # noqa: PLC0415 - heavy

        show_behaviour(file, settings, as_json=as_json)
        return
    if file is None:
        raise Usage("evaluate what? Name a file of labelled inquiries, or use --behaviour")
    if signals:
        from triage.cli.signals import show_signals  # noqa: PLC0415 - heavy

        show_signals(file, settings, as_json=as_json)
        return
    bases = {name: own.base for name, own in found.settings.taxonomy.items()}
    try:
        items = read_items(file, bases=bases)
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
        show_report(report, file.name)


def show_report(report: Report, name: str) -> None:
    """All figures of a model on one set, as tables."""
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
        ["leads among what is forwarded unseen", _share(report.leads_sent)],
        ["true leads filed without review", _share(report.leads_filed)],
        ["…at most, with 95 % confidence", f"{report.leads_filed_bound:.3f}"],
        ["coverage (not sent to review)", f"{report.coverage:.3f}"],
        ["accuracy where covered", f"{report.accuracy_covered:.3f}"],
        ["expected calibration error", f"{report.calibration_error:.3f}"],
    ]
    output.show_table(["figure", ">value (95 % interval)"], overall)


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.2f}-{estimate.high:.2f})"
