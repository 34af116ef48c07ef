"""What another model would have made of what was settled last; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from classifiers.errors import ClassifierError
from classifiers.model import Classifier
from triage.delivery.payload import Case
from triage.errors import Usage
from triage.pipeline.decide import decide, may_be_lead
from triage.pipeline.learning import Changed, Seen
from triage.pipeline.prior import earlier_legs, ruling
from triage.pipeline.reading import Reading, read
from triage.pipeline.ruled import named, relabelled
from triage.pipeline.telling import stored_case
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.contact import FREE_MAIL
from triage.signals.qualify import qualify
from triage.store.repository import Repository
from triage.store.settlements import PERSON
from triage.types import Qualification, Verdict


@dataclass(frozen=True, slots=True)
class _Look:
    """An inquiry as it stands, and what is read of it now."""

    case: Case
    reading: Reading


class Shadow:
    """Reads the same inquiries with two models, under the rules and settings of now."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self.settings = settings
        self.repository = repository
        self.rulebook = Rulebook(settings.rules, settings.business, FREE_MAIL)

    def run(self, now: Path, other: Path, limit: int) -> list[Changed]:
        """Changed decisions among the `limit` inquiries that were settled last, newest first."""
        try:
            models = [self._load(folder) for folder in (now, other)]
        except ClassifierError as error:
            raise Usage(str(error)) from error
        found: list[Changed] = []
        looks = self._looks(limit)
        while chunk := list(islice(looks, self.settings.classifier.batch)):
            examples = [look.reading.example for look in chunk]
            first, second = (model.classify(examples) for model in models)
            for look, before, after in zip(chunk, first, second, strict=True):
                if changed := self._changed(look, before, after):
                    found.append(changed)
        return found

    def _load(self, folder: Path) -> Classifier:
        chosen = self.settings.classifier
        return Classifier.load(
            folder, batch=chosen.batch, threads=chosen.threads, runtime=chosen.runtime
        )

    def _looks(self, limit: int) -> Iterator[_Look]:
        """What a model has a say in: neither what a rule settled, nor what has no text."""
        profile, calls = self.settings.business.profile, self.settings.calls
        for inquiry_id in self.repository.confirmations.settled_last(limit):
            case = stored_case(self.repository, inquiry_id)
            if case is None:
                continue
            known = ruling(case.inquiry, self.rulebook, self.repository)
            earlier = earlier_legs(case.inquiry, self.repository)
            reading = read(case.inquiry, case.transcript, profile, known, calls, earlier)
            if reading.settled is None:
                yield _Look(case, reading)

    def _changed(self, look: _Look, before: Verdict, after: Verdict) -> Changed | None:
        before, after = self._ruled(look, before), self._ruled(look, after)
        rules = self.settings.decision
        found = None
        if may_be_lead(before, rules) or may_be_lead(after, rules):
            found = self._qualified(look.case)
        was, would = self._seen(look, before, found), self._seen(look, after, found)
        if (was.label, was.outcome) == (would.label, would.outcome):
            return None
        inquiry, stands = look.case.inquiry, look.case.verdict
        said = stands.own or stands.label if stands.model.startswith(PERSON) else ""
        return Changed(
            inquiry.id,
            inquiry.received_at,
            str(inquiry.author),
            inquiry.subject,
            was,
            would,
            said,
        )

    def _ruled(self, look: _Look, verdict: Verdict) -> Verdict:
        floor = self.settings.decision.lead_floor
        return named(relabelled(verdict, look.reading.ruling, floor), self.settings.taxonomy)

    def _qualified(self, case: Case) -> Qualification:
        """What it has to say as a lead, by rules alone: the same for both models."""
        if case.qualification is not None:
            return case.qualification
        ideal, business = self.settings.ideal_customer, self.settings.business
        return qualify(case.inquiry, case.transcript, ideal, business, None)

    def _seen(self, look: _Look, verdict: Verdict, found: Qualification | None) -> Seen:
        decision = decide(
            verdict,
            found if may_be_lead(verdict, self.settings.decision) else None,
            self.settings.decision,
            look.reading.doubts,
            look.reading.ruling,
            self.settings.taxonomy,
        )
        return Seen(verdict.own or verdict.label, decision.outcome, verdict.confidence)
