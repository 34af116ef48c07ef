"""Which says more about a signal, the rules or the tagger: decided by figures, not by taste.

Figures are of leads by writers who wrote nothing that the network was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from classifiers.labels import SignalName
from classifiers.tag_marks import SpanName
from triage.signals.learned import Learned
from triage.signals.source import Finding

NEVER: Final = 1.01
FLOORS: Final[dict[SpanName, tuple[float, float]]] = {
    "contact_name": (0.9, 0.7),
    "company": (0.85, 0.6),
    "role": (NEVER, 0.3),
    "location": (0.85, 0.8),
    "company_size": (NEVER, 0.6),
    "budget": (NEVER, 0.65),
    "timeline": (NEVER, 0.2),
    "product_interest": (0.65, 0.25),
}
"""From which probability the tagger goes before a rule, and from which it stands without one."""

VOTES: Final[dict[SignalName, float]] = {"decision_maker": 1.5, "readiness": 1.5}
"""What a rule's value adds to the logarithm of its probability."""


def stated(name: SpanName, rule: Finding | None, learned: Learned) -> Finding | None:
    """The better of what a rule and the tagger found."""
    before, alone = FLOORS[name]
    return learned.best(name, before) or rule or learned.best(name, alone)


def chosen(name: SignalName, rule: Finding | None, learned: Learned) -> Finding | None:
    """The likeliest value after the rule's vote; nothing where it is `unknown`."""
    votes: Mapping[str, float] = {rule.value if rule else "unknown": VOTES[name]}
    value, probability, shown = learned.choose(name, votes)
    if value == "unknown":
        return None
    where = rule if rule is not None and rule.value == value else shown
    if where is None:
        return None
    return Finding(where.source, where.start, where.end, probability, value, value)
