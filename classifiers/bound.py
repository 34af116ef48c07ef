"""How many leads may get lost: a threshold with a guarantee instead of a guess.

What the model does not call a lead is filed without a person only where the probability of a lead
is below a floor. The floor is chosen on leads that were held out for it, by conformal risk control
in its form for high confidence (Learn then Test with a fixed sequence, Angelopoulos et al. 2021):
going up from zero, as long as the exact upper bound on the share of leads filed (Clopper and
Pearson 1934) stays within the level. It needs 299 leads to show 1 % at 95 %, even if none is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifiers.calibration import LEAD, Floats, Ints

LEVEL = 0.01
CONFIDENCE = 0.95
UNPROVEN_FLOOR = 0.02


@dataclass(frozen=True, slots=True)
class FilingBound:
    """What was shown about lost leads: `filed` of `leads` held-out leads below `floor`.

    `upper` bounds their true share with `confidence`; `level` is what was asked for. All are shares
    of 0 to 1.
    """

    floor: float
    leads: int
    filed: int
    upper: float
    level: float = LEVEL
    confidence: float = CONFIDENCE

    @property
    def holds(self) -> bool:
        """Whether the level is shown. It cannot be with fewer leads than the level asks for."""
        return self.upper <= self.level


def choose_floor(
    probabilities: Floats,
    truth: Ints,
    *,
    level: float = LEVEL,
    confidence: float = CONFIDENCE,
) -> FilingBound:
    """The highest floor that keeps the bound, for rows of (items, labels) not fitted on.

    Whatever else the model abstains from can only save more leads. With too few leads to show
    `level` the floor is `UNPROVEN_FLOOR`, or the least probability of a true lead if less.
    """
    leads = probabilities[truth == LEAD]
    at_risk = np.sort(leads[leads.argmax(axis=1) != LEAD, LEAD])
    allowed = _allowed(len(leads), level, confidence)
    if allowed < 0:
        floor = float(min([UNPROVEN_FLOOR, *at_risk[:1]]))
    else:
        # Floors above the highest probability at risk file no further lead.
        floor = float(at_risk[allowed]) if allowed < len(at_risk) else 1.0
    filed = int((at_risk < floor).sum())
    upper = upper_bound(filed, len(leads), confidence)
    return FilingBound(floor, len(leads), filed, upper, level, confidence)


def upper_bound(hits: int, total: int, confidence: float = CONFIDENCE) -> float:
    """The one-sided Clopper-Pearson bound on a share of which `hits` of `total` were seen."""
    from scipy.special import betaincinv  # noqa: PLC0415 - heavy

    return 1.0 if hits >= total else float(betaincinv(hits + 1, total - hits, confidence))


def _allowed(total: int, level: float, confidence: float) -> int:
    """How many of `total` leads may be filed within the bound; -1 if not even none may."""
    allowed = -1
    while allowed < total and upper_bound(allowed + 1, total, confidence) <= level:
        allowed += 1
    return allowed
