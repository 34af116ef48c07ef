"""Introductions in a sentence: `my name is …`, `this is … from …`, `I'm the owner`."""

from __future__ import annotations

import re
from typing import Final

from triage.signals.person import FIRM, NAME, Person, name_length, no_name
from triage.signals.roles import ROLE
from triage.signals.source import Finding, Source

_FROM: Final = rf"(?:,? (?:over |here |calling |out )?(?:from|at|with) (?P<firm>{FIRM}))?"
_NAMED: Final = re.compile(
    r"\b(?:[Mm]y name(?:['\u2019]s| is)?|[Nn]ame(?:['\u2019]s| is)|[Tt]his is"
    r"|[Ii]t['\u2019]?s(?: uh| um| its)*"
    r"|I['\u2019]m|[Ii] am|[Jj]ust|[Ss]ay|put (?:it|me) (?:down )?(?:as|under)),? "
    rf"(?P<name>{NAME}){_FROM}"
)
_HERE: Final = re.compile(
    r"(?:^[ \t]*|[.!?,] )(?:(?:[Hh]i|[Hh]ello|[Hh]ey|[Mm]orning|[Hh]iya),? )?"
    rf"(?P<name>{NAME})(?: lah)?,? (?:here\b|speaking|(?:over )?(?:from|at) (?P<firm>{FIRM}))",
    re.MULTILINE,
)
_OPENING: Final = re.compile(
    r"\s*(?:(?:[Hh]i|[Hh]ello|[Hh]ey|[Yy]es|[Mm]orning|[Hh]iya)[ ,.]+)*"
    rf"(?P<name>{NAME}) ?(?:[.,\n]|out by|I )"
)
_LOWER: Final = re.compile(
    r"\b(?P<cue>my name'?s|my name is|my name|name'?s|name is|this is|it'?s(?: uh| um| its)*|i am"
    r"|i'm|its) (?:the )?(?P<name>(?:(?:sister|engineer|missus|mrs|mr|dr|pastor|coach) )?"
    r"[a-zà-ÿ][a-zà-ÿ'\u2019-]{2,})"
)
_FOLLOWS: Final = re.compile(
    r",? (?:from|at|calling|over|with|here|my number|on the|i\b|by the way|and the number)"
)
_SPELLED: Final = re.compile(
    r"\b(?P<name>(?:[^\W\d_]+ )?(?P<last>[^\W\d_]{3,}))[.,;]?(?: that's)?"
    r" (?P<letters>[a-z][ ,-]{1,3}(?:(?:double[ ,-]+)?[a-z][ ,-]{1,3}){1,20}[a-z])\b"
)
_ASKS_NAME: Final = re.compile(
    r"\b(?:your (?:full )?name|what name|who(?:'s| is| am i|m i)|putting down|name,? please"
    r"|(?:take|have|get) (?:a|your|the) name)\b",
    re.IGNORECASE,
)
_ANSWER: Final = re.compile(rf"[^\n]{{0,30}}?\b(?P<name>{NAME})")
_TURN: Final = re.compile(r"^(?P<who>\w[\w .]{0,20}):[ \t]*(?P<said>[^\n]*)$", re.MULTILINE)
_WITH_NUMBER: Final = re.compile(
    rf"(?:^|[.!?] )[ \t]*(?P<name>{NAME}),? \+?\(?\d{{3}}", re.MULTILINE
)
_COMPANY_IS: Final = re.compile(
    r"\b(?:[Ww]e['\u2019]re|[Ww]e are|[Ii] work (?:for|at)|[Cc]alling (?:from|on behalf of)"
    r"|behalf of"
    r"|here at|temp at|[Hh]ead of \w+ at|I run \w+ at|(?:owner|founder|manager|director) (?:at"
    r"|of))"
    rf" (?P<firm>{FIRM})"
)
_LEGAL: Final = re.compile(
    r"\b(?P<firm>(?:[A-Z][\w'&-]+ ){1,4}(?:Ltd|LLC|Inc|GmbH|Plc|PLC|LLP|SRL|Pty|BV|Limited|Corp)\b"
    r"\.?)"
)
_INVITES: Final = re.compile(rf"\b(?P<firm>{FIRM}) (?:hereby )?(?:invites|has invited)\b")
_I_AM: Final = re.compile(
    r"\b(?:i'?m|i am|as) (?:just |only |also )*(?:the |an? |your |our )+(?:the )?"
    rf"(?P<role>(?:\w+ ){{0,2}}?{ROLE})\b(?! (?:asked|wants|said|for ))"
)
_RUNS: Final = re.compile(
    r"\b(?P<role>i run (?:product|marketing|operations|sales|it|engineering|facilities))\b"
)
_ADDRESSED: Final = re.compile(
    r"\b(?:[Hh]i|[Hh]ello|[Hh]ey|[Tt]hanks|[Tt]hank you|[Kk]ia ora|[Mm]orning|[Aa]fternoon"
    r"|[Oo]kay|[Pp]erfect"
    rf"|[Rr]ight|[Bb]ye|set|[Gg]reat|[Nn]o problem|[Ss]orry),? (?P<name>{NAME})(?=[.,!?]|$)",
    re.MULTILINE,
)
_NOT_MINE: Final = re.compile(r"\b(?:not|my|our|isn't)\s+$")


