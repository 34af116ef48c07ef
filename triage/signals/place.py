"""Where the contact is: a town, area or region, as stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.person import firm_word, no_name
from triage.signals.source import Finding, Material, Source

_UP: Final = r"[^\W\d_a-zà-öø-ÿß-ž]"
_PLACE: Final = (
    rf"(?:St\. |Fort |New )?{_UP}[\w'\u2019-]{{2,}}"
    rf"(?: (?:(?:on|upon|le|de|of) )?{_UP}[\w'\u2019-]+){{0,2}}"
)
STREET: Final = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|pike|highway|hwy|court"
    r"|terrace|crescent"
    r"|place|square|parade|close|grove|way|route|row|estate|park|cours|rue|strasse|stra\u00dfe"
    r"|stra\u00dfe|parkway)"
)
"""Pattern of the words that end the name of a street, lower case."""

_MORE: Final = rf"(?:(?:, {_PLACE})? (?:and|or) {_PLACE}(?!\w))?"
_SITES: Final = (
    r"(?:house|home|flat|apartment|condo|cottage|villa|cabin|barn|property|properties|place"
    r"|places|shop|shops|store|stores"
    r"|caf\u00e9|cafe|restaurants?|offices?|building|buildings|warehouses?|factory|plant|depot"
    r"|yard|farm|school|church"
    r"|club|hall|premises|clinics?|practice|surgery|hotel|pub|bar|salon|studio|gym|garage|sites?"
    r"|branch(?:es)?|hospital|company|hq"
    r"|headquarters|facility|terminal|lot|foundry|distributor|wedding|venue|event|party|job|work"
    r"|team|people|side|group)"
)
_AT_HOME: Final = re.compile(
    rf"(?<!\w)(?=[A-Za-z])(?:[Ww]e['\u2019]?re|[Ww]e are|[Ii]['\u2019]?m|I am|[Ll]ives?"
    rf"|[Ll]iving|[Ll]ocated"
    rf"|[Bb]ased|[Mm]oving|[Mm]oved"
    rf"|(?i:{_SITES})|[Tt]hey['\u2019]re|[Ii]t['\u2019]s|[Oo]ne"
    rf"|[Tt]wo)\b[^.,;:?!\n]{{0,24}}?\b(?:in|near|outside|at|over in"
    rf"|up in|up on|out by|past|of|out at|down at|over at|down in) (?P<place>{_PLACE}{_MORE})"
)
_IN: Final = re.compile(rf"\b(?:in|near|outside|In|around|over in) (?P<place>{_PLACE}{_MORE})")
_TO: Final = re.compile(
    rf"\b(?:[Dd]eliver(?:y|ed)?(?: address)?(?: is)?:?|[Ss]hip(?:ping|ped)?|[Ss]ent|DAP|CIF|FOB"
    rf"|[Cc]ome out"
    rf"|back)(?: (?:\w+ ){{0,3}}?(?:to|from|in|at))? (?P<place>{_PLACE})"
)
_ADDRESS: Final = re.compile(
    rf"^(?=[^\n,]{{3,90}},)[^\n]{{0,60}}?\b(?:\d+\w?|(?i:{STREET}|unit|suite|building|centre"
    rf"|center))\b[^\n]{{0,40}}, ?(?P<place>{_PLACE}"
    r"(?:, [A-Z]{2}\b)?)(?:,? [A-Z]{2,3}\b)?(?:,? [A-Z\d]{2,5}(?:[ -][A-Z\d]{2,4})?)?[ \t]*[."
    r"|]?[ \t]*$",
    re.MULTILINE,
)
_STATE: Final = re.compile(
    rf"\b(?P<place>{_PLACE}, (?:A[LKZRB]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOTB]"
    rf"|N[EVHJMYCDBLST]|O[HKRN]"
    r"|P[AE]|QC|RI|S[CDK]|T[NX]|UT|V[TA]|W[AVIY]|BC|YT|NSW|QLD|VIC|TAS))\b"
)
_FROM: Final = re.compile(rf"\b(?:calling|call|ringing|here|writing|out) from (?P<place>{_PLACE})")
_FIELD: Final = re.compile(r"\b(?:Farm|County|District|Hospital|School|Church|College|Bank)\b")
"""Words for an institution that are often part of a place's name."""

