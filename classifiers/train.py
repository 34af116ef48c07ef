"""Training: a corpus in, a model folder out.

Fine-tunes the network (`classifiers.finetuning`), fits the lexical part and trains the matcher
(`classifiers.match_training`) on the train split; weighs them, chooses the shortcut and sets the
abstain rule on dev; chooses what may be filed unseen
on the calibration split; and looks at the test split once, at the end. Imports torch: import this
module lazily.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import torch
from numpy.typing import NDArray

from classifiers import artifact
from classifiers.bound import choose_floor
from classifiers.calibration import Floats, choose_abstain, choose_sure, fit_blend
from classifiers.dataset import Corpus, Item, indices_of, read_corpus, with_dev
from classifiers.encoder import BaseModel, Reading
from classifiers.errors import TrainingError
from classifiers.evaluate import Report, evaluate, macro_f1
from classifiers.finetuning import CONTINUING, Fitted, ProgressCallback, Recipe, fit
from classifiers.inference import logits
from classifiers.labels import LABELS
from classifiers.lexical import Lexical, is_lexical
from classifiers.match import MatchRule, is_match
from classifiers.match_training import LEAST_HELD, Matching, fit_matcher, fit_rule
from classifiers.match_training import RECIPE as MATCHING
from classifiers.model import verdicts
from classifiers.network import trained_tensors
from classifiers.shortcut import choose_shortcut
from classifiers.text import render


@dataclass(frozen=True, slots=True)
class Trained:
    """What training found: figures on dev and, where there is one, on test; and where it wrote."""

    folder: Path
    model: str
    seconds: float
    dev: Report
    test: Report | None


def train(
    corpus_dir: Path,
    out_dir: Path,
    *,
    name: str = "triage-minilm",
    version: str | None = None,
    recipe: Recipe | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    base: Path | None = None,
    start: Path | str | None = None,
    newer: Collection[str] = (),
    progress: ProgressCallback | None = None,
) -> Trained:
    """Train on `corpus_dir` (see `dataset.read_corpus`) and write the model to `out_dir`.

    Without a dev split an eighth of the training items becomes it. `version`: default the date and
    the corpus's hash. `start`: a model folder whose network is trained on, by default with
    `CONTINUING`: what a corpus that has grown needs. `newer`: the writers whose items that network
    has not seen; they are shown twice, beside half of the others. Raises `CorpusError`,
    `TrainingError` and `ArtifactError`.
    """
    recipe = recipe or (Recipe() if start is None else CONTINUING)
    recipe = replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        seed=recipe.seed if seed is None else seed,
    )
    if threads is not None:
        torch.set_num_threads(threads)
    started = time.monotonic()
    corpus = with_dev(read_corpus(corpus_dir), seed=recipe.seed)
    base_model = BaseModel(base)
    begun = None if start is None else _network_of(start)
    shown = _shown(corpus.train, newer, recipe.seed)
    fitted = fit(shown, corpus.dev, base_model, recipe, progress, begun)
    lexical = Lexical.fit(_tokens(corpus.train, base_model), indices_of(corpus.train))
    matching = fit_matcher(corpus, base_model, replace(MATCHING, seed=recipe.seed), progress)
    seconds = time.monotonic() - started
    return write_trained(
        out_dir, fitted, lexical, matching, corpus, base_model, recipe,
        name=name, version=version, seconds=seconds,
        begun_with=None if start is None else artifact.read(start)[0].name_version,
    )  # fmt: skip


def write_trained(
    out_dir: Path,
    fitted: Fitted,
    lexical: Lexical,
    matching: Matching | None,
    corpus: Corpus,
    base: BaseModel,
    recipe: Recipe,
    *,
    name: str,
    version: str | None,
    seconds: float,
    begun_with: str | None = None,
) -> Trained:
    """Calibrate on the dev split, measure on the test split, and write the model folder.

    `begun_with`: the model that `fitted` was trained on from.
    """
    now = datetime.now(UTC)
    version = version or f"{now:%Y%m%d}-{corpus.sha256[:8]}"
    model = f"{name}@{version}"

    def readings(items: Sequence[Item]) -> tuple[Floats, Floats]:
        inputs = [render(item.example) for item in items]
        windows = base.windows(inputs, Reading())
        network = logits(fitted.network, windows, recipe.batch)
        return network, lexical.logits(base.tokens(inputs))

    def alone(items: Sequence[Item]) -> Floats:
        return shortcut.probabilities(blend, *readings(items))

    def probabilities(items: Sequence[Item]) -> Floats:
        said = alone(items)
        return matcher.probabilities(said, [i.example for i in items]) if matcher else said

    truth = indices_of(corpus.dev)
    network_dev, lexical_dev = readings(corpus.dev)
    blend = fit_blend(network_dev, lexical_dev, truth)
    shortcut = choose_shortcut(blend, network_dev, lexical_dev, truth)
    match = None if matching is None else _match_rule(matching, corpus, base, alone)
    matcher = matching.matcher(base, match) if matching and match else None
    held = corpus.calibration or corpus.dev
    bound = choose_floor(probabilities(held), indices_of(held))
    on_dev = probabilities(corpus.dev)
    sure = choose_sure(on_dev, truth)
    rule = choose_abstain(on_dev, truth, lead=bound.floor, sure=sure)
    dev = evaluate(corpus.dev, verdicts(on_dev, rule, model))
    test = None
    if corpus.test:
        test = evaluate(corpus.test, verdicts(probabilities(corpus.test), rule, model))
    manifest = {
        "name": name,
        "version": version,
        "created": now.isoformat(timespec="seconds"),
        "reading": Reading(),
        "blend": blend,
        "abstain": rule,
        "bound": bound,
        "shortcut": shortcut,
        "match": match,
        "training": asdict(recipe)
        | {"best_epoch": fitted.epoch, "seconds": round(seconds), "history": fitted.history}
        | ({} if begun_with is None else {"from": begun_with}),
        "corpus": _described(corpus),
        "metrics": artifact.plain({"dev": dev, "test": test})
        | {
            "dev_macro_f1_of_parts": {
                "network": macro_f1(truth, network_dev.argmax(axis=1)),
                "lexical": macro_f1(truth, lexical_dev.argmax(axis=1)),
            }
        },
    }
    tensors = trained_tensors(fitted.network, base.weights)
    tensors |= {key: torch.from_numpy(array) for key, array in lexical.arrays().items()}
    tensors |= matching.tensors(base) if matching and match else {}
    artifact.write(out_dir, manifest, tensors)
    return Trained(out_dir, model, seconds, dev, test)


def _match_rule(
    matching: Matching, corpus: Corpus, base: BaseModel, alone: Callable[[Sequence[Item]], Floats]
) -> MatchRule | None:
    """The rule for what a match shifts, fitted on dev; none where too few there name a business.

    `alone`: what the model says of items without the matcher, (items, labels).
    """
    items = [item for item in corpus.dev if item.example.business.strip()]
    if len(items) < LEAST_HELD:
        return None
    logits = matching.matcher(base).logits([item.example for item in items])
    return fit_rule(matching, alone(items), logits, indices_of(items))


def _shown(items: Sequence[Item], newer: Collection[str], seed: int) -> Sequence[Item]:
    """What a network is trained on: all, or what is new twice and by chance half of the rest."""
    new = [item for item in items if item.source in newer]
    if missing := set(newer) - {item.source for item in new}:
        raise TrainingError(f"no training item is by {', '.join(sorted(missing))}")
    old = [item for item in items if item.source not in newer]
    if not new:
        return items
    return [*Random(seed).sample(old, len(old) // 2), *new, *new]  # noqa: S311 - for training


def _network_of(folder: Path | str) -> dict[str, NDArray[Any]]:
    """What the training of a model folder changed in the network."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

    _, file = artifact.read(folder)
    return {
        key: value
        for key, value in load_file(file).items()
        if not (is_lexical(key) or is_match(key))
    }


def _tokens(items: Sequence[Item], base: BaseModel) -> list[list[int]]:
    return base.tokens([render(item.example) for item in items])


def _described(corpus: Corpus) -> dict[str, Any]:
    return {
        "sha256": corpus.sha256,
        "items": {
            split: {label: sum(item.label == label for item in items) for label in LABELS}
            for split, items in (
                ("train", corpus.train),
                ("dev", corpus.dev),
                ("calibration", corpus.calibration),
                ("test", corpus.test),
            )
        },
    }
