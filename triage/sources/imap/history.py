"""The past of a mailbox: what lies in its folders, and mails read again by where they lie."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from imaplib import IMAP4
from itertools import groupby, islice
from typing import Any

from triage.errors import Usage
from triage.settings import ImapSource
from triage.sources.base import Batch, Entry, Memory, Span
from triage.sources.imap import messages
from triage.sources.imap.connection import is_passing
from triage.sources.imap.fetching import Fetcher, key_of
from triage.sources.imap.messages import Listed, OpenFolder
from triage.types import FolderCursor, SourceRef

_ASKED_AT_ONCE = 2000
_DAY = timedelta(days=1)


def entries(
    client: Any, settings: ImapSource, span: Span, folders: Sequence[str], memory: Memory
) -> Iterator[Entry]:
    """The mails of some folders that arrived in a stretch of time, by the server's word."""
    for name in folders or settings.folders:
        folder = _opened(client, name)
        if folder is None:
            known = ", ".join(sorted(str(known) for _, _, known in client.list_folders()))
            raise Usage(f"source {settings.name!r} has no folder {name!r}; there are {known}")
        cursor = memory.cursor(name)
        for mail in _within(client, folder, span):
            coming = name in settings.folders and _is_coming(mail, folder, cursor, settings)
            ref = SourceRef(settings.name, "imap", key_of(folder, mail.uid))
            yield Entry(ref, name, mail.received_at, mail.size, coming)


def _within(client: Any, folder: OpenFolder, span: Span) -> Iterator[Listed]:
    # The server's days may begin half a day earlier or later than ours.
    since, before = (span.since - _DAY).date(), (span.until + 2 * _DAY).date()
    for uids in messages.uids_after(client, folder, 0, since=since, before=before):
        for start in range(0, len(uids), _ASKED_AT_ONCE):
            for mail in messages.listed(client, uids[start : start + _ASKED_AT_ONCE]):
                if mail.received_at in span:
                    yield mail


def _is_coming(
    mail: Listed, folder: OpenFolder, cursor: FolderCursor | None, settings: ImapSource
) -> bool:
    """Whether a poll has still to read a mail, so that nobody else need."""
    if settings.since and mail.received_at.date() < settings.since:
        return False
    if cursor is None or cursor.uidvalidity != folder.uidvalidity:
        return True
    waits = cursor.backlog_from < mail.uid <= cursor.backlog_to
    return waits or mail.uid > cursor.last_uid


def retrieved(client: Any, fetcher: Fetcher, keys: deque[str], at_once: int) -> Iterator[Batch]:
    """The mails with these keys; takes each key away once its mail was yielded, or is gone."""
    while keys:
        place, near = next(groupby(keys, key=lambda key: key.rpartition("/")[0]))
        group = list(islice(near, at_once))
        name, _, uidvalidity = place.rpartition("/")
        folder = _opened(client, name)
        if folder is not None and folder.uidvalidity == uidvalidity:
            uids = sorted(int(key.rpartition("/")[2]) for key in group)
            for items, last in fetcher.groups(client, folder, uids):
                yield Batch(items, backlog=True)
                done = {f"{place}/{uid}" for uid in uids if uid <= last}
                while keys and keys[0] in done:
                    keys.popleft()
        while keys and keys[0] in group:
            keys.popleft()


def _opened(client: Any, name: str) -> OpenFolder | None:
    """A folder, open for reading; None where there is none of this name."""
    try:
        return messages.examine(client, name)
    except IMAP4.abort:
        raise
    except IMAP4.error as error:
        if is_passing(error):
            raise
        return None
