"""Leads with marked signals: what the tagger learns from, and noise that keeps the marks right.

A mark is a stretch of the text, which is the subject, an empty line and the body. Everything here
is characters; tokens come in `tagging`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, get_args

from classifiers import jsonl
from classifiers.augmentation import HIDE_BUSINESS, HIDE_PARTIES, UNPUNCTUATE, UNTURN_CALL
from classifiers.errors import CorpusError
from classifiers.labels import DecisionMaker, Readiness
from classifiers.verdict import Channel, Example

SpanName = Literal[
    "contact_name",
    "company",
    "role",
    "location",
    "company_size",
    "budget",
    "timeline",
    "product_interest",
]
SPANS: Final[tuple[SpanName, ...]] = get_args(SpanName)
CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "decision_maker": get_args(DecisionMaker),
    "readiness": get_args(Readiness),
}
SWAPPED: Final[tuple[SpanName, ...]] = (
    "contact_name", "company", "role", "location", "company_size", "budget", "timeline",
)  # fmt: skip
GAP: Final = "\n\n"
"""What stands between subject and body."""

_WORD: Final = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|hundred|thousand|(?:a|half a) (?=hundred|thousand|million))(?:(?<= )|\b)"
)
_DIGITS: Final = r"(?:\d{1,3}(?:[ ,.'\u2019]\d{3})+(?!\d)|\d[\d,.]*\d|\d)"
_NUMBER: Final = rf"(?:{_DIGITS}|{_WORD}(?:(?:[ -]|,? and )?{_WORD})*)"
_SCALE: Final = r"(?: ?-?(?:k|m|grand|thousand|million|lakhs?|mil)\b)"
_CURRENCY: Final = (
    r"(?:dollars?|euros?|eur|usd|gbp|chf|cad|aud|nzd|pounds?|quid|bucks|bux|rand|rupees|cents"
    r"|pence|\u20ac|\u00a3|\$)(?!\w)"
)
FIGURES: Final[dict[str, re.Pattern[str]]] = {
    "company_size": re.compile(rf"(?<![\w$\u00a3\u20ac.,]){_NUMBER}(?!\d)", re.IGNORECASE),
    "budget": re.compile(
        rf"(?<![\w.,])(?:(?:us|au|ca|nz|hk|[acs])?[$\u00a3\u20ac\u20b9] ?"
        rf"|(?:usd|eur|gbp|chf|jpy|aud|cad|dkk|inr|zar|aed|rs\.?|r)(?= ?\d) ?)?"
        rf"(?:{_NUMBER}(?: and a half)?{_SCALE}?|(?:half a |a )million)"
        rf"(?: ?(?:-|\u2013|to|and|or|,) ?[$\u00a3\u20ac]?{_NUMBER}{_SCALE}?(?!\w))?"
        rf"(?: ?{_CURRENCY})?",
        re.IGNORECASE,
    ),
}
"""Signals that are figures: what they look like, in digits or words. Which it is, is learned."""

_MONEY: Final = re.compile(rf"[$\u00a3\u20ac\u20b9]|{_SCALE}|{_CURRENCY}", re.IGNORECASE)
_TURN: Final = re.compile(r"^[ \t]*[\w .'-]{1,24}:[ \t]+", re.MULTILINE)
_PUNCTUATION: Final = re.compile(r"[.,!?;:\"“”()\[\]—-]+")
_NEWLINES: Final = re.compile(r"\s*\n\s*")

Offsets = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marked:
    """A lead with its marks.

    `spans`: where each value is stated. `classes`: the true class of each name in `CLASSES`.
    `evidence`: where the class is shown; none for `unknown`. `values`: every signal as marked.
    """

    id: str
    example: Example
    text: str
    spans: Mapping[SpanName, Offsets]
    classes: Mapping[str, str]
    evidence: Mapping[str, Offsets]
    values: Mapping[str, str]
    writer: str = ""


def joined(example: Example) -> str:
    """The text that is tagged: subject, gap, body."""
    return f"{example.subject}{GAP}{example.text}"


def read_marked(paths: Iterable[Path]) -> list[Marked]:
    """All leads with marks in some JSON Lines files. `CorpusError` where a mark lies elsewhere."""
    found = []
    for place, raw in (each for path in paths for each in jsonl.values(path)):
        if raw.get("label") == "lead" and raw.get("signals"):
            try:
                found.append(_marked(raw))
            except (KeyError, ValueError) as error:
                raise CorpusError(f"{place}: signals: {error}") from error
    return found


def _marked(raw: Mapping[str, Any]) -> Marked:
    channel: Channel = raw["channel"]
    example = Example(
        channel,
        raw.get("body") or raw.get("text") or "",
        raw.get("subject") or "",
        raw.get("from") or "",
        raw.get("to") or "",
        raw.get("business") or "",
    )
    text = joined(example)
    shift = len(example.subject) + len(GAP)
    spans: dict[SpanName, Offsets] = {}
    evidence: dict[str, Offsets] = {}
    classes = dict.fromkeys(CLASSES, "unknown")
    values = {}
    for name, mark in raw["signals"].items():
        values[name] = mark["value"]
        at = None
        for part in mark["evidence"][:1]:
            start = part["start"] + (0 if part["field"] == "subject" else shift)
            at = (start, start + len(part["quote"]))
            if text[slice(*at)] != part["quote"]:
                raise ValueError(f"{name} is not at {part['start']} of the {part['field']}")
        if name in CLASSES:
            classes[name] = mark["value"]
            if at:
                evidence[name] = at
        elif name in SPANS and at:
            spans[name] = _narrowed(name, mark["value"], text, at)
    return Marked(
        raw["id"], example, text, spans, classes, evidence, values, raw.get("writer") or ""
    )


def _narrowed(name: str, value: str, text: str, at: Offsets) -> Offsets:
    """The value inside its evidence: its own words where they stand there, else all of it."""
    start, end = at
    quote = text[start:end]
    inside = quote.lower().find(value.lower())
    if inside >= 0 and len(quote.lower()) == len(quote):
        start, end = start + inside, start + inside + len(value)
    if name in FIGURES:
        found = [match.span() for match in FIGURES[name].finditer(text, start, end)]
        if found:  # of a budget the figure that says its currency or scale, or the longest
            start, end = found[0] if name == "company_size" else max(found, key=_telling(text))
    return start, end


def _telling(text: str) -> Callable[[Offsets], tuple[bool, int]]:
    """How much a figure looks like money."""
    return lambda at: (_MONEY.search(text, *at) is not None, at[1] - at[0])


def noisy(lead: Marked, pools: Mapping[str, Sequence[str]], rng: Random) -> Marked:
    """A copy with other names and numbers in some places, or as a recogniser would write it.

    `pools`: values of each kind to choose from.
    """
    if rng.random() < 0.6:
        lead = _swapped(lead, pools, rng)
    if lead.example.channel == "call" and rng.random() < UNTURN_CALL:
        lead = _edited(lead, [(*match.span(), "") for match in _TURN.finditer(lead.text)])
        lead = _edited(lead, [(*m.span(), " ") for m in _NEWLINES.finditer(lead.text)])
    if rng.random() < UNPUNCTUATE[lead.example.channel]:
        lead = _edited(lead, [(*m.span(), " ") for m in _PUNCTUATION.finditer(lead.text)])
        lead = (
            replace(lead, text=lead.text.lower())
            if len(lead.text.lower()) == len(lead.text)
            else lead
        )
    return replace(lead, example=_hidden(lead.example, rng))


def _hidden(example: Example, rng: Random) -> Example:
    """Without the business or the parties, at times: neither is always known."""
    if rng.random() < HIDE_BUSINESS:
        example = replace(example, business="")
    if rng.random() < HIDE_PARTIES:
        example = replace(example, sender="", recipient="")
    return example


def pools_of(leads: Iterable[Marked]) -> dict[str, list[str]]:
    """Every value as written, by signal."""
    pools: dict[str, list[str]] = {name: [] for name in SWAPPED}
    for lead in leads:
        for name in SWAPPED:
            if at := lead.spans.get(name):
                pools[name].append(lead.text[slice(*at)])
    return pools


def _swapped(lead: Marked, pools: Mapping[str, Sequence[str]], rng: Random) -> Marked:
    for name in SWAPPED:
        at = lead.spans.get(name)
        if at is None or not pools[name] or rng.random() < 0.5:
            continue
        value, other = lead.text[slice(*at)], rng.choice(pools[name])
        if value.islower() or value.isupper():
            other = other.lower() if value.islower() else other.upper()
        places = [m.span() for m in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", lead.text)]
        marks = [*lead.spans.values(), *lead.evidence.values()]
        if any(_cuts(place, mark) for place in places for mark in marks) or at not in places:
            continue
        lead = _edited(lead, [(*place, other) for place in places])
    return lead


def _cuts(place: Offsets, mark: Offsets) -> bool:
    """Whether a stretch would be changed in a way that leaves a mark wrong."""
    apart = place[1] <= mark[0] or mark[1] <= place[0]
    return not apart and not (mark[0] <= place[0] and place[1] <= mark[1])


def _edited(lead: Marked, edits: Sequence[tuple[int, int, str]]) -> Marked:
    """With stretches replaced, and every mark moved along."""
    if not edits:
        return lead
    pieces, last = [], 0
    shifts: list[int] = [0]
    ends: list[int] = []
    for start, end, new in edits:
        pieces += [lead.text[last:start], new]
        last = end
        ends.append(end)
        shifts.append(shifts[-1] + len(new) - (end - start))
    text = "".join([*pieces, lead.text[last:]])

    def moved(at: Offsets) -> Offsets:
        start, end = (place + shifts[bisect_right(ends, place)] for place in at)
        start, end = min(max(start, 0), len(text)), min(max(end, 0), len(text))
        while start < end and text[start] == " ":
            start += 1
        while end > start and text[end - 1] == " ":
            end -= 1
        return start, end

    spans = {name: moved(at) for name, at in lead.spans.items()}
    evidence = {name: moved(at) for name, at in lead.evidence.items()}
    return replace(
        lead,
        text=text,
        spans={name: at for name, at in spans.items() if at[1] > at[0]},
        evidence={name: at for name, at in evidence.items() if at[1] > at[0]},
    )
