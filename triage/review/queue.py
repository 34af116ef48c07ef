"""The queue: what waits for a person, who gets it, and what their word makes of it.

Audits are drawn from what was filed unseen and stand among everything else; nothing that a reviewer
is shown tells them apart. They are what measures lost leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from triage.review.priority import SUSPECT, chance, drawn, priority, suspicion
from triage.settings import Review as ReviewSettings
from triage.store import records
from triage.store.accounts import ALL, Reach
from triage.store.repository import Repository
from triage.store.reviews import Review
from triage.store.settlements import Settled
from triage.store.waiting import Item
from triage.types import Outcome

_LATE: Final = timedelta(seconds=30)
"""A transaction may be seen this much later than the time it wrote; so much is read again."""
_LOOKED: Final = timedelta(minutes=2)
"""How far it is looked through is written at least this often while something is settled."""
_AUDITED: Final = timedelta(days=30)
"""Only what was settled since then is audited: older mistakes say little about what is now."""
_FRESH: Final = timedelta(days=1)
"""Neighbours are asked for so long; what is older becomes suspect by what people say."""
_PUT_OFF: Final = timedelta(hours=1)
_MOST_SUSPECTS: Final = 20


@dataclass(frozen=True, slots=True)
class Queue:
    """The review queue over a store."""

    settings: ReviewSettings
    repository: Repository

    def refresh(self, most: int = 200) -> bool:
        """Look through what was settled since the last time, `most` at once; whether more is left.

        Repeatable, by several at once.
        """
        waiting, settlements = self.repository.waiting, self.repository.settlements
        with self.repository.snapshot():
            since = waiting.progress()
            found = settlements.settled(since, most) if since else {}
            fresh = waiting.unseen(found)
            settled = settlements.some(list(fresh))
            known = self.repository.reviews.reviewed(list(fresh))
        if since is None:
            self._begin()
            return False
        until, more = max(found.values(), default=since), len(found) == most
        if until == since:  # looked at, and nothing came since
            return False
        recent = since > records.now() - _LOOKED
        if recent and not more and all(each.by_person for each in settled):
            # What a person says leaves the queue as they say it: nothing follows, nothing is kept.
            waiting.looked(fresh)
            return False
        items = {each.inquiry_id: self._item(each, known) for each in settled}
        waiting.kept(
            [item for item in items.values() if item],
            [name for name, item in items.items() if item is None],
            until if more else min(until, records.now() - _LATE),
            fresh,
        )
        return more

    def _begin(self) -> None:
        """The first time: all that waits for a person. Audits and suspects begin from now on."""
        waiting, moment = self.repository.waiting, records.now()
        for found in self.repository.settlements.undecided():
            rows = [Item(each.inquiry_id, "review", priority(each)) for each in found]
            waiting.offer(rows, {each.inquiry_id: each.settled_at for each in found})
        waiting.kept([], [], moment - _LATE, {})

    def next(self, by: str, skip: Sequence[str] = (), reach: Reach = ALL) -> str | None:
        """The inquiry that a reviewer should look at now, theirs for a while; None: nothing waits.

        `skip`: what they have on the screen already.
        """
        self.refresh()
        return self.repository.waiting.claim(by, self._held(), skip=skip, reach=reach)

    def waiting(self, by: str, reach: Reach = ALL) -> int:
        """How many a reviewer could look at, counted no further than `waiting.MOST`."""
        return self.repository.waiting.count(by, reach)

    def take(self, inquiry_id: str, by: str) -> Item | None:
        """Hold an item to decide it; None where somebody else has it, or said it meanwhile."""
        return self.repository.waiting.hold(inquiry_id, by, self._held())

    def put_off(self, inquiry_id: str, by: str) -> bool:
        """Leave an item for later."""
        return self.repository.waiting.put_off(inquiry_id, by, records.now() + _PUT_OFF)

    def decided(self, item: Item, before: Settled, label: str, by: str, at: datetime) -> None:
        """A reviewer said what an inquiry is; `before` is what it was until then, `at` when they
        said so. Another reviewer may be asked the same.
        """
        was = before.own or before.label
        review = Review(0, item.inquiry_id, item.kind, label, was, before.outcome, by, at)
        self.repository.reviews.said(review, self._follows(item, label, by))

    def suspect(self, inquiry_id: str, label: str) -> None:
        """What is like a corrected inquiry and was taken for something else may be wrong too."""
        settlements = self.repository.settlements
        others = [
            other
            for other in settlements.neighbours(inquiry_id)
            if not other.said and other.label != label
        ]
        found = settlements.some([other.inquiry_id for other in others[:_MOST_SUSPECTS]])
        self.repository.waiting.offer(
            [
                Item(each.inquiry_id, "suspect", priority(each, SUSPECT))
                for each in found
                if each.outcome != Outcome.REVIEW
            ],
            {each.inquiry_id: each.settled_at for each in found},
        )

    def undone(self, review: Review) -> None:
        """A reviewer took back what they said; the item is theirs again."""
        self.repository.reviews.undone(review, self._held())

    def _held(self) -> datetime:
        return records.now() + timedelta(seconds=self.settings.claim_seconds)

    def _item(self, found: Settled, reviewed: set[str]) -> Item | None:
        if found.by_person or (found.inquiry_id in reviewed and found.outcome != Outcome.REVIEW):
            return None
        doubts = 0.0
        if found.settled_at > records.now() - _FRESH:
            doubts = suspicion(found, self.repository.settlements.neighbours(found.inquiry_id))
        rank = priority(found, doubts)
        if found.outcome == Outcome.REVIEW:
            return Item(found.inquiry_id, "review", rank)
        if self._audited(found):
            # Among the others by chance: their own priority would give them away.
            return Item(found.inquiry_id, "audit", chance(found.inquiry_id, "place") * 0.8)
        return Item(found.inquiry_id, "suspect", rank) if doubts >= SUSPECT else None

    def _audited(self, found: Settled) -> bool:
        return (
            found.outcome == Outcome.FILE
            and found.settled_at > records.now() - _AUDITED
            and drawn(found.inquiry_id, self.settings.audit_share, "audit")
        )

    def _follows(self, item: Item, label: str, by: str) -> Item | None:
        if item.kind == "second":
            first = self.repository.reviews.opinions(item.inquiry_id)
            agreed = bool(first) and first[-1].label == label
            return None if agreed else replace(item, kind="dispute", priority=1.0, not_by="")
        if item.kind == "dispute":
            return None
        asked = drawn(item.inquiry_id, self.settings.second_share, "second")
        return replace(item, kind="second", not_by=by) if asked else None
