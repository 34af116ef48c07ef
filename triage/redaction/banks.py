"""Bank accounts: IBANs by their check digits, everything else by the words before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from stdnum import iban
from stdnum.us import rtn

from triage.redaction.context import like_phone, near, told
from triage.redaction.finding import Finding, Kind
from triage.redaction.numbers import Gap, Number, joined, parts

_IBAN: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])"
)
_IBAN_SAID: Final = re.compile(r"\biban\b", re.IGNORECASE)
_LETTERS: Final = re.compile(
    r"(?:\W{0,3}(?:is|it's|number|my|the|ist|lautet|for)\b){0,3}\W{0,4}"
    r"((?:[A-Za-z]\b[\s,.-]{1,3}|[A-Za-z]{2}[ -]?(?=\d)){1,2})",
    re.IGNORECASE,
)
_BANK: Final = re.compile(
    r"\b(?:bank(?:ing|s|verbindung)?|checking|savings|routing|rtg|sort[ -]?code|ach"
    r"|(?:direct )?debit"
    r"|direct deposit|wire|bacs|swift|bic|void(?:ed)? check|transit|aba|standing order|konto|blz"
    r"|bsb)\b",
    re.IGNORECASE,
)  # fmt: skip
_ACCOUNT: Final = re.compile(
    r"\b(?:account|acct|a/c|acc)\b\.?(?: ?(?:number|num|no|#))?\.?|\bkonto(?:nummer|-?nr)?\b\.?"
    r"|\b(?:checking|savings)\b",
    re.IGNORECASE,
)
_SURE_ACCOUNT: Final = re.compile(
    r"\b(?:bank|checking|savings) (?:account|acct)\b(?: ?(?:number|num|no|#))?\.?", re.IGNORECASE
)
_ROUTING: Final = re.compile(
    r"\brouting(?: ?(?:and transit )?(?:number|num|no|#))?\b|\baba(?: ?(?:number|no|#))?\b"
    r"|\brtn\b|\brtg\b",
    re.IGNORECASE,
)
_SORT: Final = re.compile(r"\bsort[ -]?codes?\b", re.IGNORECASE)
_BLZ: Final = re.compile(r"\b(?:blz|bankleitzahl|bsb)\b", re.IGNORECASE)
_SORT_FORM: Final = re.compile(r"(?<![\d-])\d{2}-\d{2}-\d{2}(?![\d-])")
_CLOSE: Final = 30  # characters between an account and its sort code, at most
_AROUND: Final = 160
_ACCOUNT_DIGITS: Final = tuple(range(17, 5, -1))


def find(text: str, numbers: Sequence[Number]) -> list[Finding]:
    """Every account and every number that names a bank beside one."""
    found = [*_ibans(text, numbers)]
    for kind, words, lengths in _RULES:
        for match in words.finditer(text):
            taken = told(text, numbers, match.end(), lengths, most=Gap.LOOSE)
            if taken and not _known(found, taken) and not like_phone(taken):
                found.append(Finding(kind, parts(text, taken)))
    found += _routing(text, numbers, found)
    for match in _ACCOUNT.finditer(text):
        if near(_BANK, text, match.start(), match.end(), _AROUND):
            taken = _behind(text, numbers, match, found)
            if taken and not _known(found, taken):
                found.append(Finding("bank account", parts(text, taken)))
    return [*found, *_sort_codes(text, found)]


def _sort_codes(text: str, accounts: Sequence[Finding]) -> Iterator[Finding]:
    """`12-34-56` beside an account."""
    for match in _SORT_FORM.finditer(text):
        start, end = match.span()
        beside = any(
            one.kind == "bank account" and one.start - _CLOSE <= end and start <= one.end + _CLOSE
            for one in accounts
        )
        if beside and not any(one.start < end and start < one.end for one in accounts):
            yield Finding("sort code", ((start, end),))


def _behind(
    text: str, numbers: Sequence[Number], match: re.Match[str], known: Sequence[Finding]
) -> list[Number]:
    """An account's number, also where the routing number is told first."""
    position, named = match.end(), re.search(r"num|no|#|nr", match[0], re.IGNORECASE)
    taken = told(text, numbers, position, _ACCOUNT_DIGITS, 10 if named else 3, Gap.LOOSE)
    if taken and not named and re.search(r"[.?!\n]", text[position : taken[0].start]):
        return []
    if taken and _known(known, taken[:1]):
        position = next(one.end for one in known if one.start <= taken[0].start < one.end)
        taken = told(text, numbers, position, _ACCOUNT_DIGITS, 3, Gap.LOOSE)
    return [] if like_phone(taken) else taken


_RULES: Final[tuple[tuple[Kind, re.Pattern[str], tuple[int, ...]], ...]] = (
    ("sort code", _SORT, (6, 5, 7)),
    ("sort code", _BLZ, (8, 6)),
    ("routing number", _ROUTING, (9, 8, 10)),
    ("bank account", _SURE_ACCOUNT, _ACCOUNT_DIGITS),
)


def _ibans(text: str, numbers: Sequence[Number]) -> Iterator[Finding]:
    until = -1
    for match in _IBAN.finditer(text):
        whole = _longest(match[0])
        if whole:
            until = match.start() + len(whole)
            yield Finding("IBAN", ((match.start(), until),))
    for match in _IBAN_SAID.finditer(text):
        letters = _LETTERS.match(text, match.end())
        start = letters.end() if letters else match.end()
        taken = told(text, numbers, start, tuple(range(26, 12, -1)), reach=6, most=Gap.LOOSE)
        if taken and taken[0].start > until:
            first, *others = parts(text, taken)
            begins = letters.start(1) if letters else first[0]
            yield Finding("IBAN", ((begins, first[1]), *others))


def _longest(text: str) -> str:
    """The longest beginning that is a valid IBAN; empty where none is."""
    for end in range(len(text), 14, -1):
        if text[end - 1].isalnum() and (end == len(text) or not text[end].isalnum()):
            candidate = text[:end]
            if iban.is_valid(re.sub(r"[\s-]", "", candidate)):
                return candidate
    return ""


def _routing(text: str, numbers: Sequence[Number], known: Sequence[Finding]) -> Iterator[Finding]:
    """Nine figures that are a bank's, where banks are spoken of."""
    for number in numbers:
        if len(number.digits) != 9 or number.spoken or _known(known, [number]):
            continue
        if near(_BANK, text, number.start, number.end, 80) and rtn.is_valid(joined([number])):
            yield Finding("routing number", ((number.start, number.end),))


def _known(found: Sequence[Finding], numbers: Sequence[Number]) -> bool:
    start, end = numbers[0].start, numbers[-1].end
    return any(a < end and start < b for one in found for a, b in one.parts)
