"""The steps: each does its work outside any transaction, then makes one guarded move.

Both engines run these same functions. A step may be repeated, by anybody, at any time: what was
moved already is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from classifiers.model import Classifier
from classifiers.opening import OpeningRule
from triage import metrics
from triage.delivery.payload import Case
from triage.errors import Configuration, Permanent
from triage.intake.call import read_call
from triage.intake.calls.reader import CallReader
from triage.intake.mail import parse_mail
from triage.intake.parser import MANY, MailParser, Stored
from triage.intake.voicemail.notice import as_call
from triage.pipeline import silencing
from triage.pipeline.decide import decide, held_back, may_be_lead, settled_early, untaken
from triage.pipeline.discretion import Discretion
from triage.pipeline.hearing import Hearing
from triage.pipeline.prior import earlier_legs, ruling
from triage.pipeline.progressive import Progressive, audited
from triage.pipeline.reading import Reading, read
from triage.pipeline.remembering import Remembering, classified
from triage.pipeline.ruled import named, relabelled
from triage.pipeline.stages import Step, is_mail
from triage.pipeline.telling import Teller, stored_case
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.learned import TextTagger
from triage.signals.qualify import qualify
from triage.store import records
from triage.store.records import HistoryEntry, Work
from triage.store.repository import Repository
from triage.transcripts.host import TranscriberHost
from triage.transcripts.parts import joined
from triage.types import Inquiry, Outcome, Transcript, Verdict

T = TypeVar("T")

_RECORD_EVERY = 5.0  # seconds between looks for a call's record
# These run in the worker itself, on what strangers sent; recordings have a process of their own.
_IN_PROCESS = {Step.PARSE, Step.CLASSIFY, Step.QUALIFY}


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps, with all they need. `classifier` is asked for only when there is text to read, and
    `tagger` only when there is a lead; without one, signals come from rules alone. `opening` gives
    the rule of the model that decides now; where it has none, calls are transcribed whole. Without
    `memory` corrections act by training alone.
    """

    settings: Settings
    repository: Repository
    transcriber: TranscriberHost
    classifier: Callable[[], Classifier]
    rulebook: Rulebook
    calls: CallReader = field(default_factory=CallReader)
    tagger: Callable[[], TextTagger | None] = lambda: None
    parser: MailParser = field(default_factory=MailParser)
    opening: Callable[[], OpeningRule | None] = lambda: None
    memory: Remembering | None = None

    def run(self, step: Step, works: Sequence[Work]) -> None:
        """Do one step for some inquiries; classifying and parsing gain from several at once."""
        if step in _IN_PROCESS:
            self._begin(step, works)
        together = {Step.CLASSIFY: self.classify, Step.PARSE: self.parse}
        if step in together:
            together[step](works)
            return
        action = {
            Step.TRANSCRIBE: self.transcribe,
            Step.QUALIFY: self.qualify,
            Step.SETTLE: self.settle,
        }[step]
        for work in works:
            action(work)

    @property
    def _discretion(self) -> Discretion:
        return Discretion.of(self.settings)

    def _begin(self, step: Step, works: Sequence[Work]) -> None:
        """Count the attempt first, so that what kills the process is not tried for ever."""
        for work in works:
            if work.attempts >= self.settings.engine.attempts:
                raise Permanent(
                    f"the worker died or was stopped {work.attempts} times in the step {step}"
                )
        if step is Step.CLASSIFY:
            self.classifier()  # loading takes seconds, and is nobody's attempt
        self.repository.worklist.begun(works)

    def parse(self, works: Sequence[Work]) -> None:
        """Raw bytes to inquiries; mails are stored together."""
        mails = [work for work in works if is_mail(work)]
        recordings = self.settings.transcription.attachments
        apart: dict[str, Inquiry] = {}
        if len(mails) >= MANY:
            stored = [self._stored_mail(work) for work in mails]
            found = self.parser.parse(
                stored,
                self.settings.limits,
                self.settings.rules.authserv_ids,
                recordings=recordings,
            )
            apart = {inquiry.id: inquiry for inquiry in found if inquiry}
        pairs = [(work, apart.get(work.id) or self._parsed_mail(work)) for work in mails]
        if recordings:
            country, rules = self.settings.business.country, self.settings.calls
            pairs = [(work, as_call(inquiry, country, rules)) for work, inquiry in pairs]
        kept = self._discretion.kept
        self.repository.worklist.parsed_all([(work, kept(inquiry)) for work, inquiry in pairs])
        for work in works:
            if not is_mail(work):
                self._parse_call(work)

    def _stored_mail(self, work: Work) -> Stored:
        path = self.repository.blobs.path(work.sha256)
        return Stored(work.id, path, work.sha256, work.ref, work.received_at, work.campaign)

    def _parsed_mail(self, work: Work) -> Inquiry:
        return parse_mail(
            self.repository.blobs.read(work.sha256),
            inquiry_id=work.id,
            ref=work.ref,
            received_at=work.received_at,
            limits=self.settings.limits,
            campaign=work.campaign,
            authserv_ids=self.settings.rules.authserv_ids,
            keep=self._kept if self.settings.transcription.attachments else None,
        )

    def _kept(self, recording: bytes) -> str:
        return self.repository.blobs.put(recording)[0]

    def _parse_call(self, work: Work) -> None:
        """A recording to an inquiry, once its record is there or has been waited for."""
        known = self.calls.of(work.ref.source).read(work.ref.key, work.sidecar)
        left = known.wait - (records.now() - work.received_at).total_seconds()
        if known.missing and left > 0:
            again = timedelta(seconds=min(left, _RECORD_EVERY))
            self.repository.worklist.postponed(work, known.missing, again, counts=False)
            return
        sound = self.transcriber.probe(self.repository.blobs.path(work.sha256))
        inquiry = read_call(
            inquiry_id=work.id,
            ref=work.ref,
            received_at=work.received_at,
            known=known,
            duration_s=sound.duration_s,
            campaign=work.campaign,
        )
        self.repository.worklist.parsed(work, self._discretion.kept(inquiry))

    def transcribe(self, work: Work) -> None:
        """A recording, or a part of it, to text, unless nobody may transcribe it."""
        inquiry = self._stored(self.repository.archive.content(work.id), "content")
        if inquiry.call and inquiry.call.withheld:
            self.repository.worklist.passed_over(work, inquiry.call.withheld)
            return
        if is_mail(work):
            hearing = Hearing(self.settings, self.repository.blobs, self.transcriber.transcribe)
            found, message = hearing.heard(inquiry, work.attempts)
            self._heard(work, found, message)
            return
        heard = self.repository.archive.transcript(work.id)
        history = self.repository.archive.history(work.id) if heard else []
        part = self._progressive.part(inquiry, heard, history)
        transcript = self.transcriber.transcribe(self.repository.blobs.path(work.sha256), part)
        if heard and part.from_s:
            transcript = joined(heard, transcript)
        silencing.settle(
            self.repository, work, transcript, self._discretion, self.transcriber.silence
        )

    def _heard(self, work: Work, inquiry: Inquiry, message: Transcript | None) -> None:
        """Store what was heard in a mail, as it may be stored."""
        discretion = self._discretion
        kept = discretion.stored.transcript(message).transcript if message else None
        self.repository.worklist.heard(work, discretion.kept(inquiry), kept)

    def classify(self, works: Sequence[Work]) -> None:
        """Texts to verdicts, in one batch. A call whose opening does not settle it is read on."""
        readings = [self._reading(work) for work in works]
        unread = [
            (work.id, reading)
            for work, reading in zip(works, readings, strict=True)
            if reading.settled is None
        ]
        verdicts = iter(classified(self.classifier, self.memory, unread))
        for work, reading in zip(works, readings, strict=True):
            said = reading.settled or next(verdicts)
            verdict = relabelled(said, reading.ruling, self.settings.decision.lead_floor)
            verdict = named(verdict, self.settings.taxonomy)
            if not self._read_on(work, reading, said, verdict):
                self._classified(work, verdict)

    def _read_on(self, work: Work, reading: Reading, said: Verdict, verdict: Verdict) -> bool:
        """Send a call back whose opening was read and does not settle it."""
        if work.channel != "call":
            return False
        inquiry, heard = self._text(work)
        why = self._progressive.reads_on(inquiry, heard, reading, said, verdict)
        if why is not None:
            self.repository.worklist.read_on(work, why)
        return why is not None

    def _classified(self, work: Work, verdict: Verdict) -> None:
        history: list[HistoryEntry] = []
        if work.channel == "call" and self._progressive.audits(work.id):
            history = self.repository.archive.history(work.id)
        audit = audited(history, verdict)
        if self.repository.worklist.classified(work, verdict, audit):
            self._reached("classified", work)
            if audit:
                metrics.audited(agrees=audit["agrees"], lead=verdict.label == "lead")

    def qualify(self, work: Work) -> None:
        """A possible lead to its signals, score and grade."""
        verdict = self._stored(self.repository.archive.verdict(work.id), "verdict")
        qualification = None
        if may_be_lead(verdict, self.settings.decision):
            inquiry, transcript = self._text(work)
            qualification = qualify(
                inquiry,
                transcript,
                self.settings.ideal_customer,
                self.settings.business,
                self.tagger(),
            )
        self.repository.worklist.qualified(work, qualification)

    def settle(self, work: Work) -> None:
        """Everything known to an outcome, and the events it causes."""
        archive = self.repository.archive
        if work.channel == "call" and self.settings.redaction.stored:
            silencing.forget(self.repository, work.id)
        verdict = self._stored(archive.verdict(work.id), "verdict")
        qualification = archive.qualification(work.id)
        reading = self._reading(work)
        decision = decide(
            verdict,
            qualification,
            self.settings.decision,
            reading.doubts,
            reading.ruling,
            self.settings.taxonomy,
        )
        inquiry, transcript = self._text(work)
        decision = settled_early(decision, transcript)
        if work.held:
            decision = held_back(decision, work.held)
        if decision.outcome == Outcome.FORWARD and not self.settings.destinations:
            raise Configuration(
                "a lead waits here, because no destination is set; see [[destinations]]"
            )
        case = Case(inquiry, transcript, verdict, qualification, decision)
        teller = Teller(self.settings, partial(stored_case, self.repository))
        if decision.outcome == Outcome.FORWARD and not teller.takers(case):
            decision = untaken(decision)
            case = replace(case, decision=decision)
        plan = teller.plan(case, held=bool(work.held))
        if self.repository.worklist.settled(work, decision, plan):
            self._reached("settled", work)

    @property
    def _progressive(self) -> Progressive:
        return Progressive(self.settings, self.opening())

    def _text(self, work: Work) -> tuple[Inquiry, Transcript | None]:
        archive = self.repository.archive
        return self._stored(archive.content(work.id), "content"), archive.transcript(work.id)

    def _reading(self, work: Work) -> Reading:
        inquiry, transcript = self._text(work)
        profile = self.settings.business.profile
        known = ruling(inquiry, self.rulebook, self.repository)
        earlier = earlier_legs(inquiry, self.repository)
        return read(inquiry, transcript, profile, known, self.settings.calls, earlier)

    @staticmethod
    def _reached(milestone: metrics.Milestone, work: Work) -> None:
        if not work.backlog:
            metrics.reached(milestone, work.channel, work.received_at)

    @staticmethod
    def _stored(value: T | None, what: str) -> T:
        if value is None:
            raise Permanent(f"the stored {what} of this inquiry is missing")
        return value