def read_introduction(person: Person, source: Source) -> None:
    """Take the name and company with which somebody introduces themselves."""
    for pattern, sure in ((_NAMED, 0.85), (_HERE, 0.8)):
        for match in pattern.finditer(source.heard):
            _take(person, source, match, sure)
    if source.spoken:
        _spelled(person, source)
        _answered(person, source)
        _lower_case(person, source)


def read_statements(person: Person, source: Source) -> None:
    """Take the role and company that somebody states without a name."""
    for pattern in (_I_AM, _RUNS):
        for match in pattern.finditer(source.lower):
            before = source.lower[max(0, match.start("role") - 8) : match.start("role")]
            if not _NOT_MINE.search(before):
                person.take("role", Finding(source, *match.span("role"), 0.8))
    for pattern in (_COMPANY_IS, _INVITES, _LEGAL):
        for match in pattern.finditer(source.heard):
            if not no_name(match["firm"].split()[0]) and len(match["firm"]) > 2:
                person.take("company", Finding(source, *match.span("firm"), 0.7))


def read_addressed(person: Person, source: Source) -> None:
    """Take the name by which the other side of a call addresses the contact, where no other is."""
    if not source.spoken or "contact_name" in person.found:
        return
    for match in _ADDRESSED.finditer(source.text):
        theirs = not source.heard[match.start("name") : match.end("name")].strip()
        if theirs and (length := name_length(match["name"])):
            at = match.start("name")
            person.take("contact_name", Finding(source, at, at + length, 0.65))


def _take(person: Person, source: Source, match: re.Match[str], sure: float) -> None:
    length = 0 if match["name"][:1].islower() else name_length(match["name"])
    if not length:
        return
    start = match.start("name")
    person.take("contact_name", Finding(source, start, start + length, sure))
    if match["firm"] and person.found["contact_name"].start == start:
        person.take("company", Finding(source, *match.span("firm"), 0.75))


def _spelled(person: Person, source: Source) -> None:
    """A name that is spelled out, as in `Ana Restrepo. R-E-S-T-R-E-P-O`."""
    for match in _SPELLED.finditer(source.lower):
        letters = re.sub(r"double[ ,-]+([a-z])", r"\1\1", match["letters"])
        if re.sub(r"[ ,-]", "", letters) != match["last"]:
            continue
        first = match["name"].split()[0]
        start = match.start("last" if no_name(first) else "name")
        person.take("contact_name", Finding(source, start, match.end("name"), 0.9))


def _answered(person: Person, source: Source) -> None:
    """What the caller says when asked for the name, or first of all, or before their number."""
    asked, opening = False, True
    for turn in _TURN.finditer(source.text):
        start = turn.start("said")
        if not source.heard[start : turn.end()].strip():  # the agent's
            asked = _ASKS_NAME.search(turn["said"]) is not None
            continue
        pattern = _ANSWER if asked else _OPENING
        match = pattern.match(source.heard, start, turn.end() + 1) if asked or opening else None
        full = match is not None and (asked or " " in match["name"])
        if match and full and (length := name_length(match["name"])):
            at = match.start("name")
            person.take("contact_name", Finding(source, at, at + length, 0.8))
        asked = opening = False
    for match in _WITH_NUMBER.finditer(source.heard):
        if length := name_length(match["name"]):
            at = match.start("name")
            person.take("contact_name", Finding(source, at, at + length, 0.75))


def _lower_case(person: Person, source: Source) -> None:
    """Names in speech without capitals: the word after `my name is` or `this is`."""
    if not person.found.get("contact_name"):
        opening = _OPENING.match(source.heard)
        if opening and " " in opening["name"] and (length := name_length(opening["name"])):
            at = opening.start("name")
            person.take("contact_name", Finding(source, at, at + length, 0.7))
    for match in _LOWER.finditer(source.lower):
        word = match["name"].split()[-1]
        certain = "name" in match["cue"] or " " in match["name"]
        if no_name(word) or (not certain and re.search(r"(?:ing|ed)$", word)):
            continue
        if certain or _FOLLOWS.match(source.lower, match.end()):
            person.take("contact_name", Finding(source, *match.span("name"), 0.7))
