"""`models`: which models there are, training from what people confirmed, and switching."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from triage.cli import output
from triage.cli.context import of
from triage.cli.records import Json, Limit

if TYPE_CHECKING:
    from triage.pipeline.learning import Learning
    from triage.store.models import Model, Switch, Training

models = typer.Typer(
    name="models",
    no_args_is_help=True,
    help="Models: train on what people confirmed, compare, switch, go back.",
)
By = Annotated[str, typer.Option("--by", help="Who does it, for the audit log.")]
Note = Annotated[str, typer.Option("--note", help="Why, for the audit log.")]
Name = Annotated[str, typer.Argument(metavar="NAME@VERSION", help="The model.")]

_EVERY: Final = 0.5  # seconds between looks at a training
_STEPS: Final = 100


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(models)


@models.command("list")
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List all models, the newest first, and say which of them decides."""
    with _learning(context) as learning:
        found = learning.models()
    if as_json:
        for model in found:
            output.show_json(model)
        return
    output.show_table(
        ["model", "state", "origin", "made", ">accuracy", ">before", ">lost leads", "refused"],
        [[m.name_version, m.state, m.origin, m.created_at, *_figures(m)] for m in found],
    )


@models.command("drift")
def drift(
    context: typer.Context,
    ended: Annotated[
        bool, typer.Option("--ended", help="What was different before, instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare what arrives at each source with what used to arrive there, and say what changed.

    The exit code is 1 where something did.
    """
    from triage.pipeline.drifting import Drifting  # noqa: PLC0415 - heavy
    from triage.wiring import open_repository  # noqa: PLC0415 - heavy

    of(context).configure_logs()
    settings = of(context).required_settings
    with open_repository(settings) as repository:
        if not ended:
            Drifting(settings, repository).look()
        found = repository.drifts.alarms(ended=ended)
    for alarm in found:
        if as_json:
            output.show_json(alarm)
        else:
            output.say(f"{alarm.source}: {alarm.text}")
    if not found and not as_json:
        output.note("nothing was different" if ended else "nothing is different")
    raise typer.Exit(1 if found and not ended else 0)


@models.command("show")
def show(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show what is known of a model: what it was compared with, and how it did."""
    from triage.errors import Usage  # noqa: PLC0415 - heavy

    with _learning(context) as learning:
        found = {model.name_version: model for model in learning.models()}.get(name)
        switches = [s for s in learning.switches(1000) if name in (s.from_, s.to)]
    if found is None:
        raise Usage(f"no model is named {name!r}; see `triage models list`")
    if as_json:
        output.show_json({"model": found, "switches": switches})
        return
    made = f"in {found.training}" if found.training else found.origin
    output.say(f"{found.name_version}: {found.state}, {made}, sha256 {found.sha256[:12]}", "bold")
    _show_figures(found.figures)
    for switch in switches:
        output.say(_told(switch))


@models.command("train")
def train(context: typer.Context, by: By = "command line", as_json: Json = False) -> None:
    """Train on what people confirmed, and compare the result with the model that decides.

    Takes minutes, at a low priority; Ctrl-C ends it. The exit code is 1 unless it passed.
    """
    with _learning(context) as learning:
        training_id = learning.start(by)
        found = _followed(learning, training_id)
    if as_json:
        output.show_json(found)
    else:
        _show_training(found)
    raise typer.Exit(0 if found.state == "done" else 1)


@models.command("trainings")
def trainings(context: typer.Context, limit: Limit = 20, as_json: Json = False) -> None:
    """List trainings, the newest first, and what the next one would learn from."""
    with _learning(context) as learning:
        found, preview = learning.trainings(limit), learning.preview()
    if as_json:
        for each in found:
            output.show_json(each)
        return
    output.show_table(
        ["training", "began", "by", "state", ">done", ">labels", "model", "because"],
        [
            [
                each.id,
                each.started_at,
                each.by,
                each.state,
                f"{each.progress.get('share', 0):.0%}",
                each.snapshot.get("items", ""),
                each.model or "",
                each.error,
            ]
            for each in found
        ],
    )
    output.note(preview.why or f"{preview.items} labels are confirmed, {preview.new} of them new")


@models.command("cancel")
def cancel(
    context: typer.Context,
    training: Annotated[str, typer.Argument(help="The training's id.")],
    by: By = "command line",
) -> None:
    """End a training that is under way."""
    with _learning(context) as learning:
        learning.cancel(training, by)
    output.say(f"{training} is cancelled")


@models.command("import")
def take_in(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A model folder, as `triage train` writes it.")],
    by: By = "command line",
    as_json: Json = False,
) -> None:
    """Take in a model that was trained elsewhere, and compare it with the one that decides."""
    with _learning(context) as learning:
        model = learning.measure(learning.add(folder, by).name_version)
    _answer(model, as_json=as_json)


@models.command("measure")
def measure(context: typer.Context, name: Name, as_json: Json = False) -> None:
    """Compare a model with the one that decides, on what is confirmed now."""
    with _learning(context) as learning:
        model = learning.measure(name)
    _answer(model, as_json=as_json)


@models.command("promote")
def promote(
    context: typer.Context,
    name: Name,
    by: By = "command line",
    note: Note = "",
    force: Annotated[
        bool, typer.Option("--force", help="Even where the gate refused it; is audited as that.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let a model decide from now on, in every worker."""
    with _learning(context) as learning:
        _switched(learning.promote(name, by, note, force=force), as_json=as_json)


@models.command("rollback")
def rollback(
    context: typer.Context, by: By = "command line", note: Note = "", as_json: Json = False
) -> None:
    """Let the model before decide again, exactly as it did."""
    with _learning(context) as learning:
        _switched(learning.rollback(by, note), as_json=as_json)


@models.command("shadow")
def shadow(context: typer.Context, name: Name, limit: Limit = 500, as_json: Json = False) -> None:
    """List which of the inquiries that were settled last a model would decide otherwise."""
    with _learning(context) as learning:
        found = learning.shadow(name, limit)
    if as_json:
        for each in found:
            output.show_json(each)
        return
    output.show_table(
        ["inquiry", "from", "subject", "now", "would be", ">sure", "people said"],
        [
            [
                each.id,
                each.sender,
                each.subject,
                f"{each.before.label}, {each.before.outcome}",
                f"{each.after.label}, {each.after.outcome}",
                f"{each.after.confidence:.0%}",
                each.said,
            ]
            for each in found
        ],
    )
    output.say(f"{len(found)} would change, of the last {limit}")


def _followed(learning: Learning, training_id: str) -> Training:
    """Show how far a training is, until it ends; cancel it where nobody waits any more."""
    from triage.errors import Usage  # noqa: PLC0415 - heavy

    with output.progress("training", _STEPS) as advance:
        try:
            while True:
                found = learning.training(training_id)
                assert found is not None  # noqa: S101 - it was begun
                done = int(found.progress.get("share", 0) * _STEPS)
                advance(done, str(found.progress.get("phase", "")))
                if not found.is_open:
                    return found
                time.sleep(_EVERY)
        except KeyboardInterrupt:
            with suppress(Usage):  # it ended at the same moment
                learning.cancel(training_id, "command line")
            raise


def _show_training(found: Training) -> None:
    labels = ", ".join(f"{n} {label}" for label, n in found.snapshot.get("labels", {}).items())
    output.say(
        f"{found.id}: {found.state}, from {found.snapshot.get('items', 0)} labels ({labels})"
    )
    if why := found.result.get("why"):
        output.say(f"{found.result['method']}: {why}")
    _show_figures(found.result.get("figures", {}))
    if found.error and not found.result:
        output.say(found.error, "red")
    if found.state == "done":
        output.say(f"{found.model} may decide: triage models promote {found.model}", "bold green")


def _show_figures(figures: Any) -> None:
    if not figures:
        output.say("not compared with any model yet")
        return
    if "after" in figures:
        before, after, lost = figures["before"], figures["after"], figures["lost_leads"]
        output.show_table(
            [
                f"{figures['items']} inquiries, {figures['groups']} groups",
                f">{figures['against']}",
                f">{figures['model']}",
            ],
            [
                *(
                    [name, f"{before[key]['value']:.3f}", f"{after[key]['value']:.3f}"]
                    for name, key in (
                        ("accuracy", "accuracy"),
                        ("macro-F1", "macro_f1"),
                        ("lead recall", "lead_recall"),
                    )
                ),
                ["leads lost", lost["before"], lost["after"]],
                *(
                    [f"F1 {label}", _f1(before, label), _f1(after, label)]
                    for label, found in after["classes"].items()
                    if found["support"]
                ),
            ],
        )
        paired = figures["paired"]
        output.say(
            f"better in {paired['better']} groups, worse in {paired['worse']} "
            f"(p = {paired['p_better']:.4f})"
        )
    for reason in figures["reasons"]:
        output.say(f"refused: {reason}", "red")


def _f1(report: Any, label: str) -> str:
    return f"{report['classes'][label]['f1']['value']:.3f}"


def _figures(model: Model) -> list[Any]:
    figures = model.figures
    if "after" not in figures:
        return ["", "", "", "; ".join(figures.get("reasons", []))]
    return [
        f"{figures['after']['accuracy']['value']:.3f}",
        f"{figures['before']['accuracy']['value']:.3f}",
        figures["lost_leads"]["after"],
        "; ".join(figures["reasons"]),
    ]


def _answer(model: Model, *, as_json: bool) -> None:
    if as_json:
        output.show_json(model)
    else:
        output.say(f"{model.name_version}: {model.state}", "bold")
        _show_figures(model.figures)
    raise typer.Exit(0 if model.figures["passed"] else 1)


def _switched(switch: Switch, *, as_json: bool) -> None:
    if as_json:
        output.show_json(switch)
    else:
        output.say(_told(switch))


def _told(switch: Switch) -> str:
    note = f": {switch.note}" if switch.note else ""
    return (
        f"{switch.at:%Y-%m-%d %H:%M} {switch.why} {switch.from_} → {switch.to} by {switch.by}{note}"
    )


@contextmanager
def _learning(context: typer.Context) -> Iterator[Learning]:
    from triage.wiring import open_learning  # noqa: PLC0415 - heavy

    found = of(context)
    found.configure_logs()
    with open_learning(found.required_settings) as learning:
        yield learning
