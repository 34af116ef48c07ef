"""What happens when a person says which signal some words are, or that one was not stated.

It counts from then on, whoever looks at the inquiry again: score and grade follow from it, and
whoever knows the lead is told. Nothing is erased; taking it back is one more row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from classifiers.labels import SignalName
from triage.errors import Usage
from triage.settings import Settings
from triage.signals.stated import Words, known, placed, rescored, stated
from triage.store import records
from triage.store.statements import Statement, holding
from triage.types import Evidence, Inquiry, Qualification, Signal, Transcript


@dataclass(frozen=True, slots=True)
class Facts:
    """An inquiry as it is known when somebody says something about it."""

    inquiry: Inquiry
    transcript: Transcript | None
    signals: dict[SignalName, Signal]
    statements: Sequence[Statement]

    def now(self, name: SignalName) -> Signal | None:
        """The signal that holds: of a lead, or as somebody said before it was one."""
        said = holding(self.statements).get(name)
        return said.signal if said else self.signals.get(name)


Say = Callable[[Facts], Statement]
"""What a person says, told about the inquiry as it is read."""


def state(settings: Settings, name: str, by: str, words: Words | None, value: str = "") -> Say:
    """That a signal is stated by these words; without words it keeps those that it has and gets
    another `value`. Raises `Usage` when it is said, where the signal cannot be that.
    """
    signal_name = known(name)

    def say(facts: Facts) -> Statement:
        now = facts.now(signal_name)
        evidence = now.evidence if now else ()
        if words is not None:
            evidence = (placed(words, facts.inquiry, facts.transcript),)
        signal = stated(
            signal_name, value, evidence, facts.inquiry, facts.transcript, settings.business
        )
        return Statement(signal_name, signal, _value(now), by, records.now())

    return say


def not_stated(name: str, by: str) -> Say:
    """That a signal was not stated."""
    signal_name = known(name)

    def say(facts: Facts) -> Statement:
        return Statement(signal_name, None, _value(facts.now(signal_name)), by, records.now())

    return say


def taken_back(name: str, by: str) -> Say:
    """That what was said last about a signal does not hold. Raises `Usage` where nothing was."""
    signal_name = known(name)

    def say(facts: Facts) -> Statement:
        last = holding(facts.statements).get(signal_name)
        if last is None:
            raise Usage(f"nobody said anything about {signal_name.replace('_', ' ')}")
        return Statement(signal_name, None, _value(last.signal), by, records.now(), undoes=last.id)

    return say


def as_said(
    found: Qualification,
    statements: Sequence[Statement],
    inquiry: Inquiry,
    transcript: Transcript | None,
    settings: Settings,
) -> Qualification:
    """A qualification in which everything is as people said."""
    said = holding(statements)
    if not said:
        return found
    changed = {
        name: _moved(one.signal, inquiry, transcript) if one.signal else None
        for name, one in said.items()
    }
    ideal, business = settings.ideal_customer, settings.business
    return rescored(found, changed, inquiry, transcript, ideal, business)


def _moved(signal: Signal, inquiry: Inquiry, transcript: Transcript | None) -> Signal:
    """The signal, pointing to where its words stand in a text that may be another one by now."""
    evidence: list[Evidence] = []
    for one in signal.evidence:
        place = one
        with suppress(Usage):  # said in a text that is gone: the quote is what is left of it
            words = Words(one.field, one.start, one.end, one.quote)
            place = placed(words, inquiry, transcript)
        evidence.append(place)
    return replace(signal, evidence=tuple(evidence))


def _value(signal: Signal | None) -> str:
    return signal.value if signal else ""
