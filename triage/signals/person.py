"""Who the contact is: name, role and company, from forms, signatures and introductions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from classifiers.labels import SignalName
from triage.signals.contact import is_automatic, is_own
from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source

_TITLE: Final = (
    r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Sir|Sister|Brother|Bro|Pastor|Rev|Father|Fr|Coach|Captain|Capt"
    r"|Deacon|Engineer|Chef|Missus)\.?"
)
_UP: Final = r"[^\W\d_a-zà-öø-ÿß-ž]"
_PART: Final = rf"(?:{_UP}[\w'’-]*[\w]|{_UP}\.?(?=[ ,.)\n]|$)|(?:St|Mc)\. ?{_UP}\w+)"
_JOIN: Final = r"(?:de|da|di|van|von|der|den|bin|al|el|la|le|del|ten|ter)"
NAME: Final = rf"(?:{_TITLE} )?{_PART}(?: (?:{_JOIN} )*{_PART}){{0,3}}"
_NAME_LINE: Final = re.compile(
    rf"[ \t]*(?:[-–—~]+ ?)?(?P<name>{NAME})(?:,? (?:Jr|Sr|LSW|PhD|MD|RN|CPA|Esq|MBA)\.?)*"
    r"(?P<rest>[ \t]*$|[ \t]*,[ \t].*|[ \t]+\(.*|[ \t]{2,}.*|[ \t]+[-|·–—].*|[ \t]+\+?\(?\d.*)"
)
_LOWER_LINE: Final = re.compile(
    r"[ \t]*(?:[-–—~]+ ?)?(?P<name>[a-zà-ÿ]{2,14})(?P<rest>[ \t]*$|[ \t]+\(.*)"
)
_CLOSING: Final = re.compile(
    r"^(?:[\w ,']{0,30}\b)?(?:regards|thanks(?: again| so much| in advance| a lot)?|thank you(?: [\w ]{0,40})?|cheers|sincerely"
    r"|yours(?: [\w ]+)?|best(?: wishes| regards)?|greetings|kind(?:est)? regards|many thanks|ta|in his service|abra[cç]o"
    r"|faithfully|respectfully|cordially|take care|warmly|blessings|all the best|talk soon|co-operation)[,.! -]*$",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(
    rf"(?:[.!?)]|[-–—]|\b(?:thanks|thx|cheers|regards),?)[ \t]+[-–—]?[ \t]*(?P<name>{NAME})[.!]?\s*$",
    re.I,
)
_BEFORE_NUMBER: Final = re.compile(
    rf"(?:^|[.!?:] |[-–—] )(?P<name>{NAME}),? (?:at |on )?\+?\(?\d{{2,}}[\d ().-]{{6,}}", re.M
)
_STOP: Final = frozenset(
    "thanks thank regards cheers best sent phone tel mobile email hello hi hey dear the this that it its what who how when"
    " where why yes no not we our you your they please call text cell fax from to subject date re fw fwd attached note"
    " monday tuesday wednesday thursday friday saturday sunday january february march april june july august september"
    " october november december just still also and but so if is are was were can could would will do does did have has"
    " looking calling ringing phoning interested wondering trying going not here there sorry good morning afternoon evening"
    " office home house i im me my us one two three four five six seven eight nine ten oh o zero double at in on of for with"
    " about after before only really very all any some new old um uh okay ok well like over out up down accept decline open"
    " status confidential confidentiality disclaimer fine sure great right now today tomorrow tonight asap customer team"
    " quite actually currently glad happy afraid hoping thinking getting having a an as by or because been being being'"
    " located based available confirmed price quote need want wanted needed calling he she his her their them dont".split()
)
_FIRM: Final = re.compile(
    r"\b(?:ltd|limited|llc|inc|corp|corporation|co|company|gmbh|plc|llp|srl|sarl|pty|ag|as|bv|group|university|school|academy"
    r"|college|church|hospital|clinic|council|trust|bank|bancorp|foundation|association|services?|solutions|systems|partners"
    r"|consulting|studio|labs?|industries|holdings|bakery|farms?|dental|medical|restaurant|hotel|club|society|attorneys|glass"
    r"|drains|agency|county|city of|district|logistics|properties|management|mgmt|commercial|media|docs|foods)\b\.?",
    re.IGNORECASE,
)
ROLE_WORDS: Final = (
    r"(?:managing |executive |assistant |deputy |senior |general |vice |practice |regional |fleet |events? |line |camp |office "
    r"|procurement |hr |it |purchasing |facilities |operations |project |marketing |sales |property |duty |category |store )*"
    r"(?:manager|mgr|director|owner|founder|co-founder|head of [\w&]+(?: [\w&]+)?|coordinator|officer|assistant|president|vp"
    r"|vice president|ceo|cto|cfo|coo|cio|cmo|partner|buyer|clerk|secretary|specialist|analyst|consultant|administrator"
    r"|supervisor|superintendent|super|principal|pastor|chairman|chairwoman|treasurer|bookkeeper|controller|intern|student"
    r"|receptionist|proprietor|landlord|producer|planner|dentist|foreman|technician|paralegal|people ops|pa|executive"
    r"|sysadmin|storekeeper|deacon|librarian|teacher|coach)"
)
_ROLE: Final = re.compile(
    rf"(?:\b{ROLE_WORDS}\b|\b(?:procurement|purchasing|facilities|transport|operations|lead|lsw|engineer)\b|\bpa to\b)",
    re.IGNORECASE,
)
_I_AM: Final = re.compile(
    rf"\b(?:i'?m|i am|as) (?:just |only |also )*(?:the |an? |your |our )+(?:the )?(?P<role>(?:\w+ ){{0,2}}?{ROLE_WORDS})\b(?! (?:asked|wants|said))"
)
_RUNS: Final = re.compile(
    r"\b(?P<role>i run (?:product|marketing|operations|sales|it|engineering|facilities))\b"
)
_NOT_MINE: Final = re.compile(r"\b(?:not|my|our|isn't)\s+$")


@dataclass
class Person:
    """What was found so far; the first finding of a name stays."""

    found: dict[SignalName, Finding] = field(default_factory=dict)

    def take(self, name: SignalName, finding: Finding | None) -> None:
        """Keep a finding unless there is one."""
        if finding is not None and finding.quote.strip() and name not in self.found:
            self.found[name] = finding


def find_person(material: Material, form: dict[FieldName, Finding]) -> dict[SignalName, Finding]:
    """Name, role, company and what place a signature states, each where stated."""
    person = Person()
    _from_form(person, form)
    for source in material.own:
        if source.field != "subject":
            _from_signature(person, source)
    for source in material.own:
        if source.field != "subject":
            _from_speech(person, source)
            _from_statements(person, source)
    return person.found


def _from_form(person: Person, form: dict[FieldName, Finding]) -> None:
    for name in ("contact_name", "company", "role"):
        value = form.get(name)
        if value and name == "contact_name" and re.search(r"[@\d]", value.quote):
            continue
        person.take(name, value)
    first, last = form.get("first_name"), form.get("last_name")
    if first and last and first.source is last.source:
        whole = f"{first.quote} {last.quote}"
        first = Finding(
            first.source, first.start, first.end, 0.95, whole, "", ((last.start, last.end),)
        )
    person.take("contact_name", first)


def _from_signature(person: Person, source: Source) -> None:
    lines = [
        (match.start(), match[0])
        for match in re.finditer(r"[^\n]+", source.heard)
        if match[0].strip()
    ]
    place = _name_line(source, lines)
    if place is None:
        if not source.spoken:
            _inline(person, source)
        return
    at, match = place
    start = lines[at][0]
    name = Finding(source, start + match.start("name"), start + match.end("name"), 0.9)
    person.take("contact_name", name)
    if "contact_name" in person.found and not _same(person.found["contact_name"], name):
        return
    pieces = [*_pieces(start + match.start("rest"), match["rest"])]
    for offset, line in lines[at + 1 : at + 6]:
        pieces += _pieces(offset, line)
    _sort_pieces(person, source, pieces)


def _same(one: Finding, other: Finding) -> bool:
    return bool({*one.quote.lower().split()} & {*other.quote.lower().split()})


def _name_line(source: Source, lines: list[tuple[int, str]]) -> tuple[int, re.Match[str]] | None:
    """The line of the name: after a closing, or the first of the last short block."""
    if source.spoken:
        return None
    count = len(lines)
    for at in range(count - 1, max(-1, count - 10), -1):
        if _CLOSING.match(lines[at][1].strip()) and at + 1 < count:
            match = _as_name(lines[at + 1][1], loose=True)
            if match:
                return at + 1, match
    if source.field == "signature" and lines and (match := _as_name(lines[0][1], loose=True)):
        return 0, match
    for at in range(max(0, count - 7), count):
        opens = at == 0 or "\n\n" in re.sub(
            r"[ \t]+", "", source.text[lines[at - 1][0] : lines[at][0]]
        )
        if (opens or at == count - 1) and at > 0:
            match = _as_name(lines[at][1], loose=at == count - 1 or opens)
            if match and all(len(line) < 70 for _, line in lines[at + 1 :]):
                return at, match
    return None


def _as_name(line: str, *, loose: bool) -> re.Match[str] | None:
    match = _NAME_LINE.match(line.rstrip()) or (_LOWER_LINE.match(line.rstrip()) if loose else None)
    return match if match and plausible(match["name"]) else None


def plausible(name: str) -> bool:
    """Whether words look like a person's name rather than a phrase or a firm."""
    words = re.findall(r"[\w'’]+", name)
    if not words or len(words) > 5 or len(name) > 40 or (name.isupper() and len(name) > 18):
        return False
    return not any(word.lower() in _STOP for word in words) and not _FIRM.search(name)


