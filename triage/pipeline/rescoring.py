"""Old inquiries, looked at again with the model, rules and settings of now.

Nobody is told of what this finds unless that is asked for: what became a lead is held until it is
released, and what destinations were told stays as they know it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from classifiers.model import Classifier
from triage.delivery.payload import Case
from triage.pipeline.corrections import BY_PERSON
from triage.pipeline.decide import decide, held_back, may_be_lead, untaken
from triage.pipeline.prior import earlier_legs, ruling
from triage.pipeline.reading import Reading, read
from triage.pipeline.remembering import Remembering, classified
from triage.pipeline.ruled import named, relabelled
from triage.pipeline.stating import as_said
from triage.pipeline.telling import Said, Teller, stored_case
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.learned import TextTagger
from triage.signals.qualify import qualify
from triage.store import corrections as stored
from triage.store import records
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Outcome, Stage, Verdict

TOLD = "left as it is, for destinations know it; --forward tells them"


@dataclass(frozen=True, slots=True)
class Seen:
    """What an inquiry is found to be; `score` is None where it cannot be a lead."""

    label: str
    outcome: str
    score: int | None


@dataclass(frozen=True, slots=True)
class Rescored:
    """One inquiry as it was and as it is now. `events`: who is told; `note`: why nothing changed
    although it would.
    """

    id: str
    before: Seen
    after: Seen
    events: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """An inquiry as it was decided, and what is read of it now."""

    work: Work
    before: Case
    reading: Reading


@dataclass(frozen=True, slots=True)
class Rescoring:
    """Looks again at settled inquiries; what a person said stands."""

    settings: Settings
    repository: Repository
    classifier: Callable[[], Classifier]
    tagger: Callable[[], TextTagger | None]
    rulebook: Rulebook
    memory: Remembering | None = None

    def run(
        self, ids: Sequence[str], *, forward: bool = False, dry_run: bool = False
    ) -> Iterator[Rescored]:
        """Yield what changes, in order; a dry run stores nothing, and repeating it is harmless."""
        looks = (look for name in ids if (look := self._look(name)))
        while chunk := list(islice(looks, self.settings.classifier.batch)):
            unread = [
                (look.work.id, look.reading) for look in chunk if look.reading.settled is None
            ]
            verdicts = iter(classified(self.classifier, self.memory, unread))
            for look in chunk:
                case = self._case(look, look.reading.settled or next(verdicts))
                before, after = _seen(look.before), _seen(case)
                if before != after:
                    yield self._changed(look, case, forward=forward, dry_run=dry_run)

    def _look(self, inquiry_id: str) -> _Look | None:
        work = self.repository.worklist.get(inquiry_id)
        before = stored_case(self.repository, inquiry_id)
        if work is None or before is None or work.stage is not Stage.SETTLED:
            return None
        if before.verdict.model.startswith(BY_PERSON):
            return None
        known = ruling(before.inquiry, self.rulebook, self.repository)
        profile = self.settings.business.profile
        earlier, calls = earlier_legs(before.inquiry, self.repository), self.settings.calls
        reading = read(before.inquiry, before.transcript, profile, known, calls, earlier)
        return _Look(work, before, reading)

    def _case(self, look: _Look, verdict: Verdict) -> Case:
        rules, inquiry, heard = self.settings.decision, look.before.inquiry, look.before.transcript
        verdict = relabelled(verdict, look.reading.ruling, rules.lead_floor)
        verdict = named(verdict, self.settings.taxonomy)
        found = None
        if may_be_lead(verdict, rules):
            ideal, business = self.settings.ideal_customer, self.settings.business
            found = qualify(inquiry, heard, ideal, business, self.tagger())
            said = self.repository.statements.of(look.work.id)
            found = as_said(found, said, inquiry, heard, self.settings)
        doubts, known = look.reading.doubts, look.reading.ruling
        decision = decide(verdict, found, rules, doubts, known, self.settings.taxonomy)
        case = Case(inquiry, heard, verdict, found, decision)
        if decision.outcome == Outcome.FORWARD and not self._teller().takers(case):
            decision = untaken(decision)
        if look.work.held:
            decision = held_back(decision, look.work.held)
        return Case(inquiry, heard, verdict, found, decision)

    def _changed(self, look: _Look, case: Case, *, forward: bool, dry_run: bool) -> Rescored:
        work, before, held = look.work, _seen(look.before), look.work.held
        told = any(
            delivery.event.startswith("lead.")
            for delivery in self.repository.outbox.listed(inquiry_id=work.id)
        )
        if told and not forward:
            return Rescored(work.id, before, _seen(case), note=TOLD)
        if not forward and not held and case.decision.outcome == Outcome.FORWARD:
            held = f"a new look found it on {records.now().astimezone():%Y-%m-%d}"
            decision = held_back(case.decision, held)
            case = Case(case.inquiry, case.transcript, case.verdict, case.qualification, decision)
        if dry_run:
            return Rescored(work.id, before, _seen(case))
        quiet = bool(held) or not forward
        deliveries = self.repository.corrections.rescored(
            work,
            stored.Outcome(case.verdict, case.qualification, case.decision),
            self._teller().plan(case, Said(before.label), held=quiet),
            held,
        )
        if deliveries is None:
            return Rescored(work.id, before, before, note="somebody else decided it meanwhile")
        events = tuple(f"{event.event} to {event.destination}" for event in deliveries)
        return Rescored(work.id, before, _seen(case), events)

    def _teller(self) -> Teller:
        return Teller(self.settings, partial(stored_case, self.repository))


def _seen(case: Case) -> Seen:
    found = case.qualification if case.verdict.label == "lead" else None
    label = case.verdict.own or case.verdict.label
    return Seen(label, case.decision.outcome, found.score if found else None)
