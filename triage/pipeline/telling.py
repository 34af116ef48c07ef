"""Who is told what about an inquiry once its outcome is known, whether for the first time or again.

What a destination was told is compared with what is true now; the difference is the events. So it
does not matter how often or in which order something is decided: telling twice writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from triage.delivery import events, payload
from triage.delivery.filters import Facts, wants
from triage.delivery.links import LinkSigner
from triage.delivery.payload import Case, Cause, Speaker
from triage.pipeline.contacts import contact
from triage.pipeline.discretion import Discretion
from triage.settings import Destination, Settings
from triage.store import records
from triage.store.handovers import Handover, Ledger, Plan
from triage.store.people import Person
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState, Outcome

_OF_LEADS = (events.LEAD_QUALIFIED, events.LEAD_UPDATED)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said about an inquiry: what it was before, who, and their note. `undone`: they
    take it back, and what was decided before holds again.
    """

    previous: str = ""
    by: str = ""
    note: str = ""
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Teller:
    """Turns an outcome into events. `find`: the case of another inquiry, by its id."""

    settings: Settings
    find: Callable[[str], Case | None]

    def takers(self, case: Case) -> list[Destination]:
        """The destinations whose filters let a lead pass."""
        facts = self._facts(case)
        return [
            destination
            for destination in self.settings.destinations
            if wants(destination, events.LEAD_QUALIFIED, facts)
        ]

    def plan(self, case: Case, said: Said | None = None, *, held: bool = False) -> Plan:
        """`tell`, for the transaction that decides; nobody is told of what is `held`."""
        if held:
            return lambda ledger: self.remember(case, ledger)
        told = _lazily(self.settings, case)
        if case.verdict.label == "lead":
            told()  # masking a long text takes its time, and nobody should wait for that
        return lambda ledger: self.tell(case, ledger, records.now(), said, told)

    def remember(self, case: Case, ledger: Ledger) -> list[Delivery]:
        """Who made a lead, for later; no events."""
        if case.verdict.label == "lead":
            ledger.exclusive()
            _Telling(self, case, ledger, records.now(), Said()).identify()
        return []

    def tell(
        self,
        case: Case,
        ledger: Ledger,
        at: datetime,
        said: Said | None = None,
        told: Callable[[], Case] | None = None,
    ) -> list[Delivery]:
        """The events that make every destination know what is true now. `told`: the case as others
        may know it, where somebody has it already.
        """
        lead = case.verdict.label == "lead"
        if lead or said is not None:
            ledger.exclusive()
        telling = _Telling(self, case, ledger, at, said or Said(), told)
        # A lead that was sent because a person said so, and that waits for a person again, is sent
        # no longer.
        waits = telling.withdrawn()
        if lead and not waits:
            telling.lead()
        else:
            telling.retraction()
        if not lead:
            telling.reply()
        telling.classified()
        return telling.deliveries

    def _facts(self, case: Case) -> Facts:
        found = case.qualification
        return Facts(
            label=case.verdict.label,
            channel=case.inquiry.channel,
            own=case.verdict.own,
            grade=found.grade if found else "",
            score=found.score if found else 0,
            campaign=case.inquiry.campaign,
            business=self.settings.business.name,
        )

    def is_answer(self, case: Case) -> bool:
        """Whether an inquiry that is no lead may be what a customer answers: written by a person,
        not by a colleague, an automaton or a spammer.
        """
        inquiry = case.inquiry
        domain = inquiry.sender.email.lower().rpartition("@")[2]
        own = any(
            domain == name.lower() or domain.endswith(f".{name.lower()}")
            for name in self.settings.business.domains
        )
        automatic = inquiry.headers.get("auto-submitted", "no").strip().lower() != "no"
        return (
            inquiry.channel == "email"
            and case.verdict.label != "spam"
            and not own
            and not automatic
        )

    def subscribed(self, name: str, event: str) -> bool:
        """Whether a destination is there and gets events of a type at all."""
        return any(
            destination.name == name and event in destination.events
            for destination in self.settings.destinations
        )

    def interested(self, case: Case, event: str) -> list[Destination]:
        """The destinations that are told about an event of this type and inquiry."""
        facts = self._facts(case)
        return [target for target in self.settings.destinations if wants(target, event, facts)]


