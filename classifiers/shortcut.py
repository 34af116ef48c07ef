"""The shortcut past the network: what the lexical part is sure of, it settles alone.

Half of what a shared inbox receives is plain: an unsubscribe footer, a CV, a wrong number. There
the blend of both parts says what the lexical part said, and reading the text with the network only
costs time. Where the lexical part is less sure, or sees any chance that a lead would be filed, the
network reads. So it does what sounds like support: a customer who wants something new uses the same
words. Bound and abstain rule are chosen with the shortcut in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import LEAD, Blend, Floats, Ints, fit_temperature, softmax
from classifiers.labels import LABELS

GUARD: Final = 0.01
"""Most probability of a lead that is settled as anything else."""
MARGINS: Final = tuple(np.linspace(0.5, 1.0, 21).round(3).tolist())
_SUPPORT: Final = LABELS.index("support")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """When the lexical part decides alone; as it stands, never.

    `weight` of its logits there (an inverse temperature); `margin` between its two best labels, and
    the probability of a `lead`, both 0 to 1: it settles from the one on and below the other.
    """

    weight: float = 1.0
    margin: float = 1.0
    lead: float = 0.0

    def settled(self, lexical: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Its own probabilities for rows of logits (items, labels), and which rows it settles."""
        alone = softmax(self.weight * lexical)
        ordered, said = np.sort(alone, axis=1), alone.argmax(axis=1)
        safe = (said == LEAD) | ((alone[:, LEAD] < self.lead) & (said != _SUPPORT))
        clear = ordered[:, -1] - ordered[:, -2] >= self.margin
        return alone, clear & safe & (self.margin < 1)

    def probabilities(self, blend: Blend, network: Floats, lexical: Floats) -> Floats:
        """What the model says with it, (items, labels), where the network has read everything."""
        alone, settled = self.settled(lexical)
        result: Floats = np.where(settled[:, None], alone, blend.probabilities(network, lexical))
        return result


def choose_shortcut(blend: Blend, network: Floats, lexical: Floats, truth: Ints) -> Shortcut:
    """One step more than the least margin with which no item gets another label than without it:
    elsewhere words say less than they do among these items.
    """
    full = blend.probabilities(network, lexical).argmax(axis=1)
    weight = 1 / fit_temperature(lexical, truth)
    for least, margin in pairwise(MARGINS):
        alone, settled = Shortcut(float(weight), float(least), GUARD).settled(lexical)
        if not (settled & (alone.argmax(axis=1) != full)).any():
            return Shortcut(float(weight), float(margin), GUARD)
    return Shortcut()
