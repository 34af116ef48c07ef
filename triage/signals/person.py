"""What names of people and firms look like, and what was found of a person so far."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from classifiers.labels import SignalName
from triage.signals.source import Finding

TITLE: Final = (
    r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Sir|Sister|Brother|Bro|Pastor|Rev|Father|Fr|Coach|Captain|Capt"
    r"|Maj|Deacon|Engineer|Chef|Missus|Sr|Br|Atty|Attorney|Hon|Judge|Lady|Lord|Madam)\.?"
)
UPPER: Final = r"[^\W\d_a-zà-öø-ÿß-ž]"
"""One capital letter of the Latin scripts; not for patterns that ignore case."""

_PART: Final = (
    rf"(?:{UPPER}[\w'\u2019-]*\w|{UPPER}\.|{UPPER}(?=[ ,.)\n]|$)"
    rf"|(?:St|Mc)\.(?: {UPPER}\w+)?)"
)
_JOIN: Final = r"(?:de|dela|da|di|van|von|der|den|bin|al|el|la|le|del|ten|ter)"
NAME: Final = rf"(?:{TITLE} )?{_PART}(?: (?:{_JOIN} )*{_PART}){{0,3}}"
FAMILY_FIRST: Final = rf"{_PART}, {_PART}"
FIRM: Final = (
    rf"(?:the )?{UPPER}(?:[\w'\u2019&-]|\.(?=\w))*"
    rf"(?:(?: (?:&|and|of) | ){UPPER}[\w'\u2019&-]*){{0,4}}"
)

_COMMON_WORDS: Final = """
thanks thank regards cheers best sent phone tel mobile email hello hi hey dear the this that it
its what who how when where why yes no not we our you your they please call text cell fax from
to subject date re fw fwd attached note monday tuesday wednesday thursday friday saturday sunday
january february march april june july august september october november december just still
also and but so if is are was were can could would will does do did have has looking calling
ringing phoning interested wondering trying going here there sorry good morning afternoon
evening office home house i im me my us one two three four five six seven eight nine ten oh o
zero double at in on of for with about after before only really very all any some new old um uh
okay ok well like over out up down accept decline open status confidential fine sure great right
now today tomorrow tonight asap customer quite actually currently glad happy afraid hoping
thinking getting having a an as by or because been being located based available confirmed price
quote need want wanted needed he she his her their them dont sirs pages god whoever anything
everything perfect lovely choice boss fleet disclaimer iridium vendor visa kind probably maybe
kindly mainly mostly possible urgent nothing something somebody someone anybody everybody nobody
american british canadian german french dutch spanish italian polish irish english indian
chinese russian
"""
_NO_NAME: Final = frozenset(_COMMON_WORDS.split())
_FIRM_WORD: Final = re.compile(
    r"\b(?:ltd|limited|llc|inc|corp|corporation|co|company|gmbh|plc|llp|srl|sarl|pty|ag|bv|group"
    r"|university|school|academy|college|church|hospital|clinic|council|trust|bank|bancorp|team"
    r"|foundation|association|services?|solutions|systems|partners|consulting|studio|labs?|sales"
    r"|industries|holdings|bakery|farms?|dental|medical|restaurant|hotel|club|society|attorneys"
    r"|drains|agency|county|city of|district|logistics|properties|management|mgmt|commercial"
    r"|media|foods|committee|desk|support|procurement|planning|glass|form|enquiries)\b\.?",
    re.IGNORECASE,
)
_SHORTENED: Final = re.compile(r"['\u2019](?:s|re|ll|d|ve|m|t)$", re.IGNORECASE)


@dataclass
class Person:
    """What was found so far; the first finding of a signal stays."""

    found: dict[SignalName, Finding] = field(default_factory=dict)

    def take(self, name: SignalName, finding: Finding | None) -> None:
        """Keep a finding unless there is one."""
        if finding is not None and finding.quote.strip() and name not in self.found:
            self.found[name] = finding


def no_name(word: str) -> bool:
    """Whether a word is too common to be a name where nothing but its place says that it is."""
    return word.lower().strip(".,'\u2019") in _NO_NAME or _SHORTENED.search(word) is not None


def name_length(words: str) -> int:
    """How many characters of a candidate are a person's name; 0 where none are.

    A common word ends a name: of `Halina I am seventy` the name is `Halina`.
    """
    length = 0
    for match in re.finditer(r"[\w'\u2019.-]+", words):
        if no_name(match[0]):
            break
        length = match.end()
    name = words[:length].rstrip(" -")
    known = re.fullmatch(TITLE, name) or len(name) < 2 or len(name) > 40
    shouted = name.isupper() and len(name) > 18
    return 0 if known or shouted or _FIRM_WORD.search(name) else len(name)


def firm_word(text: str) -> bool:
    """Whether a word says that this is a company or an institution: `Ltd`, `school`."""
    return _FIRM_WORD.search(text) is not None


def firm_like(text: str) -> bool:
    """Whether a line of a signature may be a company's name."""
    words = text.split()
    ends = re.sub(r"\b(?:co|ltd|inc|s)\.$", "", text, flags=re.IGNORECASE)
    return (
        0 < len(words) <= 9
        and text[:1].isupper()
        and not ends.endswith((".", "!", "?"))
        and not no_name(words[0])
        and not re.match(r"(?:mrs?|ms)\b", text, re.IGNORECASE)
    )