def _inline(person: Person, source: Source) -> None:
    tail = source.heard.rstrip()
    for pattern in (_INLINE, _BEFORE_NUMBER):
        for match in pattern.finditer(tail[-160:]):
            shift = len(tail) - len(tail[-160:])
            words = match["name"]
            if words[:1].isupper() and plausible(words) and len(words) > 1:
                person.take(
                    "contact_name",
                    Finding(source, shift + match.start("name"), shift + match.end("name"), 0.75),
                )


def _pieces(offset: int, line: str) -> Iterator[tuple[int, str, bool]]:
    """Parts of a signature line with their offsets; the flag tells what followed a comma."""
    for chunk in re.finditer(r"(?:(?! {2,}| ?[|·•] ?|\t).)+", line):
        text = chunk[0]
        position = offset + chunk.start()
        inner = re.match(r"[ \t,(–—-]*", text)
        lead = inner.end() if inner else 0
        yield position + lead, text[lead:].rstrip(" ,)"), False


def _sort_pieces(person: Person, source: Source, pieces: list[tuple[int, str, bool]]) -> None:
    texts = [
        (start, text)
        for start, text, _ in pieces
        if text
        and not re.search(
            r"@|www\.|https?:|\+?\(?\d[\d ().-]{6,}|^(?:phone|tel|mob|cell|m:|t:)", text, re.I
        )
        and not _CLOSING.match(text)
    ]
    for at, (start, text) in enumerate(texts):
        others = any(_firm_like(later) for _, later in texts[at + 1 :])
        if _ROLE.search(text) and len(text) < 60:
            _role_piece(person, source, start, text, whole=others)
        elif _firm_like(text) and "company" not in person.found:
            _firm_piece(person, source, start, text)


