"""How close to buying the contact is: `ready`, `evaluating`, `researching`, or nothing."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.comparison import EVALUATING
from triage.signals.intent import COMMITTED, RESEARCHING, URGENT
from triage.signals.source import Finding, Material
from triage.signals.timeline import Horizon, When

_TURNED: Final = re.compile(r",? (?:but|though|however)\b")
_NEGATED: Final = re.compile(r"(?:\bnot|n't|\bno|\bisn't|\bnothing|\bwithout)\s+(?:\w+ )?$")


def find_readiness(material: Material, when: When | None) -> Finding | None:
    """The readiness that was said, else the one that the stated time implies.

    A named day is a wish to buy by then; a month, a quarter or a season is a plan; what lies about
    a year ahead is research. Somebody who compares offers but needs it within days is ready.
    """
    if committed := _said(material, COMMITTED, "ready", 0.85):
        return committed
    if researching := _said(material, RESEARCHING, "researching", 0.8):
        return researching
    evaluating = _said(material, EVALUATING, "evaluating", 0.8)
    if when and when.soon and not (evaluating and _together(evaluating, when.finding)):
        return _implied(when)
    return evaluating or _said(material, URGENT, "ready", 0.75) or _implied(when)


def _together(one: Finding, other: Finding) -> bool:
    """Whether two findings are in one sentence: the day is then the comparison's, not the "
    "wish's.
    """
    first, last = sorted((one, other), key=lambda finding: finding.start)
    between = first.source.heard[first.end : last.start]
    return one.source is other.source and not re.search(r"[.?!;\n]|\b(?:but|need)\b", between)


def _said(
    material: Material, pattern: re.Pattern[str], value: str, confidence: float
) -> Finding | None:
    for source in material.own:
        for match in pattern.finditer(source.lower):
            before = source.lower[max(0, match.start() - 16) : match.start()]
            turned = value == "researching" and _TURNED.match(source.lower, match.end())
            if not _NEGATED.search(before) and not turned:
                return Finding(source, *match.span(), confidence, value, value)
    return None


def _implied(when: When | None) -> Finding | None:
    if when is None:
        return None
    value = {
        Horizon.NEAR: "ready",
        Horizon.LATER: "evaluating",
        Horizon.FAR: "researching",
    }[when.horizon]
    finding = when.finding
    return Finding(finding.source, finding.start, finding.end, 0.65, value, value)
