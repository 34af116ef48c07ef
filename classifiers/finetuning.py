"""Fine-tuning: items in, the best epoch's network out.

The encoder with mean pooling, all of it or low-rank changes of it; the epoch that does best on the
dev split is kept. Deterministic by its seed on one machine and number of threads. Imports torch:
import this module lazily.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from classifiers import weights
from classifiers.augmentation import augment
from classifiers.calibration import Floats, log_loss
from classifiers.dataset import Item, indices_of, labels_of
from classifiers.encoder import BaseModel, Reading
from classifiers.errors import TrainingError
from classifiers.evaluate import macro_f1
from classifiers.inference import Windows, embeddings, logits
from classifiers.labels import LABELS
from classifiers.network import Batch, Network, add_low_rank
from classifiers.text import render
from classifiers.verdict import Example

WARMING: Final = 2000
"""Items that the head starts from; more would cost an epoch's share of time and change little."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. Learning rates are peaks: they rise over `warmup` (share of the steps), then
    fall to zero.

    `form`: `lora` trains low-rank changes (a few MB), `full` all encoder layers. `layer_decay`:
    factor on the rate from each layer to the one below (`full` only). `windows`: of a longer text
    that many windows are drawn in each epoch. `kept`: of a network that is trained on, the share of
    its weights in the mean of before and after.
    """

    form: Literal["lora", "full"] = "full"
    epochs: int = 3
    seed: int = 0
    batch: int = 16
    rate: float = 1.2e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.1
    weight_decay: float = 0.01
    smoothing: float = 0.05
    warmup: float = 0.1
    windows: int = 3
    kept: float = 0.0


CONTINUING: Final = Recipe(epochs=1, rate=5e-5, head_rate=2e-4, kept=0.5)
"""For a network that knows the task already: once over what it is shown, at less than half the
rate; and half of what it was, which costs next to nothing on what it learned anew and holds better
elsewhere (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training of a `part` is: `epoch` of `epochs` from 1, `step` of `steps` in it, `seconds`
    so far.

    `dev_macro_f1` is set after the last step of an epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    seconds: float
    dev_macro_f1: float | None = None
    part: Literal["network", "matcher"] = "network"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best epoch's network, and its logits on dev (items, labels)."""

    network: Network
    dev_logits: Floats
    epoch: int
    history: tuple[Mapping[str, float], ...]


ProgressCallback = Callable[[Progress], None]


def fit(
    train_items: Sequence[Item],
    dev_items: Sequence[Item],
    base: BaseModel,
    recipe: Recipe,
    progress: ProgressCallback | None = None,
    start: Mapping[str, NDArray[Any]] | None = None,
) -> Fitted:
    """Fine-tune a network from the base weights; of its epochs keep the best on `dev_items`.

    `start`: what an earlier training changed (`network.trained_tensors`), to go on from there; for
    no epochs the network stays as it is.
    """
    if min(len(train_items), len(dev_items)) < 2 or len(set(labels_of(train_items))) < 2:
        raise TrainingError(
            f"{len(train_items)} training and {len(dev_items)} dev items do not suffice: a model "
            "needs at least two labels, and in practice some dozens of items of each"
        )
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Network(len(LABELS), recipe.dropout)
    network.load_base(base.weights)
    before: dict[str, Tensor] = {}
    if start is not None:
        arrays = weights.changed(weights.base_weights(base.weights), start, len(LABELS))
        before = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        network.load_state_dict(before)
    network.to(device)
    run = _Run(network, base, recipe, train_items, progress)
    dev_windows = base.windows([render(item.example) for item in dev_items], Reading())
    dev_truth = indices_of(dev_items)
    if start is None:
        run.warm_head()
    elif not recipe.epochs:
        network.eval()
        return Fitted(network, logits(network, dev_windows, recipe.batch), 0, ())

    best: tuple[tuple[float, float], int, Floats, dict[str, Tensor]] | None = None
    history = []
    for epoch in range(1, recipe.epochs + 1):
        loss = run.epoch(epoch)
        network.eval()
        dev_logits = logits(network, dev_windows, recipe.batch)
        said = dev_logits.argmax(axis=1)
        merit = (round(macro_f1(dev_truth, said), 4), -log_loss(dev_logits, dev_truth))
        history.append({"loss": round(loss, 4), "dev_macro_f1": merit[0], "dev_loss": -merit[1]})
        run.report(epoch, run.steps, loss, dev_macro_f1=merit[0])
        if best is None or merit > best[0]:
            kept = {name: value.detach().clone() for name, value in network.state_dict().items()}
            best = (merit, epoch, dev_logits, kept)
    if best is None:
        raise TrainingError(f"{recipe.epochs} epochs: at least one is needed")
    _, epoch, dev_logits, kept = best
    if before and recipe.kept:
        kept = {name: torch.lerp(after, before[name], recipe.kept) for name, after in kept.items()}
    network.load_state_dict(kept)
    network.eval()
    if before and recipe.kept:
        dev_logits = logits(network, dev_windows, recipe.batch)
    return Fitted(network, dev_logits, epoch, tuple(history))


class _Run:
    """The state of one training run: optimizer, schedule, source of chance."""

    def __init__(
        self,
        network: Network,
        base: BaseModel,
        recipe: Recipe,
        items: Sequence[Item],
        progress: ProgressCallback | None,
    ) -> None:
        self.network, self.base, self.recipe = network, base, recipe
        self.examples, self.truth = [item.example for item in items], indices_of(items)
        self.progress, self.started = progress, time.monotonic()
        self.rng = Random(recipe.seed)  # noqa: S311 - chance for training, not for secrets
        self.device = network.head.weight.device
        self.steps = -(-len(items) // recipe.batch)
        if recipe.form == "lora":
            add_low_rank(network, recipe.rank, recipe.alpha)
            network.to(self.device)
        else:
            network.words.requires_grad_(False)
            network.positions.requires_grad_(False)
        self.optimizer, self.schedule = steps_of(network, recipe, self.steps)
        counts = np.bincount(self.truth, minlength=len(LABELS))
        rarity = np.sqrt(len(self.truth) / np.maximum(counts, 1) / len(LABELS))
        self.loss = nn.CrossEntropyLoss(
            weight=torch.tensor(rarity, dtype=torch.float32, device=self.device),
            label_smoothing=recipe.smoothing,
        )

    def warm_head(self) -> None:
        """Start the head from a logistic regression on the untouched encoder.

        A random head would first spoil what the encoder knows (Kumar et al. 2022).
        """
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy

        self.network.eval()
        drawn = self.rng.sample(range(len(self.examples)), min(WARMING, len(self.examples)))
        windows = self._windows([self.examples[index] for index in drawn])
        pooled = embeddings(self.network, windows, self.recipe.batch).numpy()
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000)
        model.fit(pooled, self.truth[drawn])
        if len(model.classes_) != len(LABELS):
            return  # labels that never occur: the random start serves as well
        with torch.no_grad():
            self.network.head.weight.copy_(torch.from_numpy(model.coef_))
            self.network.head.bias.copy_(torch.from_numpy(model.intercept_))

    def epoch(self, number: int) -> float:
        """Train on every item once; the mean loss."""
        self.network.train()
        noisy = [augment(example, self.rng) for example in self.examples]
        windows = [self._drawn(text) for text in self._windows(noisy)]
        total = 0.0
        for step, chosen in enumerate(self._batches(windows), 1):
            batch = Batch.of([windows[index] for index in chosen]).to(self.device)
            target = torch.tensor(self.truth[chosen], device=self.device)
            with autocast(self.device):
                loss = self.loss(self.network(batch), target)
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.schedule.step()
            total += loss.item()
            if step < self.steps:
                self.report(number, step, total / step)
        return total / self.steps

    def report(
        self, epoch: int, step: int, loss: float, *, dev_macro_f1: float | None = None
    ) -> None:
        """Tell the caller where training is."""
        if self.progress:
            seconds = time.monotonic() - self.started
            self.progress(
                Progress(epoch, self.recipe.epochs, step, self.steps, loss, seconds, dev_macro_f1)
            )

    def _windows(self, examples: Sequence[Example]) -> Windows:
        return self.base.windows([render(example) for example in examples], Reading())

    def _drawn(self, text: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
        if len(text) <= self.recipe.windows:
            return text
        return [text[i] for i in sorted(self.rng.sample(range(len(text)), self.recipe.windows))]

    def _batches(self, windows: Windows) -> list[list[int]]:
        """Batches of like length, in random order: little padding, and other company each epoch."""
        order = list(range(len(windows)))
        self.rng.shuffle(order)
        size = self.recipe.batch
        pools = [order[start : start + size * 8] for start in range(0, len(order), size * 8)]
        ordered = [
            index
            for pool in pools
            for index in sorted(pool, key=lambda i: sum(len(window) for window in windows[i]))
        ]
        batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
        self.rng.shuffle(batches)
        return batches


def steps_of(
    network: Network, recipe: Recipe, steps: int, further: Sequence[dict[str, Any]] = ()
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """What takes the steps, `steps` an epoch, and their rates; `further` parameters beside."""
    optimizer = torch.optim.AdamW([*_groups(network, recipe), *further])
    total = steps * recipe.epochs
    rising = max(1.0, recipe.warmup * total)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (total - step) / max(1.0, total - rising))
    )


def _groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters with their learning rates: the head fastest, lower layers slower."""
    groups = []
    layers = len(network.encoder.layers)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = recipe.rate
        if name.startswith("head"):
            rate = recipe.head_rate
        elif recipe.form == "full":
            depth = int(name.split(".")[2]) if name.startswith("encoder.layers") else -1
            rate *= recipe.layer_decay ** (layers - 1 - depth)
        decay = recipe.weight_decay if parameter.dim() > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return groups


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Half precision where the hardware computes in it; elsewhere it would be slower."""
    able = torch.cpu.get_capabilities()
    if device.type == "cuda" or able.get("amx_bf16") or able.get("avx512_bf16"):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
