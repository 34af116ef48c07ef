"""What reviewers do: each act is a correction that forwards or retracts, one inquiry at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from triage.errors import TriageError, Usage
from triage.pipeline.corrections import Corrected, Corrections
from triage.review.queue import Queue
from triage.store import records
from triage.store.records import Listed
from triage.store.reviews import Review
from triage.types import Outcome, Stage

Later = Callable[[Callable[[], None]], None]
ELSEWHERE: Final = "somebody else has it, or said it meanwhile"


@dataclass(frozen=True, slots=True)
class Preview:
    """What relabelling some inquiries would do.

    `changed`: those that become something else; `kept`: people said already what these are, so they
    stay; `forwarded`: how many become leads (destinations' filters and known people decide who is
    told); `retracted`: by destination, leads that are taken back.
    """

    label: str
    changed: tuple[Listed, ...]
    kept: tuple[Listed, ...]
    forwarded: int
    retracted: dict[str, int]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Relabelled:
    """One of many: what came of it, or why nothing did."""

    inquiry_id: str
    events: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Acts of reviewers, over the queue and the corrections."""

    queue: Queue
    corrections: Corrections

    def label(
        self,
        inquiry_id: str,
        label: str,
        by: str,
        note: str = "",
        *,
        later: Later = lambda work: work(),
    ) -> Corrected | None:
        """A reviewer says what an item of the queue is; None where it only stands beside what
        another one said. `later` is given what the reviewer need not wait for.

        Raises `Usage` where the item is not theirs, and for an unknown label.
        """
        self.corrections.require_known(label)
        item = self.queue.take(inquiry_id, by)
        found = self.queue.repository.settlements.some([inquiry_id])
        if item is None or not found:
            raise Usage(f"{inquiry_id}: {ELSEWHERE}")
        at, corrected = records.now(), None
        if item.kind != "second":
            corrected = self.corrections.relabel(inquiry_id, label, by=by, note=note)
        self.queue.decided(item, found[0], label, by, at)
        if item.kind != "second":
            later(partial(self.queue.suspect, inquiry_id, label))
        return corrected

    def undo(self, by: str, expected: str = "") -> str | None:
        """Take back the last thing a reviewer said; returns its inquiry, or None where they said
        nothing.

        What was decided before holds again: a lead is retracted, a retracted one is sent anew.
        Raises `Usage` where somebody else corrected it since, and where it is about another inquiry
        than the `expected` one.
        """
        review = self.queue.repository.reviews.last(by)
        if review is None:
            return None
        if expected and review.inquiry_id != expected:
            raise Usage("what you said last was about another inquiry; nothing was taken back")
        if self._corrected(review):
            self.corrections.restore(review.inquiry_id, review.at, by=by)
        self.queue.undone(review)
        return review.inquiry_id

    def _corrected(self, review: Review) -> bool:
        said = self.queue.repository.corrections.of(review.inquiry_id)
        return any(one.by == review.by and one.at >= review.at for one in said)

    def preview(self, rows: Sequence[Listed], label: str, *, more: bool = False) -> Preview:
        """What relabelling these would do; nothing is done. Raises `Usage` for an unknown label."""
        base = self.corrections.require_known(label)
        repository = self.queue.repository
        settled = [row for row in rows if row.stage is Stage.SETTLED]
        said = repository.settlements.said_by_people([row.id for row in settled])
        changed = tuple(
            row for row in settled if row.id not in said and (row.label != base or label != base)
        )
        told = repository.people.leads_told([row.id for row in changed])
        is_lead = base == "lead"
        return Preview(
            label,
            changed,
            tuple(row for row in settled if row.id in said),
            sum(row.outcome != Outcome.FORWARD for row in changed) if is_lead else 0,
            {} if is_lead else dict(Counter(destination for _, destination in told)),
            more,
        )

    def relabel_all(
        self, ids: Sequence[str], label: str, by: str, note: str = ""
    ) -> Iterator[Relabelled]:
        """Relabel each of these, one correction after the other; one that fails costs itself."""
        self.corrections.require_known(label)
        for inquiry_id in ids:
            try:
                done = self.corrections.relabel(inquiry_id, label, by=by, note=note)
            except TriageError as error:
                yield Relabelled(inquiry_id, error=str(error))
                continue
            told = tuple(f"{event.event} to {event.destination}" for event in done.events)
            yield Relabelled(inquiry_id, told)
