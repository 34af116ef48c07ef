"""What the tagger read in an inquiry, as findings in its sources.

The tagger reads one text: subject, body, signature and forwarded mail in a row. Here its offsets
become those of the fields again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Final, Protocol

import numpy as np

from classifiers.calibration import Floats
from classifiers.ranking import NOTHING, Ranking
from classifiers.tag_marks import GAP, SpanName
from classifiers.tag_model import Stretch, Tagged
from classifiers.verdict import Example
from triage.signals.source import Finding, Material, Source

_FIELDS: Final = ("text", "signature", "forwarded")
_LEAST: Final = 1e-4  # no probability is smaller: a rule can outvote any


class TextTagger(Protocol):
    """What reads texts: `classifiers.tag_model.Tagger`."""

    ranking: Mapping[str, Ranking]

    def read(self, texts: Sequence[tuple[Example, str]]) -> list[Tagged]:
        """What each text states; the example says who wrote to whom."""


@dataclass(frozen=True)
class Learned:
    """The tagger's reading of one inquiry. `parts`: where each source begins in its text;
    `ranking`: of each signal, which of several candidates is right.
    """

    tagged: Tagged
    parts: tuple[tuple[int, Source], ...]
    ranking: Mapping[str, Ranking]

    def places(self, name: SpanName) -> Iterator[Finding]:
        """The likeliest stretches of a signal, best first."""
        for stretch in self.tagged.spans[name]:
            place = self.place(stretch)
            if place is not None:
                yield Finding(*place, stretch.probability)

    def around(self, finding: Finding) -> Floats:
        """What the encoder says of a finding and its neighbour: zeros where it did not read it,
        `NOTHING` where nothing is known of any.
        """
        context = self.tagged.context
        if context is None:
            return NOTHING
        for offset, source in self.parts:
            if source.field == finding.source.field:
                return context.of((offset + finding.start, offset + finding.end))
        return np.zeros(2 * context.vectors.shape[1])

    def place(self, stretch: Stretch) -> tuple[Source, int, int] | None:
        """The source of a stretch and its offsets there."""
        return self._place(stretch.start, stretch.end)

    def choose(self, name: str, votes: Mapping[str, float]) -> tuple[str, float, Finding | None]:
        """The likeliest value of a class, its probability, and where it is shown.

        `votes` are what rules add to the logarithm of a value's probability.
        """
        choice = self.tagged.choices[name]
        weights = {
            value: max(p, _LEAST) * exp(votes.get(value, 0.0))
            for value, p in choice.probabilities.items()
        }
        value = max(weights, key=lambda key: weights[key])
        probability = weights[value] / sum(weights.values())
        place = self._place(*choice.shown)
        shown = Finding(*place, probability, value, value) if place else None
        return value, probability, shown

    def _place(self, start: int, end: int) -> tuple[Source, int, int] | None:
        for offset, source in self.parts:
            first, last = max(start - offset, 0), min(end - offset, len(source.text))
            if offset <= start < offset + len(source.text) and last > first:
                return source, first, last
        return None


def read_learned(material: Material, tagger: TextTagger) -> Learned | None:
    """The tagger's reading; nothing where there is no text."""
    inquiry = material.inquiry
    fields = {source.field: source for source in reversed(material.sources)}
    text, parts = inquiry.subject, []
    if "subject" in fields:
        parts.append((0, fields["subject"]))
    text += GAP
    for field in _FIELDS:
        if field in fields:
            text += GAP if parts and parts[-1][1].field != "subject" else ""
            parts.append((len(text), fields[field]))
            text += fields[field].text
    if not parts:
        return None
    example = Example(
        inquiry.channel,
        "",
        inquiry.subject,
        str(inquiry.sender),
        str(inquiry.recipients[0]) if inquiry.recipients else "",
        material.business.profile,
    )
    return Learned(tagger.read([(example, text)])[0], tuple(parts), tagger.ranking)
