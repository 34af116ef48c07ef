"""How many wrong labels the look for them finds: 5 % of the labels of a held-out part of the corpus
are made wrong, at random or as people confuse them, and looked for among the others.

    python -m benchmarks.mislabelled
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from classifiers.calibration import softmax
from classifiers.dataset import Item, indices_of, read_items
from classifiers.labels import LABELS
from classifiers.model import Classifier
from classifiers.verdict import Example
from triage.training import mislabelled
from triage.training.mislabelled import Confirmed

CORPUS = Path(__file__).parents[1] / "fixtures" / "corpus"


class Read:
    """A model that read everything once: flipping labels changes nothing of that."""

    def __init__(self, model: Classifier, items: list[Item]) -> None:
        self.head, self.manifest = model.head, model.manifest
        vectors, lexical = model.vectors([item.example for item in items])
        self._rows = {
            item.example: (row, logits)
            for item, row, logits in zip(items, vectors, lexical, strict=True)
        }
        weights, bias = model.head
        blend = model.manifest.blend
        self.said = softmax(blend.network * (vectors @ weights.T + bias) + blend.lexical * lexical)

    def vectors(self, examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
        rows = [self._rows[example] for example in examples]
        return np.array([row for row, _ in rows]), np.array([logits for _, logits in rows])


def made_wrong(
    truth: np.ndarray, share: float, confused: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """Labels of which a share is wrong. `confused` (labels, labels): how often one is taken for
    another; None: every other label alike.
    """
    given = truth.copy()
    for index in rng.choice(len(truth), round(share * len(truth)), replace=False):
        weights = np.ones(len(LABELS)) if confused is None else confused[truth[index]].copy()
        weights[truth[index]] = 0
        given[index] = rng.choice(len(LABELS), p=weights / weights.sum())
    return given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=0, help="of the part, by chance; 0: all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.05)
    options = parser.parse_args()
    files = sorted(CORPUS.glob("calibration-*.jsonl"))
    items = [item for file in files for item in read_items(file)]
    model = Read(Classifier.load(threads=1), items)
    truth = indices_of(items)
    confused = np.array([model.said[truth == index].mean(axis=0) for index in range(len(LABELS))])
    print("wrong at\titems\twrong\tfound\tprecision\trecall\tright proposal\tfirst 20 right")
    for name, how in (("random", None), ("plausible", confused)):
        rows = []
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            chosen = rng.permutation(len(items))[: options.items or None]
            given = made_wrong(truth[chosen], options.share, how, rng)
            wrong = {items[i].id for i, label in zip(chosen, given, strict=True)
                     if label != truth[i]}  # fmt: skip
            right = {items[i].id: LABELS[truth[i]] for i in chosen}
            told = [
                Confirmed(items[i].id, items[i].example, LABELS[label])
                for i, label in zip(chosen, given, strict=True)
            ]
            found = mislabelled.find(told, model)  # type: ignore[arg-type]
            hits = [each for each in found if each.id in wrong]
            rows.append([
                len(chosen), len(wrong), len(found), len(hits) / max(len(found), 1),
                len(hits) / len(wrong),
                sum(right[each.id] == each.proposed for each in hits) / max(len(hits), 1),
                sum(each.id in wrong for each in found[:20]) / max(len(found[:20]), 1),
            ])  # fmt: skip
        mean = np.mean(rows, axis=0)
        print(
            f"{name}\t{mean[0]:.0f}\t{mean[1]:.0f}\t{mean[2]:.0f}\t{mean[3]:.2f}\t{mean[4]:.2f}\t"
            f"{mean[5]:.2f}\t{mean[6]:.2f}"
        )


if __name__ == "__main__":
    main()
