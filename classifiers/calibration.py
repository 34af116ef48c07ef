"""Honest probabilities: a blend of logits, an abstain rule, and how far both can be trusted.

Everything here is fitted on held-out examples; fitted on training data it would only flatter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.labels import LABELS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAD = LABELS.index("lead")
LEAD_SHARE = 0.15
"""Of what reaches a shared inbox, the share of leads for which precision is asked."""


@dataclass(frozen=True, slots=True)
class AbstainRule:
    """Abstain where the confidence or the margin (both 0 to 1) is below its threshold.

    And where the label is another but a lead at least as probable as `lead` (see `bound`), or where
    it is a lead less probable than `sure`: what is forwarded unseen should be one.
    """

    confidence: float = 0.0
    margin: float = 0.0
    lead: float = 1.0
    sure: float = 0.0

    def abstains(self, probabilities: Floats) -> NDArray[np.bool_]:
        """For each row of (items, labels), whether the model abstains."""
        best, second = _top_two(probabilities)
        unsure = (best < self.confidence) | (best - second < self.margin)
        said, chance = probabilities.argmax(axis=1) == LEAD, probabilities[:, LEAD]
        perhaps = np.where(said, chance < self.sure, chance >= self.lead)
        result: NDArray[np.bool_] = unsure | perhaps
        return result


@dataclass(frozen=True, slots=True)
class Blend:
    """How the two parts of a model become one: the weight of each part's logits.

    The weights are temperatures as well: their sum is free, so that probabilities are calibrated.
    """

    network: float = 1.0
    lexical: float = 0.0

    def probabilities(self, network: Floats, lexical: Floats) -> Floats:
        """Calibrated probabilities, (items, labels), from both parts' logits."""
        return softmax(self.network * network + self.lexical * lexical)


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities of each row."""
    scaled = logits / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Floats = weights / weights.sum(axis=1, keepdims=True)
    return result


def log_losses(logits: Floats, truth: Ints, temperature: float = 1.0) -> Floats:
    """Negative log-likelihood of the true label of each row."""
    chosen = softmax(logits, temperature)[np.arange(len(truth)), truth]
    result: Floats = -np.log(np.maximum(chosen, 1e-12))
    return result


def log_loss(logits: Floats, truth: Ints, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the true labels."""
    return float(log_losses(logits, truth, temperature).mean())


def fit_temperature(logits: Floats, truth: Ints) -> float:
    """The temperature with the least log-loss (Guo et al. 2017), found to within 2 %."""
    grid = np.geomspace(0.2, 10.0, 200)
    return float(min(grid, key=lambda temperature: log_loss(logits, truth, temperature)))


def fit_blend(network: Floats, lexical: Floats, truth: Ints) -> Blend:
    """Of the blends that these items cannot tell from the one with the least log-loss (paired, two
    standard errors), the one that leans most on the network.

    Held-out items of a corpus are of its world, where words say more than they do elsewhere: what
    fits them best gives the lexical part too much.
    """
    first, second = fit_temperature(network, truth), fit_temperature(lexical, truth)
    blends, losses = [], []
    for share in np.linspace(0.0, 1.0, 41):
        mixed = share * network / first + (1 - share) * lexical / second
        temperature = fit_temperature(mixed, truth)
        blends.append(
            Blend(float(share / first / temperature), float((1 - share) / second / temperature))
        )
        losses.append(log_losses(mixed, truth, temperature))
    best = min(losses, key=lambda loss: float(loss.mean()))
    alike = [
        blend
        for blend, loss in zip(blends, losses, strict=True)
        if (loss - best).mean() <= 2 * (loss - best).std() / np.sqrt(len(truth))
    ]
    return alike[-1]


def choose_abstain(
    probabilities: Floats,
    truth: Ints,
    *,
    lead: float = 1.0,
    sure: float = 0.0,
    review_share: float = 0.15,
) -> AbstainRule:
    """The rule, by confidence or by margin, with the best accuracy on what is left.

    `lead` and `sure` are part of every rule: no lead may get lost, and what is forwarded should be
    one. What they abstain from counts towards `review_share`, the most that may be abstained from;
    where they take all of that, nothing is added. Of equally accurate rules the one that abstains
    less.
    """
    best, second = _top_two(probabilities)
    right = probabilities.argmax(axis=1) == truth
    needed = AbstainRule(lead=lead, sure=sure)
    rules = []
    for share in np.arange(0.01, review_share + 1e-9, 0.01):
        rules.append(replace(needed, confidence=float(np.quantile(best, share))))
        rules.append(replace(needed, margin=float(np.quantile(best - second, share))))

    def merit(rule: AbstainRule) -> tuple[float, float]:
        gone = rule.abstains(probabilities)
        return (float(right[~gone].mean()) if not gone.all() else 0.0, -float(gone.mean()))

    allowed = [rule for rule in rules if rule.abstains(probabilities).mean() <= review_share]
    return max([needed, *allowed], key=merit)


def choose_sure(probabilities: Floats, truth: Ints, *, precision: float = 0.92) -> float:
    """The least probability, in steps of 0.05, from which on leads are forwarded unseen.

    `precision`: the share of true leads among those, where `LEAD_SHARE` of what arrives are leads:
    held-out items have more of them, and flatter. It is asked for with some room, as few leads show
    it; where it is never reached, the step with the best one.
    """
    said, is_lead = probabilities.argmax(axis=1) == LEAD, truth == LEAD
    leads = np.clip(is_lead.mean(), 1e-9, 1 - 1e-9)
    weight = np.where(is_lead, LEAD_SHARE / leads, (1 - LEAD_SHARE) / (1 - leads))
    best, found = 0.0, 0.0
    for step in np.linspace(0, 0.95, 20).round(2).tolist():
        sent = said & (probabilities[:, LEAD] >= step)
        right = float(weight[sent & is_lead].sum() / weight[sent].sum()) if sent.any() else 0.0
        if right >= precision:
            return float(step)
        if right > best:
            best, found = right, float(step)
    return found


def expected_calibration_error(probabilities: Floats, truth: Ints, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by their size."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    cell = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(right[cell == i].mean() - confidence[cell == i].mean()) * (cell == i).mean()
            for i in range(bins)
            if (cell == i).any()
        )
    )


def leads_filed(
    probabilities: Floats, truth: Ints, abstained: NDArray[np.bool_], *, floor: float = 1.0
) -> Ints:
    """Indices of true leads that nobody would look at.

    Those are labelled otherwise, not abstained from, and less likely a lead than `floor`, which a
    business may set besides the model's own.
    """
    filed = (probabilities.argmax(axis=1) != LEAD) & ~abstained & (probabilities[:, LEAD] < floor)
    return np.flatnonzero(filed & (truth == LEAD))


def _top_two(probabilities: Floats) -> tuple[Floats, Floats]:
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1], ordered[:, -2]
