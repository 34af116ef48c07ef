"""Looks through what people confirmed for labels that are probably wrong, and acts on the answers.

Taking what is proposed is a correction like any other. Keeping is remembered with the word it is
about: nobody is asked again unless somebody relabels the inquiry.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from classifiers.errors import ClassifierError
from classifiers.labels import LABELS
from classifiers.model import Classifier
from triage.errors import Configuration, Usage
from triage.pipeline.corrections import Corrected, Corrections
from triage.pipeline.prior import earlier_legs
from triage.pipeline.reading import read
from triage.settings import Classifier as ClassifierSettings
from triage.store import records
from triage.store.doubts import Doubt, Doubts, Look, Word
from triage.training.mislabelled import LEAST, Confirmed, Mislabelled, Progress, find

log = structlog.get_logger(__name__)

MOST: Final = 10_000
"""Words that one look goes through, the newest; reading them takes minutes on one core."""
NOTE: Final = "taken over from the look for wrong labels"


def _shipped(settings: ClassifierSettings) -> Classifier:
    try:
        return Classifier.load(
            batch=settings.batch, threads=settings.threads, runtime=settings.runtime
        )
    except ClassifierError as error:
        raise Configuration(f"the model that ships cannot be loaded: {error}") from error


@dataclass(frozen=True, slots=True)
class LabelErrors:
    """The look and its answers. `shipped` loads the model that comes with the product, which never
    learned from what the customer confirmed.
    """

    corrections: Corrections
    shipped: Callable[[ClassifierSettings], Classifier] = _shipped

    def look(self, by: str, progress: Progress = lambda _done, _of: None) -> Look:
        """Go through all confirmed labels and keep what is found. Takes minutes where there are
        thousands. Raises `Usage` where there are too few to say anything.
        """
        newest = deque(self._doubts.words(), MOST)
        words = {word.said.inquiry_id: word for word in newest}
        items = [item for word in words.values() if (item := self._item(word))]
        if len(items) < LEAST:
            raise Usage(
                f"{len(items)} labels were confirmed by people; from {LEAST} on it can be told "
                "which of them are probably wrong. Review some more first"
            )
        model = self.shipped(self.corrections.settings.classifier)
        found = [
            _doubt(words[each.id], each)
            for each in find(items, model, progress)
            if not words[each.id].kept
        ]
        look = Look(records.now(), by, model.name_version, len(items), len(found))
        self._doubts.found(found, look)
        log.info("looked for wrong labels", confirmed=len(items), found=len(found))
        return look

    def take(self, inquiry_id: str, by: str) -> Corrected:
        """Give an inquiry the label that is proposed. Raises `Usage` where nothing is in doubt."""
        doubt = self._open(inquiry_id)
        done = self.corrections.relabel(inquiry_id, doubt.proposed, by=by, note=NOTE)
        self._doubts.answered(doubt, by, kept=False)
        return done

    def keep(self, inquiry_id: str, by: str) -> None:
        """Stay with what was said, for good. Raises `Usage` where nothing is in doubt."""
        self._doubts.answered(self._open(inquiry_id), by, kept=True)

    @property
    def _doubts(self) -> Doubts:
        return self.corrections.repository.doubts

    def _open(self, inquiry_id: str) -> Doubt:
        doubt = self._doubts.of(inquiry_id)
        if doubt is None:
            raise Usage(f"{inquiry_id}: its label is not in doubt any more; somebody answered")
        return doubt

    def _item(self, word: Word) -> Confirmed | None:
        repository, settings = self.corrections.repository, self.corrections.settings
        archive, said = repository.archive, word.said
        inquiry = archive.content(said.inquiry_id)
        label = next((known for known in LABELS if known == said.label), None)
        if inquiry is None or label is None:
            return None
        transcript, profile = archive.transcript(said.inquiry_id), settings.business.profile
        earlier = earlier_legs(inquiry, repository)
        example = read(inquiry, transcript, profile, calls=settings.calls, before=earlier).example
        if not (example.text.strip() or example.subject.strip()):
            return None  # nothing to read: no label can be told from another
        author = inquiry.author.email or inquiry.author.phone
        ties = tuple(tie for tie in (author.casefold(), said.conversation) if tie)
        return Confirmed(said.inquiry_id, example, label, ties)


def _doubt(word: Word, found: Mislabelled) -> Doubt:
    said = word.said
    return Doubt(
        word.correction_id,
        said.inquiry_id,
        said.own or said.label,
        found.proposed,
        round(found.sure, 4),
        found.why,
        found.alike,
    )
