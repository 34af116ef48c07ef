"""When something is wanted: the words as stated, the days they mean, and how far off that is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from triage.signals.dates import resolve
from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source
from triage.signals.span import (
    DIGITS,
    MONTH_WORDS,
    MONTHS,
    ORDINAL,
    ORDINAL_WORDS,
    SEASON,
    SEASONS,
    WEEKDAYS,
)
from triage.signals.spoken import NUMBER

_DAY: Final = rf"(?:{ORDINAL}|\d{{1,2}})"
_DATE: Final = (
    rf"(?:{_DAY}\.?(?: of)?(?: {MONTHS})?\s*(?:-|\u2013|to|and|until)\s*(?:the )?{_DAY}\.?(?: "
    rf"of)? "
    rf"{MONTHS}\b"
    rf"|{MONTHS}\.? (?:the )?{_DAY} ?(?:-|\u2013|to|and|until|through) ?(?:the )?{_DAY}(?![\w:])"
    rf"|{MONTHS}\.? (?:the )?(?:{ORDINAL}|\d{{1,2}}(?![\d:]))(?:,? 20\d\d)?\b|{_DAY}\.?[ -](?:of "
    rf")?{MONTHS}\b(?:,? 20\d\d)?"
    r"|\b20\d\d-\d\d-\d\d\b|(?<![\d/.])(?!24/7)\d{1,2}/\d{1,2}(?:/\d{2,4})?(?![\d/])(?! (?:split"
    r"|technical|duty))"
    r"|(?<![\d.])(?:[0-2]?\d|3[01])\.(?:0\d|1[0-2])\.?(?![\d.])(?! ?(?:%|m\b|am|pm|per|each)))"
)
_PERIOD: Final = (
    rf"(?:(?:the )?(?:first|second|third|fourth|last|[1-4](?:st|nd|rd|th)) week(?:end)? (?:of "
    rf"|in )?"
    rf"(?:{MONTHS}|the month|next month)\b|(?:calendar week|week|kw|cw) \d{{1,2}}\b(?! ?(?:old"
    rf"|days))|(?:the )?(?:end|start|beginning|middle|early|mid|late)[ -](?:of )?(?:the |this "
    rf"|next )?"
    rf"(?:{MONTHS}|month|year|week|quarter|summer|season)\b"
    rf"|\bq[1-4]\b(?: 20\d\d)?|(?:the )?(?:first|second|third|fourth) quarter|{MONTHS} ?- "
    rf"?{MONTHS}\b"
    rf"|(?:this|next) (?:month|quarter|{SEASONS})|next {MONTHS}\b|{SEASONS} (?:of )?next year"
    rf"|{MONTHS} next year"
    r"|(?:the )?(?:june|summer|year|month|season) after next|next (?:fiscal |financial "
    r")?year(?:'s \w+ \w+)?"
    r"|\bfy ?\d\d+|(?:the )?new year\b(?! party|'s)|not this year|not for ages(?: yet)?)"
)
_NEAR: Final = (
    rf"(?:\basap\b|as soon as (?:possible|you can)|\bright (?:now|away)|\bimmediately\b"
    rf"|\btoday\b|\btonight\b"
    r"|\btomorrow\b|\btmrw\b|this (?:week(?:end)?|wk|morning|afternoon|evening|arvo)|next "
    r"(?:week(?:end)?|wk)"
    rf"|(?:this |next |coming |a week )?\b{WEEKDAYS}\b(?: week)?(?:,? the {ORDINAL})?(?: at \w+| "
    rf"noon)?"
    rf"|(?:within|in|over) (?:the next )?(?:about |around |like )?(?:{NUMBER},? (?:(?:or|to) )?)?"
    rf"(?:{NUMBER}|a|a few|few|a couple of|couple of|several) "
    rf"(?:day|week|month|year)s?\b"
    r")"
)
_EVENT: Final = (
    rf"(?:(?:the )?(?:first|second|third|fourth|last) {WEEKDAYS} (?:of|in) {MONTHS}\b|by (?:the "
    rf"weekend|dark|noon)\b"
    r"|(?:by|around|for|on|at) (?:next )?(?:memorial day|labou?r day|halloween|christmas|xmas"
    r"|easter|thanksgiving)|\b24 hrs?\b|"
    r"before (?:the |our |my |his |her |next |they |it )?(?:christmas|xmas|easter|memorial day"
    r"|labou?r day|halloween|thanksgiving|winter|summer|spring|fall|autumn|"
    r"harvest|snow|ice storm|school|season|matariki|ramadan|eid|diwali|holidays?|wedding|kids"
    r"|in-laws|clocks|in-laws|"
    r"baby|party|move|renewal|opening|end)(?: (?!and|but|so|or|we|i|is|if)[a-z']+){0,3}"
    r"|(?:in|over|during|for) the (?:easter|christmas|summer|school|september|half-?term|spring) "
    r"\w*(?: ?hol\w*| break)?)"
)
_IN_MONTH: Final = (
    rf"(?:(?:in|by|before|from|until|till|for|around|during|since|starting|of|late) (?:the "
    rf")?(?:{MONTHS}|{SEASONS})\b(?: (?:next year|20\d\d))?)"
)
_ORDINAL_DAY: Final = (
    rf"(?:\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?this month\b|(?:the|by|on|from|before|until"
    rf"|for) {ORDINAL}\b(?: (?:inst|of (?:this|the|next) "
    rf"month))?(?! (?:half|floor|time|of|one|thing|two|three|few|car|place|party|guy|meeting|hand"
    rf"|year|quarter|wall|street|place|phase|opinion|boat|\w+ class)))"
)
_LEAD_IN: Final = re.compile(
    r"(?<![\w-])(?:(?:no later than|latest by|latest|some ?time|maybe|perhaps|probably|ideally"
    r"|start(?:ing|s)?|begin(?:ning)?|not|"
    r"until|till|before|from|by|on|in|for|over|as of|between|the week of|week of|around|about"
    r"|due|this|it'd be|"
    r"early|mid|late|the|a long weekend in) ){1,4}$"
)
_CORES: Final[tuple[tuple[str, int, frozenset[str]], ...]] = (
    (rf"{_DATE}", 6, MONTH_WORDS | DIGITS),
    (_PERIOD, 4, frozenset()),
    (_EVENT, 5, frozenset()),
    (_NEAR, 4, frozenset()),
    (_IN_MONTH, 3, MONTH_WORDS | frozenset(SEASON)),
    (_ORDINAL_DAY, 4, DIGITS | ORDINAL_WORDS),
    (r"in the morning\b", 2, frozenset({"morning"})),
)
"""Each with its weight, and with words of which a text has one, or the pattern cannot match."""

_PATTERNS: Final = tuple(
    (re.compile(rf"(?<![\w-])(?=\w){core}"), weight, needs) for core, weight, needs in _CORES
)
_DEADLINE: Final = re.compile(
    r"\b(?:by|before|within|deadline|due|need|needs|needed|must|start|starts|starting|open|opens"
    r"|reopen\w*|close[sd]?|closing|from|until|expires?|runs out|renew\w*|wedding|funeral|move"
    r"|moving"
    r"|want|wanted|like|done|finish\w*|ready|decide|ends?|hearing|date|arriv\w*|go[- ]live"
    r"|launch\w*"
    r"|event|service is|out of|come|could|can you|available|free|asap|back|commenc\w*|effective"
    r"|install\w*|deliver\w*|begin\w*|latest|no later|hoping|aiming|looking at|planned|party"
    r"|festival)\b"
)
_OWN_DATE: Final = re.compile(
    r"\b(?:start(?:s|ing)?|commenc\w*|effective|go[- ]live|deliver(?:y|ed)?|install(?:ed|ation)?"
    r"|opens?"
    r"|opening(?: date)?|reopen|needed?|need (?:it|them|this)|want (?:it|them|this)(?: done)?"
    r"|done|completed?"
    r"|finished|in place|hand(?:ing)? back|move (?:in|out)|wedding|event|festival|hire|rental"
    r"|last day)\b"
    r"[^.;\n]{0,28}$"
)
_REPLY_DATE: Final = re.compile(
    r"\b(?:quot\w+|proposals?|repl(?:y|ies)|responses?|offers?|answers?|questions?|return date"
    r"|walk\w*"
    r"|visit\w*|meet\w*|appointed|viewing|submitted|issued|bids?|tenders?|presentations?"
    r"|statement|agm"
    r"|committee|trustees|received|agreement (?:ends|is up)|contract (?:ends|is up)|lease"
    r"|builders)\b"
    r"[^;\n]{0,44}$"
)
_PAST: Final = re.compile(
    r"\b(?:last|since|was|were|had|went|came|did|quit|died|bought|got|resolved|ago|passed|saw"
    r"|seen|every|each|most|second|any day but|open|wrote|called|paid|installed|sent|put|proposed"
    r"|closed|dated|except|not on|happened|broke|started|on the phone)\b[^.;\n]{0,24}$"
    r"|\b(?:a|not|but a) $"
)
_CALL_BACK: Final = re.compile(
    r"\b(?:call|ring|phone|reach|text|here|home|hours|in the office|answers?|back) (?:me |us "
    r"|back )?[^.;\n]{0,22}$"
)
NOT_A_TIME: Final = re.compile(
    r"^(?:(?:in|on|by|at) )?(?:the )?(?:second|first|third|may|mar|sat|sun|wed|mon|march)$"
)
"""Words alone that are more often something else: the second one, you may, the sun."""


_MONTH: Final = 35  # days; "within about a month"
_YEAR: Final = 300


class Horizon(Enum):
    """How far off a stated time is: within about a month, later, or about a year and more."""

    NEAR = auto()
    LATER = auto()
    FAR = auto()


@dataclass(frozen=True, slots=True)
class When:
    """A stated time and its distance; `soon`: within ten days."""

    finding: Finding
    horizon: Horizon
    soon: bool = False


def find_timeline(material: Material, form: dict[FieldName, Finding]) -> When | None:
    """The stated time that most looks like the wish's own: a deadline before a passing date."""
    if (stated := form.get("timeline")) and stated.source.part == "own":
        return _when(stated, material)
    best: tuple[float, Finding] | None = None
    for source in material.written:
        for weight, finding in times(source):
            worth = weight * source.trust
            if worth > 0 and (best is None or worth > best[0]):
                best = (worth, finding)
    return _when(best[1], material) if best else None


