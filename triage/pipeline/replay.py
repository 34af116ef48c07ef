"""Takes quarantined inquiries up again, from what is stored or from their source.

What was parsed, transcribed or classified before goes on from there. Of what its source refused
(too large a mail, a file without the right to read it) only a part is stored: it is read again
where it was seen, and goes on as a whole once the limit, or the right, lets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from triage.errors import TriageError
from triage.pipeline.ingest import take_in
from triage.sources.base import Retrievable, Source
from triage.store.records import Work
from triage.store.repository import Repository
from triage.store.worklist import REFUSED
from triage.types import Stage

log = structlog.get_logger(__name__)

FETCH = "read again from its source"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of an inquiry; `good`: it is on its way again."""

    id: str
    good: bool
    result: str


@dataclass(frozen=True, slots=True)
class Replay:
    """`source` opens a source by its name, or raises where there is none; `campaigns` by source."""

    repository: Repository
    source: Callable[[str], Source]
    campaigns: Mapping[str, str]

    def plan(self, ids: Sequence[str]) -> Iterator[Replayed]:
        """What `run` would do; nothing is changed and no source is asked."""
        for name in ids:
            work = self.repository.worklist.get(name)
            if work is None or work.stage is Stage.SETTLED:
                yield Replayed(name, good=False, result="settled; nothing to take up")
            elif _is_refused(work):
                yield Replayed(name, good=True, result=FETCH)
            else:
                stage = self.repository.worklist.resumes(work)
                yield Replayed(name, good=True, result=f"goes on as {stage}")

    def run(self, ids: Sequence[str]) -> Iterator[Replayed]:
        """Take them up; yields each once, those that are read again last."""
        refused: list[Work] = []
        for planned in self.plan(ids):
            work = self.repository.worklist.get(planned.id)
            if work and planned.good and _is_refused(work):
                refused.append(work)
            elif planned.good and not self.repository.worklist.requeue(planned.id):
                yield Replayed(planned.id, good=False, result="somebody else took it up")
            else:
                yield planned
        if refused:
            yield from self._fetched(refused)

    def _fetched(self, works: Sequence[Work]) -> Iterator[Replayed]:
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        troubles: dict[str, str] = {}
        for work in works:
            for source, key in self.repository.arrivals.places(work.id):
                wanted[source][key] = work.id
        for source, ids in wanted.items():
            try:
                troubles |= self._from(source, ids)
            except TriageError as error:
                troubles |= dict.fromkeys(ids.values(), str(error))
        for work in works:
            yield self._result(work, troubles.get(work.id, "it is no longer where it was seen"))

    def _from(self, name: str, ids: Mapping[str, str]) -> dict[str, str]:
        """Read items again, by key; returns why some are still refused, by id."""
        source = self.source(name)
        if not isinstance(source, Retrievable):
            return dict.fromkeys(ids.values(), f"source {name!r} cannot read single items again")
        troubles = {}
        for batch in source.retrieve(list(ids)):
            for item in batch.items:
                if item.refused:
                    troubles[ids[item.ref.key]] = item.refused
            good = tuple(replace(item, again=True) for item in batch.items if not item.refused)
            campaign = self.campaigns.get(name, "")
            take_in(replace(batch, items=good), name, campaign, self.repository)
        return troubles

    def _result(self, work: Work, trouble: str) -> Replayed:
        now = self.repository.worklist.get(work.id)
        if now is None:
            return Replayed(work.id, good=True, result="came in another way meanwhile")
        if now.stage is Stage.QUARANTINED:
            return Replayed(work.id, good=False, result=trouble)
        log.info("fetched again", inquiry=work.id, bytes=now.size)
        return Replayed(work.id, good=True, result=FETCH)


def _is_refused(work: Work) -> bool:
    return work.stage is Stage.QUARANTINED and work.identity.startswith(REFUSED)
