"""One poll of a source: every batch is safe in the store before the source goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from triage import metrics
from triage.errors import Permanent
from triage.intake.fingerprint import fingerprint
from triage.pipeline.silencing import discard
from triage.sources.base import REFUSED_MARK, Batch, Fetched, Source
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.store.worklist import REFUSED
from triage.types import FolderCursor, RawItem


@dataclass(frozen=True, slots=True)
class PollResult:
    """How many items a poll showed, and the ids of those never seen before."""

    seen: int
    fresh: tuple[str, ...]


Hold = Callable[[Fetched], str]


def _never(_item: Fetched) -> str:
    return ""


class SourceMemory:
    """What the store remembers about one source."""

    def __init__(self, repository: Repository, source: str) -> None:
        self._arrivals = repository.arrivals
        self._source = source

    def cursor(self, folder: str) -> FolderCursor | None:
        """How far a folder was read."""
        return self._arrivals.cursor(self._source, folder)

    def lately(self, most: int) -> list[str]:
        """The keys of what was taken in last, newest first."""
        return self._arrivals.lately(self._source, most)

    def known(self, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which (key, revision) pairs were taken in before."""
        return self._arrivals.known(self._source, keys)


def ingest(
    source: Source,
    campaign: str,
    repository: Repository,
    *,
    arrived: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
    hold: Hold = _never,
) -> PollResult:
    """Take in what a source has new; `arrived` is called after each batch with new items. `hold`
    says of each item why nobody is told of it by itself.

    Ends early, with all that was shown so far safe, once `stopping` says so. Raises what the source
    raises; batches before that are safe.
    """
    seen = 0
    fresh: list[str] = []
    for batch in source.poll(SourceMemory(repository, source.name)):
        taken = take_in(batch, source.name, campaign, repository, hold)
        seen += taken.seen
        fresh.extend(taken.fresh)
        if taken.fresh:
            arrived()
        if stopping():
            break
    return PollResult(seen, tuple(fresh))


def take_in(
    batch: Batch, source: str, campaign: str, repository: Repository, hold: Hold = _never
) -> PollResult:
    """Make one batch safe, with how far it brings the source."""
    safe = _safe(batch.items, repository)
    arrivals = []
    for item in batch.items:
        if arrival := _arrival(item, campaign, repository, safe):
            held = hold(item)
            backlog = batch.backlog or bool(held)
            arrivals.append(replace(arrival, backlog=backlog, held=held, again=item.again))
    new = repository.arrivals.receive(arrivals, source, batch.cursor)
    if len(new) < len(arrivals):
        for arrival in arrivals:
            if arrival.channel == "call":  # seen again, perhaps, while only a silenced copy is kept
                discard(repository, arrival.raw.sha256)
    if len(new) == len(arrivals):  # what was seen before came long ago
        for arrival in arrivals:
            if not arrival.backlog:
                metrics.reached("fetched", arrival.channel, arrival.raw.received_at)
    return PollResult(len(arrivals), tuple(new))


def _safe(items: Sequence[Fetched], repository: Repository) -> dict[bytes, tuple[str, int]]:
    """The mails of a batch, stored together: (sha256, size) by content."""
    contents = list({item.content for item in items if isinstance(item.content, bytes)})
    return dict(zip(contents, repository.blobs.put_all(contents), strict=True))


def _arrival(
    item: Fetched,
    campaign: str,
    repository: Repository,
    safe: Mapping[bytes, tuple[str, int]],
) -> Arrival | None:
    """The item with its bytes safe; None for a file that was moved or deleted meanwhile."""
    refused, ref, content = item.refused, item.ref, item.content
    try:
        if item.channel == "email" and isinstance(content, Path):
            content = content.read_bytes()  # bounded by limits.mail_bytes
        stored = safe.get(content) if isinstance(content, bytes) else None
        sha256, size = stored or repository.blobs.put(content)
    except FileNotFoundError:
        return None
    except OSError as error:
        refused = f"cannot read {ref.key}: {error.strerror}"
        ref = replace(ref, revision=ref.revision + REFUSED_MARK)
        sha256, size = repository.blobs.put(b"")
    except Permanent as error:  # its bytes cannot be read: that is this item's fault alone
        refused = str(error)
        ref = replace(ref, revision=ref.revision + REFUSED_MARK)
        sha256, size = repository.blobs.put(b"")
    raw = RawItem(ref, item.received_at, sha256, size, item.media_type)
    mark = fingerprint(content) if isinstance(content, bytes) and not refused else ""
    return Arrival(
        raw=raw,
        channel=item.channel,
        identity=identity(raw, refused=bool(refused), mark=mark),
        formerly="" if refused else identity(raw),
        campaign=campaign,
        sidecar=item.sidecar,
        refused=refused,
    )


def identity(raw: RawItem, *, refused: bool = False, mark: str = "") -> str:
    """What makes two sightings one inquiry.

    A mail is what its author wrote (`mark`, see `fingerprint`): the same mail seen again after a
    UIDVALIDITY change, in another folder, in another mailbox or by another source is the same
    inquiry. A recording is its bytes at its place: two silent calls
    of equal length are two calls, while a file that was only touched is the one it was. Of a
    refused item only a part is known, or nothing: that part identifies it, apart from whole items,
    and where there is none, its place does.
    """
    place = f"{raw.ref.source}\0{raw.ref.key}\0"
    if refused:
        known = raw.sha256 if raw.size else f"{place}{raw.ref.revision}"
        return f"{REFUSED}{hashlib.sha256(known.encode()).hexdigest()}"
    if raw.ref.kind != "recordings":
        return f"mail:{mark or raw.sha256}"
    return f"call:{hashlib.sha256(f'{place}{raw.sha256}'.encode()).hexdigest()}"
