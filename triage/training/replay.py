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
    folder = corpus_folder()
    if folder is None:
        return ()
    by_label: defaultdict[str, list[Item]] = defaultdict(list)
    try:
        for file in sorted(folder.glob(f"{split}-*.jsonl")):
            for item in read_items(file):
                by_label[str(item.label)].append(item)
    except CorpusError:  # whoever damaged it gets no replay
        return ()
    rng = Random(0)  # noqa: S311 - chance for a sample, not for secrets
    for items in by_label.values():
        rng.shuffle(items)
    turns = max(map(len, by_label.values()), default=0)
    mixed = [
        items[turn] for turn in range(turns) for items in by_label.values() if turn < len(items)
    ]
    return tuple(mixed[:count])
