"""What is said in the end, from what rules and tagger found: decided by figures, not by taste.

Figures are of leads by writers who wrote nothing that the network was trained on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from classifiers.labels import SignalName
from classifiers.tag_marks import SpanName
from triage.signals.candidates import Candidate, Reading, around, candidates, features
from triage.signals.learned import Learned
from triage.signals.source import Finding

VOTES: Final[dict[SignalName, float]] = {"decision_maker": 2.0, "readiness": 1.5}
"""What a rule's value adds to the logarithm of its probability."""

SILENCE: Final[dict[SignalName, float]] = {"decision_maker": 0.5, "readiness": 1.5}
"""What it adds to that of `unknown` if rules find nothing. Whoever speaks of their own house or
boat decides, and no list of phrases has them all: there silence says little.
"""

_EVEN: Final = 0.5  # from which probability a candidate is taken that no ranking was learned for


def stated(name: SpanName, reading: Reading) -> Finding | None:
    """The likeliest candidate of a signal, if it is likely enough."""
    ranking = reading.learned.ranking.get(name)
    floor = ranking.floor if ranking else _EVEN

    def probability(candidate: Candidate) -> float:
        if ranking is None:
            return max(candidate.score, candidate.ruled)
        seen = around(name, candidate, reading)
        return ranking.probability(features(name, candidate, reading), seen)

    scored = [(probability(candidate), candidate) for candidate in candidates(name, reading)]
    best = max(scored, key=lambda pair: pair[0], default=None)
    if best is None or best[0] < floor:
        return None
    return replace(best[1].finding, confidence=best[0])


def chosen(name: SignalName, rule: Finding | None, learned: Learned) -> Finding | None:
    """The likeliest value after the rule's vote; nothing where it is `unknown`."""
    votes = {rule.value: VOTES[name]} if rule else {"unknown": SILENCE[name]}
    value, probability, shown = learned.choose(name, votes)
    if value == "unknown":
        return None
    where = rule if rule is not None and rule.value == value else shown
    if where is None:
        return None
    return Finding(where.source, where.start, where.end, probability, value, value)
