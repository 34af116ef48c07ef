"""Which words made a verdict: computed when somebody asks, and kept for the next who does."""

from __future__ import annotations

from collections import OrderedDict
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


class Explanations:
    """The strongest words of the inquiries that were last asked about."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str, str], list[Word]] = OrderedDict()

    def of(self, here: Desk, inquiry_id: str, verdict: Verdict) -> list[Word]:
        """The words that speak most for the label, heaviest first; none where no model chose it."""
        key = (inquiry_id, verdict.model, verdict.label)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        words = _computed(here, inquiry_id, verdict)
        with self._lock:
            self._known[key] = words
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return words


def by_model(verdict: Verdict) -> bool:
    """Whether a model chose the label, and no rule or person."""
    return not verdict.model.startswith((BY_PERSON, "rule:"))


def _computed(here: Desk, inquiry_id: str, verdict: Verdict) -> list[Word]:
    inquiry = here.repository.archive.content(inquiry_id)
    if inquiry is None or not by_model(verdict):
        return []
    transcript = here.repository.archive.transcript(inquiry_id)
    profile = here.settings.business.profile
    known = ruling(inquiry, here.rulebook(), here.repository)
    reading = read(inquiry, transcript, profile, known, here.settings.calls)
    if reading.settled:
        return []
    return here.classifier().explain(reading.example, verdict.label)
