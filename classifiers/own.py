"""A business's own examples and labels: the shipped model, adapted, measured, and refused if worse.

Under `FEW` examples the encoder stays frozen and only its head changes (`classifiers.fewshot`);
from there on the whole network is fine-tuned, starting where the shipped one ended. Own labels that
share a base are told apart by a linear model over the same text vectors. Imports torch late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from classifiers import artifact, fewshot, weights
from classifiers.artifact import Manifest
from classifiers.bound import choose_floor
from classifiers.calibration import (
    LEAD,
    AbstainRule,
    Blend,
    Floats,
    Ints,
    fit_temperature,
    softmax,
)
from classifiers.dataset import Corpus, Item, indices_of, read_items
from classifiers.encoder import BaseModel
from classifiers.errors import TrainingError
from classifiers.evaluate import Report, evaluate
from classifiers.fewshot import Division
from classifiers.labels import LABELS, Label
from classifiers.lexical import is_lexical
from classifiers.match import is_match
from classifiers.model import Classifier, verdicts
from classifiers.shortcut import Shortcut

if TYPE_CHECKING:
    from classifiers.finetuning import ProgressCallback, Recipe

FEW: Final = 300
LEAST: Final = 20  # examples without which nothing can be measured
LEAST_OWN: Final = 5  # of each own label that is to be told from others

Method = Literal["few-shot", "fine-tuning"]
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Adapted:
    """What came of it. `why` says why this method; `shipped` and `adapted` are figures on the same
    examples, which the adapted model was not fitted on. `divided`: of each base, the share of its
    own labels told apart rightly, and the share that the commonest alone would have.
    """

    folder: Path
    model: str
    method: Method
    why: str
    examples: int
    shipped: Report
    adapted: Report
    divided: Mapping[Label, tuple[float, float]]


class TooFewError(TrainingError):
    """There are fewer examples than anything can be measured with."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How to adapt. `start` is the folder of the model to begin with.

    `groups`: a number for each item, equal where items belong together (default: those that are
    nearly the same). `replay`: items of others that are learned beside, so that what the model knew
    is not forgotten. `version` replaces the one made of date and content. `cautious` lowers the
    probability of a lead below which things are filed, as far as the items ask for. `lenient`: own
    labels that cannot be told apart yet stay one, instead of ending the training.
    """

    start: Path | str = "default"
    name: str = "own"
    version: str = ""
    recipe: Recipe | None = None
    threads: int | None = None
    progress: ProgressCallback | None = None
    groups: Ints | None = None
    replay: tuple[Item, ...] = ()
    cautious: bool = False
    lenient: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Change:
    """A changed network, and how it and the one before did on the items `held` (indices).

    `vectors` (items, hidden) are its own, of all items; `before` and `after` are probabilities.
    """

    tensors: Tensors
    blend: Blend
    vectors: Floats
    held: Ints
    before: Floats
    after: Floats


def method_for(examples: int) -> tuple[Method, str]:
    """How so many examples are learned from, and why."""
    if examples < FEW:
        return "few-shot", (
            f"{examples} examples are under {FEW}: the encoder stays as it is, only the last layer "
            "is fitted, held to the model it begins with"
        )
    return "fine-tuning", (
        f"{examples} examples are {FEW} or more: the whole network is trained, starting from the "
        "weights of the model it begins with"
    )


def adapt(
    file: Path,
    out_dir: Path,
    *,
    bases: Mapping[str, Label] | None = None,
    start: Path | str = "default",
    name: str = "own",
    recipe: Recipe | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> Adapted:
    """Adapt the model `start` to the labelled examples in `file`; write a model folder.

    `bases`: own labels, each with the one of the nine it stands for. Raises `CorpusError` for a bad
    line, and `TrainingError` where there are too few examples or the result is not better than the
    model it began with; nothing is written then.
    """
    items = read_items(file, bases=bases)
    plan = Plan(start=start, name=name, recipe=recipe, threads=threads, progress=progress)
    try:
        return adapt_items(items, out_dir, plan)
    except TooFewError as error:
        raise TrainingError(f"{file}: {error}") from error


def adapt_items(items: Sequence[Item], out_dir: Path, plan: Plan) -> Adapted:
    """`adapt` for items that are there already, as planned; raises the same."""
    if len(items) < LEAST:
        raise TooFewError(
            f"{len(items)} examples are too few to measure what they would change; the "
            f"model stays as it is until there are {LEAST}"
        )
    start, name = plan.start, plan.name
    method, why = method_for(len(items))
    begun, tensors = Classifier.load(start, threads=plan.threads), _tensors(start)
    groups = fewshot.near_groups(items) if plan.groups is None else plan.groups
    if method == "few-shot":
        change = _few(begun, tensors, items, groups, plan.replay)
    else:
        change = _tuned(begun, tensors, items, groups, plan)
    held = [items[index] for index in change.held]
    before = _measured(held, change.before, begun, begun.name_version)
    after = _measured(held, change.after, begun, f"{name} ({method})")
    better = _is_better(change, indices_of(held))
    vectors = change.vectors if better else _read(begun, items)
    divisions, divided = _divided(items, vectors, groups, lenient=plan.lenient)
    if not better:
        if not divisions:
            raise TrainingError(_refusal(before, after))
        change, after = replace(change, tensors=tensors, blend=begun.manifest.blend), before
    manifest = _manifest(begun.manifest, items, change.blend, divisions)
    if plan.cautious:
        manifest["abstain"] = _cautious(begun.manifest.abstain, change.after, indices_of(held))
    manifest["version"] = plan.version or manifest["version"]
    manifest |= {
        "name": name,
        "training": {
            "form": method,
            "from": begun.name_version,
            "network_changed": better,
            "replayed": len(plan.replay),
        },
        "metrics": artifact.plain({"before": before, "dev": after, "test": None})
        | {"divided": divided},
    }
    _write(out_dir, manifest, change.tensors | _division_tensors(divisions))
    model = f"{name}@{manifest['version']}"
    return Adapted(out_dir, model, method, why, len(items), before, after, divided)


def _few(
    begun: Classifier,
    tensors: Tensors,
    items: Sequence[Item],
    groups: Ints,
    replay: Sequence[Item] = (),
) -> _Change:
    """A head fitted to all items, and what such heads say of items they did not see. What is
    replayed is fitted too, and neither held out nor measured.
    """
    blend, own = begun.manifest.blend, len(items)
    everything = [*items, *replay]
    truths = indices_of(everything)
    read, lexical = begun.vectors([item.example for item in everything])
    head, bias = (tensors[key].astype(np.float64) for key in weights.HEAD)
    logits = blend.network * (read @ head.T + bias) + blend.lexical * lexical
    vectors, trained, truth = read[:own], logits[:own], truths[:own]
    towards = fewshot.directions(vectors, head)
    inputs = vectors @ towards
    also = (read[own:] @ towards, logits[own:], truths[own:]) if replay else None
    after = fewshot.held_out(inputs, trained, truth, groups, also)
    strength = fewshot.choose_strength(inputs, trained, truth, groups, also)
    found = fewshot.fit_change(*fewshot.joined((inputs, trained, truth), also), strength)
    changed = dict(zip(weights.HEAD, (
        head + (towards @ found.weights).T / blend.network,
        bias + found.bias / blend.network,
    ), strict=True))  # fmt: skip
    return _Change(
        tensors | {key: value.astype(np.float32) for key, value in changed.items()},
        blend, vectors, np.arange(len(items)), softmax(trained), after,
    )  # fmt: skip


def _tuned(
    begun: Classifier,
    tensors: Tensors,
    items: Sequence[Item],
    groups: Ints,
    plan: Plan,
) -> _Change:
    """A network trained on three fifths, its epoch and temperature chosen on a fifth, and what it
    says of the last fifth. What is replayed is trained on beside.
    """
    from classifiers.finetuning import Recipe, fit  # noqa: PLC0415 - heavy
    from classifiers.network import trained_tensors  # noqa: PLC0415 - heavy

    truth = indices_of(items)
    rest, held = fewshot.split(truth, groups)[0]
    inner, dev = fewshot.split(truth[rest], groups[rest], folds=4)[0]
    fitting, choosing = rest[inner], rest[dev]
    beside = {key: value for key, value in tensors.items() if is_lexical(key) or is_match(key)}
    network = {key: value for key, value in tensors.items() if key not in beside}
    base = BaseModel()
    fitted = fit(
        [*(items[index] for index in fitting), *plan.replay],
        [items[index] for index in choosing],
        base,
        plan.recipe or Recipe(epochs=3, rate=3e-5, head_rate=1e-4),
        plan.progress,
        start=network,
    )
    changed = trained_tensors(fitted.network, base.weights)
    tuned = beside | {key: value.cpu().numpy() for key, value in changed.items()}
    blend = begun.manifest.blend
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "tuned"
        _write(folder, _manifest(begun.manifest, items, blend, {}), tuned)
        vectors, lexical = Classifier.load(folder).vectors([item.example for item in items])
    head, bias = (tuned[key].astype(np.float64) for key in weights.HEAD)
    mixed = blend.network * (vectors @ head.T + bias) + blend.lexical * lexical
    heat = fit_temperature(mixed[choosing], truth[choosing])
    before = blend.probabilities(*begun.logits([items[index].example for index in held]))
    blend = replace(blend, network=blend.network / heat, lexical=blend.lexical / heat)
    return _Change(tuned, blend, vectors, held, before, softmax(mixed[held] / heat))


def _divided(
    items: Sequence[Item], vectors: Floats, groups: Ints, *, lenient: bool = False
) -> tuple[dict[Label, Division], dict[Label, tuple[float, float]]]:
    """What tells own labels of one base apart, and how well it did on items it did not see.

    Raises `TrainingError` where that cannot be learned yet; with `lenient` they stay one.
    """
    divisions: dict[Label, Division] = {}
    shares: dict[Label, tuple[float, float]] = {}
    for base in LABELS:
        chosen = np.array([i for i, item in enumerate(items) if item.label == base], dtype=int)
        own = np.array([items[index].own or base for index in chosen])
        counts = Counter(own.tolist())
        if len(counts) < 2:
            continue
        rare = [name for name, count in counts.items() if count < LEAST_OWN]
        if rare and lenient:
            continue
        if rare:
            raise TrainingError(
                f"{rare[0]!r} has {counts[rare[0]]} examples; to tell it from other labels of "
                f"{base!r} it needs {LEAST_OWN}, better some dozens"
            )
        right = 0
        names = np.unique(own, return_inverse=True)[1]
        for fitted, held in fewshot.split(names, groups[chosen]):
            found = Division.fit(vectors[chosen[fitted]], own[fitted].tolist())
            right += int((np.array(found.said(vectors[chosen[held]])) == own[held]).sum())
        share, commonest = right / len(own), counts.most_common(1)[0][1] / len(own)
        if share <= commonest and lenient:
            continue
        if share <= commonest:
            raise TrainingError(
                f"{', '.join(map(repr, counts))} cannot be told apart yet: {share:.0%} right on "
                f"examples not fitted on, {commonest:.0%} by always saying the commonest. Nothing "
                "was written; give more examples of each, or join them"
            )
        divisions[base] = Division.fit(vectors[chosen], own.tolist())
        shares[base] = (share, commonest)
    return divisions, shares


def _is_better(change: _Change, truth: Ints) -> bool:
    """Fewer errors, no more lost leads, and the truth likelier by more than a standard error.

    Likelier alone would not do: it is had by saying everything with less confidence.
    """
    rows = np.arange(len(truth))
    gain = np.log(np.maximum(change.after[rows, truth], 1e-12)) - np.log(
        np.maximum(change.before[rows, truth], 1e-12)
    )
    was, is_now = change.before.argmax(axis=1), change.after.argmax(axis=1)
    leads = truth == LEAD
    return bool(
        gain.mean() > gain.std() / np.sqrt(len(gain))
        and (is_now == truth).sum() > (was == truth).sum()
        and (is_now[leads] == LEAD).sum() >= (was[leads] == LEAD).sum()
    )


def _cautious(rule: AbstainRule, probabilities: Floats, truth: Ints) -> AbstainRule:
    """The rule with a floor no higher than before, nor than items not fitted on allow.

    The floor was shown to be safe for the model this one began with. Of this one too little is
    known, so it may only file less.
    """
    floor = min(rule.lead, choose_floor(probabilities, truth).floor)
    return replace(rule, lead=floor)


def _refusal(before: Report, after: Report) -> str:
    return (
        f"not better than {before.model} on {before.items} examples it was not fitted on: accuracy "
        f"{after.accuracy.value:.3f} against {before.accuracy.value:.3f}, macro-F1 "
        f"{after.macro_f1.value:.3f} against {before.macro_f1.value:.3f}, lead recall "
        f"{after.lead_recall.value:.3f} against {before.lead_recall.value:.3f}. Nothing was "
        "written; give more examples, above all of those that are labelled wrongly today"
    )


def _measured(
    items: Sequence[Item], probabilities: Floats, begun: Classifier, model: str
) -> Report:
    return evaluate(items, verdicts(probabilities, begun.manifest.abstain, model))


def _read(model: Classifier, items: Sequence[Item]) -> Floats:
    return model.vectors([item.example for item in items])[0]


def _tensors(folder: Path | str) -> Tensors:
    """Everything a model folder holds but what tells own labels apart: that is learned again."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

    _, file = artifact.read(folder)
    return {key: value for key, value in load_file(file).items() if not fewshot.is_division(key)}


