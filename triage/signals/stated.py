"""What a person says that an inquiry states: words of it, read as this signal and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from classifiers.labels import SIGNALS, SignalName
from triage.errors import Usage
from triage.settings import Business, IdealCustomer
from triage.signals.contact import addressed, numbered
from triage.signals.fit import fit_parts
from triage.signals.qualify import normalized
from triage.signals.score import clamped, grade, score_parts
from triage.signals.source import Finding, Material, Source, gather
from triage.types import Evidence, Inquiry, Qualification, Signal, Transcript

CHOICES: Final[dict[SignalName, tuple[str, ...]]] = {
    "decision_maker": ("yes", "no"),
    "readiness": ("ready", "evaluating", "researching"),
}
"""Signals whose value is one of a few words, whatever was said."""

LONGEST: Final = 300
"""Characters of a value, and of the words that state it."""

_AROUND: Final = " \t\r\n,;:!?"
_FIELDS: Final = ("text", "subject", "signature", "forwarded", "quoted", "disclaimer")


@dataclass(frozen=True, slots=True)
class Words:
    """Words of an inquiry: characters `start` to `end` of a field, and what should stand there."""

    field: str
    start: int
    end: int
    quote: str = ""


def known(name: str) -> SignalName:
    """The signal of that name. Raises `Usage` where there is none."""
    for signal in SIGNALS:
        if signal == name:
            return signal
    raise Usage(f"no signal {name!r}; choose one of {', '.join(SIGNALS)}")


def placed(words: Words, inquiry: Inquiry, transcript: Transcript | None) -> Evidence:
    """The words as evidence, without space and commas around them. Where something else stands at
    their place, they are looked for nearby. Raises `Usage` where the inquiry does not have them.
    """
    text = _text(words.field, inquiry, transcript)
    start, end = max(0, words.start), min(words.end, len(text))
    if words.quote and text[start:end] != words.quote:
        places = [n for n in range(len(text)) if text.startswith(words.quote, n)]
        start = min(places, key=lambda place: abs(place - words.start), default=len(text))
        end = start + len(words.quote)
    quote = text[start:end]
    start += len(quote) - len(quote.lstrip(_AROUND))
    quote = quote.strip(_AROUND)
    if not quote:
        raise Usage("these words are not in the inquiry any more; load the page again")
    if len(quote) > LONGEST:
        raise Usage(f"that is too much: a value is stated in {LONGEST} characters at most")
    at_s = None
    if transcript is not None and words.field == "text":
        at_s = _second(transcript, start)
    return Evidence(quote, start, start + len(quote), words.field, at_s)


def stated(
    name: SignalName,
    value: str,
    evidence: tuple[Evidence, ...],
    inquiry: Inquiry,
    transcript: Transcript | None,
    business: Business,
) -> Signal:
    """The signal that these words state. `value`: where they do not say it themselves, or it is a
    choice. It gets its form for machines as every other one. Raises `Usage` where it can have none
    and must.
    """
    if not evidence:
        raise Usage(f"{_plain(name)}: select the words that state it")
    told = " ".join((value or evidence[0].quote).split())
    if len(told) > LONGEST:
        raise Usage(f"{_plain(name)}: a value has {LONGEST} characters at most")
    if choices := CHOICES.get(name):
        if told not in choices:
            raise Usage(f"{_plain(name)} is one of {', '.join(choices)}")
        return Signal(name, told, 1.0, evidence, told)
    material = gather(inquiry, transcript, business)
    found = _for_machines(name, told, material)
    if found is None:
        raise Usage(f"{_plain(name)}: there is none in “{told}”")
    return Signal(name, told, 1.0, evidence, found.normalized)


def rescored(
    found: Qualification,
    changed: dict[SignalName, Signal | None],
    inquiry: Inquiry,
    transcript: Transcript | None,
    ideal: IdealCustomer,
    business: Business,
) -> Qualification:
    """A qualification with some signals as people say they are (None: not stated), its score and
    its grade computed anew.
    """
    said = {**found.signals, **changed}
    signals = {name: signal for name in SIGNALS if (signal := said.get(name)) is not None}
    material = gather(inquiry, transcript, business)
    parts = clamped([*score_parts(signals, inquiry), *fit_parts(signals, material, ideal)])
    score = sum(part.points for part in parts)
    return replace(found, signals=signals, score=score, parts=parts, grade=grade(score))


def _for_machines(name: SignalName, told: str, material: Material) -> Finding | None:
    finding = Finding(Source("text", told, told, spoken=True), 0, len(told), 1.0)
    match name:
        case "phone":
            return numbered(finding, material)
        case "email":
            return addressed(finding)
        case _:
            return normalized(name, finding, material)


def _text(field: str, inquiry: Inquiry, transcript: Transcript | None) -> str:
    if field not in _FIELDS:
        raise Usage(f"no words of {field!r}; choose one of {', '.join(_FIELDS)}")
    if field == "text" and transcript is not None:
        return transcript.text
    text: str = getattr(inquiry, field)
    return text


def _second(transcript: Transcript, place: int) -> float | None:
    """When the sentence began that holds this character of a transcript's text."""
    begins = 0
    for segment in transcript.segments:
        begins += len(replace(transcript, segments=(segment,)).text) + 1
        if place < begins:
            return segment.start
    return None


def _plain(name: str) -> str:
    return name.replace("_", " ")
