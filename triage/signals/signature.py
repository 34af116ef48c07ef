"""Signatures: the name under a mail, and the title, company and town that follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from triage.signals.person import NAME, UPPER, Person, firm_like, firm_word, name_length
from triage.signals.place import STREET
from triage.signals.roles import TITLE_LINE
from triage.signals.source import Finding, Source

_DASH: Final = r"[ \t]*(?:[-\u2013\u2014~]+ ?)?"
_NAME_LINE: Final = re.compile(
    rf"{_DASH}(?P<name>{NAME})(?:,? (?:Jr|Sr|PhD|MD|RN|CPA|Esq|MBA)\.?)*"
    r"(?P<rest>[ \t]*[.,!]?$|[ \t]*,[ \t].*|[ \t]+\(.*|[ \t]{2,}.*|[ \t]+[-|·\u2013\u2014].*"
    r"|[ \t]+\+?\(?\d[\d ().-]{6,}.*)"
)
_LOWER_LINE: Final = re.compile(
    rf"{_DASH}(?P<name>[a-zà-ÿ]{{2,14}}(?: [a-z]{{1,14}})?)(?P<rest>[ \t]*$|[ \t]+\(.*)"
)
_CLOSING: Final = re.compile(
    r"^(?:[\w ,']{0,30}\b)?(?:regards|rgds|thanks(?: again| so much| in advance| a lot)?|cheers"
    r"|thank you(?: [\w ]{0,40})?|sincerely|yours(?: [\w ]+)?|best(?: wishes| regards)?|greetings"
    r"|many thanks|ta|(?:my )?respects|in his service|abra[cç]o|faithfully|respectfully"
    r"|cordially|take care|warmly"
    r"|blessings|all the best|talk soon|co-operation)[,.! -]*$",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(
    r"(?:[.!?)]|[-\u2013\u2014]|\b(?:[Tt]hanks|[Tt]hx|THX|[Cc]heers"
    r"|[Rr]egards),?)[ \t]+[-\u2013\u2014]?[ \t]*"
    rf"(?P<name>{NAME})(?: @ (?P<firm>{UPPER}[\w'\u2019 ]+))?[.!]?\s*$"
)
_LOWER_INLINE: Final = re.compile(r"[.!?][ \t]+(?P<name>[a-zà-ÿ]{3,12})[.!]?\s*$")
_BEFORE_NUMBER: Final = re.compile(
    rf"(?:^|[.!?:] |[-\u2013\u2014] )(?P<name>{NAME}),? (?:at |on )?\+?\(?\d{{2,}}[\d ().-]{{6,}}",
    re.MULTILINE,
)
_AFTER_NUMBER: Final = re.compile(rf"\d{{4}}[ \t]+[-\u2013\u2014][ \t]+(?P<name>{NAME})\s*$")
_REACH: Final = re.compile(
    r"@|www\.|https?:|\+?\(?\d[\d ().-]{6,}|^(?:phone|tel|mob|cell|m:|t:|fax)", re.IGNORECASE
)
_LETTERS: Final = re.compile(r"(?:[A-Z][A-Za-z]{0,3}[A-Z](?:-[A-Z]{1,4})?\.?(?:, ?)?){1,4}")
"""Letters after a name: `MSN, RN`, `SHRM-CP`."""

_STREET: Final = re.compile(rf"\b{STREET}\b|^\d+\w? |^(?:unit|suite|floor|level)\b", re.IGNORECASE)
_LEGAL_FORM: Final = re.compile(r"(?:inc|llc|ltd|plc|gmbh)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty. `opens`: a blank line goes before it."""

    start: int
    text: str
    opens: bool


def read_signature(person: Person, source: Source) -> None:
    """Take what a written source is signed with."""
    lines = _lines(source)
    place = _name_line(source, lines)
    if place is None:
        _read_inline(person, source)
        return
    at, match, length = place
    start = lines[at].start
    begin = start + match.start("name")
    name = Finding(source, begin, begin + length, 0.9)
    person.take("contact_name", name)
    if not {*name.quote.lower().split()} & {*person.found["contact_name"].quote.lower().split()}:
        return  # somebody else's signature than the one already known
    pieces = [*_pieces(start + match.start("rest"), match["rest"])]
    for line in lines[at + 1 : at + 6]:
        pieces += _pieces(line.start, line.text)
    _sort(person, source, pieces)


def _lines(source: Source) -> list[Line]:
    lines, blank_before = [], True
    for match in re.finditer(r"[^\n]*(?:\n|$)", source.heard):
        text = match[0].rstrip("\n")
        if text.strip():
            lines.append(Line(match.start(), text, blank_before))
        blank_before = not text.strip()
    return lines


def _name_line(source: Source, lines: list[Line]) -> tuple[int, re.Match[str], int] | None:
    """The line of the name: after a closing, the first of a signature or of a last short block."""
    count = len(lines)
    places = [
        at + 1
        for at in range(count - 2, max(-1, count - 10), -1)
        if _CLOSING.match(lines[at].text.strip())
    ]
    if source.field == "signature":
        places.append(0)
    places += [
        at
        for at in range(max(1, count - 7), count)
        if (lines[at].opens or at == count - 1) and all(len(line.text) < 70 for line in lines[at:])
    ]
    for at in places:
        if at < count and (found := _as_name(lines[at].text.rstrip())):
            return at, *found
    return None