def _manifest(
    begun: Manifest, items: Sequence[Item], blend: Blend, divisions: Mapping[Label, Division]
) -> dict[str, Any]:
    """The fields of the new manifest: those of the model it began with, but for what changed."""
    now = datetime.now(UTC)
    sha256 = Corpus(tuple(items), (), ()).sha256
    counts = Counter(item.own or str(item.label) for item in items)
    fixed = {"files", "labels_sha256"}  # written anew with the folder
    return {
        each.name: getattr(begun, each.name) for each in fields(Manifest) if each.name not in fixed
    } | {
        "version": f"{now:%Y%m%d}-{sha256[:8]}",
        "created": now.isoformat(timespec="seconds"),
        "blend": blend,
        # Both were shown for the model this one began with, and for no other.
        "bound": None,
        "shortcut": Shortcut(),
        "own": {name: base for base, division in divisions.items() for name in division.names},
        "corpus": {"sha256": sha256, "items": {"train": dict(counts)}},
    }


def _write(folder: Path, manifest: Mapping[str, Any], tensors: Tensors) -> None:
    import torch  # noqa: PLC0415 - heavy

    artifact.write(folder, manifest, {
        key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in tensors.items()
    })  # fmt: skip


def _division_tensors(divisions: Mapping[Label, Division]) -> Tensors:
    return {
        key: value
        for base, division in divisions.items()
        for key, value in division.arrays(base).items()
    }
