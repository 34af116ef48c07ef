"""A mailbox on a server, read by UID, folder by folder, and left as it was unless told else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from imaplib import IMAP4
from typing import Any

import structlog

from triage.errors import Configuration, Transient
from triage.settings import ImapSource, Limits
from triage.sources.base import Batch, Entry, MarkOrder, Memory, Span
from triage.sources.imap import messages
from triage.sources.imap.connection import connected, is_passing, port_of
from triage.sources.imap.fetching import Fetcher
from triage.sources.imap.history import entries, retrieved
from triage.sources.imap.idle import FolderWatch
from triage.sources.imap.marking import marked
from triage.sources.imap.messages import OpenFolder
from triage.sources.oauth import Access
from triage.types import FolderCursor

log = structlog.get_logger(__name__)

_PAUSES = (0.5, 1.0, 1.5, 2.0)  # seconds before a connection that broke at a mail is opened again
_BACKLOG = 500  # mails that wait in a folder at once, from which on what arrives later goes first
_LOOK_EVERY = 1.0  # seconds between looks at what arrives while a backlog is read


class ImapMailbox:
    """Reads what arrived since the cursor of each folder.

    The cursor is UIDVALIDITY and the last UID. Where UIDVALIDITY is new or missing the folder is
    read from its beginning: the store knows mails by their content. Flags and dates play no part.

    Where very many mails wait, the cursor is set behind them and they are remembered as a backlog,
    which is read from its oldest mail on, while what arrives meanwhile is read first.
    """

    def __init__(self, settings: ImapSource, limits: Limits, access: Access | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._access = access
        self._fetcher = Fetcher(settings, limits)

    def watches(self) -> Sequence[FolderWatch]:
        """One for each folder, unless `idle` is off."""
        folders = self._settings.folders if self._settings.idle else ()
        return [FolderWatch(self._settings, folder, self._access) for folder in folders]

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield what is new, folder by folder. See `Source.poll`."""
        return self._persistent(lambda: self._session(memory))

    def entries(self, span: Span, folders: Sequence[str], memory: Memory) -> Iterator[Entry]:
        """What lies in the folders, or in those that polls read. See `Retrievable.entries`."""
        with connected(self._settings, self._access) as client:
            yield from entries(client, self._settings, span, folders, memory)

    def retrieve(self, keys: Sequence[str]) -> Iterator[Batch]:
        """Read mails wherever they lie. See `Retrievable.retrieve`."""
        left = deque(keys)
        return self._persistent(lambda: self._again(left))

    def _again(self, left: deque[str]) -> Iterator[Batch]:
        with connected(self._settings, self._access) as client:
            yield from retrieved(client, self._fetcher, left, self._settings.backlog_batch)

    def _persistent(self, session: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
        """A session that goes on where the connection broke at a mail."""
        for pause in (*_PAUSES, None):
            broken = self._fetcher.breaks
            try:
                yield from session()
            except Transient as error:
                at_a_mail = self._fetcher.breaks > broken
                if pause is None or not at_a_mail or isinstance(error.__cause__, TimeoutError):
                    raise
                log.info("connecting again", source=self.name, problem=str(error))
                time.sleep(pause)
            else:
                return

    def check(self) -> str:
        """Sign in and count the mails of each folder."""
        with connected(self._settings, self._access) as client:
            problems: list[str] = []
            folders = [self._opened(client, name, problems) for name in self._settings.folders]
            self._raise(problems, client)
        counts = ", ".join(f"{folder.name}: {folder.exists} mails" for folder in folders if folder)
        return f"{self._settings.host}:{port_of(self._settings)}, {counts or 'no folders set'}"

    def mark(self, orders: Sequence[MarkOrder]) -> Iterator[tuple[MarkOrder, str]]:
        """Do what `write_back` says. See `Markable.mark`."""
        if self._settings.write_back is None:
            return
        with connected(self._settings, self._access) as client:
            yield from marked(client, self._settings.write_back, orders)

    def _session(self, memory: Memory) -> Iterator[Batch]:
        with connected(self._settings, self._access) as client:
            problems: list[str] = []
            yield from self._arrivals(client, memory, self._settings.folders, problems)
            readable = [name for name in self._settings.folders if memory.cursor(name)]
            yield from self._backlogs(client, memory, readable)
            self._raise(problems, client)

    def _arrivals(
        self, client: Any, memory: Memory, names: Sequence[str], problems: list[str]
    ) -> Iterator[Batch]:
        """What came since the last look, of each folder."""
        for name in names:
            cursor = memory.cursor(name)
            folder = self._opened(client, name, problems, cursor)
            if folder is not None:
                yield from self._new(client, folder, cursor)

    def _new(self, client: Any, folder: OpenFolder, cursor: FolderCursor | None) -> Iterator[Batch]:
        if cursor is None or not folder.uidvalidity or cursor.uidvalidity != folder.uidvalidity:
            cursor = FolderCursor(folder.name, folder.uidvalidity, 0)
            yield Batch((), cursor)
        last, since = cursor.last_uid, self._settings.since
        if folder.exists > _BACKLOG and not cursor.has_backlog and folder.uidvalidity:
            waiting = messages.count_after(client, folder, last, since)
            if waiting.number > _BACKLOG:
                log.info("backlog", source=self.name, folder=folder.name, mails=waiting.number)
                end = waiting.newest
                yield Batch((), replace(cursor, last_uid=end, backlog_from=last, backlog_to=end))
                return
        for uids in messages.uids_after(client, folder, last, since=since):
            for start in range(0, len(uids), self._settings.batch):
                group = uids[start : start + self._settings.batch]
                for items, uid in self._fetcher.groups(client, folder, group):
                    last = uid
                    yield Batch(items, replace(cursor, last_uid=last))
        # What was passed over is not looked at again.
        if since and folder.next_uid and folder.next_uid - 1 > last:
            yield Batch((), replace(cursor, last_uid=folder.next_uid - 1))

    def _backlogs(self, client: Any, memory: Memory, names: Sequence[str]) -> Iterator[Batch]:
        """Read the backlogs of all folders in turn; ends where a folder is not what it was."""
        looked = time.monotonic()
        while behind := [name for name in names if _has_backlog(memory.cursor(name))]:
            for name in behind:
                cursor = memory.cursor(name)
                folder = self._opened(client, name, [], cursor)
                if folder is None or cursor is None or folder.uidvalidity != cursor.uidvalidity:
                    return
                yield from self._oldest(client, folder, cursor)
                if time.monotonic() - looked > _LOOK_EVERY:
                    yield from self._arrivals(client, memory, names, [])
                    looked = time.monotonic()

    def _oldest(self, client: Any, folder: OpenFolder, cursor: FolderCursor) -> Iterator[Batch]:
        """A while's worth of a backlog, oldest first."""
        began, low, high = time.monotonic(), cursor.backlog_from, cursor.backlog_to
        since = self._settings.since
        for uids in messages.uids_after(client, folder, low, high, since):
            for start in range(0, len(uids), self._settings.backlog_batch):
                group = uids[start : start + self._settings.backlog_batch]
                for items, uid in self._fetcher.groups(client, folder, group):
                    yield Batch(items, replace(cursor, backlog_from=uid), backlog=True)
                if time.monotonic() - began > _LOOK_EVERY:
                    return
        yield Batch((), replace(cursor, backlog_from=0, backlog_to=0))

    def _opened(
        self, client: Any, name: str, problems: list[str], cursor: FolderCursor | None = None
    ) -> OpenFolder | None:
        try:
            return messages.examine(client, name)
        except IMAP4.abort:
            raise
        except IMAP4.error as error:
            if is_passing(error):
                raise
            problem = f"folder {name!r} cannot be opened ({error})"
        renamed = messages.renamed(client, cursor, self._settings.folders) if cursor else ""
        if not renamed:
            problems.append(problem)
            return None
        log.warning("folder was renamed", source=self.name, was=name, now=renamed)
        return replace(messages.examine(client, renamed), name=name)

    def _raise(self, problems: Sequence[str], client: Any) -> None:
        if not problems:
            return
        names = sorted(str(name) for _, _, name in client.list_folders())
        raise Configuration(
            f"source {self.name!r}: {'; '.join(problems)}. The folders of this mailbox are: "
            f"{', '.join(names)}. Correct `folders`; the others have been read"
        )


def _has_backlog(cursor: FolderCursor | None) -> bool:
    return cursor is not None and cursor.has_backlog