def stored_case(repository: Repository, inquiry_id: str) -> Case | None:
    """All that is stored about an inquiry; None where it was not decided yet."""
    archive = repository.archive
    with repository.snapshot():
        inquiry, verdict = archive.content(inquiry_id), archive.verdict(inquiry_id)
        decision = archive.decision(inquiry_id)
        if inquiry is None or verdict is None or decision is None:
            return None
        transcript = archive.transcript(inquiry_id)
        qualified = archive.qualification(inquiry_id) if verdict.label == "lead" else None
    return Case(inquiry, transcript, verdict, qualified, decision)


def _lazily(settings: Settings, case: Case) -> Callable[[], Case]:
    """The case as others may know it, masked when it is first asked for."""
    return cache(lambda: Discretion.of(settings).told(case))


class _Telling:
    """One inquiry's events, as they are put together."""

    def __init__(
        self,
        teller: Teller,
        case: Case,
        ledger: Ledger,
        at: datetime,
        said: Said,
        told: Callable[[], Case] | None = None,
    ) -> None:
        self._teller = teller
        self._case = case  # what is true; what others may know of it is `_told`
        self._masked = told or _lazily(teller.settings, case)
        self._discretion = Discretion.of(teller.settings)
        self._ledger = ledger
        self._said = said
        self._at = at
        self._speaker = Speaker(
            business=teller.settings.business.name,
            links=LinkSigner.of(teller.settings.links),
            at=at,
            acknowledged=bool(teller.settings.acknowledge.listen),
        )
        self.deliveries: list[Delivery] = []

    @property
    def _told(self) -> Case:
        return self._masked()

    def lead(self) -> None:
        """A lead: new, another inquiry of somebody known, or changed since it was told."""
        person = self.identify()
        told = self._ledger.told()
        for handover in told.values():
            self._changed(handover)
        if self._case.decision.outcome not in {Outcome.FORWARD, Outcome.NURTURE}:
            return
        earlier = self._earlier(person)
        for destination, handover in earlier.items():
            if destination not in told:
                self._another(handover)
        if self._case.decision.outcome == Outcome.FORWARD:
            for target in self._targets(person):
                if target.name not in told and target.name not in earlier:
                    self._opened(self._told, target.name)

    def withdrawn(self) -> bool:
        """Whether a person took back what made it a lead that is told of."""
        told_of = {Outcome.FORWARD, Outcome.NURTURE}
        return self._said.undone and self._case.decision.outcome not in told_of

    def retraction(self) -> None:
        """No lead, whatever destinations were told."""
        self._speak_of(self._ledger.person())
        for handover in self._ledger.told().values():
            self._ledger.take_back(handover)
            if not handover.opened:
                body = self._update(handover, "withdrawn", ["label"])
                self._add(
                    handover.destination, events.LEAD_UPDATED, body, refers_to=handover.lead_id
                )
                continue
            body = payload.lead_retracted(
                self._told,
                self._speaker,
                refers_to=handover.lead_id,
                previous=self._said.previous,
                by=self._said.by,
                note=self._discretion.outgoing.text(self._said.note),
            )
            self._add(handover.destination, events.LEAD_RETRACTED, body, refers_to=handover.lead_id)
            self._inherit(handover)

    def reply(self) -> None:
        """No lead by itself, but an answer in the conversation of one: its owner wants to know."""
        if not self._teller.is_answer(self._case):
            return
        for destination, lead in self._ledger.thread().items():
            if not self._ledger.count(self._ledger.inquiry_id, destination, events.LEAD_UPDATED):
                body = self._update(lead, "reply", ["reply"])
                self._add(destination, events.LEAD_UPDATED, body, refers_to=lead.lead_id)

    def classified(self) -> None:
        """What the inquiry was found to be, for those who asked to be told of every one."""
        for target in self._teller.interested(self._case, events.INQUIRY_CLASSIFIED):
            body = payload.inquiry_classified(self._told, self._speaker)
            last = self._ledger.last_body(target.name, (events.INQUIRY_CLASSIFIED,))
            if last and not payload.changes(last, body):
                continue
            self._add(target.name, events.INQUIRY_CLASSIFIED, body)

    def identify(self) -> Person | None:
        """Who made the lead, as far as it says."""
        if self._case.qualification is None:
            return None
        person = self._ledger.identify(contact(self._case.qualification))
        self._speak_of(person)
        return person

    def _speak_of(self, person: Person | None) -> None:
        if person:
            self._speaker = replace(self._speaker, person=(person.id, person.known))

    def _earlier(self, person: Person | None) -> dict[str, Handover]:
        window = self._teller.settings.people.window
        found: dict[str, Handover] = {}
        if person is not None and person.known and window:
            found = self._ledger.earlier(person, self._at - timedelta(seconds=window))
        found |= self._ledger.thread()  # the conversation is surer than the person
        names = {destination.name for destination in self._teller.settings.destinations}
        return {name: handover for name, handover in found.items() if name in names}

    def _targets(self, person: Person | None) -> Iterable[Destination]:
        """Who gets a lead: all that want it; of those that own people, the person's owner first."""
        wanting = self._teller.takers(self._case)
        owning = [target for target in self._teller.settings.destinations if target.owns]
        if owning:
            owners = self._ledger.owners(person) if person else set()
            owning = [target for target in owning if target.name in owners]
        if not owning:
            return wanting
        return [*(target for target in wanting if not target.owns), *owning]

    def _opened(self, case: Case, destination: str) -> str:
        """Tell of a lead; the case is one that others may know."""
        body = payload.lead_qualified(case, self._speaker)
        event_id = self._add(destination, events.LEAD_QUALIFIED, body, inquiry_id=case.inquiry.id)
        self._ledger.hand_over(case.inquiry.id, destination, event_id, opened=True)
        return event_id

    def _another(self, lead: Handover) -> None:
        """Another inquiry of somebody whose lead a destination has."""
        cause: Cause = "reply" if len(self._case.inquiry.thread) > 1 else "inquiry"
        body = self._update(lead, cause, ["inquiry"])
        self._add(lead.destination, events.LEAD_UPDATED, body, refers_to=lead.lead_id)
        self._ledger.hand_over(
            self._ledger.inquiry_id, lead.destination, lead.lead_id, opened=False
        )

    def _changed(self, handover: Handover) -> None:
        """The same inquiry, seen otherwise than when it was told."""
        last = self._ledger.last_body(handover.destination, _OF_LEADS)
        cause: Cause = "signals"
        found = payload.changes(last, self._update(handover, cause, [])) if last else ["lead"]
        if found:
            if "text" in found:
                cause = "transcript"
            body = self._update(handover, cause, found)
            self._add(handover.destination, events.LEAD_UPDATED, body, refers_to=handover.lead_id)

    def _inherit(self, lost: Handover) -> None:
        """Other inquiries of the person were told as news of the lead that is taken back. The
        oldest that is still worth it becomes a lead of its own: nobody is lost with a mistake.
        """
        heir_id = ""
        for inquiry_id in self._ledger.followers(lost):
            if not heir_id:
                case = self._teller.find(inquiry_id)
                if case is None or case.decision.outcome != Outcome.FORWARD:
                    continue
                heir_id = self._opened(self._discretion.told(case), lost.destination)
            else:
                self._ledger.hand_over(inquiry_id, lost.destination, heir_id, opened=False)

    def _update(self, lead: Handover, cause: Cause, changes: list[str]) -> str:
        return payload.lead_updated(
            self._told, self._speaker, refers_to=lead.lead_id, cause=cause, changes=changes
        )

    def _add(
        self,
        destination: str,
        event: str,
        body: str,
        *,
        inquiry_id: str = "",
        refers_to: str = "",
    ) -> str:
        """Put an event on its way, unless the destination does not get its type; returns its id."""
        inquiry_id = inquiry_id or self._ledger.inquiry_id
        identity = self._ledger.identity(inquiry_id)
        number = self._ledger.count(inquiry_id, destination, event) + 1
        event_id = events.message_id(identity, destination, event, number)
        known = {target.name for target in self._teller.settings.destinations}
        if destination in known and not self._teller.subscribed(destination, event):
            return event_id
        self.deliveries.append(
            Delivery(
                id=event_id,
                inquiry_id=inquiry_id,
                destination=destination,
                event=event,
                body=body,
                attempts=0,
                state=DeliveryState.PENDING,
                created_at=self._at,
                next_at=self._at,
                refers_to=refers_to,
            )
        )
        return event_id
