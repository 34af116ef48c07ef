"""What is wanted, as a short phrase in the contact's words."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source

_WANT: Final = re.compile(
    r"\b(?:quot(?:e|ation)(?: me| us)? (?:for|on)|pric(?:e|es|ing) (?:for|on|of)|cost (?:for|of)"
    r"|estimates? (?:for|on)"
    r"|interested in|looking (?:for|to (?:get|buy|book|hire|rent|replace|install|have))|in the "
    r"market for|inquir\w+ about|"
    r"enquir\w+ about|(?:ask|asking|calling|ringing|writing) about|(?:i|we)(?:'d| would) (?:like"
    r"|love|need|want) (?:to (?:get|book|buy|have|order|hire)"
    r" )?|(?:i|we|she|he|you) (?:really |just |only |would |also )*(?:need|want|wanted)s?(?: to "
    r"(?:get|have|buy|book|order|hire|replace|rent))?|(?:i'?m|we'?re) after|"
    r"how much (?:for|is|are|would|to)|what (?:does|do|would|is|will) (?:a |an )?(?=[\w' -]+ "
    r"(?:cost|go for|run))|do (?:you|y'?all|ye|yall) "
    r"(?:guys )?(?:do|sell|offer|have|carry|rent|hire|still do)|have you got|can you (?:do|quote"
    r"|price|handle|supply)|could you "
    r"(?:do|quote|price|supply)|curious about|price on|quote (?:you )?me|need somebody to"
    r"|somebody to|appointment for|requested?"
    r"|proposal for|demo of|respond to)\s+(?P<what>[^.?!;:\n]{3,90})"
)
_STOP_AT: Final = re.compile(
    r"(?:,? (?:and|but|so|because|cause|since|if|when|who|which|that|before|by|in (?:my|our|the"
    r"|a)|for (?:my|our|the|a|about|about)|"
    r"at (?:my|our|the)|with (?:you|y'all)|from you|please|pls|as|until|please|on (?:the|my|our)"
    r"|can|could|is|are|then|thanks|cost"
    r"|run|go for)\b|,|\(|--| - | \u2013 | \u2014 )"
)
_EMPTY: Final = re.compile(
    r"(?:you|me|it|them|to|someone|somebody|know|that|this|one|something|anything|a (?:quote"
    r"|price|number)|hear|talk|speak|any\w*|see if"
    r"|help|info\w*|more info\w*|an? (?:idea|estimate|appointment|callback)|us|your|what|how|who"
    r"|if)\b"
)
_LEAD: Final = re.compile(
    r"^(?:some|a|an|the|to|us|me|about|out|for|you|your|getting|one of (?:them|those)|my|our)\s+"
)
_SUBJECT_NOISE: Final = re.compile(
    r"^(?:(?:re|fw|fwd|aw|wg)\s*:\s*)*(?:\[[^\]]*\]\s*)?(?:(?:quote|price|estimate|enquiry"
    r"|inquiry|question|request|quotation|rfq|rfp)"
    r"(?: request)?(?: for| about| on|:| -)?\s*)?",
    re.IGNORECASE,
)
_GENERIC: Final = re.compile(
    r"(?:new )?(?:submission|message|contact|request|website|form|enquiry|inquiry|hi|hello|hey"
    r"|question|quote|\(none\)|help|sms|demo"
    r"|vendor|lead|appointment|vendor inquiry|\d+)\b",
    re.IGNORECASE,
)


def find_product(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """The phrase after a wish, a form's field, else a telling subject."""
    if stated := form.get("product_interest"):
        if len(stated.quote) <= 90:
            return stated
        return Finding(stated.source, stated.start, stated.start + _cut(stated.quote), 0.8)
    for source in material.written:
        if source.field == "subject":
            continue
        if found := _wish(source):
            return found
    return next((_subject(s) for s in material.sources if s.field == "subject"), None)


def _wish(source: Source) -> Finding | None:
    for match in _WANT.finditer(source.lower):
        start, text = match.start("what"), match["what"]
        for _ in range(3):
            lead = _LEAD.match(text)
            if not lead:
                break
            start, text = start + lead.end(), text[lead.end() :]
        end = start + _cut(text)
        if end - start >= 3 and not _EMPTY.match(source.lower[start:end]):
            return Finding(source, start, end, 0.6)
    return None


def _cut(text: str) -> int:
    stop = _STOP_AT.search(text, 3)
    words = re.match(r"(?:\S+\s+){0,7}\S+", text)
    end = min(stop.start() if stop else len(text), words.end() if words else len(text))
    return len(text[:end].rstrip(" ,-\"'"))


def _subject(source: Source) -> Finding | None:
    noise = _SUBJECT_NOISE.match(source.heard)
    start = noise.end() if noise else 0
    text = source.heard[start:]
    end = start + len(text.rstrip())
    replied = re.match(r"(?i)(?:re|fw|fwd)\s*:", source.heard.strip())
    if replied or len(text.strip()) < 4 or len(text.split()) > 8 or _GENERIC.match(text):
        return None
    return Finding(source, start, end, 0.4)
