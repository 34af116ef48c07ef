"""Transcripts, masked, and the seconds in which what must not leave was said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from triage.redaction import text as texts
from triage.redaction.finding import FAMILIES, Family, Finding
from triage.redaction.text import Masked
from triage.types import Segment, TimedWord, Transcript

_AROUND_S: Final = 0.2  # recognisers place words within a quarter of a second at best
_PAUSE_S: Final = 1.0  # numbers they place worse: the pause around one is silenced too, up to this
_BREATH_S: Final = 1.0  # nothing is left that is shorter
_TURN_S: Final = 4.0  # what somebody else says while a number is read out is mostly that number

Seconds = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class MaskedSpeech:
    """A transcript without what must not leave; `silent` are the seconds in which that was said,
    and `masked` is the text of the transcript with the places of the original.
    """

    transcript: Transcript
    silent: Seconds
    masked: Masked


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A part of a finding inside one segment, in characters of the segment's text."""

    start: int
    end: int
    shown: str
    finding: Finding


def mask(transcript: Transcript, families: Collection[Family] = FAMILIES) -> MaskedSpeech:
    """Mask a transcript; numbers are found across its segments, as they are read out."""
    whole = transcript.text
    found = texts.find(whole, families)
    if not found:
        return MaskedSpeech(transcript, (), Masked(whole, ()))
    segments: list[Segment] = []
    pieces: list[Finding] = []
    silent: dict[Finding, list[tuple[float, float]]] = {}
    at = 0
    for segment in transcript.segments:
        line = replace(transcript, segments=(segment,)).text  # who speaks, and the text
        begins = at + len(line) - len(segment.text)
        hidden = _hidden(found, begins, begins + len(segment.text))
        segments.append(_without(segment, hidden))
        for part in hidden:
            when = _widened(_when(segment, part.start, part.end), segment, transcript)
            silent.setdefault(part.finding, []).append(when)
            place = (begins + part.start, begins + part.end)
            pieces.append(Finding(part.finding.kind, (place,), _last(part)))
        at += len(line) + 1
    masked = texts.masked(whole, pieces)
    stretches = [one for told in silent.values() for one in _merged(told, _TURN_S)]
    return MaskedSpeech(
        replace(transcript, segments=tuple(segments)), _merged(stretches, _BREATH_S), masked
    )


def _hidden(found: Sequence[Finding], begins: int, ends: int) -> list[_Hidden]:
    """What of the findings is in a segment, each piece cut to it."""
    hidden = []
    for one in found:
        for part, (start, end) in enumerate(one.parts):
            if start < ends and begins < end:
                first = part == 0 and start >= begins
                shown = one.shown(0 if first else 1)
                hidden.append(
                    _Hidden(max(start, begins) - begins, min(end, ends) - begins, shown, one)
                )
    return sorted(hidden, key=lambda part: part.start)


def _last(part: _Hidden) -> str:
    return part.finding.last if "••" in part.shown else ""


def _without(segment: Segment, hidden: Sequence[_Hidden]) -> Segment:
    if not hidden:
        return segment
    pieces, at = [], 0
    for part in hidden:
        pieces += [segment.text[at : part.start], part.shown]
        at = part.end
    changes: dict[str, Any] = {"text": "".join([*pieces, segment.text[at:]])}
    if words := segment.words:
        changes["words"] = _words_without(segment.text, words, hidden)
    return replace(segment, **changes)


def _words_without(
    text: str, words: Sequence[TimedWord], hidden: Sequence[_Hidden]
) -> tuple[TimedWord, ...]:
    """The words; those of a hidden part are one that says what it was, for as long as they took."""
    kept: list[TimedWord] = []
    told: list[_Hidden] = []
    for word, start, end in _placed(text, words):
        part = next((part for part in hidden if part.start < end and start < part.end), None)
        if part is None:
            kept.append(word)
        elif part in told:
            kept[-1] = kept[-1]._replace(end=word.end)
        else:
            told.append(part)
            kept.append(word._replace(text=part.shown))
    return tuple(kept)


def _placed(text: str, words: Sequence[TimedWord]) -> list[tuple[TimedWord, int, int]]:
    """Words with the characters of the text that they are."""
    placed, at = [], 0
    for word in words:
        bare = word.text.strip()
        start = text.find(bare, at)
        start = at if start < 0 else start
        placed.append((word, start, start + len(bare)))
        at = start + len(bare)
    return placed


def _when(segment: Segment, start: int, end: int) -> tuple[float, float]:
    """When these characters were said: by the times of words where there are any, else at some
    time in the segment.
    """
    words = segment.words
    said = [word for word, a, b in _placed(segment.text, words) if a < end and start < b]
    if not said:
        return segment.start, segment.end
    return said[0].start, said[-1].end


def _widened(
    when: tuple[float, float], segment: Segment, transcript: Transcript
) -> tuple[float, float]:
    """With the pauses around it, up to the words before and behind on its channel."""
    start, end = when
    before, behind = start - _PAUSE_S, end + _PAUSE_S
    for other in transcript.segments:
        if other.channel == segment.channel:
            for first, last in _times(other):
                if last <= start:
                    before = max(before, last)
                if first >= end:
                    behind = min(behind, first)
    start, end = min(before, start - _AROUND_S), max(behind, end + _AROUND_S)
    return max(0.0, start), min(max(transcript.duration_s, when[1]), end)


def _times(segment: Segment) -> list[tuple[float, float]]:
    words = segment.words
    return [(word.start, word.end) for word in words] or [(segment.start, segment.end)]


def _merged(seconds: Sequence[tuple[float, float]], within: float) -> Seconds:
    """In order, and joined where no more than `within` seconds are left between."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(seconds):
        if merged and start - merged[-1][1] <= within:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple((round(start, 3), round(end, 3)) for start, end in merged)
