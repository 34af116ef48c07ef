"""Training of the tagger on leads with marked signals. Imports torch: import it lazily.

Every text goes through the base model once; the heads are trained on what it says. Deterministic by
the seed on one machine and number of threads.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from classifiers import tag_artifact
from classifiers.calibration import Floats, Ints
from classifiers.encoder import BaseModel
from classifiers.errors import TrainingError
from classifiers.ranking import Ranking, writer_groups
from classifiers.runtime import Kind, Runtime
from classifiers.tag_calibration import calibrate
from classifiers.tag_heads import Ensemble, Scores, named
from classifiers.tag_marks import (
    CLASSES,
    SPANS,
    Marked,
    noisy,
    pools_of,
    read_marked,
)
from classifiers.tag_model import RANKING, Context, Tagged, base_encoder, tagged
from classifiers.tagger import REACH, TagHeads, TagLogits, batch_of
from classifiers.tagging import TAPS, Tokens, examples_of, read_tokens, targets, vectors_of

Halves = NDArray[np.float16]
Report = Callable[[str], None]
Ranker = Callable[[Mapping[str, Tagged]], tuple[Mapping[str, Ranking], Mapping[str, float]]]
"""From what was read of each lead, by its id, the ranking of candidates and its figures. What was
read comes from heads that never saw the lead's writer.
"""

HELD_OUT = ("calibration", "test")


@dataclass(frozen=True, slots=True)
class TagRecipe:
    """How to train. `rate` is the peak. `copies`: noisy copies of each lead; an epoch draws one of
    them or, with probability `plain`, the lead itself. `heads`: how many are trained, each by
    another chance.
    """

    epochs: int = 12
    seed: int = 0
    batch: int = 12
    rate: float = 2.5e-3
    warmup: float = 0.1
    weight_decay: float = 0.01
    copies: int = 2
    plain: float = 0.35
    token_weight: float = 20.0
    attention_weight: float = 0.3
    heads: int = 3
    tag_weights: tuple[float, float, float] = (1.0, 4.0, 2.7)


@dataclass(frozen=True, slots=True)
class Study:
    """A lead as training reads it: token vectors in half precision, and what should be said."""

    tokens: Tokens
    vectors: Halves
    tags: Ints
    evidence: Floats
    classes: tuple[int, ...]


def studies_of(
    leads: Sequence[Marked],
    base: BaseModel,
    encoder: Runtime,
    recipe: TagRecipe,
    report: Report | None = None,
) -> list[list[Study]]:
    """Each lead and its noisy copies, through the base model."""
    rng = Random(recipe.seed)  # noqa: S311 - chance for training, not for secrets
    pools = pools_of(leads)
    started = time.monotonic()
    found = []
    for lead in leads:
        copies = [lead, *(noisy(lead, pools, rng) for _ in range(recipe.copies))]
        found.append([_study(copy, base, encoder) for copy in copies])
    if report:
        report(f"{len(leads)} leads read, {time.monotonic() - started:.0f} s")
    return found


def _study(lead: Marked, base: BaseModel, encoder: Runtime) -> Study:
    tokens = read_tokens(examples_of([lead]), base)[0]
    vectors = vectors_of(tokens, base, encoder).astype(np.float16)
    return study_of(lead, tokens, vectors)


def study_of(lead: Marked, tokens: Tokens, vectors: Halves) -> Study:
    """A lead with the vectors (tokens, width) that the encoder gave."""
    tags, evidence = targets(lead, tokens)
    classes = tuple(CLASSES[name].index(lead.classes[name]) for name in CLASSES)
    return Study(tokens, vectors, tags, evidence, classes)


def fit_ensemble(
    studies: Sequence[Sequence[Study]], recipe: TagRecipe, report: Report | None = None
) -> list[TagHeads]:
    """Train as many heads as the recipe says on what `studies_of` gave."""
    recipes = (replace(recipe, seed=recipe.seed + 10 * at) for at in range(recipe.heads))
    return [fit_heads(studies, one, report) for one in recipes]


def fit_heads(
    studies: Sequence[Sequence[Study]], recipe: TagRecipe, report: Report | None = None
) -> TagHeads:
    """Train one of them."""
    torch.manual_seed(recipe.seed)
    rng = Random(recipe.seed + 1)  # noqa: S311 - chance for training, not for secrets
    heads = TagHeads()
    steps = -(-len(studies) // recipe.batch) * recipe.epochs
    optimizer = torch.optim.AdamW(
        heads.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay
    )
    rising = max(1.0, recipe.warmup * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (steps - step) / (steps - rising + 1))
    )
    started = time.monotonic()
    heads.train()
    for epoch in range(1, recipe.epochs + 1):
        total = 0.0
        for chosen in _batches([_drawn(copies, recipe, rng) for copies in studies], recipe, rng):
            loss: Any = _loss(heads, chosen, recipe, rng)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(heads.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        if report:
            seconds = time.monotonic() - started
            report(f"epoch {epoch}: loss {total / len(studies):.3f}, {seconds:.0f} s")
    return heads.eval()


def _drawn(copies: Sequence[Study], recipe: TagRecipe, rng: Random) -> Study:
    return copies[0] if rng.random() < recipe.plain else rng.choice(copies)


def _batches(studies: Sequence[Study], recipe: TagRecipe, rng: Random) -> list[list[Study]]:
    """Batches of like length, in random order."""
    order = sorted(studies, key=lambda study: (len(study.tags) // 40, rng.random()))
    batches = [order[at : at + recipe.batch] for at in range(0, len(order), recipe.batch)]
    rng.shuffle(batches)
    return batches


def _loss(heads: TagHeads, chosen: Sequence[Study], recipe: TagRecipe, rng: Random) -> Tensor:
    batch = batch_of(
        [torch.from_numpy(study.vectors) for study in chosen],
        [torch.from_numpy(study.tokens.layout) for study in chosen],
    )
    if rng.random() < 0.25:  # capitals are not always to be had
        batch.layout[:, :, 0] = 0
    said: TagLogits = heads(batch)
    shape = batch.body.shape
    tags = torch.full((*shape, len(SPANS)), -100)
    evidence = torch.zeros(*shape, len(CLASSES))
    for row, study in enumerate(chosen):
        tags[row, : len(study.tags)] = torch.from_numpy(study.tags)
        evidence[row, : len(study.tags)] = torch.from_numpy(study.evidence).float()
    known = tags != -100
    token_loss = nn.functional.cross_entropy(
        said.tags[known], tags[known], weight=torch.tensor(recipe.tag_weights), reduction="sum"
    ) / max(1, int(known.sum()))
    attention_loss = -(evidence * said.attention).sum() / len(chosen)
    loss = recipe.token_weight * token_loss + recipe.attention_weight * attention_loss
    for at, logits in enumerate(said.classes):
        truth = torch.tensor([study.classes[at] for study in chosen])
        loss = loss + nn.functional.cross_entropy(logits, truth, label_smoothing=0.05)
    return loss


@dataclass(frozen=True, slots=True)
class Read:
    """A lead with what heads that never saw its writer say of it."""

    lead: Marked
    context: Context
    scores: Scores

    def tagged(self, manifest: tag_artifact.TagManifest) -> Tagged:
        """What the scores mean."""
        return tagged(self.lead.text, self.context, self.scores, manifest)


@dataclass(frozen=True, slots=True)
class TaggerTrained:
    """Where the tagger was written, how long it took, and what cross-validation found.

    `found`: of each signal the share of best stretches that are right, of each class accuracy;
    `ranked`: F1 of each signal. All on leads by writers that were not trained on.
    """

    folder: Path
    version: str
    seconds: float
    found: Mapping[str, float]
    ranked: Mapping[str, float]


def train_tagger(
    corpus_dir: Path,
    out_dir: Path,
    rank: Ranker,
    *,
    recipe: TagRecipe | None = None,
    folds: int = 3,
    threads: int | None = None,
    base: Path | None = None,
    runtime: Kind = "auto",
    report: Report | None = None,
) -> TaggerTrained:
    """Train on the marked leads of all files but `calibration-*` and `test-*`; write to `out_dir`.

    Probabilities are calibrated, and candidates are ranked, on what heads say about writers that
    they were not trained on, in `folds` groups of writers; the heads that are written learned from
    all of them. Raises `CorpusError` and `TrainingError`.
    """
    recipe = recipe or TagRecipe()
    if threads is not None:
        torch.set_num_threads(threads)
    started = time.monotonic()
    leads = read_marked(files_of(corpus_dir))
    groups = writer_groups((lead.writer for lead in leads), folds)
    if len(groups) < 2:
        raise TrainingError(
            f"{corpus_dir}: {len(leads)} leads with signals by {len(groups)} writers; the tagger "
            "needs leads by two writers at least"
        )
    base_model = BaseModel(base)
    encoder = base_encoder(base_model, threads, runtime)
    studies = studies_of(leads, base_model, encoder, recipe, report)
    read = read_held_out(leads, studies, groups, recipe, report)
    heads = fit_ensemble(studies, recipe, report)
    seconds = round(time.monotonic() - started)
    training = asdict(recipe) | {"folds": folds, "seconds": seconds}
    return finish(out_dir, leads, read, heads, rank, training)


def files_of(corpus_dir: Path) -> list[Path]:
    """The files that the tagger learns from."""
    files = sorted(corpus_dir.glob("*.jsonl"))
    return [file for file in files if not file.name.startswith(HELD_OUT)]


def read_held_out(
    leads: Sequence[Marked],
    studies: Sequence[Sequence[Study]],
    groups: Sequence[set[str]],
    recipe: TagRecipe,
    report: Report | None = None,
) -> list[Read]:
    """What heads that never saw a lead's writer say of its tokens, for every lead."""
    found = []
    pairs = list(zip(leads, studies, strict=True))
    for group in groups:
        rest = [copies for lead, copies in pairs if lead.writer not in group]
        heads = Ensemble.of(arrays_of(fit_ensemble(rest, recipe, report)), REACH)
        for lead, (study, *_) in pairs:
            if lead.writer in group:
                context = Context(study.tokens, study.vectors)
                found.append(Read(lead, context, heads.scores(study.vectors, study.tokens)))
    return found


