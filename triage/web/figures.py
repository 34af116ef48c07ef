"""What the gate measured, as pages show it: words, pairs of figures, and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from classifiers.labels import LABELS

_HEAT: Final = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of the model that decides and of the other one, as text. `better`: whether the
    second is better (None: alike); `hint` explains it.
    """

    name: str
    before: str
    after: str
    better: bool | None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A share of 0 to 1 and its 95 % interval, in hundredths of the width."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """The share for people."""
        return f"{self.value / 100:.2f}"


@dataclass(frozen=True, slots=True)
class Class:
    """One label: `support` true items; F1, precision and recall of both models."""

    label: str
    support: int
    before: Mapping[str, Bar]
    after: Mapping[str, Bar]


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a label was taken for another; `heat` 0 to 5 is the share of its row."""

    number: int
    heat: int
    right: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows are what is true, columns what was said; only labels that occur."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def pairs(figures: Mapping[str, Any]) -> list[Pair]:
    """The figures that decide, side by side; none where the model was not measured."""
    before, after = figures.get("before"), figures.get("after")
    if not before or not after:
        return []
    found = [
        _shares("Accuracy", before, after, "accuracy", "share of inquiries labelled rightly"),
        _shares("Macro-F1", before, after, "macro_f1", "mean over labels, rare ones count alike"),
        _shares("Leads found", before, after, "lead_recall", "share of leads called a lead"),
        _shares("Leads sent are leads", before, after, "leads_sent",
                "share of leads among what a team gets unseen"),
    ]  # fmt: skip
    if lost := figures.get("lost_leads"):
        one, other = int(lost["before"]), int(lost["after"])
        hint = f"of {figures.get('leads', 0)}, filed with nobody seeing them"
        found.append(Pair("Leads lost", str(one), str(other), _less(one, other), hint))
    if asked := figures.get("asked"):
        was, now = float(asked["before"]), float(asked["after"])
        hint = "share that people would be asked about"
        found.append(
            Pair("For review", f"{was:.0%}", f"{now:.0%}",
                 _less(round(was, 2), round(now, 2)), hint)
        )  # fmt: skip
    return found


def classes(figures: Mapping[str, Any]) -> list[Class]:
    """Every label that occurs, the commonest first."""
    before, after = figures.get("before"), figures.get("after")
    if not before or not after:
        return []
    found = [
        Class(
            label,
            int(after["classes"][label]["support"]),
            _bars(before["classes"].get(label)),
            _bars(after["classes"][label]),
        )
        for label in LABELS
        if label in after["classes"] and after["classes"][label]["support"]
    ]
    return sorted(found, key=lambda one: -one.support)


def confusion(report: Mapping[str, Any] | None) -> Confusion | None:
    """The table of what was taken for what; None where nothing was measured."""
    counts: Mapping[str, Mapping[str, int]] = (report or {}).get("confusion") or {}
    if not counts:
        return None
    said = {label for row in counts.values() for label in row}
    labels = tuple(label for label in LABELS if label in counts or label in said)
    rows = tuple(
        (truth, _cells(labels, truth, counts[truth])) for truth in labels if truth in counts
    )
    return Confusion(labels, rows)


def shares(counts: Mapping[str, int]) -> list[tuple[str, int, float]]:
    """Counts with their length as bars: name, number, share of the greatest in hundredths."""
    most = max(counts.values(), default=1) or 1
    return [(name, number, round(100 * number / most, 1)) for name, number in counts.items()]


def _cells(labels: Sequence[str], truth: str, row: Mapping[str, int]) -> tuple[Cell, ...]:
    whole = sum(row.values()) or 1
    return tuple(
        Cell(number, -(-number * _HEAT // whole), label == truth)
        for label in labels
        for number in [int(row.get(label, 0))]
    )


def _bars(found: Mapping[str, Any] | None) -> dict[str, Bar]:
    return {
        name: Bar(*(round(100 * float(found[name][part]), 1) for part in ("value", "low", "high")))
        for name in ("f1", "precision", "recall")
        if found
    }


def _shares(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], key: str, hint: str
) -> Pair:
    one, other = (float(report[key]["value"]) for report in (before, after))
    return Pair(name, f"{one:.3f}", f"{other:.3f}", _less(round(other, 3), round(one, 3)), hint)


def _less(first: float, second: float) -> bool | None:
    """Whether the second is less; None where they are alike."""
    return None if first == second else second < first
