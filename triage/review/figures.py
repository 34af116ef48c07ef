"""What reviews say about the worker: how many leads are filed unseen, how often people agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage.store.repository import Repository
from triage.store.reviews import Pair

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """`found` of `of`, with the exact interval (Clopper and Pearson) at 95 %."""

    found: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share itself; None where nothing was looked at."""
        return self.found / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """What two reviewers said of the same inquiries. `kappa` is Cohen's: 1 always the same, 0 as
    chance would have it; None where it has no meaning (fewer than two pairs, or one label only).
    """

    pairs: int
    same: int
    kappa: float | None
    disputed: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """`lost`: leads among what was filed unseen and audited; `filed`: how many were filed."""

    filed: int
    lost: Share
    agreement: Agreement


def figures(repository: Repository, since: datetime | None = None) -> Figures:
    """The figures of what was reviewed since then, or ever."""
    number, found = repository.reviews.audited(since)
    return Figures(
        repository.settlements.filed(since),
        share(found, number),
        agreement(repository.reviews.pairs(since)),
    )


def share(found: int, of: int) -> Share:
    """A share with its interval; from 0 to 1 where nothing was looked at."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    from scipy.stats import binomtest  # noqa: PLC0415 - heavy

    interval = binomtest(found, of).proportion_ci(CONFIDENCE, method="exact")
    return Share(found, of, float(interval.low), float(interval.high))


def agreement(pairs: Sequence[Pair]) -> Agreement:
    """How often two people said the same of one inquiry, beyond chance."""
    labels = {label for pair in pairs for label in (pair.first, pair.second)}
    number = sum(pair.number for pair in pairs)
    kappa = None
    if number > 1 and len(labels) > 1:
        from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415 - heavy

        first, second = [pair.first for pair in pairs], [pair.second for pair in pairs]
        weights = [pair.number for pair in pairs]
        kappa = float(cohen_kappa_score(first, second, sample_weight=weights))
    differing = [pair for pair in pairs if pair.first != pair.second]
    return Agreement(
        number,
        number - sum(pair.number for pair in differing),
        kappa,
        tuple((pair.first, pair.second, pair.number) for pair in differing),
    )
