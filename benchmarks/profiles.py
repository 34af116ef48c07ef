"""Whether the model sees whose inquiry it is: held-out texts with their business, and with others.

    python benchmarks/profiles.py [MODEL]       default: the model that ships

Leads and support cases of the calibration split for which people wrote down other businesses
(fixtures/corpus/profiles-*.jsonl): some that do what is asked, some that were reached by mistake.
The same model with and without its matcher, in one run. `sent`: forwarded unseen as a lead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle

import numpy as np

from classifiers.dataset import Corpus, Item, read_corpus
from classifiers.match import Matcher
from classifiers.match_training import twins
from classifiers.model import Classifier
from triage.demo.fixtures import corpus_folder


def share(model: Classifier, items: Sequence[Item]) -> str:
    said = model.classify([item.example for item in items])
    right = [verdict.label == item.label for verdict, item in zip(said, items, strict=True)]
    sent = np.mean([verdict.label == "lead" and not verdict.abstained for verdict in said])
    seen = np.mean([verdict.abstained for verdict in said])
    return f"{sum(right):>6} of {len(right):<4}{np.mean(right):6.1%}{sent:10.1%}{seen:9.1%}"


def apart(matcher: Matcher, near: Sequence[Item], far: Sequence[Item]) -> float:
    """The chance that a right business is nearer to its text than a wrong one to another."""
    first, second = (matcher.logits([item.example for item in items]) for items in (near, far))
    return float((first[:, None] > second[None]).mean())


def nameless(corpus: Corpus) -> list[str]:
    """Names that tell no trade, which the matcher did not learn from."""
    return [one.text for one in corpus.names if one.split == "calibration" and not one.tells]


def main() -> None:
    model = Classifier.load(sys.argv[1] if len(sys.argv) > 1 else "default", threads=1)
    corpus = read_corpus(corpus_folder())
    items = [item for item in corpus.calibration if item.id in corpus.profiles]
    exchanged = twins(items, corpus.profiles)
    sets = {
        "as they came: label kept": items,
        "to another right business: label kept": [i for i in exchanged if i.label != "misdial"],
        "to a wrong business: called misdial": [i for i in exchanged if i.label == "misdial"],
        "to a name that tells no trade: label kept": [
            replace(item, example=replace(item.example, business=name))
            for item, name in zip(items, cycle(nameless(corpus)), strict=False)
        ],
    }
    matcher = model._matcher
    for name in ("with the matcher", "without"):
        title = f"{model.name_version} {name}"
        print(f"\n{title:<42}{'as named':>20}{'sent':>10}{'review':>9}")
        for what, chosen in sets.items():
            print(f"  {what:<40} {share(model, chosen)}")
        model._matcher = None
    if matcher is not None:
        _, right, wrong, _ = sets.values()
        found = apart(matcher, [*items, *right], wrong)
        print(f"\nAUC of right against wrong businesses: {found:.3f}")


if __name__ == "__main__":
    main()
