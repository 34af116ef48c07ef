"""Which destination is told about which inquiry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from triage.settings import Destination, Filter
from triage.types import Channel


@dataclass(frozen=True, slots=True)
class Facts:
    """What filters look at. `own` is the business's own label; no grade: not qualified."""

    label: str
    channel: Channel
    own: str = ""
    grade: str = ""
    score: int = 0
    campaign: str = ""
    business: str = ""


def wants(destination: Destination, event: str, facts: Facts) -> bool:
    """Whether a destination is told about an event of this type and inquiry."""
    return event in destination.events and fits(destination.filter, facts)


def fits(rules: Filter, facts: Facts) -> bool:
    """Whether an inquiry meets every condition of a filter."""
    return (
        _among(rules.labels, {facts.label, facts.own} - {""})
        and _among(rules.grades, {facts.grade})
        and facts.score >= rules.min_score
        and _alike(rules.campaigns, facts.campaign)
        and _alike(rules.businesses, facts.business)
        and _among(rules.channels, {facts.channel})
    )


def _among(wanted: Sequence[str], found: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(found)


def _alike(patterns: Sequence[str], value: str) -> bool:
    if not patterns:
        return True
    folded = value.casefold()
    return any(fnmatchcase(folded, pattern.casefold()) for pattern in patterns)
