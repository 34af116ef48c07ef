"""Whether the contact decides: `yes`, `no`, or nothing where neither was said."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.authority import DECIDES, OWNS
from triage.signals.errand import ASKS_FOR_OTHERS
from triage.signals.source import Finding, Material, Source

_HEAD_ROLE: Final = re.compile(
    r"\b(?:owners?|co-?owner|(?:co-?)?founder|proprietor|director|ceo|cfo|coo|cto|cio|cmo|chief "
    r"\w+"
    r"(?: officer)?|president|vice president|vp|head of|managing \w+|principal|budget holder"
    r"|general manager|partner|bursar|treasurer|landlord|landlady)\b",
    re.IGNORECASE,
)
_HELPER_ROLE: Final = re.compile(
    r"\b(?:assistant|pa|ea|secretary|intern|student|receptionist|clerk|trainee)\b", re.IGNORECASE
)
_NOT_HEAD: Final = re.compile(
    r"\b(?:to (?:the|our|w\.|\w+\.?)|assistant|deputy assistant|office of|for)\b", re.IGNORECASE
)
_DENIED: Final = re.compile(
    r"(?:\bnot|n't|\bnever|\bif|\bused to be|\bwhen|\bonce|\bunless|\bwere|\bno longer)\s+(?:\w+ "
    r")?$"
)


def find_decision(material: Material, role: Finding | None) -> Finding | None:
    """`yes` or `no`, with the words that say so. What is said outweighs a title.

    Somebody who says that they decide does so, whoever asked them; then comes who asks for somebody
    else; then ownership and titles.
    """
    ranked = ((DECIDES, "yes", 0.9), (ASKS_FOR_OTHERS, "no", 0.85), (OWNS, "yes", 0.8))
    for pattern, value, confidence in ranked:
        for source in material.own:
            if match := _stated(pattern, source, check=value == "yes"):
                return Finding(source, *match.span(), confidence, value, value)
    return _by_title(role)


def _stated(pattern: re.Pattern[str], source: Source, *, check: bool) -> re.Match[str] | None:
    for match in pattern.finditer(source.lower):
        before = source.lower[max(0, match.start() - 24) : match.start()]
        if not (check and _DENIED.search(before)):
            return match
    return None


def _by_title(role: Finding | None) -> Finding | None:
    if role is None:
        return None
    title = role.quote
    if _HELPER_ROLE.search(title):
        value = "no"
    elif _HEAD_ROLE.search(title) and not _NOT_HEAD.search(title):
        value = "yes"
    else:
        return None
    return Finding(role.source, role.start, role.end, 0.8, value, value)