_OUT: Final = re.compile(
    rf"\b(?:(?:down|up|over|out) (?:in|at|near|to|by|on|of)|as far as|way to|premises at|vans "
    rf"from|trucks from"
    rf"|project|cooperative) (?P<place>{_PLACE}{_MORE})"
)
_SIDE: Final = re.compile(rf"\b(?P<place>{_UP}[\w'-]{{2,}}(?: {_UP}[\w'-]+)?) (?:side|area|way)\b")
_AFTER_FIRM: Final = re.compile(rf", (?P<place>{_PLACE})")
_STREET_END: Final = re.compile(rf"\b{STREET}\b\.?$", re.IGNORECASE)
_ASKS_WHERE: Final = re.compile(
    r"\b(?:where(?:'s|abouts)?\b[^\n]*(?:you|they|it|property|house|located|based)|what (?:town"
    r"|city|area)"
    r"|zip code|(?:your|the) address)",
    re.IGNORECASE,
)
_ANSWER: Final = re.compile(rf"[^\n]{{0,40}}?\b(?P<place>{_PLACE})")
_SPOKEN_AT: Final = re.compile(
    rf"\b(?:we'?re|i'?m|we are|i am|live|living|located|based|them|here|down|up|out|over|moving"
    rf"|{_SITES})"
    r" (?:out |up |down |over |here |just |right )*(?:in|near|outside|from|at)(?: the)? "
    r"(?P<place>[a-z\u00e0-\u00ff][a-z\u00e0-\u00ff'-]{3,})(?! (?:of|minutes|hours|days|weeks))"
)
_OTHER_CAPITALS: Final = """
january february march april may june july august september october november december monday
tuesday wednesday thursday friday saturday sunday sun stationery spring summer autumn fall
winter christmas easter the this that your our my his her their its english french german
spanish italian japanese polish norwegian afrikaans arabic excel google linkedin facebook
instagram indesign gbp eur usd windows shopify etsy naira mom dad front general particular
advance person case touch about town there here where some what which bed order order. today
white black colour color year kitchen living dining garage basement attic backyard writing total
charge fact hand mind need trouble full quotes website yellow next late early last first second
third good great hurry rush business love mum mother q1 q2 q3 q4 half month god heaven whatsapp
contact despatch canada ohio usa weeks days between under these those them with from just only
more week weekend morning night evening afternoon christ person writing word words order summer size
sept nothing
least most once same time times work school home hospital university least lunch dinner noon that's
least stock season term bulk cash pieces both all another every each about around sight colour mixed
order fairness recent future past meantime english afrikaans welsh spring between front back
"""
_NOT_PLACE: Final = frozenset(_OTHER_CAPITALS.split())


def find_location(
    material: Material, form: dict[FieldName, Finding], taken: list[Finding]
) -> Finding | None:
    """The place, from a form, a statement of where the contact is, or a plain `in Somewhere`.

    `taken` are findings that a place must not overlap: a person's or a company's name.
    """
    if stated := form.get("location"):
        inside = re.search(rf"\((?P<place>{_PLACE})\)", stated.quote)
        if inside:
            start = stated.start + inside.start("place")
            return Finding(stated.source, start, start + len(inside["place"]), 0.9)
        return stated
    answered = next((found for s in material.own if s.spoken and (found := _answered(s))), None)
    streets = []
    for found in (*([answered] if answered else []), *_stated(material, taken)):
        if not _STREET_END.search(found.quote):
            return found
        streets.append(found)
    if streets:
        return streets[0]
    return next((found for s in material.own if s.spoken and (found := _spoken(s))), None)


def _stated(material: Material, taken: list[Finding]) -> Iterator[Finding]:
    """Places as written, the surest first."""
    for pattern, confidence in ((_AT_HOME, 0.8), (_STATE, 0.8), (_ADDRESS, 0.75)):
        for source in material.own:
            yield from _places(source, pattern, confidence, taken)
    for firm in taken:
        match = _AFTER_FIRM.match(firm.source.heard, firm.end)
        if match and not _excluded(match["place"]):
            yield Finding(firm.source, *match.span("place"), 0.7)
    for pattern, confidence in ((_OUT, 0.7), (_TO, 0.7), (_FROM, 0.7), (_IN, 0.6), (_SIDE, 0.6)):
        for source in material.own:
            yield from _places(source, pattern, confidence, taken)


def _places(
    source: Source, pattern: re.Pattern[str], confidence: float, taken: list[Finding]
) -> Iterator[Finding]:
    for match in pattern.finditer(source.heard):
        start, end = match.span("place")
        clash = any(
            other.source is source and start < other.end and other.start < end for other in taken
        )
        if not clash and not _excluded(match["place"]):
            yield Finding(source, start, end, confidence)


def _answered(source: Source) -> Finding | None:
    """The place in the caller's turn after the agent asked where."""
    for asked, start, end in source.answers:
        if _ASKS_WHERE.search(asked):
            match = _ANSWER.match(source.heard, start, end)
            if match and not _excluded(match["place"]):
                return Finding(source, *match.span("place"), 0.8)
    return None


def _excluded(place: str) -> bool:
    first = re.split(r"[\s,.]", place.lower())[0]
    return (
        first in _NOT_PLACE
        or no_name(first)
        or (firm_word(place) and not _FIELD.search(place))
        or (place.isupper() and len(place) < 6)
    )


def _spoken(source: Source) -> Finding | None:
    for match in _SPOKEN_AT.finditer(source.lower):
        if match["place"] not in _NOT_PLACE:
            return Finding(source, *match.span("place"), 0.6)
    return None