def arrays_of(members: Sequence[TagHeads]) -> dict[str, Floats]:
    """The heads' weights, for `Ensemble.of`."""
    return named(
        [
            {name: value.detach().double().numpy() for name, value in one.named_parameters()}
            for one in members
        ]
    )


def finish(
    out_dir: Path,
    leads: Sequence[Marked],
    read: Sequence[Read],
    heads: Sequence[TagHeads],
    rank: Ranker,
    training: Mapping[str, Any],
) -> TaggerTrained:
    """Calibrate and rank on what was read held out, and write the artifact."""
    plain = tag_artifact.TagManifest("", "", REACH, TAPS, {}, {}, {}, {}, {}, {})
    scales, temperatures, found = calibrate([(one.lead, one.tagged(plain)) for one in read])
    sure = replace(plain, scales=scales, temperatures=temperatures)
    ranking, ranked = rank({one.lead.id: one.tagged(sure) for one in read})
    now = datetime.now(UTC)
    digest = hashlib.sha256(repr([(lead.id, lead.values) for lead in leads]).encode()).hexdigest()
    manifest = {
        "version": f"{now:%Y%m%d}-{digest[:8]}",
        "created": now.isoformat(timespec="seconds"),
        "reach": REACH,
        "taps": TAPS,
        "floors": {name: one.floor for name, one in ranking.items()},
        "scales": scales,
        "temperatures": temperatures,
        "training": dict(training),
        "corpus": {
            "sha256": digest,
            "leads": len(leads),
            "writers": sorted({lead.writer for lead in leads}),
        },
        "metrics": {"best_stretch": found, "ranked": dict(ranked)},
    }
    tensors = {name: torch.from_numpy(value).half() for name, value in arrays_of(heads).items()}
    tensors |= {
        f"{RANKING}{name}": torch.from_numpy(one.weights).half() for name, one in ranking.items()
    }
    tag_artifact.write(out_dir, manifest, tensors)
    seconds = float(training.get("seconds", 0.0))
    return TaggerTrained(out_dir, str(manifest["version"]), seconds, found, ranked)
