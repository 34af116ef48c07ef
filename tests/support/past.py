"""Inquiries of the shipped corpus in a store, as the worker leaves them and people label them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from classifiers.dataset import Item, read_items
from classifiers.labels import Label
from tests.support import stored
from triage.demo.fixtures import corpus_folder
from triage.pipeline.corrections import Corrections
from triage.settings import Settings
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import Decision, Inquiry, Outcome, Party, RawItem, SourceRef, Verdict

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def items(part: str, channel: str = "") -> list[Item]:
    """The items of a file of the corpus, all or those of a channel."""
    found = read_items(corpus_folder() / f"{part}.jsonl")
    return [item for item in found if not channel or item.example.channel == channel]


@dataclass(frozen=True)
class Past:
    """Puts inquiries into a store, settled by a model, at any time."""

    repository: Repository
    settings: Settings
    source: str = "sales"

    def settle(self, item: Item, verdict: Verdict, at: datetime = NOW) -> str:
        """The id of an inquiry that arrived then and was decided by that verdict."""
        name = f"{self.source} {item.id} {at.isoformat()}"
        reference = SourceRef(self.source, "imap", f"INBOX/1/{name}")
        raw = RawItem(reference, at, stored.arrival(name).raw.sha256, 1, "message/rfc822")
        arrival = Arrival(raw, "email", f"mail:{raw.sha256}")
        (inquiry_id,) = self.repository.arrivals.receive([arrival])
        worklist, work = self.repository.worklist, stored.current(self.repository, inquiry_id)
        address = f"{item.id}@{item.id}.example"
        inquiry = Inquiry(
            id=inquiry_id,
            ref=work.ref,
            channel="email",
            received_at=at,
            sender=Party("", address),
            subject=item.example.subject or "A question",
            text=item.example.text,
        )
        assert worklist.parsed(work, inquiry)
        assert worklist.classified(stored.current(self.repository, inquiry_id), verdict)
        assert worklist.qualified(stored.current(self.repository, inquiry_id), None)
        decision = Decision(Outcome.FILE, "as the test says")
        assert worklist.settled(stored.current(self.repository, inquiry_id), decision, [])
        return inquiry_id

    def say(self, inquiry_id: str, label: str, by: str = "ann") -> None:
        """A person says what it is."""
        Corrections(self.settings, self.repository).relabel(inquiry_id, label, by=by)

    def confirm(self, chosen: Sequence[Item], by: str = "ann") -> list[str]:
        """Items that a model took for what they are, and a person confirmed; returns ids."""
        ids = []
        for number, item in enumerate(chosen):
            label: Label = item.label or "irrelevant"
            at = NOW - timedelta(minutes=number)
            ids.append(self.settle(item, stored.verdict(label, 0.8), at))
            self.say(ids[-1], label, by)
        return ids
