"""Training of the tagger on leads with marked signals. Imports torch: import it lazily.

First only the heads, on vectors that are computed once; then the heads with the upper layers of the
encoder. Deterministic by the seed on one machine and number of threads.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifiers import tag_artifact
from classifiers.calibration import Floats, Ints, fit_temperature
from classifiers.encoder import BaseModel
from classifiers.errors import TrainingError
from classifiers.inference import Torch
from classifiers.network import trained_tensors
from classifiers.tag_marks import (
    CLASSES,
    SPANS,
    Marked,
    SpanName,
    noisy,
    pools_of,
    read_marked,
)
from classifiers.tag_model import Stretch, Tagged, Tagger
from classifiers.tagger import REACH, TUNED, TagBatch, TagNetwork
from classifiers.tagging import Window, examples_of, read_tokens, targets, windows_of

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TagRecipe:
    """How to train. `rate` is the peak for the heads, `tuning_rate` that for encoder layers.

    `copies`: noisy copies of each lead, of which an epoch draws one or the lead itself.
    """

    head_epochs: int = 12
    epochs: int = 3
    seed: int = 0
    batch: int = 12
    rate: float = 2.5e-3
    tuning_rate: float = 1.5e-4
    tuned_head_rate: float = 6e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    copies: int = 2
    token_weight: float = 20.0
    attention_weight: float = 0.3
    tag_weights: tuple[float, float, float] = (1.0, 4.0, 2.7)
    windows: int = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A window with its vectors (tokens, hidden) in half precision, and what should be said."""

    window: Window
    below: Tensor
    above: Tensor
    tags: Ints
    evidence: Floats


@dataclass(frozen=True, slots=True)
class Study:
    """A lead as training reads it."""

    parts: tuple[Part, ...]
    classes: tuple[int, ...]

    @property
    def length(self) -> int:
        """Tokens in all windows."""
        return sum(len(part.window.ids) for part in self.parts)


def studies_of(
    leads: Sequence[Marked], base: BaseModel, recipe: TagRecipe, report: Report | None = None
) -> list[list[Study]]:
    """Each lead and its noisy copies, through the base model."""
    rng = Random(recipe.seed)  # noqa: S311 - chance for training, not for secrets
    network = TagNetwork()
    network.load_base(base.weights)
    network.eval()
    pools = pools_of(leads)
    started = time.monotonic()
    found = []
    for lead in leads:
        copies = [lead, *(noisy(lead, pools, rng) for _ in range(recipe.copies))]
        found.append([_study(copy, network, base, recipe) for copy in copies])
    if report:
        report(f"{len(leads)} leads read, {time.monotonic() - started:.0f} s")
    return found


def _study(lead: Marked, network: TagNetwork, base: BaseModel, recipe: TagRecipe) -> Study:
    tokens = read_tokens(examples_of([lead]), base)[0]
    tags, evidence = targets(lead, tokens)
    windows = windows_of(tokens, base)[: recipe.windows]
    batch = TagBatch.of([windows])
    with torch.inference_mode():
        below = network.below(batch)
        above = network.above(below, batch)
    parts = [
        Part(
            window,
            below[row, : len(window.ids)].half().clone(),
            above[row, : len(window.ids)].half().clone(),
            tags[window.start : window.end],
            evidence[window.start : window.end],
        )
        for row, window in enumerate(windows)
    ]
    classes = tuple(CLASSES[name].index(lead.classes[name]) for name in CLASSES)
    return Study(tuple(parts), classes)


def fit_tagger(
    studies: Sequence[Sequence[Study]],
    base: BaseModel,
    recipe: TagRecipe,
    report: Report | None = None,
) -> TagNetwork:
    """Train on what `studies_of` gave."""
    torch.manual_seed(recipe.seed)
    rng = Random(recipe.seed + 1)  # noqa: S311 - chance for training, not for secrets
    network = TagNetwork()
    network.load_base(base.weights)
    network.freeze(0)
    _Stage(network, recipe, rng, recipe.head_epochs, report).run(studies, tuned=False)
    if recipe.epochs:
        network.encoder.layers[-TUNED:].requires_grad_(True)
        _Stage(network, recipe, rng, recipe.epochs, report).run(studies, tuned=True)
    return network.eval()


