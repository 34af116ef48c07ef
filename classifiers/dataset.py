"""Labelled examples in JSON Lines, their splits, and a check that no split leaks into another.

One object a line: `id`, `channel` (`email` or `call`), and `text` or `body`; optional `business`,
`from`, `to`, `subject`, `label`, `split`, `source` or `writer`, `tags`, `hard`. Other fields are
ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np

from classifiers import jsonl
from classifiers.calibration import Ints
from classifiers.errors import CorpusError
from classifiers.labels import LABELS, Label
from classifiers.profiles import PREFIX, Name, Profiles, read_profiles
from classifiers.verdict import Channel, Example

Split = Literal["train", "dev", "calibration", "test"]
NINE: Mapping[str, Label] = MappingProxyType({})  # no labels of one's own
SPLITS: tuple[Split, ...] = ("train", "dev", "calibration", "test")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a file. `source` says where it comes from, for figures by source.

    `own` is the label as written where it is a business's own name for `label`.
    """

    id: str
    example: Example
    label: Label | None = None
    source: str = ""
    split: Split | None = None
    tags: tuple[str, ...] = ()
    own: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled items by split; `sha256` is over ids, texts and labels in a fixed order.

    `train` is learned from; `dev` chooses between variants, epochs and weights; `calibration` is
    for the one threshold that bounds lost leads; `test` is looked at once. `profiles`: by the id of
    an item further businesses that it could have reached. `names`: of businesses.
    """

    train: tuple[Item, ...]
    dev: tuple[Item, ...] = ()
    calibration: tuple[Item, ...] = ()
    test: tuple[Item, ...] = ()
    profiles: Mapping[str, Profiles] = field(default_factory=dict)
    names: tuple[Name, ...] = ()

    @property
    def sha256(self) -> str:
        """Identifies the content, whatever the files are called."""
        digest = hashlib.sha256()
        for item in sorted(
            (*self.train, *self.dev, *self.calibration, *self.test), key=lambda item: item.id
        ):
            digest.update(repr((item.id, item.example, item.label)).encode())
        for name, profiles in sorted(self.profiles.items()):
            digest.update(repr((name, profiles)).encode())
        for one in self.names:
            digest.update(repr(one).encode())
        return digest.hexdigest()


def read_items(
    path: Path, *, labelled: bool = True, bases: Mapping[str, Label] | None = None
) -> list[Item]:
    """Every line of a file. `CorpusError` names the file and line of what cannot be used.

    With `labelled` false a missing label is accepted. `bases`: labels of a business's own, each
    with the one of the nine that it stands for.
    """
    items: list[Item] = []
    for place, raw in jsonl.values(path):
        try:
            items.append(item_of(raw, _split_of(path), labelled=labelled, bases=bases or {}))
        except ValueError as error:
            raise CorpusError(f"{place}: {error}") from error
    return items


def read_corpus(path: Path) -> Corpus:
    """All `*.jsonl` of a folder (or one file), by the field `split` or the file name's beginning.

    Lines without either are training data; `profiles-*.jsonl` hold businesses (`profiles`).
    `CorpusError` for bad lines, ids that occur twice, or no training data at all.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    businesses = [file for file in files if file.name.startswith(PREFIX)]
    items = [item for file in files if file not in businesses for item in read_items(file)]
    doubled = [name for name, count in Counter(item.id for item in items).items() if count > 1]
    if doubled:
        raise CorpusError(f"{path}: the id {doubled[0]!r} occurs twice; ids must differ")
    by_split = {
        split: tuple(item for item in items if (item.split or "train") == split) for split in SPLITS
    }
    if not by_split["train"]:
        raise CorpusError(f"{path}: no training items; expected JSON Lines in train-*.jsonl")
    profiles, names = read_profiles(businesses)
    if unknown := profiles.keys() - {item.id for item in items}:
        raise CorpusError(
            f"{path}: {businesses[0].name} and the like name the item {min(unknown)!r}, which no "
            "other file has"
        )
    return Corpus(**by_split, profiles=profiles, names=names)


