"""What is said in one breath, and turns made of it. Nobody is assumed to end another's sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from triage.transcripts.engine import Piece, Word

PAUSE_S: Final = 0.2
LONG_PAUSE_S: Final = 0.7
SHORT_S: Final = 0.7
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
    """The pieces, cut where a sentence ends and at pauses."""
    return [
        _phrase(pieces[index], index, first, last)
        for index in range(len(pieces))
        for first, last in _cuts(pieces[index].words)
    ]


def _cuts(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Where phrases begin and end. What is too short for its voice to be known is not cut off."""
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or _ends(words, first, index):
            yield first, index
            first = index


def _ends(words: Sequence[Word], first: int, index: int) -> bool:
    if words[index - 1].text.rstrip().endswith(_ENDS):
        return True
    pause = words[index].start - words[index - 1].end
    short = min(words[index - 1].end - words[first].start, _sentence(words, index)) < SHORT_S
    return pause >= (LONG_PAUSE_S if short else PAUSE_S)


def _sentence(words: Sequence[Word], index: int) -> float:
    """How long the rest of the sentence is, or what is said of it before the next pause."""
    last = index
    while (
        last + 1 < len(words)
        and not words[last].text.rstrip().endswith(_ENDS)
        and words[last + 1].start - words[last].end < PAUSE_S
    ):
        last += 1
    return words[last].end - words[index].start


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
