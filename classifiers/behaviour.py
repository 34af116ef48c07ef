"""Minimal pairs (CheckList, Ribeiro et al. 2020): what must not change a label, and what must.

One JSON object a line: `id`, `kind`, `topic`, `a` and `b` (two inquiries with the fields of
`classifiers.dataset`), `label_a`, `label_b`, `writer`. In an `invariance` pair both labels are the
same; in a `direction` pair one small change makes another label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from classifiers import jsonl
from classifiers.dataset import Item, item_of
from classifiers.errors import CorpusError
from classifiers.labels import Label
from classifiers.verdict import Example, Verdict

Kind = Literal["invariance", "direction"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two inquiries that differ in one thing, `topic`; each has its right label."""

    id: str
    kind: Kind
    topic: str
    a: Item
    b: Item


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model said about a pair; it `passed` where both labels are right."""

    pair: Pair
    said: tuple[Verdict, Verdict]

    @property
    def passed(self) -> bool:
        """Whether both labels are right; those of an invariance pair are then the same."""
        return (self.said[0].label, self.said[1].label) == (self.pair.a.label, self.pair.b.label)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a model did on the whole suite."""

    model: str
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> int:
        """Pairs that passed."""
        return sum(outcome.passed for outcome in self.outcomes)

    @property
    def share(self) -> float:
        """Share of pairs that passed, 0 to 1."""
        return self.passed / len(self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """What did not pass, in the order of the suite."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def topics(self) -> Mapping[tuple[Kind, str], tuple[int, int]]:
        """By kind and topic: how many passed, of how many."""
        counts: dict[tuple[Kind, str], tuple[int, int]] = {}
        for outcome in self.outcomes:
            key = (outcome.pair.kind, outcome.pair.topic)
            passed, total = counts.get(key, (0, 0))
            counts[key] = (passed + outcome.passed, total + 1)
        return counts


def read_pairs(path: Path) -> list[Pair]:
    """All pairs of a folder's `*.jsonl`, or of one file. `CorpusError` says which line is wrong."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    pairs: list[Pair] = []
    for place, raw in (each for file in files for each in jsonl.values(file)):
        try:
            pairs.append(_pair(raw))
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{place}: {error}") from error
    if not pairs:
        raise CorpusError(f"{path}: no pairs; expected JSON Lines with `a` and `b`")
    return pairs


def examine(
    pairs: Sequence[Pair], classify: Callable[[Sequence[Example]], Sequence[Verdict]]
) -> Behaviour:
    """Classify both sides of every pair and compare."""
    said = classify([side.example for pair in pairs for side in (pair.a, pair.b)])
    outcomes = tuple(
        Outcome(pair, (first, second))
        for pair, first, second in zip(pairs, said[::2], said[1::2], strict=True)
    )
    return Behaviour(said[0].model, outcomes)


def _pair(raw: dict[str, Any]) -> Pair:
    if raw["kind"] not in get_args(Kind):
        raise ValueError(f"`kind` is {raw['kind']!r}, expected invariance or direction")
    sides = [
        item_of(
            raw[side]
            | {"id": f"{raw['id']}-{side}", "label": raw[f"label_{side}"], "writer": raw["writer"]}
        )
        for side in ("a", "b")
    ]
    if sides[0].example == sides[1].example:
        raise ValueError("both sides are the same")
    if (sides[0].label == sides[1].label) != (raw["kind"] == "invariance"):
        raise ValueError(f"its labels do not fit the kind {raw['kind']!r}")
    return Pair(str(raw["id"]), cast("Kind", raw["kind"]), str(raw["topic"]), sides[0], sides[1])


def described(outcome: Outcome) -> list[tuple[str, Label | None, Label, float, str]]:
    """Of each side: its letter, the right label, the label said, its probability, the beginning."""
    return [
        (
            side,
            item.label,
            verdict.label,
            verdict.confidence,
            " ".join(f"{item.example.subject} {item.example.text}".split())[:60],
        )
        for side, item, verdict in zip(
            "ab", (outcome.pair.a, outcome.pair.b), outcome.said, strict=True
        )
    ]
