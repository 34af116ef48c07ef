"""How much an inquiry needs a person: doubt, what is at stake, and how likely it is wrong.

All three go from 0 to 1:

- doubt: 1 minus the distance between the two most probable labels;
- stake: the probability of a lead, times its score out of 100 (at least 30; 50 without a score);
- suspicion: n neighbours (same sender, or nearly the same text) were labelled by people, k of them
  otherwise than this one: k / (n + 1).

The priority is 0.4 doubt + 0.4 stake + 0.2 suspicion.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from triage.store.settlements import Neighbour, Settled

SUSPECT: Final = 0.5
"""From this suspicion on, what is settled is looked at again: one neighbour, said to be another."""

_DOUBT, _STAKE, _SUSPICION = 0.4, 0.4, 0.2
_HELD: Final = 0.1  # what is held came long ago; what arrives now is looked at first
_CHANCES: Final = 2**32


def priority(found: Settled, suspicion: float = 0.0) -> float:
    """The place in the queue, from 0 to 1."""
    doubt = 1 - min(max(found.verdict.margin, 0.0), 1.0)
    score = 50 if found.score is None else max(found.score, 30)
    stake = found.verdict.scores.get("lead", 0.0) * score / 100
    total = _DOUBT * doubt + _STAKE * stake + _SUSPICION * suspicion
    return total * _HELD if found.held else total


def suspicion(found: Settled, neighbours: Sequence[Neighbour]) -> float:
    """How likely the label is wrong, as people labelled what is like it."""
    said = [other.label for other in neighbours if other.said]
    return sum(label != found.label for label in said) / (len(said) + 1)


def drawn(inquiry_id: str, share: float, purpose: str) -> bool:
    """Whether an inquiry is in the sample: always the same answer, and nothing else decides."""
    return chance(inquiry_id, purpose) < share


def chance(inquiry_id: str, purpose: str) -> float:
    """A number from 0 to 1 that only the id decides, another one for each purpose."""
    return zlib.crc32(f"{purpose}:{inquiry_id}".encode()) / _CHANCES
