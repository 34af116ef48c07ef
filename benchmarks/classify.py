"""The shipped classifier one text at a time, in batches by length, and beside the floor to beat.

    python benchmarks/classify.py [ITEMS]      default: 120 items of the dev split

One thread. Seconds are CPU seconds of `classify` alone; the ratio is to one text at a time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from classifiers.baseline import Baseline
from classifiers.dataset import labels_of, read_corpus
from classifiers.model import Classifier
from classifiers.verdict import Example, Verdict
from triage.demo.fixtures import corpus_folder


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    corpus = read_corpus(corpus_folder())
    items = corpus.dev[:wanted]
    examples = [item.example for item in items]
    truth = labels_of(items)
    model = Classifier.load("default", threads=1)
    floor = Baseline.fit([item.example for item in corpus.train], labels_of(corpus.train))
    model.classify(examples[:2])  # the first call pays for what is loaded late
    runs: list[tuple[str, Callable[[Sequence[Example]], list[Verdict]]]] = [
        ("one at a time", lambda texts: [model.classify([text])[0] for text in texts]),
        ("batches by length", model.classify),
        ("TF-IDF + logistic", floor.classify),
    ]
    print(f"{'method':<18} {'items/s':>8} {'accuracy':>9} {'ratio':>6}")
    slowest = None
    for name, classify in runs:
        before = time.process_time()
        verdicts = classify(examples)
        spent = time.process_time() - before
        slowest = slowest or spent
        right = sum(v.label == label for v, label in zip(verdicts, truth, strict=True))
        print(
            f"{name:<18} {len(items) / spent:8.1f} {right / len(items):9.3f} {slowest / spent:6.1f}"
        )


if __name__ == "__main__":
    main()
