"""Texts cut into pieces: what is evidence, and what was said when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from triage.types import Evidence, Inquiry, Qualification, Segment, Transcript


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text that is evidence for a signal. `id` is its anchor on the page."""

    start: int
    end: int
    signal: str
    id: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text; `at` is the second at which it was said, where that is known."""

    text: str
    mark: Mark | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A segment of a transcript, in pieces; its text begins at `start` of the transcript's."""

    segment: Segment
    pieces: list[Piece]
    start: int


@dataclass(frozen=True, slots=True)
class Quote:
    """Evidence as a table shows it. `anchor`: where it is on the page; empty where it is not."""

    text: str
    field: str
    at_s: float | None
    anchor: str


class Evidences:
    """All evidence of a qualification, numbered."""

    def __init__(self, qualification: Qualification | None) -> None:
        signals = qualification.signals if qualification else {}
        self._numbered = [
            (name, f"ev-{number}-{place}", evidence)
            for number, (name, signal) in enumerate(signals.items(), 1)
            for place, evidence in enumerate(signal.evidence, 1)
        ]
        self._placed: set[str] = set()

    def pieces(self, text: str, field: str) -> list[Piece]:
        """A field of an inquiry, with its evidence marked."""
        return cut(text, self._marks(text, field))

    def said(self, transcript: Transcript) -> list[Said]:
        """The segments of a transcript, with their evidence marked."""
        text, found, start = transcript.text, [], 0
        marks = self._marks(text, "text")
        for segment in transcript.segments:
            line = segment.text
            if segment.speaker != "unknown":
                start += len(f"{segment.speaker.title()}: ")
            inside = [
                Mark(max(0, m.start - start), min(len(line), m.end - start), m.signal, m.id)
                for m in marks
                if m.start < start + len(line) and m.end > start
            ]
            found.append(Said(segment, cut(line, inside, _times(segment)), start))
            start += len(line) + 1
        return found

    def quotes(self, signal: str) -> list[Quote]:
        """The evidence of one signal; call this when the texts are cut."""
        return [
            Quote(e.quote, e.field, e.at_s, anchor if anchor in self._placed else "")
            for name, anchor, e in self._numbered
            if name == signal
        ]

    def _marks(self, text: str, field: str) -> list[Mark]:
        found = [
            Mark(e.start, e.end, name.replace("_", " "), anchor)
            for name, anchor, e in self._numbered
            if e.field == field and _is_there(e, text)
        ]
        self._placed |= {mark.id for mark in found}
        return found


def cut(
    text: str, marks: Sequence[Mark], times: Sequence[tuple[int, int, float]] = ()
) -> list[Piece]:
    """The whole text in pieces, cut where a mark or a time (start, end, second) begins or ends.

    Of marks that overlap, the one that began first is shown.
    """
    edges = {0, len(text)}
    edges.update(edge for mark in marks for edge in (mark.start, mark.end))
    edges.update(edge for start, end, _ in times for edge in (start, end))
    places = sorted(edge for edge in edges if 0 <= edge <= len(text))
    ordered = sorted(marks, key=lambda mark: mark.start)
    pieces, shown = [], set()
    for start, end in pairwise(places):
        mark = next((m for m in ordered if m.start <= start < m.end), None)
        at = next((second for first, last, second in times if first <= start < last), None)
        if mark and mark.id in shown:  # an id is on a page once
            mark = Mark(mark.start, mark.end, mark.signal, "")
        elif mark:
            shown.add(mark.id)
        pieces.append(Piece(text[start:end], mark, at))
    return pieces


def fields(inquiry: Inquiry) -> dict[str, str]:
    """The parts of a mail around its text, by the name of the field; empty ones left out."""
    parts = {
        "signature": inquiry.signature,
        "forwarded": inquiry.forwarded,
        "quoted": inquiry.quoted,
        "disclaimer": inquiry.disclaimer,
    }
    return {name: text for name, text in parts.items() if text.strip()}


def _is_there(evidence: Evidence, text: str) -> bool:
    start, end = evidence.start, evidence.end
    return 0 <= start < end and text[start:end] == evidence.quote


def _times(segment: Segment) -> list[tuple[int, int, float]]:
    """Where each word of a segment is in its text, and when it was said."""
    found, place = [], 0
    for word in segment.words:
        spoken = word.text.strip()
        start = segment.text.find(spoken, place) if spoken else -1
        if start >= 0:
            place = start + len(spoken)
            found.append((start, place, float(word.start)))
    return found
