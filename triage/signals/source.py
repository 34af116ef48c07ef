"""The texts in which signals are looked for, and how a finding becomes evidence.

A source keeps the original text and a copy of the same length, `heard`, in which everything that is
not the contact's own words is blanked: quoted history, the agent's turns, doubtful speech. Patterns
run over `heard`; offsets and quotes are those of the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from classifiers.labels import SignalName
from triage.settings import Business
from triage.signals.wording import forwarded, own_words, passed_on_words, without_boilerplate
from triage.types import Evidence, Inquiry, Segment, Signal, Transcript

_LETTERS_OR_DIGITS: Final = re.compile(r"[a-z]+|\d")
_TURN: Final = re.compile(r"^\w[\w .]{0,20}:[ \t]*(?P<said>[^\n]*)$", re.MULTILINE)

Part = Literal["own", "forwarded", "header"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Some seconds of a call: characters `start` to `end` of the transcript's text."""

    start: int
    end: int
    at_s: float


@dataclass(frozen=True)
class Source:
    """One field of an inquiry. `trust` (0 to 1) scales the confidence of what is found in it."""

    field: str
    text: str
    heard: str
    part: Part = "own"
    trust: float = 1.0
    spoken: bool = False
    turns: tuple[Turn, ...] = ()

    @cached_property
    def lower(self) -> str:
        """`heard` in lower case with plain apostrophes, of the same length."""
        lowered = self.heard.lower()
        if len(lowered) != len(self.heard):
            lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in self.heard)
        return lowered.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of `lower`, digits apart from letters: what tells that a pattern cannot "
        "match.
        """
        return frozenset(_LETTERS_OR_DIGITS.findall(self.lower))

    @cached_property
    def answers(self) -> tuple[tuple[str, int, int], ...]:
        """What the other side of a call said, and where the contact's next turn starts and "
        "ends.
        """
        found, asked = [], ""
        for turn in _TURN.finditer(self.text):
            start, end = turn.span("said")
            if not self.heard[start:end].strip():
                asked = turn["said"]
            elif asked:
                found.append((asked, start, end))
                asked = ""
        return tuple(found)

    def evidence(self, start: int, end: int) -> Evidence:
        """The quote at these offsets, with the second at which it was said."""
        at_s = next((turn.at_s for turn in self.turns if turn.start <= start < turn.end), None)
        return Evidence(self.text[start:end], start, end, self.field, at_s)


@dataclass(frozen=True, slots=True)
class Finding:
    """A stated value before it is chosen. An empty `value` means: as quoted.

    `also` holds the offsets of further evidence in the same source.
    """

    source: Source
    start: int
    end: int
    confidence: float
    value: str = ""
    normalized: str = ""
    also: tuple[tuple[int, int], ...] = ()

    @property
    def quote(self) -> str:
        """The words themselves."""
        return self.source.text[self.start : self.end]

    def signal(self, name: SignalName) -> Signal:
        """The signal it makes."""
        return Signal(
            name=name,
            value=self.value or " ".join(self.quote.split()),
            confidence=round(self.confidence * self.source.trust, 2),
            evidence=tuple(
                self.source.evidence(*span) for span in ((self.start, self.end), *self.also)
            ),
            normalized=self.normalized,
        )


@dataclass(frozen=True)
class Material:
    """All sources of one inquiry, the most telling first."""

    inquiry: Inquiry
    business: Business
    sources: tuple[Source, ...]

    @property
    def own(self) -> Iterator[Source]:
        """The contact's own words: the text, and the signature."""
        return (source for source in self.sources if source.part == "own")

    @property
    def written(self) -> Iterator[Source]:
        """Everything somebody wrote or said, forwarded mail included."""
        return (source for source in self.sources if source.part != "header")


def gather(inquiry: Inquiry, transcript: Transcript | None, business: Business) -> Material:
    """The sources of an inquiry; quoted history is none."""
    outbound = inquiry.call is not None and inquiry.call.is_outbound
    sources = [_speech(transcript)] if transcript is not None else _writing(inquiry)
    sources += [
        Source("subject", inquiry.subject, inquiry.subject, "own", 0.9),
        _header("sender", str(inquiry.sender)),
        _header("metadata", inquiry.metadata.get("called" if outbound else "caller", "")),
    ]
    return Material(inquiry, business, tuple(source for source in sources if source.text.strip()))


def _header(field: str, text: str) -> Source:
    return Source(field, text, text, "header")


def _writing(inquiry: Inquiry) -> list[Source]:
    spoken = inquiry.channel == "call"
    sources = [
        Source("text", inquiry.text, own_words(inquiry.text), spoken=spoken),
        Source("signature", inquiry.signature, without_boilerplate(inquiry.signature)),
        Source("forwarded", inquiry.forwarded, forwarded(inquiry.forwarded), "forwarded", 0.8),
    ]
    sources += [
        Source("attachment", recording.text, recording.text, "forwarded", 0.8, spoken=True)
        for recording in inquiry.recordings
        if recording.transcript
    ]
    if passed_on := passed_on_words(inquiry.text):
        sources.append(Source("text", inquiry.text, passed_on, "forwarded", 0.8))
    return sources


def _speech(transcript: Transcript) -> Source:
    """What was said. What is flagged is blank in all of it: nothing reads it, tagger included."""
    text, heard, turns, start = "", "", [], 0
    for segment in transcript.segments:
        prefix = "" if segment.speaker == "unknown" else f"{segment.speaker.title()}: "
        line = prefix + (" " * len(segment.text) if segment.flags else segment.text)
        text += line + "\n"
        heard += _line_heard(segment, prefix) + "\n"
        turns.append(Turn(start, start + len(line), segment.start))
        start += len(line) + 1
    return Source("text", text[:-1], heard[:-1], spoken=True, turns=tuple(turns))


def _line_heard(segment: Segment, prefix: str) -> str:
    if segment.speaker == "agent" or segment.flags:
        return " " * (len(prefix) + len(segment.text))
    return " " * len(prefix) + segment.text.replace("\n", " ")
