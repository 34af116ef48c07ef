"""How faithful explanations are: removing the words they name, or keeping only those.

    python benchmarks/explain.py [ITEMS]       default: 40 items of the dev split, 20 to 120 words

Comprehensiveness: by how much the label's probability falls without the top 15 % of words (more is
better). Sufficiency: by how much it falls when only those are kept (less is better). Both after
DeYoung et al. 2020. Leaving out each word in turn is the costly reference. A pass is one reading by
the network; milliseconds are of one thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from classifiers.dataset import read_corpus
from classifiers.explain import Explainer, Word
from classifiers.labels import Label
from classifiers.model import Classifier
from classifiers.verdict import Example, Verdict
from triage.demo.fixtures import corpus_folder

SHARE = 0.15
Method = Callable[[Example, Verdict], list[Word]]


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    items = read_corpus(corpus_folder()).dev
    examples = [i.example for i in items if 20 <= len(i.example.text.split()) <= 120][:wanted]
    model = Classifier.load("default", threads=1)
    said = model.classify(examples)
    rng = np.random.default_rng(0)
    parts = _explainer(model, 1.0, 1.0)
    methods: list[tuple[str, Method]] = [
        ("random", lambda e, v: _random(parts.words(e, v.label), rng)),
        ("lexical part", _weighing(_explainer(model, 0.0, 1.0))),
        ("network", _weighing(_explainer(model, 1.0, 0.0))),
        ("both (what ships)", _weighing(parts)),
        ("leave one out", lambda e, v: _left_out(model, parts.words(e, v.label), e, v.label)),
    ]
    print(f"{len(examples)} inquiries, {model.runtime}")
    print(
        f"{'method':<20}{'comprehensiveness':>18}{'sufficiency':>13}{'passes':>8}{'ms an item':>12}"
    )
    for name, method in methods:
        before = time.process_time()
        weighed = [
            method(example, verdict) for example, verdict in zip(examples, said, strict=True)
        ]
        spent = 1000 * (time.process_time() - before) / len(examples)
        falls = []
        for keep in (False, True):
            changed = [
                _without(e, words, keep=keep) for e, words in zip(examples, weighed, strict=True)
            ]
            after = model.classify(changed)
            falls.append(
                np.mean(
                    [v.confidence - a.scores[v.label] for v, a in zip(said, after, strict=True)]
                )
            )
        passes = {"random": 0.0, "lexical part": 0.0, "network": 1.0, "both (what ships)": 1.0}.get(
            name, 2 * float(np.mean([len(words) for words in weighed]))
        )
        shown = f"{spent:12.0f}" if passes else f"{'under 5':>12}"
        print(f"{name:<20}{falls[0]:18.3f}{falls[1]:13.3f}{passes:8.0f}{shown}")


def _explainer(model: Classifier, network: float, lexical: float) -> Explainer:
    """What the model explains with, its parts weighed by these factors."""
    blend = model.manifest.blend
    changed = replace(blend, network=network * blend.network, lexical=lexical * blend.lexical)
    return Explainer(
        model._runtime,
        model._head,
        model._lexical,
        model._base,
        replace(model.manifest, blend=changed),
    )


def _weighing(explainer: Explainer) -> Method:
    return lambda example, verdict: explainer.words(example, verdict.label)


def _random(words: Sequence[Word], rng: np.random.Generator) -> list[Word]:
    return [replace(word, weight=float(rng.random())) for word in words]


def _left_out(
    model: Classifier, words: Sequence[Word], example: Example, label: Label
) -> list[Word]:
    """Each word weighed by how far the label's probability falls without it."""
    answers = model.classify([example, *(_cut(example, [word]) for word in words)])
    whole = answers[0].scores[label]
    return [
        replace(word, weight=whole - answer.scores[label])
        for word, answer in zip(words, answers[1:], strict=True)
    ]


def _without(example: Example, words: Sequence[Word], *, keep: bool) -> Example:
    """The example without its heaviest words, or with nothing but those."""
    ranked = sorted(words, key=lambda word: -word.weight)
    count = max(1, round(SHARE * len(ranked)))
    return _cut(example, ranked[count:] if keep else ranked[:count])


def _cut(example: Example, words: Sequence[Word]) -> Example:
    kept = {"subject": example.subject, "text": example.text}
    for word in sorted(words, key=lambda word: -word.start):
        kept[word.field] = kept[word.field][: word.start] + kept[word.field][word.end :]
    return replace(example, subject=kept["subject"], text=kept["text"])


if __name__ == "__main__":
    main()