def with_dev(corpus: Corpus, *, seed: int, share: float = 0.125) -> Corpus:
    """`corpus` itself, or where it has no dev split one with a random `share` of each label."""
    if corpus.dev:
        return corpus
    rng = Random(seed)  # noqa: S311 - chance for a split, not for secrets
    dev: set[str] = set()
    for label in LABELS:
        ids = sorted(item.id for item in corpus.train if item.label == label)
        rng.shuffle(ids)
        dev.update(ids[: round(len(ids) * share)])
    return replace(
        corpus,
        train=tuple(item for item in corpus.train if item.id not in dev),
        dev=tuple(item for item in corpus.train if item.id in dev),
    )


def _split_of(path: Path) -> Split | None:
    return next((split for split in SPLITS if path.name.startswith(split)), None)


def item_of(
    raw: Any,
    split: Split | None = None,
    *,
    labelled: bool = True,
    bases: Mapping[str, Label] = NINE,
) -> Item:
    """The item that a line's object describes. `ValueError` says what is wrong with it."""
    if not isinstance(raw, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - all faults of a line are one kind
    text = raw.get("body") if raw.get("body") is not None else raw.get("text")
    if raw.get("id") in (None, "") or not isinstance(text, str):
        raise ValueError("needs `id`, and `text` or `body` as a string")
    if raw.get("channel") not in ("email", "call"):
        raise ValueError(f"`channel` is {raw.get('channel')!r}, expected 'email' or 'call'")
    label, own = _label(raw, bases)
    if label is None and labelled:
        raise ValueError("has no `label`")
    tags = raw.get("tags", [])
    if not isinstance(tags, list):
        raise ValueError(f"`tags` is {tags!r}, expected a list")  # noqa: TRY004 - see above
    part = raw.get("split", split)
    if part is not None and part not in SPLITS:
        raise ValueError(f"`split` is {part!r}, expected one of {', '.join(SPLITS)}")
    return Item(
        id=str(raw["id"]),
        example=Example(
            channel=cast("Channel", raw["channel"]),
            text=text,
            subject=_text(raw, "subject"),
            sender=_text(raw, "from"),
            recipient=_text(raw, "to"),
            business=_text(raw, "business"),
        ),
        label=label,
        source=_text(raw, "source") or _text(raw, "writer"),
        split=part,
        tags=(*(["hard"] if raw.get("hard") else []), *map(str, tags)),
        own=own,
    )


def _label(raw: dict[str, Any], bases: Mapping[str, Label]) -> tuple[Label | None, str]:
    """The label, one of the nine, and the business's own name for it."""
    label: Any = raw.get("label")
    if isinstance(label, str) and label in bases:
        return bases[label], label
    if label is not None and label not in LABELS:
        raise ValueError(f"`label` is {label!r}, expected one of {', '.join((*LABELS, *bases))}")
    return label, ""


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{name}` is {value!r}, expected text")
    return value or ""


def near_duplicates(
    left: Sequence[Item], right: Sequence[Item], *, threshold: float = 0.5, words: int = 5
) -> list[tuple[str, str, float]]:
    """Pairs (id of `left`, id of `right`, Jaccard) whose word n-grams overlap beyond `threshold`.

    With the same sequence twice every pair comes once, without an item and itself.
    """
    grams = [_grams(item, words) for item in right]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, own in enumerate(grams):
        for gram in own:
            holders[gram].append(index)
    found = []
    for position, item in enumerate(left):
        mine = _grams(item, words)
        shared = Counter(index for gram in mine for index in holders.get(gram, ()))
        for index, common in shared.items():
            if left is right and index <= position:
                continue
            jaccard = common / (len(mine) + len(grams[index]) - common)
            if jaccard > threshold:
                found.append((item.id, right[index].id, jaccard))
    return found


def _grams(item: Item, words: int) -> frozenset[tuple[str, ...]]:
    tokens = re.findall(r"\w+", f"{item.example.subject} {item.example.text}".lower())
    size = min(words, len(tokens))
    return frozenset(tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1) if size)


def indices_of(items: Iterable[Item]) -> Ints:
    """The labels as indices into `LABELS`, (items,); every item must have one."""
    return np.array([LABELS.index(label) for label in labels_of(items)], dtype=np.int64)


def labels_of(items: Iterable[Item]) -> list[Label]:
    """The labels; every item must have one."""
    labels = [item.label for item in items]
    if any(label is None for label in labels):
        raise CorpusError("an item without a label cannot be measured")
    return cast("list[Label]", labels)