def _firm_like(text: str) -> bool:
    words = text.split()
    return (
        0 < len(words) <= 9
        and text[:1].isupper()
        and not re.search(r"[.!?]$", re.sub(r"(?:co|ltd|inc|s)\.$", "", text, flags=re.I))
        and not re.match(r"\d", text)
        and words[0].lower().strip(",.") not in _STOP
        and not re.match(r"(?:mrs?|ms)\b", text, re.I)
    )


def _role_piece(person: Person, source: Source, start: int, text: str, *, whole: bool) -> None:
    head, comma, rest = text.partition(", ")
    if comma and not whole and not _ROLE.search(rest):
        person.take("role", Finding(source, start, start + len(head), 0.85))
        _firm_piece(person, source, start + len(head) + 2, rest)
        return
    end = len(text) if whole or not comma else len(text)
    inside = re.match(r"(?P<role>[^/(]+?)(?: (?:at|of|@) (?P<firm>[A-Z].*))$", text)
    if inside and not re.match(r"(?i)head|director|vp|vice", text):
        person.take(
            "company",
            Finding(source, start + inside.start("firm"), start + inside.end("firm"), 0.8),
        )
        end = inside.end("role")
    person.take("role", Finding(source, start, start + end, 0.85))


def _firm_piece(person: Person, source: Source, start: int, text: str) -> None:
    lead = re.match(r"(?i)m/s |the ", text)
    shift = lead.end() if lead and lead[0].lower() == "m/s " else 0
    name, comma, place = text[shift:].partition(", ")
    if comma and re.match(r"(?i)(?:inc|llc|ltd|plc)\b", place):
        suffix, comma, place = place.partition(", ")
        name = f"{name}, {suffix}"
    if not name:
        return
    at = start + shift
    person.take("company", Finding(source, at, at + len(name), 0.8))
    if comma and re.match(rf"{_UP}[\w .'-]+(?:, {_UP}\w+)?$", place):
        at += len(name) + 2
        last = place.rsplit(", ", 1)[-1]
        at += len(place) - len(last)
        person.take("location", Finding(source, at, at + len(last), 0.75))


