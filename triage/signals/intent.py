"""What the contact wants and how close to buying they are."""

from __future__ import annotations

import re
from typing import Final

from classifiers.labels import SignalName
from triage.signals.source import Finding, Material

_DECIDES: Final = re.compile(
    r"\b(?:i sign|i decide|i(?:'m| am) the (?:owner|founder)|my company)\b"
)
_ASKS_FOR: Final = re.compile(r"\b(?:my boss|intern|on behalf of|assistant|my director)\b")
_RESEARCHING: Final = re.compile(r"\b(?:just (?:looking|curious)|next year|no (?:rush|hurry))\b")
_EVALUATING: Final = re.compile(r"\b(?:compar\w+|(?:two|three|few|other) quotes|bids|demo)\b")
_READY: Final = re.compile(r"\b(?:today|tomorrow|asap|this week|tonight|urgent|book)\b")


def find_intent(material: Material) -> dict[SignalName, Finding]:
    """Decision maker and readiness."""
    found: dict[SignalName, Finding] = {}
    for name, value, pattern in (
        ("decision_maker", "no", _ASKS_FOR),
        ("decision_maker", "yes", _DECIDES),
        ("readiness", "researching", _RESEARCHING),
        ("readiness", "evaluating", _EVALUATING),
        ("readiness", "ready", _READY),
    ):
        for source in material.own:
            if name not in found and (match := pattern.search(source.lower)):
                found[name] = Finding(source, *match.span(), 0.8, value, value)  # type: ignore[index]
    return found
