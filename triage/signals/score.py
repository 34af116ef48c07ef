"""The score of a lead: points with reasons, which add up to it exactly.

| part | points |
|---|---|
| inquiry: somebody asks | 30 |
| contact: one way to answer, two ways | 10, 15 |
| readiness: ready, evaluating, researching | 20, 10, -30 (-10 where only a far date says so) |
| decision_maker: yes, no | 15, -5 |
| budget, product, timeline, company, role or size stated | 8, 4, 3, 3, 2 |
| fit with the ideal customer | see `triage.signals.fit` |

A lead that says little starts at 30 to 40, which is enough to be forwarded by default; only a
stated reason against it takes points away. A sum outside 0 to 100 is cut, and the cut is a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from classifiers.labels import SignalName
from triage.types import Inquiry, ScorePart, Signal

_RESEARCHING: Final = -30
_SAID: Final = 0.7  # confidence from which readiness was said, not implied by a date
_READINESS: Final = {
    "ready": (20, "wants to buy, book or sign soon"),
    "evaluating": (10, "compares offers"),
    "researching": (_RESEARCHING, "only looks around; no plan to buy soon"),
}
_DECISION: Final = {
    "yes": (15, "decides or owns the budget"),
    "no": (-5, "asks for somebody else who decides"),
}
_STATED: Final[tuple[tuple[SignalName, int, str], ...]] = (
    ("budget", 8, "states a budget"),
    ("product_interest", 4, "says what is wanted"),
    ("timeline", 3, "says when"),
    ("company", 3, "names the company"),
    ("role", 2, "names their role"),
    ("company_size", 2, "says how large they are"),
)


def score_parts(signals: Mapping[SignalName, Signal], inquiry: Inquiry) -> Iterator[ScorePart]:
    """The parts that do not depend on the ideal customer."""
    yield ScorePart("inquiry", 30, "somebody asks for a product or service")
    yield from _contact(signals, inquiry)
    for name, points in (("readiness", _READINESS), ("decision_maker", _DECISION)):
        signal = signals.get(name)  # type: ignore[call-overload]
        if signal is not None:
            worth, reason = points[signal.value]
            if worth == _RESEARCHING and signal.confidence < _SAID:
                worth = -10
            yield ScorePart(name, worth, f"{reason}: {_quoted(signal)}")
    for name, worth, reason in _STATED:
        if signal := signals.get(name):
            yield ScorePart(name, worth, f"{reason}: {_quoted(signal)}")


def clamped(parts: Sequence[ScorePart]) -> tuple[ScorePart, ...]:
    """The parts, with one more that explains the cut where their sum leaves 0 to 100."""
    total = sum(part.points for part in parts)
    within = min(100, max(0, total))
    if within == total:
        return tuple(parts)
    bound = "above 100" if total > within else "below 0"
    return (*parts, ScorePart("limit", within - total, f"a score is never {bound}"))


def grade(score: int) -> str:
    """A from 75, B from 50, C from 30 (the score that is forwarded by default), D below."""
    return next(
        (letter for letter, floor in (("A", 75), ("B", 50), ("C", 30)) if score >= floor), "D"
    )


def _contact(signals: Mapping[SignalName, Signal], inquiry: Inquiry) -> Iterator[ScorePart]:
    ways = [name for name in ("phone", "email") if name in signals]
    if len(ways) > 1:
        yield ScorePart("contact", 15, "can be reached by phone and by email")
    elif ways:
        yield ScorePart("contact", 10, f"can be reached by {ways[0]}")
    elif inquiry.sender.email or inquiry.sender.phone:
        yield ScorePart("contact", 5, "the sender's address is known")


def _quoted(signal: Signal) -> str:
    quote = " ".join(signal.evidence[0].quote.split())
    return f"“{quote if len(quote) <= 60 else quote[:59] + '…'}”"
