"""Call recordings in a store of any kind, each with an optional sidecar of metadata beside it."""

from __future__ import annotations

import fnmatch
import mimetypes
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import structlog

from triage.errors import Configuration, Transient, Usage
from triage.settings import Limits, RecordingsBase
from triage.sources import base
from triage.sources.base import Batch, Fetched, Memory, Span, Watch
from triage.sources.recordings.folders import cursor_of
from triage.sources.recordings.patience import Patience
from triage.sources.recordings.store import Entry, Finder, Gone, Store, Unreadable
from triage.sources.refusals import too_large
from triage.types import SourceRef

log = structlog.get_logger(__name__)

_BATCH = 20
_BATCH_BYTES = 200_000_000  # of copies that lie aside at a time
_SIDECAR_BYTES = 1_000_000
_ASKED_AT_ONCE = 2000
_ASIDE = "recordings-"
_LEFT_SECONDS = 24 * 3600
_COUNTED = 10_000  # recordings that a check counts


@dataclass(frozen=True, slots=True)
class _New:
    """A recording never taken in. `reported`: it was refused before, in this same revision."""

    entry: Entry
    reported: bool


class Recordings:
    """Reads recordings that match a pattern. See `Source`, `Watchable` and `Retrievable`.

    Copies of what is not on this machine are made below `aside`, a batch at a time.
    """

    def __init__(
        self,
        settings: RecordingsBase,
        limits: Limits,
        store: Store,
        finder: Finder,
        *,
        aside: Path | None = None,
        watches: Sequence[Watch] = (),
    ) -> None:
        self.name = settings.name
        self.sample = ""
        self._settings = settings
        self._limit = limits.recording_bytes
        self._store = store
        self._finder = finder
        self._aside = aside
        self._watches = watches
        self._patterns = tuple(pattern.lower() for pattern in settings.patterns)
        self._beside = tuple(name.format(name="*", stem="*").lower() for name in settings.sidecars)
        self._patience = Patience(settings.settle_seconds, own_clock=store.own_clock)
        self._troubled: set[str] = set()  # while they were read the store was lost
        self._waiting: list[_New] = []  # not complete in the last poll
        self._tidied = False

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield recordings never taken in that are complete; those of a folder oldest first."""
        with self._store.session():
            self._patience.new_look()
            left: dict[str, _New] = {}
            yield from self._batches(self._complete(self._look_again(self._waiting), left))
            for listed in self._finder.look(memory):
                before = len(left)
                found = self._unseen(listed.entries, memory)
                yield from self._batches(self._complete(found, left))
                if listed.folder is not None and len(left) == before:
                    yield Batch((), cursor_of(listed))
                    self._finder.trust(listed)
            self._waiting = list(left.values())
            if self._patience.pause():
                left = {}
                yield from self._batches(self._complete(self._look_again(self._waiting), left))
                self._waiting = list(left.values())
            yield from self._batches(new for new in self._waiting if self._is_troubled(new))
            self._raise_problems()

    def check(self) -> str:
        """How many recordings there are. Raises like `poll`."""
        with self._store.session():
            recordings = (entry for entry in self._finder.all() if self._matches(entry.name))
            number = newest = 0
            for entry in islice(recordings, _COUNTED):
                number += 1
                if entry.changed_ns >= newest:
                    newest, self.sample = entry.changed_ns, entry.key
            self._raise_problems()
            about = self._store.describe()
        shown = f"at least {number}" if number == _COUNTED else str(number)
        return f"{shown} recordings in {self._store.where}{about and f'; {about}'}"

    def entries(
        self,
        span: Span,
        folders: Sequence[str],
        memory: Memory,  # noqa: ARG002 - everything is listed
    ) -> Iterator[base.Entry]:
        """The recordings written in a stretch of time. See `Retrievable.entries`."""
        wanted, met = {folder.strip("/") for folder in folders}, set()
        with self._store.session():
            for entry in self._finder.all():
                folder = entry.key.rpartition("/")[0]
                met.add(folder)
                if not self._matches(entry.name) or (wanted and folder not in wanted):
                    continue
                if entry.changed_at in span:
                    ref = SourceRef(self.name, "recordings", entry.key, entry.revision)
                    coming = self._is_recent(entry)
                    yield base.Entry(ref, folder, entry.changed_at, entry.size, coming=coming)
            self._raise_problems()
        if missing := sorted(wanted - met):
            where = self._store.where
            raise Usage(f"source {self.name!r} has nothing in a folder {missing[0]!r} of {where}")

    def retrieve(self, keys: Sequence[str]) -> Iterator[Batch]:
        """Read recordings wherever they lie. See `Retrievable.retrieve`."""
        with self._store.session():
            there = {key: entry for key in keys if (entry := self._store.stat(key))}
            # A key need not be a path, see `bounded_key`.
            if others := {key for key in keys if key not in there}:
                there |= {entry.key: entry for entry in self._finder.all() if entry.key in others}
            found = [_New(there[key], reported=False) for key in keys if key in there]
            for batch in self._batches(found):
                yield replace(batch, backlog=True)

    def watches(self) -> Sequence[Watch]:
        """What tells of arrivals, where the store can."""
        return self._watches

    def _raise_problems(self) -> None:
        if self._finder.problems:
            raise Configuration(
                f"source {self.name!r}: {'; '.join(self._finder.problems)}; what else there is has "
                "been read. Give the worker's user the right to read it"
            )

    def _matches(self, name: str) -> bool:
        lower = name.lower()
        if lower.startswith(".") or any(fnmatch.fnmatchcase(lower, like) for like in self._beside):
            return False
        return any(fnmatch.fnmatchcase(lower, pattern) for pattern in self._patterns)

    def _is_recent(self, entry: Entry) -> bool:
        """Whether polls read it: what was written before `since` is left to a backfill."""
        first = self._settings.since
        return first is None or entry.changed_at.date() >= first

    def _unseen(self, entries: Sequence[Entry], memory: Memory) -> list[_New]:
        """Recordings never taken in, oldest first."""
        recordings = [
            entry for entry in entries if self._matches(entry.name) and self._is_recent(entry)
        ]
        unseen: list[Entry] = []
        for start in range(0, len(recordings), _ASKED_AT_ONCE):
            part = recordings[start : start + _ASKED_AT_ONCE]
            known = memory.known([(entry.key, entry.revision) for entry in part])
            unseen.extend(entry for entry in part if (entry.key, entry.revision) not in known)
        refused = memory.known([(entry.key, entry.refused_revision) for entry in unseen])
        unseen.sort(key=lambda entry: (entry.changed_ns, entry.path))
        return [_New(entry, (entry.key, entry.refused_revision) in refused) for entry in unseen]

    def _complete(self, recordings: Iterable[_New], left: dict[str, _New]) -> Iterator[_New]:
        """Those that may be read now; the others go to `left`."""
        for new in recordings:
            if not self._is_troubled(new) and self._is_complete(new.entry):
                left.pop(new.entry.path, None)  # an earlier listing of this poll
                yield new
            else:
                left[new.entry.path] = new

    def _is_troubled(self, new: _New) -> bool:
        """Whether the store was lost over it: then it is read after all others."""
        return new.entry.path in self._troubled

    def _is_complete(self, entry: Entry) -> bool:
        """Whether the recording and its sidecar, if it has one, are no longer written."""
        settled, sidecar = self._patience.complete(entry), self._sidecar(entry)
        if sidecar is not None:
            return self._patience.complete(sidecar) and settled
        wait = self._settings.sidecar_wait
        return settled and (not wait or time.time() - entry.changed_ns / 1e9 >= wait)

    def _look_again(self, waiting: Iterable[_New]) -> Iterator[_New]:
        """Those that are still there, as they are now."""
        for new in waiting:
            if entry := self._store.stat(new.entry.path):
                yield replace(new, entry=entry)

    def _sidecar(self, recording: Entry) -> Entry | None:
        """The first of the configured names that is there."""
        folder, slash, name = recording.path.rpartition("/")
        stem = name.rpartition(".")[0] or name
        for like in self._settings.sidecars:
            if found := self._store.stat(f"{folder}{slash}{like.format(name=name, stem=stem)}"):
                return found
        return None

    def _batches(self, recordings: Iterable[_New]) -> Iterator[Batch]:
        """Read them, a few at a time; copies are there until the batch is taken in."""
        ahead = iter(recordings)
        while (first := next(ahead, None)) is not None:
            with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=self._aside_folder()) as folder:
                items, lost = self._read(chain((first,), ahead), Path(folder))
                if items:
                    yield Batch(tuple(items))
            if lost is not None:
                raise lost

    def _read(
        self, recordings: Iterable[_New], aside: Path
    ) -> tuple[list[Fetched], Transient | None]:
        """As many items as make a batch, and what ended it early."""
        items: list[Fetched] = []
        size = 0
        for new in recordings:
            try:
                item = self._fetched(new, aside / str(len(items)))
            except Transient as error:
                self._troubled.add(new.entry.path)
                return items, error
            self._troubled.discard(new.entry.path)
            if item is not None:
                items.append(item)
                self._finder.came(new.entry.path)
                size += new.entry.size
            if len(items) >= _BATCH or size >= _BATCH_BYTES:
                break
        return items, None

    def _aside_folder(self) -> Path | None:
        """Where copies go; once, what killed workers left there is removed."""
        if self._aside is not None and not self._tidied:
            self._aside.mkdir(parents=True, exist_ok=True)
            for folder in self._aside.glob(f"{_ASIDE}*"):
                if time.time() - folder.stat().st_mtime > _LEFT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
            self._tidied = True
        return self._aside

    def _fetched(self, new: _New, aside: Path) -> Fetched | None:
        """The item; None where it is gone, or still as unusable as it was reported to be."""
        entry, refused = new.entry, ""
        content: bytes | Path = b""
        where = f"the file {entry.key}"
        if entry.size > self._limit:
            setting = "limits.recording_bytes"
            refused = too_large("recording", entry.size, self._limit, setting, where)
        else:
            try:
                content = self._store.fetch(entry, aside)
            except Gone:
                return None
            except Unreadable as error:
                refused = f"{where} cannot be read: {error}"
        if refused and new.reported:
            return None
        return Fetched(
            ref=SourceRef(
                self.name,
                "recordings",
                entry.key,
                entry.refused_revision if refused else entry.revision,
            ),
            channel="call",
            received_at=entry.changed_at,
            media_type=mimetypes.guess_type(entry.name)[0] or "application/octet-stream",
            content=content,
            sidecar=self._sidecar_text(entry, aside.with_suffix(".sidecar")),
            refused=refused,
            again=new.reported and not refused,
        )

    def _sidecar_text(self, recording: Entry, aside: Path) -> str:
        """The sidecar's text, for intake to judge; empty where there is none that can be read."""
        sidecar = self._sidecar(recording)
        if sidecar is None:
            return ""
        problem = "larger than 1 MB"
        if sidecar.size <= _SIDECAR_BYTES:
            try:
                content = self._store.fetch(sidecar, aside).read_bytes()
            except (Gone, Unreadable, OSError) as error:
                problem = str(error) or "changed meanwhile"
            else:
                # A database's text holds no NUL.
                return content.decode("utf-8-sig", "replace").replace("\0", "")
        log.warning("sidecar left out", sidecar=sidecar.key, problem=problem)
        return ""
