"""The candidates of a signal as a ranking weighs them: each by itself, and beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from classifiers.ranking import Field, hashed
from classifiers.tag_marks import SpanName
from triage.signals.candidates import Candidate, Reading, around, cross, features

_ENDS: Final = 5
"""From which place on, counted from either end, it no longer matters which."""


def field_of(name: SpanName, found: Sequence[Candidate], reading: Reading) -> Field:
    """What `found`, the candidates of one inquiry, are chosen by."""
    places = sorted({_place(one) for one in found})
    near = [[cross(one.finding, other.finding) for other in found] for one in found]
    return Field(
        tuple(
            hashed(
                features(name, one, reading) | _beside(one, found, places),
                around(name, one, reading),
            )
            for one in found
        ),
        np.array(near, dtype=bool).reshape(len(found), len(found)),
    )


def _beside(
    one: Candidate, found: Sequence[Candidate], places: Sequence[tuple[str, int]]
) -> dict[str, float]:
    """What a candidate is beside the others: of several days often the last is agreed on, and a
    long stretch says more than what it holds.
    """
    at, finding = places.index(_place(one)), one.finding
    kin = [other.finding for other in found if other is not one and cross(other.finding, finding)]
    said = {
        f"nth {min(at, _ENDS)}",
        f"nth from the end {min(len(places) - 1 - at, _ENDS)}",
        f"of {min(len(places), _ENDS + 3)}",
        f"{min(sum(other.worth > one.worth for other in found), 4)} are worth more",
        f"{min(sum(other.score > one.score for other in found), 4)} are likelier",
    }
    if any(other.start <= finding.start and finding.end <= other.end for other in kin):
        said.add("inside another")
    if any(finding.start <= other.start and other.end <= finding.end for other in kin):
        said.add("holds another")
    return dict.fromkeys(said, 1.0)


def _place(one: Candidate) -> tuple[str, int]:
    return one.finding.source.field, one.finding.start
