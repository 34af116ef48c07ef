"""How well signals agree with marked leads: figures for each signal, with intervals.

A value is right where it is the marked one but for case, articles, punctuation and how much of the
phrase was taken: see `agrees`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final

import numpy as np

from classifiers.evaluate import Estimate, wilson
from classifiers.labels import SIGNALS, SignalName
from triage.settings import Business, IdealCustomer
from triage.signals.learned import TextTagger
from triage.signals.qualify import qualify
from triage.signals.spoken import NUMBER, number, spoken_digits, spoken_email
from triage.types import Inquiry, Party, Signal, SourceRef

CHOSEN: Final = ("decision_maker", "readiness")
"""Signals that are one of a few values: their figure is accuracy, `unknown` included."""

ARRIVED: Final = datetime(2026, 3, 16, 9, tzinfo=UTC)
"""When every marked lead arrives: the marks name no day."""

_RESAMPLES: Final = 1000
_HALF: Final = 0.5
_LONG_NUMBER: Final = 6  # figures; fewer are no phone number
_SMALL_WORDS: Final = frozenset(
    ("the", "a", "an", "of", "in", "at", "by", "on", "for", "to", "and", "our", "my", "about")
)
_FIRST_NUMBER: Final = re.compile(rf"(?<![\w.,]){NUMBER}")
_FROM_ENVELOPE: Final = frozenset({"sender", "metadata"})


@dataclass(frozen=True, slots=True)
class SignalFigures:
    """One signal: `marked` leads that state it, `found` values that were given.

    `figure` is F1, or accuracy for `CHOSEN`; with its 95 % bootstrap or Wilson interval.
    `evidenced`: the share of values that stand in their own evidence.
    """

    marked: int
    found: int
    precision: Estimate
    recall: Estimate
    figure: Estimate
    evidenced: Estimate


def marked_leads(file: Path) -> list[dict[str, Any]]:
    """The leads of a JSON Lines file that have marks."""
    lines = file.read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    return [row for row in rows if row.get("label") == "lead" and row.get("signals")]


def measure(
    rows: Sequence[Mapping[str, Any]], tagger: TextTagger | None
) -> dict[SignalName, SignalFigures]:
    """Figures for each signal over marked leads.

    What only the sender's address or the caller's number says counts neither for nor against.
    """
    counts: dict[SignalName, list[Counter[str]]] = {name: [] for name in SIGNALS}
    for row in rows:
        found = qualify(
            inquiry_of(row), None, IdealCustomer(), business_of(row), tagger=tagger
        ).signals
        for name in SIGNALS:
            counts[name].append(_count(name, row["signals"].get(name), found.get(name)))
    return {name: _figures(name, counts[name]) for name in SIGNALS}


def inquiry_of(row: Mapping[str, Any]) -> Inquiry:
    """A line of the corpus as it would arrive."""
    written_to = (row.get("to") or "").split(",")
    return Inquiry(
        id=row["id"],
        ref=SourceRef("corpus", "imap", row["id"]),
        channel=row["channel"],
        received_at=ARRIVED,
        sender=_party((row.get("from") or "").strip()),
        recipients=tuple(_party(one.strip()) for one in written_to if one.strip()),
        subject=row.get("subject") or "",
        text=row.get("body") or row.get("text") or "",
    )


def business_of(row: Mapping[str, Any]) -> Business:
    """The business that a line of the corpus reached."""
    return Business(sells=row.get("business") or "")


def _party(stated: str) -> Party:
    if "@" in stated:
        return Party(*parseaddr(stated.rsplit(" on behalf of ", 1)[-1]))
    return Party(phone=stated) if re.match(r"\+?[\d(]", stated) else Party(name=stated)


def agrees(name: SignalName, mark: Mapping[str, Any], found: Signal) -> bool:
    """Whether a value is the marked one.

    The same class; the same number of digits read or written; the same address; the first number
    of a size; of a phrase at least half of the words that are ours among those of the mark and its
    evidence, or all of the mark's; of names half of the words of both together.
    """
    value = mark["value"]
    quotes = [value, *(part["quote"] for part in mark["evidence"])]
    match name:
        case "decision_maker" | "readiness":
            right = value == found.value
        case "phone":
            right = _digits(value)[-9:] == _digits(found.value)[-9:]
        case "email":
            right = (value if "@" in value else spoken_email(value)).lower() == found.normalized
        case "company_size":
            right = first_number(value) == first_number(found.value) != ""
        case "product_interest":
            right = any(_overlap(found.value, quote) >= _HALF for quote in quotes)
        case "timeline" | "budget" | "role":
            right = _within(words(found.value), set().union(*map(words, quotes)), words(value))
        case _:
            ours, marked = words(found.value), words(value)
            right = len(ours & marked) >= len(ours | marked) * _HALF
    return bool(right)


def _within(ours: set[str], stated: set[str], marked: set[str]) -> bool:
    return bool(ours) and (len(ours & stated) >= len(ours) * _HALF or marked <= ours)


def words(text: str) -> set[str]:
    """The words of a value in lower case, but for articles and the like."""
    return set(re.findall(r"[\w']+", text.lower())) - _SMALL_WORDS


def first_number(text: str) -> str:
    """The first number of a text, in figures."""
    for match in _FIRST_NUMBER.finditer(text.lower()):
        if (value := number(match[0])) is not None:
            return f"{value:.0f}"
    return ""


def _digits(text: str) -> str:
    text = re.split(r",? ?ext", text)[0]
    written = re.sub(r"\D", "", text)
    return written if len(written) > _LONG_NUMBER else spoken_digits(text)


def _overlap(ours: str, marked: str) -> float:
    """F1 of the content words of two phrases; plurals count as their singulars."""
    left, right = ({re.sub(r"(?<=\w\w)s$", "", word) for word in words(t)} for t in (ours, marked))
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _count(name: SignalName, mark: Mapping[str, Any] | None, found: Signal | None) -> Counter[str]:
    if mark is not None and mark["value"] == "unknown":
        mark = None
    hit = mark is not None and found is not None and agrees(name, mark, found)
    aside = found is None or found.evidence[0].field in _FROM_ENVELOPE
    said = hit or not aside
    inside = found is not None and (
        name in CHOSEN
        or any(words(found.value) <= words(part.quote) for part in found.evidence)
        or bool(words(found.value) <= words(" ".join(part.quote for part in found.evidence)))
    )
    return Counter(
        marked=mark is not None,
        found=said,
        hits=hit,
        right=hit or (mark is None and aside),
        evidenced=said and inside,
    )


def _figures(name: SignalName, counts: Sequence[Counter[str]]) -> SignalFigures:
    total = sum(counts, Counter[str]())
    if name in CHOSEN:
        figure = wilson(total["right"], len(counts))
    else:
        figure = Estimate(_f1(total), *_spread(counts))
    return SignalFigures(
        marked=total["marked"],
        found=total["found"],
        precision=wilson(total["hits"], total["found"]),
        recall=wilson(total["hits"], total["marked"]),
        figure=figure,
        evidenced=wilson(total["evidenced"], total["found"]),
    )


def _f1(count: Mapping[str, int]) -> float:
    both = count["found"] + count["marked"]
    return 2 * count["hits"] / both if both else 1.0


def _spread(counts: Sequence[Counter[str]]) -> Iterator[float]:
    """The 2.5 % and 97.5 % points of F1 had other leads been drawn."""
    table = np.array([[count["hits"], count["found"], count["marked"]] for count in counts])
    rng = np.random.default_rng(0)
    drawn = table[rng.integers(0, len(table), (_RESAMPLES, len(table)))].sum(axis=1)
    both = drawn[:, 1] + drawn[:, 2]
    f1 = np.divide(2 * drawn[:, 0], both, out=np.ones(len(drawn)), where=both > 0)
    return (float(point) for point in np.quantile(f1, (0.025, 0.975)))


def by_writer(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Marked leads by who wrote them."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row.get("writer") or "", []).append(row)
    return groups