_FIRM_NAME: Final = rf"(?:the )?{_UP}[\w'’&.-]*(?:(?: (?:&|and|of) | ){_UP}[\w'’&-]*){{0,4}}"
_INTRO: Final = re.compile(
    rf"\b(?:[Mm]y name(?:['’]s| is)|[Nn]ame(?:['’]s| is)|[Tt]his is|[Ii]t['’]?s(?: uh| um| its)*|I['’]m|[Ii] am|[Jj]ust|[Hh]er name is|[Ww]e are|[Ss]ay"
    rf"|put (?:it|me) (?:down )?(?:as|under)),? (?P<name>{NAME})"
    rf"(?:,? (?:over |here |calling |out )?(?:from|at|with|of) (?P<firm>{_FIRM_NAME}))?"
)
_HERE: Final = re.compile(
    rf"(?:^|[.!?] |hi,? |hello,? |morning,? )(?P<name>{NAME}),? (?:here\b|from (?P<firm>{_FIRM_NAME})|speaking|calling)",
    re.M | re.I,
)
_LOWER_INTRO: Final = re.compile(
    r"\b(?:my name'?s|my name is|name'?s|name is|this is|it'?s(?: uh| um| its)*|i am|i'm|its) (?:the )?(?P<title>(?:sister|engineer|missus|mrs|mr|dr|pastor|coach) )?"
    r"(?P<name>[a-zà-ÿ][a-zà-ÿ'’-]{2,})"
)
_COMPANY_IS: Final = re.compile(
    rf"\b(?:[Ww]e['’]re|[Ww]e are|[Ii] work (?:for|at)|[Cc]alling (?:from|on behalf of)|behalf of|here at|[Hh]ead of \w+ at|(?:I run|product|owner of|founder of|manager (?:at|of)|director (?:at|of)))"
    rf" (?P<firm>{_FIRM_NAME})"
)
_LEGAL: Final = re.compile(
    rf"\b(?P<firm>(?:{_UP}[\w'&-]+ ){{1,4}}(?:Ltd|LLC|Inc|GmbH|Plc|PLC|LLP|SRL|Pty Ltd|AG|BV|Limited|Corp)\b\.?)"
)


