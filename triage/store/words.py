"""Words of texts and of what people search for, the same for both databases.

Both are folded and split here, so that neither database's own rules about words count: case and
accents make no difference, an address is the words in it, and a telephone number is found in
whatever notation it is asked for.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_WIDE: Final = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af])")
_NUMBER: Final = re.compile(r"[+(]?\d[\d\s().\-/]{4,22}\d")
_TERM: Final = re.compile(
    r"(?P<without>-?)(?:(?P<field>from):)?"
    r'(?:"(?P<phrase>[^"]*)"?|(?P<number>[+(]\d[\d\s().\-/]{4,22}\d)(?!\S)|(?P<plain>\S+))',
    re.IGNORECASE,
)
_QUOTES: Final = str.maketrans({"\u201c": '"', "\u201d": '"'})

_RUN: Final = 5
_LONGEST_WORD = 60
_MOST_NUMBERS = 50
_MOST_TERMS = 16
_MOST_WORDS = 24
_LEAST_BEGINNING = 3  # letters; nearly every text has a word that begins with these two
_TAILS = (10, 9, 8, 7)


def split(text: str) -> list[str]:
    """The folded words of a text, in order."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
        text = _WIDE.sub(r" \1 ", text)  # written without blanks between words
    return [word[:_LONGEST_WORD] for word in _WORD.findall(text.lower())]


def numbers(text: str) -> list[str]:
    """Telephone numbers of a text as words: all digits, and their ends without country codes."""
    found: dict[str, None] = {}
    for position, match in enumerate(_NUMBER.finditer(text)):
        if position == _MOST_NUMBERS:
            break
        digits = _digits(match[0])
        if 7 <= len(digits) <= 15:
            found[digits] = None
            found.update((digits[-size:], None) for size in _TAILS if size < len(digits))
    return list(found)


@dataclass(frozen=True, slots=True)
class Term:
    """Something searched for: `words` one after the other, or the same as one `number`.

    `begins`: the last word need only begin so. `sender`: only in who wrote or called.
    """

    words: tuple[str, ...]
    number: str = ""
    without: bool = False
    sender: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody searches for: all of the terms, but none of those `without`."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse(text: str) -> Query:
    """A query as people type it: words, "phrases", -without, begin*, from:somebody. A beginning
    has three letters or more, else it is a word.

    Whatever is typed is a query; what holds no word says nothing.
    """
    found = []
    for match in _TERM.finditer(text[:500].translate(_QUOTES)):
        term = _term(
            match["phrase"] or match["number"] or match["plain"] or "",
            without=bool(match["without"]),
            sender=bool(match["field"]),
            begins=(match["plain"] or "").endswith("*"),
        )
        if term and (match["plain"] or "").lower() != "from:":
            found.append(term)
    return Query(tuple(found[:_MOST_TERMS]))


def _term(stated: str, *, without: bool, sender: bool, begins: bool) -> Term | None:
    words = tuple(split(stated)[:_MOST_WORDS])
    if not words:
        return None
    digits = _digits(stated) if _NUMBER.fullmatch(stated.strip()) else ""
    number = digits.lstrip("0")[-10:] if 7 <= len(digits) <= 15 else ""
    return Term(words, number, without, sender, begins and len(words[-1]) >= _LEAST_BEGINNING)


def _digits(text: str) -> str:
    return "".join(re.findall(r"\d", unicodedata.normalize("NFKC", text)))


def fts5(query: Query) -> tuple[str, str]:
    """What must match and what must not, in SQLite's language; empty where there is none.

    Words hold letters and digits only and stand in quotes, so nothing in them is syntax.
    """
    wanted = [_fts5(term) for term in query.terms if not term.without]
    unwanted = [_fts5(term) for term in query.terms if term.without]
    return " AND ".join(wanted), " OR ".join(unwanted)


def _fts5(term: Term) -> str:
    phrase = f'"{" ".join(term.words)}"' + (" *" if term.begins else "")
    either = f'({phrase} OR "{term.number}")' if term.number else phrase
    return f"(sender : {either})" if term.sender else either


def apart(query: Query) -> Query:
    """All the words of a query, one by one and anywhere: what finds no less, by an index alone."""
    return Query(
        tuple(
            Term((word,), begins=term.begins and word == term.words[-1])
            for term in query.terms
            if not term.without and not term.number
            for word in term.words
        )
        or query.terms
    )


def tsquery(query: Query) -> str:
    """The same in PostgreSQL's language."""
    return " & ".join(("!" if term.without else "") + _tsquery(term) for term in query.terms)


def _tsquery(term: Term) -> str:
    where = "A" if term.sender else ""
    marks = [""] * (len(term.words) - 1) + ["*" if term.begins else ""]
    words = [
        f"'{word}'" + (f":{mark}{where}" if mark or where else "")
        for word, mark in zip(term.words, marks, strict=True)
    ]
    phrase = f"({' <-> '.join(words)})"
    if not term.number:
        return phrase
    return f"({phrase} | '{term.number}'" + (f":{where})" if where else ")")


_MASKS: Final = (0x00000000, 0x9E3779B9, 0x5BD1E995, 0xC2B2AE35)


def sketch(found: list[str]) -> tuple[int, ...]:
    """Four numbers of a text; empty where it has no words. Two texts agree in each with about the
    probability of their likeness (Jaccard of runs of five words), so near-duplicates share one.
    """
    size = min(_RUN, len(found))
    if not size:
        return ()
    runs = {
        zlib.crc32(" ".join(found[start : start + size]).encode())
        for start in range(len(found) - size + 1)
    }
    return tuple(min(run ^ mask for run in runs) for mask in _MASKS)


_MOST_POSITIONS = 16_000  # PostgreSQL counts no further than 16,383
_MOST_PLACES = 200  # of one word, of which it keeps 256


def tsvector(fields: tuple[list[str], list[str], list[str]]) -> str:
    """The words of (sender, subject, text) as a vector; the sender's have the weight A."""
    places: dict[str, list[str]] = {}
    for position, word, weight in _positions(fields):
        found = places.setdefault(word, [])
        if len(found) < _MOST_PLACES:
            found.append(f"{position}{weight}")
    return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())


def _positions(fields: tuple[list[str], ...]) -> Iterator[tuple[int, str, str]]:
    position = 0
    for words, weight in zip(fields, ("A", "B", ""), strict=True):
        for word in words:
            position += 1
            if position > _MOST_POSITIONS:
                return
            yield position, word, weight
        position += 5  # a phrase does not go from one field into the next
