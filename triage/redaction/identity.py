"""Numbers of people: national identity numbers by form, check digit and the words around them;
passports and driving licences by the words alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stdnum import luhn
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import itin, ssn

from triage.redaction.context import like_phone, near, told
from triage.redaction.finding import Finding, Kind
from triage.redaction.numbers import Gap, Number, parts


@dataclass(frozen=True, slots=True)
class Announced:
    """Digits that follow certain words. The first length is what they should have."""

    words: re.Pattern[str]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shaped:
    """A form with a check. `words`: what must stand around it where that is not enough."""

    form: re.Pattern[str]
    valid: Callable[[str], bool]
    words: re.Pattern[str] | None = None


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){pattern}(?![\w-])")


def _nino(text: str) -> bool:
    return text[:2].upper() not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def _any_number(_: str) -> bool:
    return True


def _social_insurance(text: str) -> bool:
    return luhn.is_valid(re.sub(r"\D", "", text))


_NUMBER: Final = r"(?:(?:'s)? ?(?:security )?(?:number|num|no\b\.?|#))?"
_NO_MEDIA: Final = r"(?! (?:media|network|page|account|club|hall|event))"
_ANNOUNCED: Final = tuple(
    Announced(_words(words), lengths)
    for words, lengths in (
        (rf"(?:social security|ssn|s\.s\.n\.){_NUMBER}", (9, 8, 10)),
        (rf"(?:my|your|his|her|the|full) social\b{_NO_MEDIA}", (9, 8, 10)),
        (rf"itin\b{_NUMBER}|individual taxpayer\w*{_NUMBER}", (9, 8, 10)),
        (rf"social insurance{_NUMBER}", (9, 8, 10)),
        (rf"tax file{_NUMBER}|tfn\b", (9, 8)),
        (r"steuer-?id\w*\.?(?:-?nummer)?|persönliche steuernummer|idnr", (11, 10, 12)),
        (r"aad?haa?r(?: card)?(?: ?(?:number|no|#))?", (12, 11, 13)),
        (r"bsn\b|burgerservicenummer|sofi-?nummer", (9, 8)),
        (r"num[ée]ro de s[ée]cu(?:rit[ée] sociale)?|n° ?de s[ée]cu\w*", (15, 13)),
        (r"pesel\b|cpf\b", (11,)),
        (r"personnummer", (12, 10)),
    )
)
_SHORT_SOCIAL: Final = _words(
    r"last (?:four|4)(?: digits?)? (?:of|on) (?:my|your|the|his|her) (?:social|ssn)"
    r"(?: security)?(?: number)?"
)
_LETTERS_AND_FIGURES: Final = r"[0-9LMNPQRSTUV]"  # of an Italian code, where figures are used up
_ITALIAN: Final = (
    rf"[A-Z]{{6}}{_LETTERS_AND_FIGURES}{{2}}[A-EHLMPRST]{_LETTERS_AND_FIGURES}{{2}}"
    rf"[A-Z]{_LETTERS_AND_FIGURES}{{3}}[A-Z]"
)
_FRENCH: Final = r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"
_SHAPED: Final = (
    # Forms that say by themselves what they are.
    Shaped(_form(r"\d{3}-\d{2}-\d{4}"), lambda text: ssn.is_valid(text) or itin.is_valid(text)),
    Shaped(_form(r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"), _nino),
    Shaped(_form(_FRENCH), nir.is_valid),
    Shaped(_form(r"\d{8}[ -]?[A-Z]"), dni.is_valid),
    Shaped(_form(r"[XYZ][ -]?\d{7}[ -]?[A-Z]"), nie.is_valid),
    Shaped(_form(_ITALIAN), codicefiscale.is_valid),
    Shaped(_form(r"756\.?\d{4}\.?\d{4}\.?\d{2}"), ahv.is_valid),
    Shaped(_form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), nn.is_valid),
    Shaped(_form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), cpf.is_valid),
    # Forms that other numbers have too.
    Shaped(
        re.compile(r"(?<!\w)[a-z]{2}(?:[ -]?\d{2}){3}[ -]?[a-d](?!\w)", re.IGNORECASE),
        _nino,
        _words(r"national insurance|nino\b|ni (?:number|no)"),
    ),
    Shaped(_form(r"\d{3}[ -]\d{2}[ -]\d{4}"), _any_number, _words(r"social\b|ssn|itin\b")),
    Shaped(
        _form(r"\d{3}[ -]\d{3}[ -]\d{3}"),
        _social_insurance,
        re.compile(r"\bSIN\b|(?i:social insurance)"),
    ),
    Shaped(_form(r"\d{3} ?\d{3} ?\d{3}"), tfn.is_valid, re.compile(r"\bTFN\b|(?i:tax file)")),
    Shaped(_form(r"\d{2}(?: ?\d{3}){3}"), idnr.is_valid, _words(r"steuer|tax id|tin\b|idnr")),
    Shaped(
        _form(r"[A-Z]{5}\d{4}[A-Z]"),
        pan.is_valid,
        re.compile(r"\bPAN\b|(?i:income tax|permanent account)"),
    ),
    Shaped(_form(r"\d{4} ?\d{4} ?\d{4}"), aadhaar.is_valid, _words(r"aad?haa?r|uidai")),
    Shaped(_form(r"\d{4}[. ]?\d{2}[. ]?\d{3}"), bsn.is_valid, _words(r"bsn|burgerservice|sofi")),
    Shaped(_form(r"\d{11}"), pesel.is_valid, _words(r"pesel")),
)
_OTHER: Final = re.compile(
    r"\b(?:order|invoice|tracking|serial|s/n|part|sku|ticket|case|model|item|job|quote|ref(?:erence)?"
    r"|meter|unit|batch|lot|policy|claim|po|product|filter|belt)\b[^.;\n]{0,25}$",
    re.IGNORECASE,
)
_LICENCE: Final = r"driv(?:er|ing)(?:'?s|s')? ?licen[sc]e"
_DOCUMENTS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("passport number", _words(r"passports?(?: ?(?:number|num|no\b\.?|#))?")),
    (
        "driving licence number",
        _words(
            rf"(?:{_LICENCE}|dl)(?: ?(?:number|num|no\b\.?|#|is))|{_LICENCE}\b",
        ),
    ),
)
_INSURANCE_SAID: Final = _words(r"national insurance(?: ?(?:number|no))?|ni number")
_CODE: Final = re.compile(
    r"(?<![\w-])(?=(?:[A-Za-z-]*\d){5})[A-Za-z]{0,5}-?\d[\dA-Za-z]*"
    r"(?:[ -]\d[\dA-Za-z]{1,5})*(?![\w-])"
)
_CODE_REACH: Final = 60  # characters between the words and a document's number
_NOT_ITS: Final = re.compile(
    r"phone|call|reach|cell|application|flight|[$€£]|[.?!\n](?!\s*\w+:)", re.IGNORECASE
)
_LETTERS_BEFORE: Final = re.compile(r"(?:(?<![\w'])[A-Za-z](?:[\s,.-]{1,3}|(?=\d))){1,3}$")
_LETTER_BEHIND: Final = re.compile(r"[\s,.-]{1,3}[A-Za-z](?![\w'])")
_AROUND: Final = 80


def find(text: str, numbers: Sequence[Number]) -> list[Finding]:
    """Every identity number, passport and driving licence that a text tells."""
    found = [*_shaped(text)]
    for rule in _ANNOUNCED:
        for match in rule.words.finditer(text):
            found += _told(text, numbers, match.end(), rule.lengths, found)
    for match in _SHORT_SOCIAL.finditer(text):
        found += _told(text, numbers, match.end(), (4,), found)
    for match in _INSURANCE_SAID.finditer(text):
        found += _lettered(text, numbers, match.end(), "identity number", found)
    for kind, words in _DOCUMENTS:
        for match in words.finditer(text):
            found += _document(text, numbers, match, kind, found)
    return found


def _shaped(text: str) -> Iterator[Finding]:
    for rule in _SHAPED:
        for match in rule.form.finditer(text):
            start, end = match.span()
            if rule.words and not near(rule.words, text, start, end, _AROUND):
                continue
            if rule.words is None and _OTHER.search(text[max(0, start - 50) : start]):
                continue
            if rule.valid(match[0]):
                yield Finding("identity number", (match.span(),))


def _told(
    text: str,
    numbers: Sequence[Number],
    position: int,
    lengths: tuple[int, ...],
    known: Sequence[Finding],
) -> list[Finding]:
    taken = told(text, numbers, position, lengths)
    if not taken or _overlap(known, taken[0].start, taken[-1].end):
        return []
    return [Finding("identity number", parts(text, taken))]


def _lettered(
    text: str,
    numbers: Sequence[Number],
    position: int,
    kind: Kind,
    known: Sequence[Finding],
    lengths: tuple[int, ...] = (6, 5, 7),
    reach: int = 10,
) -> list[Finding]:
    """A number with letters before and behind it, spelled out."""
    taken = told(text, numbers, position, lengths, reach, Gap.LOOSE)
    if not taken or _overlap(known, taken[0].start, taken[-1].end) or like_phone(taken):
        return []
    stretches = [*parts(text, taken)]
    if before := _LETTERS_BEFORE.search(text, position, stretches[0][0]):
        stretches[0] = (before.start(), stretches[0][1])
    if behind := _LETTER_BEHIND.match(text, stretches[-1][1]):
        stretches[-1] = (stretches[-1][0], behind.end())
    return [Finding(kind, tuple(stretches))]


def _document(
    text: str, numbers: Sequence[Number], match: re.Match[str], kind: Kind, known: Sequence[Finding]
) -> list[Finding]:
    """The number of a document that was named; further away only where its number is named."""
    named = re.search(r"number|num|no|#|dl", match[0], re.IGNORECASE)
    reach = 10 if named else 4
    position = match.end()
    code = _CODE.search(text, position, position + _CODE_REACH + 30)
    if code:
        between = text[position : code.start()]
        words = re.findall(r"[^\W\d_]+", between.lower())
        if len(words) <= reach and not _NOT_ITS.search(between):
            known_already = _overlap(known, code.start(), code.end())
            return [] if known_already else [Finding(kind, (code.span(),))]
    return _lettered(text, numbers, position, kind, known, tuple(range(14, 5, -1)), reach)


def _overlap(found: Sequence[Finding], start: int, end: int) -> bool:
    return any(a < end and start < b for one in found for a, b in one.parts)