def _from_speech(person: Person, source: Source) -> None:
    """Introductions: `my name is …`, `this is … from …`, and the answer to `your name?`."""
    for pattern, sure in ((_INTRO, 0.85), (_HERE, 0.8)):
        for match in pattern.finditer(source.heard):
            name = match["name"]
            if (
                name[:1].islower()
                or not plausible(name)
                or (match[0].startswith(("We", "we")) and not match["firm"])
            ):
                continue
            person.take("contact_name", Finding(source, *match.span("name"), sure))
            if match["firm"] and _not_place(source, match):
                person.take("company", Finding(source, *match.span("firm"), 0.75))
    if source.spoken:
        _answered(person, source)
        _unpunctuated(person, source)


def _not_place(source: Source, match: re.Match[str]) -> bool:
    words = source.heard[match.end("name") : match.start("firm")]
    return " at " in words or " with " in words or " of " in words or "from" in words


def _answered(person: Person, source: Source) -> None:
    """The caller's turn after the agent asked for the name."""
    asks = r"\b(?:your (?:full )?name|what name|who(?:'s| is| am i)|putting down|name,? please|may i have your name)\b"
    for match in re.finditer(
        rf"^Agent:[^\n]*{asks}[^\n]*\nCaller:[ \t]*", source.text, re.M | re.I
    ):
        turn = re.compile(rf"[^\n]{{0,30}}?\b(?P<name>{NAME})").match(source.heard, match.end())
        if turn and plausible(turn["name"]):
            person.take("contact_name", Finding(source, *turn.span("name"), 0.85))
    for match in re.finditer(
        rf"(?:^|[.!?] )[ \t]*(?P<name>{NAME}),? \+?\(?\d{{3}}", source.heard, re.M
    ):
        if plausible(match["name"]):
            person.take("contact_name", Finding(source, *match.span("name"), 0.75))


def _unpunctuated(person: Person, source: Source) -> None:
    """Names in a transcript without capitals: the word after `my name is`, if it is none of ours."""
    if "contact_name" in person.found:
        return
    for match in _LOWER_INTRO.finditer(source.lower):
        word = match["name"]
        certain = "name" in match[0].split(word)[0]
        if word in _STOP or (
            not certain
            and not re.match(
                r"'? (?:from|at|calling|over|out|with|here)\b", source.lower[match.end() :]
            )
        ):
            continue
        if not certain and re.search(r"ing$|ed$", word):
            continue
        start = match.start("title") if match["title"] else match.start("name")
        person.take("contact_name", Finding(source, start, match.end("name"), 0.7))


def _from_statements(person: Person, source: Source) -> None:
    for pattern in (_I_AM, _RUNS):
        for match in pattern.finditer(source.lower):
            before = source.lower[max(0, match.start("role") - 8) : match.start("role")]
            if not _NOT_MINE.search(before):
                person.take("role", Finding(source, *match.span("role"), 0.8))
    for firm in (_COMPANY_IS, _LEGAL):
        for match in firm.finditer(source.heard):
            words = match["firm"].split()
            if words[0].lower() not in _STOP and len(match["firm"]) > 2:
                person.take("company", Finding(source, *match.span("firm"), 0.7))


def sender_name(material: Material) -> Finding | None:
    """The display name of the sender, where it is a person's and not the business's own."""
    sender = material.inquiry.sender
    match = re.fullmatch(rf"[\"']?(?P<name>{NAME}|{_PART}, {_PART})[\"']?", sender.name)
    if not match or not plausible(match["name"].replace(",", "")):
        return None
    if is_own(sender.email, material) or is_automatic(sender.email):
        return None
    for source in material.sources:
        if source.part == "header" and (start := source.text.find(match["name"])) >= 0:
            family, comma, given = match["name"].partition(", ")
            value = f"{given} {family}" if comma else ""
            return Finding(source, start, start + len(match["name"]), 0.5, value)
    return None
