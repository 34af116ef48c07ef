"""Some of the shipped corpus, learned beside what people confirmed, so that nothing is forgotten.

A business sees but a part of what there is: a month of labels without a single misdial would teach
that there are none. An installation may lack the corpus; then nothing is replayed, and the gate
alone watches.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Final

import triage
from classifiers.dataset import Item, Split, read_items
from classifiers.errors import CorpusError

TIMES: Final = 2
MOST: Final = 400
"""Replayed: so many times what people said, and that many at most. More would outvote people, and
costs time."""
CHECKED: Final = 300
"""Of what no model was trained on: shows what was forgotten."""


def corpus_folder() -> Path | None:
    """Where the shipped corpus is; None where the installation left it out."""
    package = Path(triage.__file__).resolve().parent
    places = (package / "demo" / "fixtures" / "corpus", package.parent / "fixtures" / "corpus")
    return next((place for place in places if place.is_dir()), None)


def drawn(split: Split, count: int) -> tuple[Item, ...]:
    """So many items of a split of the shipped corpus, as many of each label as there are, always
    the same ones.
    """
    by_label: defaultdict[str, list[Item]] = defaultdict(list)
    for item in _all(split):
        by_label[str(item.label)].append(item)
    rng = Random(0)  # noqa: S311 - chance for a sample, not for secrets
    for items in by_label.values():
        rng.shuffle(items)
    turns = max(map(len, by_label.values()), default=0)
    mixed = [
        items[turn] for turn in range(turns) for items in by_label.values() if turn < len(items)
    ]
    return tuple(mixed[:count])


def leads(split: Split) -> tuple[Item, ...]:
    """All leads of a split of the shipped corpus."""
    return tuple(item for item in _all(split) if item.label == "lead")


def _all(split: Split) -> list[Item]:
    folder = corpus_folder()
    try:
        files = sorted(folder.glob(f"{split}-*.jsonl")) if folder is not None else []
        return [item for file in files for item in read_items(file)]
    except CorpusError:  # whoever damaged it gets no replay
        return []
