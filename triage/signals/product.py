"""What is wanted, as a short phrase in the contact's words."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.phrases import phrases
from triage.signals.source import Finding, Material, Source

_GET: Final = (
    r"(?:get|have|buy|book|order|hire|rent|replace|reserve|schedule|arrange|put in|install"
    r"|purchase|set up|open"
    r"|find|add|see|do|learn|discuss|talk about|ask about|start|make|build|commission|organi[sz]e)"
)
_WANT: Final = phrases(
    r"(?:(?:quot(?:e|ation|es)|estimates?|bids?|proposals?|pric(?:e|es|ing)|rates?|offer|tender"
    r"|figure|cost)(?: me| us)?"
    r" (?:for|on|of)|(?:to|please|kindly|pls|us|you) quote(?: us| me)?(?: for| on)?|quote "
    r"(?:you )?me"
    r"|interested in|in the market for|in(?:quir|terest|quiring)\w* (?:about|in)|enquir\w+ "
    r"(?:about|re)"
    rf"|looking (?:for|into|at|to (?:{_GET}))|(?:ask|asking|calling|ringing|writing|wondering"
    rf"|phoning|curious|call) about"
    rf"|(?:i|we|she|he|they|you)(?:'d| would|'ll|'re going to| will)? (?:really |just |only "
    rf"|also |still |probably )*(?:like|love"
    rf"|need|needs|want|wants|wanted|be after|be wanting|be needing|require|requires|have to "
    rf"have|could use|could do with)"
    rf"(?: to (?:\w+ )?{_GET})?|(?:need|want|require|needing|wanting)(?: to {_GET})?|(?:i'?m"
    rf"|we'?re|i am|we are|she's|he's)"
    rf" (?:after|needing|wanting|thinking (?:of|about)|trying to {_GET}|hoping (?:for|to {_GET})"
    rf"|replacing|planning|opening)"
    r"|how much (?:for|is|are|would|to|do you charge (?:for|to))|what (?:does|do|would|is|will) "
    r"(?:a |an )?(?=[\w' -]{3,60}? "
    r"(?:cost|go for|run))|do (?:you|y'?all|ye|yall|u) (?:guys |folks |still |also )*(?:do|sell"
    r"|offer|have|carry|rent|hire|make"
    r"|stock|supply|give|install|service|repair|take|deliver|handle|fix|clean)(?: any)?|have "
    r"you got|(?:can|could|would|will) (?:you|u|i|we)"
    r"(?: please| possibly| just)? (?:do|quote|price|handle|supply|get|have|book|order|send|make"
    r"|reserve)(?: me| us)?(?: in)?"
    r"(?: for| with)?|(?:appointment|demo|trial|contract|proposal|requests?|requested|booking"
    r"|reservation|order|help|deal|package)"
    r" (?:for|of|with)|respond to|(?:somebody|someone|anybody) (?:to|who can|that can|for)|(?:i"
    r"|we)(?:'ve| have)? got (?=\w+ \w+ "
    r"(?:that|which|to be|needs))|submit a quotation for|services?:|subject:|the "
    r"following:)\s+(?P<what>[^.?!;:\n]{3,110})"
)
_STOP_AT: Final = re.compile(
    r"(?:,? (?:but|so|because|cause|since|if|when|who|which|that|before|by (?:the|next|end)|in "
    r"(?:my|our)"
    r"|for (?:my|our|about|around|under|next|this|them)|at (?:my|our)|with (?:you|y'all)|from "
    r"you|please|pls|as|until|please|on (?:my"
    r"|our|mon|tue|wed|thu|fri|sat|sun)\w*|can|could|is|are|then|thanks|cost|um|uh|and (?:i|we"
    r"|it|he|she|my|they|also|how|what|if)"
    r"|run|go for|i|we|you|it's|to be|would|will|our|my|next|this|i'm|we're|have|has|do)\b|\(|--"
    r"| - | \u2013 | \u2014 )"
)
_NOT_WANTED: Final = re.compile(r"(?:\bnot|n't|\bdont|\bnever|\bdo you|\bthey|\bother)(?: \w+)? $")
_EMPTY: Final = re.compile(
    r"(?:you|me|it|them|to|someone|somebody|know|that|this|one|something|anything|a (?:quote"
    r"|price|number|call|figure)|hear|talk|speak|any\w*|see if|prices?|there|here|these|those"
    r"|more|all|both|ones?|him|her|by"
    r"|help|info\w*|more info\w*|an? (?:idea|estimate|appointment|callback)|us|your|what|how|who"
    r"|if|not|on|in|at|be|go|come|look|like|from|ask|make sure|two|three (?:quotes?|prices)|the "
    r"(?:following|same|price|cost)|following|number|rate sheet"
    r"|discount|better|cheapest|yours|today|tonight|tomorrow|\w+day\b|before|after|understand"
    r"|change|discuss|spend|place"
    r"|sit|sense|part of|do|we|he|she|i|they|still|such|long|time|day|week|month|hurry|reply|acc"
    r"|going|really|\w+ing it"
    r"|#?\d+$|[$\u00a3\u20ac]|\w+$(?<=ly))\b"
)
_LEAD: Final = re.compile(
    r"^(?:some|a|an|the|to|us|me|about|around|out|for|you|your|getting|one of (?:them|those)|my"
    r"|our|any|just|like|um|uh"
    r"|somebody|someone|whether|possibly|maybe|have|get|is|are)\s+"
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
    sources = [source for source in material.written if source.field != "subject"]
    wishes = [found for source in sources if (found := _wish(source))]
    subjects = [found for s in material.sources if s.field == "subject" and (found := _subject(s))]
    return next(iter([*wishes, *subjects]), None)


def _wish(source: Source) -> Finding | None:
    for match in _WANT.finditer(source.lower):
        start, text = match.start("what"), match["what"]
        for _ in range(3):
            lead = _LEAD.match(text)
            if not lead:
                break
            start, text = start + lead.end(), text[lead.end() :]
        end = start + _cut(text)
        before = source.lower[max(0, match.start() - 12) : match.start()]
        if _NOT_WANTED.search(before):
            continue
        if end - start >= 3 and not _EMPTY.match(source.lower[start:end]):
            return Finding(source, start, end, 0.6)
    return None


def _cut(text: str) -> int:
    stop = _STOP_AT.search(text, 3)
    words = re.match(r"(?:\S+\s+){0,8}\S+", text)
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