def dated(found: Finding | None, material: Material) -> When | None:
    """A stated time with the days it means, whoever found it."""
    return _when(found, material) if found else None


def times(source: Source) -> Iterator[tuple[float, Finding]]:
    """Every stated time, and how much it looks like the wish's own."""
    text = source.lower
    for pattern, weight, needs in _PATTERNS:
        if needs and source.words.isdisjoint(needs):
            continue
        for match in pattern.finditer(text):
            start, end = match.span()
            if lead := _LEAD_IN.search(text, max(0, start - 48), start):
                start = lead.start()
            start, end = _trimmed(text, start, end)
            if end - start < 3 or NOT_A_TIME.match(text[start:end]):
                continue
            before, after = text[max(0, start - 60) : start], text[end : end + 3]
            worth = weight + 1.5 * bool(_OWN_DATE.search(before))
            worth -= 2 * bool(_REPLY_DATE.search(before))
            worth += 2 * bool(_DEADLINE.search(text[max(0, start - 30) : end]))
            worth -= 4 * bool(_PAST.search(before))
            worth -= 4 * bool(re.match(r"not (?!this|until|till|before)", text[start:end]))
            worth -= 3 * bool(_CALL_BACK.search(before))
            worth -= 4 * bool(re.match(r" ago|'s ", after))
            yield worth, Finding(source, start, end, 0.8)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without a leading article or dangling spaces: `on the 3rd` stays, `the today` does not."""
    words = text[start:end]
    lead = re.match(
        r"(?:(?:the|this|on|in|for|about|around|it'd be) )+(?=(?:today|tonight|tomorrow|asap))",
        words,
    )
    start += lead.end() if lead else 0
    return start, end - (len(words) - len(words.rstrip(" .,")))


def _when(finding: Finding, material: Material) -> When:
    phrase = finding.quote.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    received = material.inquiry.received_at
    span = resolve(phrase, received, material.business.country)
    normalized = str(span) if span else ""
    stated = Finding(finding.source, finding.start, finding.end, finding.confidence, "", normalized)
    if span is None:
        far = re.search(r"next year|ages|not this year|fy ?\d\d|after next|financial year", phrase)
        return When(stated, Horizon.FAR if far else Horizon.LATER)
    first, last = (span.start - received.date()).days, (span.end - received.date()).days
    if first > _YEAR and last - first > 20:
        return When(stated, Horizon.FAR)
    near = last <= _MONTH
    return When(stated, Horizon.NEAR if near else Horizon.LATER, soon=last <= 10)
