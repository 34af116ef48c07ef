"""What is said in one breath, and turns made of it. Nobody is assumed to end another's sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from triage.transcripts.engine import Piece, Word

PAUSE_S: Final = 0.2
_ENDS: Final = (".", "?", "!")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words `first` to `last` (exclusive) of the piece at index `piece`; times in seconds."""

    piece: int
    first: int
    last: int
    start: float
    end: float
    text: str


def phrases(pieces: Sequence[Piece]) -> list[Phrase]:
    """The pieces, cut where a sentence ends and at pauses of 0.2 s."""
    return [
        _phrase(pieces[index], index, first, last)
        for index in range(len(pieces))
        for first, last in _cuts(pieces[index].words)
    ]


def _cuts(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or _ends(words[index - 1], words[index]):
            yield first, index
            first = index


def _ends(word: Word, following: Word) -> bool:
    return word.text.rstrip().endswith(_ENDS) or following.start - word.end >= PAUSE_S


def _phrase(piece: Piece, index: int, first: int, last: int) -> Phrase:
    words = piece.words[first:last]
    text = "".join(word.text for word in words).strip()
    return Phrase(index, first, last, words[0].start, words[-1].end, text)


def joined(pieces: Sequence[Piece], told: Sequence[Phrase]) -> list[Piece]:
    """The pieces that phrases in a row are of, cut to those phrases."""
    parts: list[Piece] = []
    at: int | None = None
    for phrase in told:
        words = pieces[phrase.piece].words[phrase.first : phrase.last]
        if at == phrase.piece:
            parts[-1] = replace(parts[-1], words=parts[-1].words + words)
        else:
            parts.append(replace(pieces[phrase.piece], words=words))
        at = phrase.piece
    return parts
