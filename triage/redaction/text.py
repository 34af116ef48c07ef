"""Texts, masked: what must not leave is replaced, and every place can be found again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from triage.redaction import banks, cards, identity
from triage.redaction.finding import FAMILIES, FAMILY, MASK, Family, Finding
from triage.redaction.numbers import scan

# Nothing that is looked for is shorter, so most texts are left after one look.
_WORTH: Final = re.compile(
    r"\d(?:\D{0,12}\d){2}"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|zero|oh|nought|null|eins|zwei|drei|vier|uno|"
    r"dos|tres|deux|trois|quatre|een|twee|drie|tre|due|double|triple|\w+teen|\w+ty)\b",
    re.IGNORECASE,
)


# Long texts are read in stretches that share some characters, so that time grows with length alone.
_STRETCH: Final = 8_000
_SHARED: Final = 1_000
_RECENT: Final = 2_000  # findings of a stretch and the one before, more than there can be


@dataclass(frozen=True, slots=True)
class Replaced:
    """A stretch [start, end) of the original text and what stands in its place."""

    start: int
    end: int
    shown: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what must not leave. `replaced` are places in the original, in order."""

    text: str
    replaced: tuple[Replaced, ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) of the original is now; a part of what was masked is all of it."""
        return self._moved(start, after=False), self._moved(end, after=True)

    def touches(self, start: int, end: int) -> bool:
        """Whether something in [start, end) of the original was masked."""
        return any(one.start < end and start < one.end for one in self.replaced)

    def _moved(self, offset: int, *, after: bool) -> int:
        shift = 0
        for one in self.replaced:
            if one.end <= offset:
                shift += len(one.shown) - (one.end - one.start)
            elif one.start < offset:
                return one.start + shift + (len(one.shown) if after else 0)
            else:
                break
        return offset + shift


def find(text: str, families: Collection[Family] = FAMILIES) -> list[Finding]:
    """What must not leave of a text, in order; no two share a character."""
    if not families or not _WORTH.search(text):
        return []
    text = MASK.sub(lambda match: "¤" * len(match[0]), text)
    found: list[Finding] = []
    for start in range(0, len(text), _STRETCH):
        piece = text[start : start + _STRETCH + _SHARED]
        for one in _in(piece):
            if (start and one.start < _SHARED // 2) or one.start >= _STRETCH + _SHARED // 2:
                continue  # whole in the stretch before, or in the next one
            moved = replace(one, parts=tuple((a + start, b + start) for a, b in one.parts))
            if not _overlaps(found[-_RECENT:], moved):
                found.append(moved)
    wanted = [one for one in found if FAMILY[one.kind] in families]
    return sorted(wanted, key=lambda one: one.start)


def _in(text: str) -> list[Finding]:
    """What is found in a stretch of text that is not too long."""
    numbers = scan(text)
    found: list[Finding] = []
    # A card's digits may look like an account's, an account's like anything.
    for look in (cards.find, banks.find, identity.find):
        for one in look(text, numbers):
            if not _overlaps(found, one):
                found.append(one)
    return found


def mask(text: str, families: Collection[Family] = FAMILIES) -> Masked:
    """The text with every finding replaced by what it is: `[card number ••1111]`."""
    return masked(text, find(text, families))


def masked(text: str, findings: Sequence[Finding]) -> Masked:
    """The text with these findings replaced."""
    replaced = sorted(
        (
            Replaced(start, end, one.shown(part), one)
            for one in findings
            for part, (start, end) in enumerate(one.parts)
        ),
        key=lambda one: one.start,
    )
    pieces, at = [], 0
    for one in replaced:
        pieces += [text[at : one.start], one.shown]
        at = one.end
    return Masked("".join([*pieces, text[at:]]), tuple(replaced))


def _overlaps(found: Sequence[Finding], other: Finding) -> bool:
    return any(a < d and c < b for one in found for a, b in one.parts for c, d in other.parts)
