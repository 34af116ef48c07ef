"""Where the contact is: a town, area or region, as stated."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source

_UP: Final = r"[^\W\d_a-zà-öø-ÿß-ž]"
_PLACE: Final = rf"(?:St\. |Fort |New )?{_UP}[\w'’-]{{2,}}(?:,? (?:(?:on|upon|in|le|of|de)[ -])?{_UP}[\w'’-]+){{0,2}}"
_AT_HOME: Final = re.compile(
    rf"\b(?:[Ww]e['’]?re|[Ww]e are|[Ii]['’]?m|I am|[Ll]ive|[Ll]iving|[Ll]ocated|[Bb]ased|[Hh]ouse|[Hh]ome|[Pp]roperty|[Oo]ffice|[Bb]uilding|place|shop|church"
    rf"|cottage|branch(?:es)?|company|yard|school|plant|warehouse|They['’]re|[Ii]t['’]s)\b[^.,;\n]{{0,24}}?\b(?:in|near|outside|at|over in|up in|up on|out by|from|past|of|out at)"
    rf" (?P<place>{_PLACE})"
)
_IN: Final = re.compile(rf"\b(?:in|near|outside|In) (?P<place>{_PLACE})")
_FROM: Final = re.compile(rf"\b(?:from|at|around|to|by|past|out at) (?P<place>{_PLACE})")
_SPOKEN_AT: Final = re.compile(
    r"\b(?:we'?re|i'?m|we are|i am|live|living|located|based|house|place|places|home|it'?s|them|side|group|office|warehouse|lot|here|down|up|out|over)"
    r" (?:out |up |down |over |here )*(?:in|near|outside|from)(?: the)? (?P<place>[a-zà-ÿ][a-zà-ÿ'-]{3,})"
)
_NOT_PLACE: Final = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday spring summer autumn fall winter christmas easter the this that your our my his"
    " her their its english french german spanish italian japanese polish norwegian afrikaans arabic excel google"
    " linkedin facebook instagram indesign gbp eur usd windows shopify etsy naira mom dad front general particular advance"
    " person case touch about town there here where some what which bed order order. today white black colour color year"
    " kitchen living dining garage basement attic backyard writing total charge fact hand mind need trouble full quotes"
    " website yellow next late early last first second third good great hurry rush business love mum mother q1 q2 q3 q4"
    " half month weeks days between under these those them with from just only more week days".split()
)


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
    for pattern, confidence in ((_AT_HOME, 0.8), (_IN, 0.7), (_FROM, 0.5)):
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
        words = source.heard[start:end].lower().split()
        clash = any(
            other.source is source and start < other.end and other.start < end for other in taken
        )
        if words[0].strip(",.") not in _NOT_PLACE and not clash:
            return Finding(source, start, end, confidence)
    return None


def _spoken(source: Source) -> Finding | None:
    for match in _SPOKEN_AT.finditer(source.lower):
        if match["place"] not in _NOT_PLACE:
            return Finding(source, *match.span("place"), 0.6)
    return None
