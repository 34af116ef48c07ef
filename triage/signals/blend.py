"""What is said in the end, from what rules and tagger found: decided by figures, not by taste.

Figures are of leads by writers who wrote nothing that the network was trained on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from classifiers.labels import SignalName
from classifiers.tag_marks import SpanName
from triage.signals.candidates import Reading, candidates
from triage.signals.choice import field_of
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
    found = candidates(name, reading)
    if not found:
        return None
    if ranking := reading.learned.ranking.get(name):
        at, probability = ranking.best(field_of(name, found, reading))
        floor = ranking.floor
    else:
        alone = [max(one.score, one.ruled) for one in found]
        probability, floor = max(alone), _EVEN
        at = alone.index(probability)
    if probability < floor:
        return None
    return replace(found[at].finding, confidence=probability)


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
