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
from triage.types import Evidence, Inquiry, Segment, Signal, Transcript

_CALLER: Final = re.compile(r"^(?:Caller|Visitor|Customer|Client):", re.MULTILINE | re.IGNORECASE)
_SPEAKER: Final = re.compile(r"^([A-Z][\w .']{1,20}):[ \t]*", re.MULTILINE)
_QUOTED_LINE: Final = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_REPLY_TO: Final = re.compile(
    r"^(?:-{2,} ?Original Message ?-{2,}|On .{8,80} wrote:|_{20,})[ \t]*$.*\Z",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_FORWARD: Final = re.compile(
    r"^(?:-{2,} ?forwarded(?: message)? ?-{2,}|begin forwarded message:|from: [^\n]+\n).*\Z",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_BOILERPLATE: Final = re.compile(
    r"^(?:confidentiality(?: notice)?|disclaimer|the information in this message|this e-?mail"
    r"|this message|please consider the environment|sent from (?:my|ip|a )|submitted from)"
    r"\b[^\n]*(?:\n[^\n]+)*",
    re.MULTILINE | re.IGNORECASE,
)

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
    sources = [_speech(transcript)] if transcript is not None else _writing(inquiry)
    sources += [
        Source("subject", inquiry.subject, inquiry.subject, "own", 0.9),
        _header("sender", str(inquiry.sender)),
        _header("metadata", inquiry.metadata.get("caller", "")),
    ]
    return Material(inquiry, business, tuple(source for source in sources if source.text.strip()))


def _header(field: str, text: str) -> Source:
    return Source(field, text, text, "header")


def blank(text: str, start: int, end: int) -> str:
    """The text with a stretch replaced by spaces; line ends stay, so that lines stay lines."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _writing(inquiry: Inquiry) -> list[Source]:
    own = _own_words(inquiry.text)
    sources = [
        Source("text", inquiry.text, own, spoken=inquiry.channel == "call"),
        Source("signature", inquiry.signature, _BOILERPLATE.sub(_spaces, inquiry.signature)),
        Source("forwarded", inquiry.forwarded, inquiry.forwarded, "forwarded", 0.8),
    ]
    passed_on = _FORWARD.search(inquiry.text)
    if passed_on and not _CALLER.search(inquiry.text):
        kept = blank(inquiry.text, 0, passed_on.start())
        sources.append(Source("text", inquiry.text, kept, "forwarded", 0.8))
    return sources


def _own_words(text: str) -> str:
    """The text without quoted history, forwarded mail, boilerplate and the agent's turns."""
    if _CALLER.search(text):
        return _callers_turns(text)
    for pattern in (_REPLY_TO, _FORWARD, _QUOTED_LINE, _BOILERPLATE):
        text = pattern.sub(_spaces, text)
    return text


def _callers_turns(text: str) -> str:
    heard = text
    marks = [*_SPEAKER.finditer(text)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, end in zip(marks, ends, strict=True):
        contact = _CALLER.match(mark[0])
        heard = blank(heard, mark.start(), mark.end() if contact else end)
    return heard


def _speech(transcript: Transcript) -> Source:
    heard, turns, start = "", [], 0
    for segment in transcript.segments:
        prefix = "" if segment.speaker == "unknown" else f"{segment.speaker.title()}: "
        line = prefix + segment.text
        heard += _line_heard(segment, prefix) + "\n"
        turns.append(Turn(start, start + len(line), segment.start))
        start += len(line) + 1
    return Source("text", transcript.text, heard[:-1], spoken=True, turns=tuple(turns))


def _line_heard(segment: Segment, prefix: str) -> str:
    if segment.speaker == "agent" or segment.flags:
        return " " * (len(prefix) + len(segment.text))
    return " " * len(prefix) + segment.text.replace("\n", " ")


def _spaces(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
