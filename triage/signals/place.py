"""Where the contact is: a town, area or region, as stated."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.person import no_name
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

_AT_HOME: Final = re.compile(
    rf"\b(?:[Ww]e['\u2019]?re|[Ww]e are|[Ii]['\u2019]?m|I am|[Ll]ive|[Ll]iving|[Ll]ocated|[Bb]ased"
    rf"|[Hh]ouse|[Hh]ome|[Pp]roperty|[Oo]ffice|[Bb]uilding|place|shop|church"
    rf"|cottage|branch(?:es)?|company|yard|school|plant|warehouse|They['\u2019]re"
    rf"|[Ii]t['\u2019]s)\b[^.,;\n]{{0,24}}?\b(?:in|near|outside|at|over in|up in|up on|out by|from"
    rf"|past|of|out at)"
    rf" (?P<place>{_PLACE})"
)
_IN: Final = re.compile(rf"\b(?:in|near|outside|In) (?P<place>{_PLACE})")
_FROM: Final = re.compile(rf"\b(?:calling|call|ringing|here) from (?P<place>{_PLACE})")
_ASKS_WHERE: Final = re.compile(
    r"\b(?:where(?:'s|abouts)?\b[^\n]*(?:you|they|it|property|house|located|based)|what (?:town"
    r"|city|area)"
    r"|zip code|(?:your|the) address)",
    re.IGNORECASE,
)
_ANSWER: Final = re.compile(rf"[^\n]{{0,40}}?\b(?P<place>{_PLACE})")
_TURN: Final = re.compile(r"^\w[\w .]{0,20}:[ \t]*(?P<said>[^\n]*)$", re.MULTILINE)
_SPOKEN_AT: Final = re.compile(
    r"\b(?:we'?re|i'?m|we are|i am|live|living|located|based|house|place|places|home|it'?s|them"
    r"|side|group|office|warehouse|lot|here|down|up|out|over)"
    r" (?:out |up |down |over |here )*(?:in|near|outside|from)(?: the)? "
    r"(?P<place>[a-zà-ÿ][a-zà-ÿ'-]{3,})"
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
more week
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
    if answered:
        return answered
    for pattern, confidence in ((_AT_HOME, 0.8), (_FROM, 0.7), (_IN, 0.6)):
        for source in material.own:
            if found := _first(source, pattern, confidence, taken):
                return found
    for source in material.own:
        if source.spoken and (found := _spoken(source)):
            return found
    return None


def _first(
    source: Source, pattern: re.Pattern[str], confidence: float, taken: list[Finding]
) -> Finding | None:
    for match in pattern.finditer(source.heard):
        start, end = match.span("place")
        clash = any(
            other.source is source and start < other.end and other.start < end for other in taken
        )
        if not clash and not _excluded(match["place"]):
            return Finding(source, start, end, confidence)
    return None


def _answered(source: Source) -> Finding | None:
    """The place in the caller's turn after the agent asked where."""
    asked = False
    for turn in _TURN.finditer(source.text):
        start = turn.start("said")
        if not source.heard[start : turn.end()].strip():
            asked = _ASKS_WHERE.search(turn["said"]) is not None
        elif asked:
            match = _ANSWER.match(source.heard, start, turn.end())
            if match and not _excluded(match["place"]):
                return Finding(source, *match.span("place"), 0.8)
            asked = False
    return None


def _excluded(place: str) -> bool:
    first = re.split(r"[\s,.]", place.lower())[0]
    return first in _NOT_PLACE or no_name(first) or (place.isupper() and len(place) < 6)


def _spoken(source: Source) -> Finding | None:
    for match in _SPOKEN_AT.finditer(source.lower):
        if match["place"] not in _NOT_PLACE:
            return Finding(source, *match.span("place"), 0.6)
    return None
