"""What happens when a person says what an inquiry is, or when it is looked at again.

A correction always acts: it forwards, retracts, or is noted where everybody knows already. The
events are written in the transaction that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog

from classifiers.labels import LABELS
from triage.delivery.payload import Case
from triage.errors import Transient, Usage
from triage.pipeline.decide import decide, held_back, may_be_lead, settled_early, untaken
from triage.pipeline.discretion import Discretion
from triage.pipeline.foreseeing import Foreseen
from triage.pipeline.prior import ruling
from triage.pipeline.reading import read
from triage.pipeline.ruled import certain
from triage.pipeline.stating import Facts, Say, as_said
from triage.pipeline.telling import Said, Teller, stored_case
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.learned import TextTagger
from triage.signals.qualify import qualify
from triage.signals.stated import rescored
from triage.store import corrections as stored
from triage.store import records
from triage.store.records import Work
from triage.store.repository import Repository
from triage.store.statements import Statement
from triage.types import (
    Decision,
    Delivery,
    Inquiry,
    Outcome,
    Qualification,
    Stage,
    Transcript,
    Verdict,
)

log = structlog.get_logger(__name__)

BY_PERSON = "person"
UNDONE = "taken back"
NOT_YET = "not decided yet; nothing holds it any more"
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Corrected:
    """What an inquiry is now, and the events that made it known."""

    decision: Decision
    events: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Corrections:
    """Acts on what people say. `tagger` is asked for only when there is a lead; without one,
    signals come from rules alone. `whole` transcribes all of a call, where only its opening was.
    """

    settings: Settings
    repository: Repository
    tagger: Callable[[], TextTagger | None] = lambda: None
    whole: Callable[[str], Transcript] | None = None
    foreseen: Foreseen = field(default_factory=Foreseen)

    def relabel(self, inquiry_id: str, label: str, *, by: str = "", note: str = "") -> Corrected:
        """Give an inquiry a label, one of the nine or an own one, and act on it. A call that was
        settled on its opening and is a lead after all is transcribed whole first.

        Repeating it is noted and changes nothing else. Raises `Usage` for an unknown label, and for
        an inquiry that was not read yet.
        """
        better = None
        if self.whole and self._verdict(label, by).label == "lead":
            heard = self.repository.archive.transcript(inquiry_id)
            if heard and heard.partial and heard.read_s is not None:
                self._read(inquiry_id)  # raises where nothing could be made of it
                better = self._kept(self.whole(inquiry_id))
        return self._repeat(partial(self._relabel, inquiry_id, label, by, note, better))

    def foresee(self, inquiry_id: str) -> None:
        """Read the signals of an inquiry in the background: somebody looks at it, and may call it a
        lead the next moment.
        """
        self.foreseen.ahead(partial(self._foresee, inquiry_id))

    def restore(self, inquiry_id: str, moment: datetime, *, by: str = "") -> Corrected:
        """Take back what one person said since then: what was decided before holds again, and who
        was told otherwise is told.

        Nothing is erased; this is one more correction. Raises `Usage` where somebody else said
        something since, or nothing was decided before.
        """
        return self._repeat(partial(self._restore, inquiry_id, moment, by))

    def renew(
        self, inquiry_id: str, rulebook: Rulebook, transcript: Transcript | None = None
    ) -> Corrected:
        """Look at a settled inquiry again: with a better transcript, or with better signals.

        The label stays. Destinations that know the lead get `lead.updated` where something changed.
        Raises `Usage` unless the inquiry is settled.
        """
        return self._repeat(partial(self._renew, inquiry_id, rulebook, transcript))

    def restate(
        self, inquiry_id: str, say: Say, rulebook: Callable[[], Rulebook]
    ) -> Corrected | None:
        """Store what a person says about a signal, with all that follows from it: score, grade,
        outcome, `lead.updated` where a destination knows the lead. None: it is no lead, and what
        was said counts when it becomes one.

        Raises `Usage` unless the inquiry is settled, and where `say` does.
        """
        for _ in range(_TRIES):
            work, inquiry, transcript = self._settled(inquiry_id)
            if self._may_be_lead(inquiry_id):
                return self._repeat(partial(self._restate, inquiry_id, say, rulebook))
            statements = self.repository.statements.of(work.id)
            said = say(Facts(inquiry, transcript, {}, statements))
            if self.repository.statements.add(work, said):
                return None
        raise _busy()

    def release(self, inquiry_id: str, rulebook: Rulebook) -> Corrected:
        """Let a held inquiry go its usual way: a lead is forwarded. Raises `Usage` where it is not
        held. What is not decided yet goes on its way to a decision that nothing holds.
        """
        return self._repeat(partial(self._release, inquiry_id, rulebook))

    def releasable(self, inquiry_id: str, rulebook: Rulebook) -> Decision | None:
        """What would become of a held inquiry that is released; None: it is not decided yet.

        Raises `Usage` where it is not held.
        """
        _, case = self._would_be(inquiry_id, rulebook)
        return case.decision if case else None

    def _repeat(self, act: Callable[[], Corrected | None]) -> Corrected:
        for _ in range(_TRIES):
            if corrected := act():
                return corrected
        raise _busy()

    def _relabel(
        self, inquiry_id: str, label: str, by: str, note: str, better: Transcript | None
    ) -> Corrected | None:
        verdict = self._verdict(label, by)
        with self.repository.snapshot():
            work, inquiry, transcript = self._read(inquiry_id)
            before = self.repository.archive.verdict(inquiry_id)
        transcript = better or transcript
        qualification = None
        if verdict.label == "lead":
            qualification = self._qualified(inquiry, transcript)
        decision = self._decision(verdict, by)
        case = self._takeable(Case(inquiry, transcript, verdict, qualification, decision))
        previous = (before.own or before.label) if before else ""
        # What a person calls a lead is forwarded, however old it is.
        held = "" if case.decision.outcome == Outcome.FORWARD else work.held
        deliveries = self.repository.corrections.apply(
            work,
            stored.Correction(label, previous, by, note, records.now()),
            stored.Outcome(verdict, qualification, case.decision),
            self._teller().plan(case, Said(previous, by, note), held=bool(held)),
            held,
            better,
        )
        if deliveries is None:
            return None
        log.info("corrected", inquiry=inquiry_id, label=label, events=len(deliveries))
        return Corrected(case.decision, tuple(deliveries))

    def _restore(self, inquiry_id: str, moment: datetime, by: str) -> Corrected | None:
        with self.repository.snapshot():
            work, inquiry, transcript = self._read(inquiry_id)
            said = [one for one in self.repository.corrections.of(inquiry_id) if one.at >= moment]
            outcome = self.repository.corrections.before(inquiry_id, moment)
            statements = self.repository.statements.of(inquiry_id)
            held = work.held or self.repository.corrections.held_until(inquiry_id, moment)
        other = next((one.by or "somebody" for one in said if one.by != by), "")
        if other or outcome is None:
            why = f"{other} corrected it since" if other else "nothing was decided before"
            raise Usage(f"{inquiry_id} stays as it is: {why}")
        verdict, found = outcome.verdict, outcome.qualification
        if found:
            found = as_said(found, statements, inquiry, transcript, self.settings)
            outcome = replace(outcome, qualification=found)
        qualification = found if verdict.label == "lead" else None
        case = Case(inquiry, transcript, verdict, qualification, outcome.decision)
        previous = said[-1].label if said else ""
        deliveries = self.repository.corrections.apply(
            work,
            stored.Correction(verdict.own or verdict.label, previous, by, UNDONE, records.now()),
            outcome,
            self._teller().plan(case, Said(previous, by, UNDONE, undone=True)),
            held,
        )
        if deliveries is None:
            return None
        log.info("restored", inquiry=inquiry_id, events=len(deliveries))
        return Corrected(outcome.decision, tuple(deliveries))

    def _renew(
        self, inquiry_id: str, rulebook: Rulebook, transcript: Transcript | None
    ) -> Corrected | None:
        work, inquiry, known = self._read(inquiry_id)
        before = stored_case(self.repository, inquiry_id)
        if work.stage is not Stage.SETTLED or before is None:
            raise Usage(f"{inquiry_id} is {work.stage}; only a settled inquiry can be renewed")
        if transcript is not None:
            transcript = self._kept(transcript)
        heard = transcript or known
        qualification = None
        if may_be_lead(before.verdict, self.settings.decision):
            qualification = self._qualified(inquiry, heard)
        case = self._decided(inquiry, heard, before, qualification, rulebook)
        if work.held:
            case = replace(case, decision=held_back(case.decision, work.held))
        deliveries = self.repository.corrections.renew(
            work,
            transcript,
            stored.Outcome(case.verdict, qualification, case.decision),
            self._teller().plan(case, Said(), held=bool(work.held)),
            work.held,
        )
        return None if deliveries is None else Corrected(case.decision, tuple(deliveries))

    def _restate(
        self, inquiry_id: str, say: Say, rulebook: Callable[[], Rulebook]
    ) -> Corrected | None:
        work, inquiry, transcript = self._settled(inquiry_id)
        before = stored_case(self.repository, inquiry_id)
        if before is None:
            raise Usage(f"{inquiry_id} is not decided yet")
        found = self.repository.archive.qualification(inquiry_id)
        statements = self.repository.statements.of(inquiry_id)
        known = dict(found.signals) if found else {}
        said = say(Facts(inquiry, transcript, known, statements))
        if found is None or said.undoes is not None:
            left = [one for one in statements if one.id != said.undoes]
            found = self._qualified(inquiry, transcript, left)
        else:
            ideal, business = self.settings.ideal_customer, self.settings.business
            changed = {said.name: said.signal}
            found = rescored(found, changed, inquiry, transcript, ideal, business)
        case = self._decided(inquiry, transcript, before, found, rulebook())
        if work.held:
            case = replace(case, decision=held_back(case.decision, work.held))
        deliveries = self.repository.corrections.renew(
            work,
            None,
            stored.Outcome(case.verdict, found, case.decision),
            self._teller().plan(case, Said(), held=bool(work.held)),
            work.held,
            said,
        )
        if deliveries is None:
            return None
        log.info("signal corrected", inquiry=inquiry_id, signal=said.name, events=len(deliveries))
        return Corrected(case.decision, tuple(deliveries))

    def _may_be_lead(self, inquiry_id: str) -> bool:
        verdict = self.repository.archive.verdict(inquiry_id)
        return verdict is not None and may_be_lead(verdict, self.settings.decision)

    def _settled(self, inquiry_id: str) -> tuple[Work, Inquiry, Transcript | None]:
        work, inquiry, transcript = self._read(inquiry_id)
        if work.stage is not Stage.SETTLED:
            raise Usage(f"{inquiry_id} is {work.stage}; its signals can be corrected once settled")
        return work, inquiry, transcript

    def _release(self, inquiry_id: str, rulebook: Rulebook) -> Corrected | None:
        work, case = self._would_be(inquiry_id, rulebook)
        if case is None:
            done = self.repository.worklist.released(work)
            return Corrected(Decision(Outcome.REVIEW, NOT_YET), ()) if done else None
        deliveries = self.repository.corrections.renew(
            work,
            None,
            stored.Outcome(case.verdict, case.qualification, case.decision),
            self._teller().plan(case, Said()),
        )
        if deliveries is None:
            return None
        log.info("released", inquiry=inquiry_id, events=len(deliveries))
        return Corrected(case.decision, tuple(deliveries))

    def _would_be(self, inquiry_id: str, rulebook: Rulebook) -> tuple[Work, Case | None]:
        """What a held inquiry would be if it were not held; None where nothing is decided yet."""
        work = self.repository.worklist.get(inquiry_id)
        if work is None or not work.held:
            raise Usage(f"{inquiry_id} is not held")
        before = stored_case(self.repository, inquiry_id)
        if work.stage is not Stage.SETTLED or before is None:
            return work, None
        qualification = self.repository.archive.qualification(inquiry_id)
        return work, self._decided(
            before.inquiry, before.transcript, before, qualification, rulebook
        )

    def _decided(
        self,
        inquiry: Inquiry,
        transcript: Transcript | None,
        before: Case,
        qualification: Qualification | None,
        rulebook: Rulebook,
    ) -> Case:
        """The decision under the settings of now; what a person said stands."""
        decision = before.decision
        if not before.verdict.model.startswith(BY_PERSON):
            profile = self.settings.business.profile
            known = ruling(inquiry, rulebook, self.repository)
            reading = read(inquiry, transcript, profile, known, self.settings.calls)
            decision = decide(
                before.verdict,
                qualification,
                self.settings.decision,
                reading.doubts,
                reading.ruling,
                self.settings.taxonomy,
            )
            decision = settled_early(decision, transcript)
        return self._takeable(Case(inquiry, transcript, before.verdict, qualification, decision))

    def _qualified(
        self,
        inquiry: Inquiry,
        transcript: Transcript | None,
        statements: Sequence[Statement] | None = None,
    ) -> Qualification:
        """What was found, and what people said of it until then, or only these `statements`."""
        found = self.foreseen.of(inquiry, transcript, self._found)
        said = self.repository.statements.of(inquiry.id) if statements is None else statements
        return as_said(found, said, inquiry, transcript, self.settings)

    def _foresee(self, inquiry_id: str) -> None:
        _, inquiry, transcript = self._read(inquiry_id)
        self.foreseen.of(inquiry, transcript, self._found)

    def _found(self, inquiry: Inquiry, transcript: Transcript | None) -> Qualification:
        ideal, business = self.settings.ideal_customer, self.settings.business
        return qualify(inquiry, transcript, ideal, business, self.tagger())

    def _kept(self, transcript: Transcript) -> Transcript:
        """A fresh transcript as it is stored, and so as it is found."""
        return Discretion.of(self.settings).stored.transcript(transcript).transcript

    def _read(self, inquiry_id: str) -> tuple[Work, Inquiry, Transcript | None]:
        with self.repository.snapshot():
            work = self.repository.worklist.get(inquiry_id)
            inquiry = self.repository.archive.content(inquiry_id)
            transcript = self.repository.archive.transcript(inquiry_id)
        if work is None:
            raise Usage(f"no inquiry {inquiry_id}")
        waiting = work.channel == "call" and work.stage is Stage.PARSED
        if inquiry is None or waiting:
            raise Usage(
                f"{inquiry_id} is {work.stage}: nobody has read it yet, so nothing can be sent; "
                "wait until it is, or see `triage inquiries show`"
            )
        return work, inquiry, transcript

    def require_known(self, label: str) -> str:
        """The one of the nine labels that a label is, or stands for. Raises `Usage` for others."""
        return self._verdict(label, "").label

    def _verdict(self, label: str, by: str) -> Verdict:
        model = f"{BY_PERSON}:{by}" if by else BY_PERSON
        if own := self.settings.taxonomy.get(label):
            return replace(certain(own.base, model), own=label)
        for known in LABELS:
            if known == label:
                return certain(known, model)
        raise Usage(
            f"no label {label!r}; choose one of {', '.join([*LABELS, *self.settings.taxonomy])}"
        )

    def _decision(self, verdict: Verdict, by: str) -> Decision:
        """A person's word counts more than any score; an own label's outcome is theirs too."""
        name = f"{verdict.own} ({verdict.label})" if verdict.own else verdict.label
        reason = f"{name}, said by {by or 'a person'}"
        own = self.settings.taxonomy.get(verdict.own)
        if own is not None and own.outcome is not None:
            return Decision(Outcome(own.outcome), f"{reason}, as taxonomy.{verdict.own} says")
        return Decision(Outcome.FORWARD if verdict.label == "lead" else Outcome.FILE, reason)

    def _takeable(self, case: Case) -> Case:
        if case.decision.outcome != Outcome.FORWARD or self._teller().takers(case):
            return case
        return replace(case, decision=untaken(case.decision))

    def _teller(self) -> Teller:
        return Teller(self.settings, partial(stored_case, self.repository))


def _busy() -> Transient:
    return Transient("the inquiry is being worked on; try again")
