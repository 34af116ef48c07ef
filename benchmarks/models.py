"""Ways to make a classifier, on the same items, with several seeds: why the shipped one is so.

    python benchmarks/models.py [--items N,…] [--held N] [--seeds N] [--epochs N] [--only NAME …]

Trains on `--items` items drawn from the corpus (each label its share, another draw for each seed)
and measures on `--held` items of the dev split; the test split is never touched. Prints the mean
macro-F1 with its standard deviation over the seeds, its ratio to the first way's, and the CPU
seconds of one training. Several sizes (`--items 500,1000,2000`) give the learning curve. With the
defaults it takes most of an hour on one core; mpnet only where it is installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
import torch
from mpnet import Mpnet, installed
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn.functional import log_softmax, normalize

from classifiers.baseline import Baseline
from classifiers.calibration import Ints
from classifiers.dataset import Item, indices_of, labels_of, read_corpus
from classifiers.encoder import BaseModel, Reading
from classifiers.evaluate import macro_f1
from classifiers.finetuning import Recipe, fit
from classifiers.inference import embeddings, logits
from classifiers.labels import LABELS
from classifiers.network import Batch, Network
from classifiers.text import render
from triage.demo.fixtures import corpus_folder

Items = Sequence[Item]


@dataclass(frozen=True, slots=True)
class Bench:
    """What every way needs: the base model, the epochs, and the seed of this round."""

    base: BaseModel
    epochs: int
    seed: int

    def windows(self, items: Items) -> list[list[tuple[int, ...]]]:
        """The items as the network reads them."""
        return self.base.windows([render(item.example) for item in items], Reading())

    def network(self) -> Network:
        """The untouched encoder with a head that was never trained."""
        torch.manual_seed(self.seed)
        network = Network(len(LABELS))
        network.load_base(self.base.weights)
        return network.eval()


Way = Callable[[Bench, Items, Items], Ints]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--items", default="200")
    options.add_argument("--held", type=int, default=190)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=2)
    options.add_argument("--only", nargs="*", choices=list(WAYS), default=list(WAYS))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    corpus = read_corpus(corpus_folder())
    held = drawn(corpus.dev, chosen.held, 0)
    truth = indices_of(held)
    print(
        f"{'items':>6}  {'way':<42} {'macro-F1':>9} {'+/-':>6} {'ratio':>6} {'CPU s':>7}",
        flush=True,
    )
    for size in map(int, chosen.items.split(",")):
        floor = 0.0
        for name in chosen.only:
            if WAYS[name] is larger and not installed():
                print(f"{size:>6}  {name:<42} not installed: see benchmarks/mpnet.py")
                continue
            scores, spent = [], 0.0
            for seed in range(chosen.seeds):
                bench = Bench(BaseModel(), chosen.epochs, seed)
                before = time.process_time()
                said = WAYS[name](bench, drawn(corpus.train, size, seed), held)
                spent += time.process_time() - before
                scores.append(macro_f1(truth, said))
            mean = float(np.mean(scores))
            floor = floor or mean
            print(
                f"{size:>6}  {name:<42} {mean:9.3f} {np.std(scores):6.3f} {mean / floor:6.2f} "
                f"{spent / chosen.seeds:7.0f}",
                flush=True,
            )


def drawn(items: Items, size: int, seed: int) -> list[Item]:
    """`size` items, each label as often as in the corpus."""
    rng, chosen = Random(seed), list[Item]()
    for label in LABELS:
        own = [item for item in items if item.label == label]
        chosen += rng.sample(own, min(len(own), round(size * len(own) / len(items))))
    return chosen


def tfidf(_: Bench, train: Items, held: Items) -> Ints:
    """Word and character n-grams with logistic regression: the floor."""
    model = Baseline.fit([item.example for item in train], labels_of(train))
    return np.array(
        [LABELS.index(v.label) for v in model.classify([item.example for item in held])]
    )


def frozen(bench: Bench, train: Items, held: Items, network: Network | None = None) -> Ints:
    """Logistic regression over the encoder's mean vectors."""
    network = network or bench.network()
    model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2000)
    model.fit(embeddings(network, bench.windows(train), 16).numpy(), indices_of(train))
    return np.asarray(model.predict(embeddings(network, bench.windows(held), 16).numpy()))


def contrastive(bench: Bench, train: Items, held: Items) -> Ints:
    """SetFit (Tunstall et al. 2022): the encoder is tuned on likeness first, then as above.

    With the supervised contrastive loss (Khosla et al. 2020); a batch holds each label twice.
    """
    network, rng = bench.network().train(), Random(bench.seed)
    windows, truth = bench.windows(train), indices_of(train)
    by_label = [np.flatnonzero(truth == label).tolist() for label in range(len(LABELS))]
    optimizer = torch.optim.AdamW(network.encoder.parameters(), lr=5e-5)
    for _ in range(bench.epochs * len(train) // (2 * len(LABELS))):
        chosen = [index for own in by_label for index in rng.sample(own, min(2, len(own)))]
        vectors = network.pool(Batch.of([windows[index][:3] for index in chosen]))
        loss = likeness(vectors, torch.from_numpy(truth[chosen]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return frozen(bench, train, held, network.eval())


def likeness(vectors: Tensor, truth: Tensor, temperature: float = 0.1) -> Tensor:
    """The loss of vectors (items, hidden) that are not nearest to those of their own label."""
    unit = normalize(vectors, dim=1)
    itself = torch.eye(len(truth), dtype=torch.bool)
    near = log_softmax((unit @ unit.T / temperature).masked_fill(itself, -1e9), dim=1)
    same = (truth[:, None] == truth[None, :]) & ~itself
    return -(near * same).sum() / same.sum().clamp_min(1)


def larger(_: Bench, train: Items, held: Items) -> Ints:
    """Logistic regression over the mean vectors of all-mpnet-base-v2."""
    encoder = Mpnet()
    model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2000)
    model.fit(encoder.vectors([render(item.example) for item in train]), indices_of(train))
    return np.asarray(model.predict(encoder.vectors([render(item.example) for item in held])))


def tuned(changed: Callable[[Item], Item] = lambda item: item, **options: Any) -> Way:
    """Fine-tuning by the shipped recipe, with `options` changed, items seen through `changed`."""

    def way(bench: Bench, train: Items, held: Items) -> Ints:
        recipe = replace(Recipe(), epochs=bench.epochs, seed=bench.seed, **options)
        items, others = [changed(item) for item in train], [changed(item) for item in held]
        # Epochs are compared on training items: choosing one on dev would flatter these figures.
        network = fit(items, items[::10], bench.base, recipe).network
        return np.asarray(logits(network, bench.windows(others), 16).argmax(axis=1))

    return way


def without(*names: str) -> Callable[[Item], Item]:
    """An item whose example lacks these fields."""
    empty: dict[str, Any] = dict.fromkeys(names, "")
    return lambda item: replace(item, example=replace(item.example, **empty))


WAYS: dict[str, Way] = {
    "TF-IDF + logistic regression": tfidf,
    "frozen MiniLM + logistic regression": frozen,
    "frozen all-mpnet-base-v2 + the same": larger,
    "SetFit (contrastive, then the same)": contrastive,
    "LoRA": tuned(form="lora", rate=1e-3),
    "full fine-tuning (shipped)": tuned(),
    "full, without the business profile": tuned(without("business")),
    "full, without sender and recipient": tuned(without("sender", "recipient")),
    "full, text alone": tuned(without("business", "sender", "recipient", "subject")),
}

if __name__ == "__main__":
    main()
