"""What made a verdict: computed when somebody asks, and kept for the next who does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from classifiers.explain import Word
from triage.pipeline.corrections import BY_PERSON
from triage.pipeline.prior import ruling
from triage.pipeline.reading import read
from triage.types import Verdict

if TYPE_CHECKING:
    from triage.web.desk import Desk

_MOST = 500


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words that speak most for a label, heaviest first, and how well the business that was
    contacted fits what is asked, 0 to 1; no words where no model chose it, no `fits` where the
    model compares nothing.
    """

    words: Sequence[Word] = ()
    fits: float | None = None


class Explanations:
    """Of the inquiries that were last asked about."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str, str], Explanation] = OrderedDict()

    def of(self, here: Desk, inquiry_id: str, verdict: Verdict) -> Explanation:
        """What made the verdict of an inquiry."""
        key = (inquiry_id, verdict.model, verdict.label)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _computed(here, inquiry_id, verdict)
        with self._lock:
            self._known[key] = found
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found


def by_model(verdict: Verdict) -> bool:
    """Whether a model chose the label, and no rule or person."""
    return not verdict.model.startswith((BY_PERSON, "rule:"))


def _computed(here: Desk, inquiry_id: str, verdict: Verdict) -> Explanation:
    inquiry = here.repository.archive.content(inquiry_id)
    if inquiry is None or not by_model(verdict):
        return Explanation()
    transcript = here.repository.archive.transcript(inquiry_id)
    profile = here.settings.business.profile
    known = ruling(inquiry, here.rulebook(), here.repository)
    reading = read(inquiry, transcript, profile, known, here.settings.calls)
    if reading.settled:
        return Explanation()
    classifier = here.classifier()
    words = classifier.explain(reading.example, verdict.label)
    return Explanation(words, classifier.fits(reading.example))