def _as_name(line: str) -> tuple[re.Match[str], int] | None:
    match = _NAME_LINE.match(line) or _LOWER_LINE.match(line)
    if match is None or not (length := name_length(match["name"])):
        return None
    whole = length == len(match["name"].rstrip(" -"))
    return (match, length) if whole else None


def _read_inline(person: Person, source: Source) -> None:
    """A name at the very end of the text, or one right before or after a number."""
    if source.field == "subject":
        return
    tail = source.heard.rstrip()
    shift = max(0, len(tail) - 160)
    for pattern in (_INLINE, _AFTER_NUMBER, _BEFORE_NUMBER, _LOWER_INLINE):
        for match in pattern.finditer(tail[shift:]):
            length = name_length(match["name"])
            if length < 2 or (pattern is _LOWER_INLINE and length < len(match["name"])):
                continue
            start = shift + match.start("name")
            person.take("contact_name", Finding(source, start, start + length, 0.75))
            if match.groupdict().get("firm"):
                at = shift + match.start("firm")
                person.take("company", Finding(source, at, at + len(match["firm"]), 0.8))


def _pieces(offset: int, line: str) -> Iterator[tuple[int, str]]:
    """Parts of a line between bars, dots or wide gaps, with their offsets."""
    for chunk in re.finditer(r"(?:(?! {2,}| ?[|·•] ?|\t).)+", line):
        lead = re.match(r"[ \t,(\u2013\u2014-]*", chunk[0])
        skip = lead.end() if lead else 0
        text = chunk[0][skip:].rstrip(" ,")
        closed = text.endswith(")") and "(" not in text
        yield offset + chunk.start() + skip, text[:-1] if closed else text


def _sort(person: Person, source: Source, pieces: list[tuple[int, str]]) -> None:
    kept = [
        (start, text)
        for start, text in pieces
        if text and not _REACH.search(text) and not _CLOSING.match(text)
    ]
    known = set(re.findall(r"[\w'\u2019-]+", person.found["contact_name"].quote.lower()))
    kept = [
        (start, text)
        for start, text in kept
        if not (_LETTERS.fullmatch(text) and not TITLE_LINE.search(text))
        and not text.lower().startswith("subject:")
        and not _STREET.search(text)
        and not set(re.findall(r"[\w'\u2019-]+", text.lower())) <= known | {"dr", "mr", "mrs", "ms"}
        and not set(text.split()) & {"<", ">"}
        and not (len(known) == 1 and text.split()[0].lower() in known and len(text.split()) < 4)
    ]
    if not any(TITLE_LINE.search(text) for _, text in kept):
        kept.sort(key=lambda piece: not firm_word(piece[1]))
    for at, (start, text) in enumerate(kept):
        if TITLE_LINE.search(text) and len(text) < 60:
            more = any(firm_like(later) for _, later in kept[at + 1 :])
            _take_title(person, source, start, text, whole=more)
        elif firm_like(text) and "company" not in person.found:
            _take_firm(person, source, start, text)


def _take_title(person: Person, source: Source, start: int, text: str, *, whole: bool) -> None:
    """A title, perhaps with its company: `Buyer, Hollis Bancorp`, `Owner of Pinelands Dental`."""
    head, comma, rest = text.partition(", ")
    if comma and not whole and rest[:1].isupper() and not TITLE_LINE.search(rest):
        person.take("role", Finding(source, start, start + len(head), 0.85))
        _take_firm(person, source, start + len(head) + 2, rest)
        return
    if comma and not rest[:1].isupper():
        text = head
    at = re.match(rf"(?P<role>[^/(]+?) (?:at|@) (?P<firm>{UPPER}.*)$", text)
    if at:
        person.take("company", Finding(source, start + at.start("firm"), start + len(text), 0.8))
        text = at["role"]
    person.take("role", Finding(source, start, start + len(text), 0.85))


def _take_firm(person: Person, source: Source, start: int, text: str) -> None:
    """A company, perhaps with its town: `Vos Naudé Attorneys, Bloemfontein`."""
    if text.startswith("M/s "):
        start, text = start + 4, text[4:]
    text = re.sub(r"[ ]\(.*$", "", text)
    name, comma, place = text.partition(", ")
    if comma and _LEGAL_FORM.match(place):
        suffix, comma, place = place.partition(", ")
        name = f"{name}, {suffix}"
    if not name or re.match(r"\d", name):
        return
    person.take("company", Finding(source, start, start + len(name), 0.8))
    if comma and re.fullmatch(rf"{UPPER}[\w .,'-]+", place):
        town = place.rsplit(", ", 1)[-1]
        end = start + len(text)
        person.take("location", Finding(source, end - len(town), end, 0.75))