class _Stage:
    """Some epochs with one optimizer and one rise and fall of the rates."""

    def __init__(
        self,
        network: TagNetwork,
        recipe: TagRecipe,
        rng: Random,
        epochs: int,
        report: Report | None,
    ) -> None:
        self.network, self.recipe, self.rng = network, recipe, rng
        self.epochs, self.report = epochs, report
        self.weights = torch.tensor(recipe.tag_weights)

    def run(self, studies: Sequence[Sequence[Study]], *, tuned: bool) -> None:
        """Train on one copy of every lead an epoch."""
        steps = -(-len(studies) // self.recipe.batch) * self.epochs
        optimizer = torch.optim.AdamW(self._groups(tuned=tuned))
        rising = max(1.0, self.recipe.warmup * steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / rising, (steps - step) / (steps - rising + 1))
        )
        started = time.monotonic()
        for epoch in range(1, self.epochs + 1):
            self.network.train()
            total = 0.0
            for chosen in self._batches([self.rng.choice(copies) for copies in studies]):
                loss: Any = self._loss(chosen, tuned=tuned)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                total += loss.item() * len(chosen)
            if self.report:
                kind = "tuning" if tuned else "heads"
                seconds = time.monotonic() - started
                mean = total / len(studies)
                self.report(f"{kind}, epoch {epoch}: loss {mean:.3f}, {seconds:.0f} s")

    def _groups(self, *, tuned: bool) -> list[dict[str, object]]:
        groups: list[dict[str, object]] = []
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                rate = self.recipe.tuned_head_rate if tuned else self.recipe.rate
                if name.startswith("encoder"):
                    rate = self.recipe.tuning_rate
                decay = self.recipe.weight_decay if parameter.dim() > 1 else 0.0
                groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
        return groups

    def _batches(self, studies: Sequence[Study]) -> list[list[Study]]:
        """Batches of like length, in random order."""
        order = sorted(studies, key=lambda study: (study.length // 40, self.rng.random()))
        size = self.recipe.batch
        batches = [order[at : at + size] for at in range(0, len(order), size)]
        self.rng.shuffle(batches)
        return batches

    def _loss(self, chosen: Sequence[Study], *, tuned: bool) -> Tensor:
        batch = TagBatch.of([[part.window for part in study.parts] for study in chosen])
        if self.rng.random() < 0.25:  # capitals are not always to be had
            batch.layout[:, :, 0] = 0
        parts = [part for study in chosen for part in study.parts]
        shape = batch.ids.shape
        below = torch.zeros(*shape, parts[0].below.shape[1])
        above = torch.zeros_like(below)
        tags = torch.full((*shape, len(SPANS)), -100)
        evidence = torch.zeros(*shape, len(CLASSES))
        for row, part in enumerate(parts):
            window = part.window
            inside = slice(window.lead, window.lead + window.end - window.start)
            below[row, : len(window.ids)] = part.below.float()
            above[row, : len(window.ids)] = part.above.float()
            tags[row, inside] = torch.from_numpy(part.tags)
            evidence[row, inside] = torch.from_numpy(part.evidence).float()
        if tuned:
            above = self.network.above(below, batch)
        said = self.network.say(above, batch)
        known = tags != -100
        token_loss = nn.functional.cross_entropy(
            said.tags[known], tags[known], weight=self.weights, reduction="sum"
        ) / int(known.sum())
        attention_loss = -(evidence * said.attention).sum() / len(chosen)
        loss = self.recipe.token_weight * token_loss + self.recipe.attention_weight * attention_loss
        for at, logits in enumerate(said.classes):
            truth = torch.tensor([study.classes[at] for study in chosen])
            loss = loss + nn.functional.cross_entropy(logits, truth, label_smoothing=0.05)
        return loss


@dataclass(frozen=True, slots=True)
class TaggerTrained:
    """Where the tagger was written, how long it took, and what cross-validation found.

    `found`: of each signal the share of best stretches that are right, of each class accuracy; all
    on leads by writers that the network had not seen.
    """

    folder: Path
    version: str
    seconds: float
    found: Mapping[str, float]


def train_tagger(
    corpus_dir: Path,
    out_dir: Path,
    *,
    recipe: TagRecipe | None = None,
    folds: int = 3,
    threads: int | None = None,
    base: Path | None = None,
    report: Report | None = None,
) -> TaggerTrained:
    """Train on the marked leads of all files but `calibration-*` and `test-*`; write to `out_dir`.

    Probabilities are calibrated on what networks say about writers that they were not trained on,
    in `folds` groups of writers; the network that is written learned from all of them. Raises
    `CorpusError` and `TrainingError`.
    """
    recipe = recipe or TagRecipe()
    if threads is not None:
        torch.set_num_threads(threads)
    started = time.monotonic()
    held_out = ("calibration", "test")
    files = [
        file for file in sorted(corpus_dir.glob("*.jsonl")) if not file.name.startswith(held_out)
    ]
    leads = read_marked(files)
    groups = _groups_of(leads, folds)
    if len(groups) < 2:
        raise TrainingError(
            f"{corpus_dir}: {len(leads)} leads with signals by {len(groups)} writers; the tagger "
            "needs leads by two writers at least"
        )
    base_model = BaseModel(base)
    studies = studies_of(leads, base_model, recipe, report)
    checked = [
        pair
        for group in groups
        for pair in _held_out(leads, studies, group, base_model, recipe, report)
    ]
    scales, temperatures, found = calibrate(checked)
    network = fit_tagger(studies, base_model, recipe, report)
    now = datetime.now(UTC)
    digest = hashlib.sha256(repr([(lead.id, lead.values) for lead in leads]).encode()).hexdigest()
    manifest = {
        "version": f"{now:%Y%m%d}-{digest[:8]}",
        "created": now.isoformat(timespec="seconds"),
        "reach": REACH,
        "scales": scales,
        "temperatures": temperatures,
        "training": asdict(recipe) | {"folds": folds, "seconds": round(time.monotonic() - started)},
        "corpus": {
            "sha256": digest,
            "leads": len(leads),
            "writers": sorted({x.writer for x in leads}),
        },
        "metrics": {"cross_validation": found},
    }
    tag_artifact.write(out_dir, manifest, tensors_of(network, base_model))
    return TaggerTrained(out_dir, str(manifest["version"]), time.monotonic() - started, found)


def tensors_of(network: TagNetwork, base: BaseModel) -> dict[str, Tensor]:
    """What an artifact holds: differences of tuned matrices in int8, heads in half precision."""
    return {
        name: value if value.dtype == torch.int8 or name.endswith(".scale") else value.half()
        for name, value in trained_tensors(network, base.weights).items()
    }


def _groups_of(leads: Sequence[Marked], folds: int) -> list[set[str]]:
    """Writers in groups of about as many leads."""
    counts = Counter(lead.writer for lead in leads)
    groups: list[set[str]] = [set() for _ in range(min(folds, len(counts)))]
    for writer, _ in counts.most_common():
        least = min(groups, key=lambda group: sum(counts[one] for one in group))
        least.add(writer)
    return groups


def _held_out(
    leads: Sequence[Marked],
    studies: Sequence[Sequence[Study]],
    group: set[str],
    base: BaseModel,
    recipe: TagRecipe,
    report: Report | None,
) -> list[tuple[Marked, Tagged]]:
    """What a network that never saw the writers of `group` reads in their leads."""
    rest = [study for study, lead in zip(studies, leads, strict=True) if lead.writer not in group]
    tagger = in_memory(fit_tagger(rest, base, recipe, report), base)
    theirs = [lead for lead in leads if lead.writer in group]
    return list(zip(theirs, tagger.read(examples_of(theirs)), strict=True))


def in_memory(network: TagNetwork, base: BaseModel) -> Tagger:
    """A tagger around a network that was just trained, uncalibrated."""
    heads = {
        name: value.detach().double().numpy()
        for name, value in network.named_parameters()
        if not name.startswith(("words", "positions", "norm", "encoder", "head"))
    }
    manifest = tag_artifact.TagManifest("", "", REACH, {}, {}, {}, {}, {})
    return Tagger(Torch(network), heads, base, manifest)


def calibrate(
    checked: Sequence[tuple[Marked, Tagged]],
) -> tuple[dict[str, tuple[float, float]], dict[str, float], dict[str, float]]:
    """Platt scales, temperatures and figures from leads that the network had not seen.

    A stretch counts as right where it shares at least half of its words with the marked one.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

    scales: dict[str, tuple[float, float]] = {}
    temperatures: dict[str, float] = {}
    found: dict[str, float] = {}
    for name in SPANS:
        best = [(lead, said.spans[name][0]) for lead, said in checked if said.spans[name]]
        right = np.array([_right(lead, name, stretch) for lead, stretch in best])
        scores = np.array([min(max(s.probability, 1e-6), 1 - 1e-6) for _, s in best])
        found[name] = round(float(right.mean()), 4) if len(right) else 0.0
        if 0 < right.sum() < len(right):
            inner = np.log(scores / (1 - scores))[:, None]
            model = LogisticRegression(C=10.0).fit(inner, right)
            scales[name] = (float(model.coef_[0, 0]), float(model.intercept_[0]))
    for choice, values in CLASSES.items():
        shares = [[said.choices[choice].probabilities[v] for v in values] for _, said in checked]
        logits = np.log(np.maximum(shares, 1e-9))
        truth = np.array([values.index(lead.classes[choice]) for lead, _ in checked])
        temperatures[choice] = fit_temperature(logits, truth)
        found[choice] = round(float((logits.argmax(axis=1) == truth).mean()), 4)
    return scales, temperatures, found


def _right(lead: Marked, name: SpanName, stretch: Stretch) -> bool:
    if name not in lead.spans:
        return False
    marked = set(lead.text[slice(*lead.spans[name])].lower().split())
    ours = set(lead.text[stretch.start : stretch.end].lower().split())
    return len(ours & marked) * 2 >= len(ours | marked)
