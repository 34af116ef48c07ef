"""Learning which candidate states a signal, from marked leads and what the tagger read in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from classifiers.ranking import Choices, Ranking, fit_ranking
from classifiers.tag_marks import SPANS, SpanName
from classifiers.tag_model import Tagged
from classifiers.verdict import Example
from triage.signals.candidates import Reading, candidates
from triage.signals.choice import field_of
from triage.signals.learned import read_learned
from triage.signals.measure import agrees, business_of, inquiry_of
from triage.signals.qualify import normalized, ruled
from triage.signals.source import Finding, Material, gather


class _Told:
    """A tagger that says what was read before."""

    def __init__(self, tagged: Tagged) -> None:
        self.tagged = tagged
        self.ranking: Mapping[str, Ranking] = {}

    def read(self, texts: Sequence[tuple[Example, str]]) -> list[Tagged]:
        """The same for every text."""
        return [self.tagged for _ in texts]


def rank(
    rows: Sequence[Mapping[str, Any]], read: Mapping[str, Tagged]
) -> tuple[dict[str, Ranking], dict[str, float]]:
    """A ranking for each signal, and its F1 on writers that it was not fitted on.

    `rows` are marked leads, `read` what heads that never saw their writers said, by id.
    """
    choices: dict[SpanName, list[Choices]] = {name: [] for name in SPANS}
    for row in rows:
        if row["id"] in read:
            for name, one in _choices(row, read[row["id"]]):
                choices[name].append(one)
    fitted = {name: fit_ranking(theirs) for name, theirs in choices.items()}
    return (
        {name: ranking for name, (ranking, _) in fitted.items()},
        {name: round(f1, 4) for name, (_, f1) in fitted.items()},
    )


def _choices(row: Mapping[str, Any], tagged: Tagged) -> Iterator[tuple[SpanName, Choices]]:
    material = gather(inquiry_of(row), None, business_of(row))
    learned = read_learned(material, _Told(tagged))
    if learned is None:
        return
    reading = Reading(material, learned, ruled(material))
    for name in SPANS:
        mark = row["signals"].get(name)
        found = candidates(name, reading)
        yield (
            name,
            Choices(
                row.get("writer") or "",
                mark is not None,
                field_of(name, found, reading),
                tuple(
                    mark is not None and _right(name, mark, one.finding, material) for one in found
                ),
            ),
        )


def _right(name: SpanName, mark: Mapping[str, Any], finding: Finding, material: Material) -> bool:
    found = normalized(name, finding, material)
    return found is not None and agrees(name, mark, found.signal(name))
