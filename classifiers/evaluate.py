"""How well verdicts fit the truth, as plain data with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.bound import upper_bound
from classifiers.calibration import LEAD, Floats, Ints, expected_calibration_error, leads_filed
from classifiers.dataset import Item, labels_of
from classifiers.errors import CorpusError
from classifiers.labels import LABELS, Label
from classifiers.verdict import Verdict

Z95: Final = 1.959964
RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of 0 to 1 with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One label: `support` true items; Wilson intervals for shares, bootstrap for F1."""

    support: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One source; macro-F1 is over the labels that occur in it."""

    items: int
    accuracy: Estimate
    macro_f1: Estimate


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one model on one set.

    `confusion[truth][said]` are counts; `coverage` is the share not abstained from,
    `accuracy_covered` the accuracy there. `leads_sent` is the share of true leads among what a team
    gets unseen: called a lead and not abstained from. `leads_filed` is the share of true leads that
    would be filed without a person seeing them, `leads_filed_bound` the one-sided 95 % upper bound
    on it. `calibration_error` is the expected calibration error.
    """

    model: str
    items: int
    accuracy: Estimate
    macro_f1: Estimate
    classes: Mapping[Label, ClassFigures]
    sources: Mapping[str, SourceFigures]
    confusion: Mapping[Label, Mapping[Label, int]]
    coverage: float
    accuracy_covered: float
    lead_recall: Estimate
    leads_sent: Estimate
    leads_filed: Estimate
    leads_filed_bound: float
    calibration_error: float


def evaluate(
    items: Sequence[Item], verdicts: Sequence[Verdict], *, lead_floor: float = 1.0
) -> Report:
    """Compare labelled items with their verdicts, which are in the same order.

    `lead_floor`: from that probability of a lead on nothing is filed unseen, as the settings may
    say besides the model's own rule.
    """
    if not items or len(items) != len(verdicts):
        raise CorpusError(f"{len(items)} items and {len(verdicts)} verdicts: nothing to compare")
    truth = _indices(labels_of(items))
    said = _indices([verdict.label for verdict in verdicts])
    probabilities = np.array([[v.scores[label] for label in LABELS] for v in verdicts])
    abstained = np.array([verdict.abstained for verdict in verdicts])
    right = truth == said
    sent = (said == LEAD) & ~abstained
    confusion = _confusion(truth, said)
    classes = _classes(confusion)
    leads = int((truth == LEAD).sum())
    filed = leads_filed(probabilities, truth, abstained, floor=lead_floor)
    return Report(
        model=verdicts[0].model,
        items=len(items),
        accuracy=wilson(int(right.sum()), len(items)),
        macro_f1=_macro_f1(confusion),
        classes=classes,
        sources=_sources(items, truth, said),
        confusion={
            LABELS[i]: {LABELS[j]: int(n) for j, n in enumerate(row) if n}
            for i, row in enumerate(confusion)
            if row.any()
        },
        coverage=float(1 - abstained.mean()),
        accuracy_covered=float(right[~abstained].mean()) if not abstained.all() else 0.0,
        lead_recall=wilson(int((right & (truth == LEAD)).sum()), leads),
        leads_sent=wilson(int((sent & right).sum()), int(sent.sum())),
        leads_filed=wilson(len(filed), leads),
        leads_filed_bound=upper_bound(len(filed), leads),
        calibration_error=expected_calibration_error(probabilities, truth),
    )


def wilson(hits: int, total: int) -> Estimate:
    """A share with its Wilson score interval; 0 of 0 is 0, anywhere between 0 and 1."""
    if total == 0:
        return Estimate(0.0, 0.0, 1.0)
    share, squared = hits / total, Z95**2
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    half = sqrt(share * (1 - share) / total + squared / (4 * total**2)) * Z95
    half /= 1 + squared / total
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def macro_f1(truth: Ints, said: Ints) -> float:
    """Mean F1 over the labels that occur in `truth`, both as indices into `LABELS`."""
    confusion = _confusion(truth, said)
    return float(_f1(confusion[None])[0][confusion.any(axis=1)].mean())


def _indices(labels: Sequence[Label]) -> Ints:
    return np.array([LABELS.index(label) for label in labels], dtype=np.int64)


def _confusion(truth: Ints, said: Ints) -> Ints:
    counts = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(counts, (truth, said), 1)
    return counts


def _f1(confusions: NDArray[np.int64]) -> Floats:
    """F1 of each label in each of (resamples, labels, labels); 0 where nothing occurs."""
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    either = confusions.sum(axis=1) + confusions.sum(axis=2)
    result: Floats = np.divide(2.0 * hits, either, out=np.zeros(hits.shape), where=either > 0)
    return result


def _resampled(confusion: Ints) -> NDArray[np.int64]:
    """Bootstrap: what the confusion could have been, had other items been drawn."""
    rng = np.random.default_rng(0)
    total = int(confusion.sum())
    drawn = rng.multinomial(total, confusion.ravel() / total, size=RESAMPLES)
    return drawn.reshape(RESAMPLES, *confusion.shape)


def _interval(value: float, resamples: Floats) -> Estimate:
    low, high = np.quantile(resamples, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def _macro_f1(confusion: Ints) -> Estimate:
    present = confusion.any(axis=1)
    value = float(_f1(confusion[None])[0][present].mean())
    return _interval(value, _f1(_resampled(confusion))[:, present].mean(axis=1))


def _classes(confusion: Ints) -> dict[Label, ClassFigures]:
    f1, spread = _f1(confusion[None])[0], _f1(_resampled(confusion))
    said, true = confusion.sum(axis=0), confusion.sum(axis=1)
    return {
        label: ClassFigures(
            support=int(true[i]),
            precision=wilson(int(confusion[i, i]), int(said[i])),
            recall=wilson(int(confusion[i, i]), int(true[i])),
            f1=_interval(float(f1[i]), spread[:, i]),
        )
        for i, label in enumerate(LABELS)
        if true[i] or said[i]
    }


def _sources(items: Sequence[Item], truth: Ints, said: Ints) -> dict[str, SourceFigures]:
    names = np.array([item.source or "(none)" for item in items])
    figures = {}
    for name in sorted(set(names.tolist())):
        chosen = names == name
        confusion = _confusion(truth[chosen], said[chosen])
        figures[name] = SourceFigures(
            items=int(chosen.sum()),
            accuracy=wilson(int(np.diagonal(confusion).sum()), int(chosen.sum())),
            macro_f1=_macro_f1(confusion),
        )
    return figures
