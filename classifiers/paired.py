"""Whether one model is better than another on the same items, by a test for pairs.

McNemar's test in its exact form: where both are right or both wrong, nothing is learned; of the
rest, equally good models would win half. It is done on groups, not on items: mails of one sender
stand and fall together, and would count many times what was seen once. A group is won by whoever is
right about more of it. Exact, because the groups that differ are often a handful, where the
approximations (and a bootstrap) promise more than they hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Ints

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Paired:
    """How many groups the one won (`better`) and lost (`worse`), the rest being draws.

    `p_better`: the chance of so many won if both were equally good; `p_worse`: of so many lost.
    """

    groups: int
    better: int
    worse: int
    p_better: float
    p_worse: float

    @property
    def is_better(self) -> bool:
        """Whether it is shown to be better."""
        return self.p_better < LEVEL

    @property
    def is_worse(self) -> bool:
        """Whether it is shown to be worse."""
        return self.p_worse < LEVEL


def compare(before: NDArray[np.bool_], after: NDArray[np.bool_], groups: Ints) -> Paired:
    """`before` and `after`: whether each model is right about each item; `groups` as many."""
    kinds, group = np.unique(groups, return_inverse=True)
    won = np.bincount(group, weights=after.astype(int) - before.astype(int), minlength=len(kinds))
    better, worse = int((won > 0).sum()), int((won < 0).sum())
    return Paired(
        len(kinds), better, worse, _tail(better, better + worse), _tail(worse, better + worse)
    )


def _tail(hits: int, total: int) -> float:
    """The chance of so many heads or more in `total` throws of a fair coin."""
    from scipy.special import betainc  # noqa: PLC0415 - heavy

    return 1.0 if hits == 0 else float(betainc(hits, total - hits + 1, 0.5))
