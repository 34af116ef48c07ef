"""Mails of an open folder to items: in groups, bounded in bytes, one bad mail costing itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from imaplib import IMAP4
from typing import Any

from triage.settings import ImapSource, Limits
from triage.sources.base import Fetched
from triage.sources.imap import messages
from triage.sources.imap.messages import Listed, OpenFolder
from triage.sources.refusals import header_of, too_large
from triage.types import SourceRef

_GROUP_BYTES = 32_000_000
_PATIENCE = 3  # times that the connection may break at one mail before it is refused
_GRACE = 30.0  # seconds since the first of them: a bad network breaks often, but not for ever


class Fetcher:
    """Fetches, and remembers at which mails connections broke.

    Some servers drop the connection over a mail that they cannot give (its file is damaged, say).
    Such a mail is found by fetching fewer and fewer where it broke, and refused once the server
    gives other mails but never this one; so it blocks neither the folder nor the worker.
    """

    def __init__(self, settings: ImapSource, limits: Limits) -> None:
        self._source = settings.name
        self._limit = limits.mail_bytes
        self.breaks = 0
        """How often connections broke at a mail, ever."""
        # By key: how often the connection broke while this mail, or a batch it led, was fetched.
        self._broke: Counter[str] = Counter()
        self._since: dict[str, float] = {}  # the first time, on the monotonic clock
        self._unreadable: set[str] = set()  # even a glimpse of them broke a good connection

    def groups(
        self, client: Any, folder: OpenFolder, uids: list[int]
    ) -> Iterator[tuple[tuple[Fetched, ...], int]]:
        """The items, in order, with the last UID that each group settles; some may be gone."""
        left = uids
        while left:
            # Each break at a mail makes the group that it leads smaller, until it is alone.
            size = max(1, len(left) >> (2 * self._broke[key_of(folder, left[0])]))
            group, left = left[:size], left[size:]
            with self._blamed(key_of(folder, group[0])) as given_up:
                mails = (
                    [messages.unlisted(group[0])] if given_up else messages.listed(client, group)
                )
            for part in self._parts(mails):
                with self._blamed(key_of(folder, part[0].uid)):
                    items = self._items(client, folder, part)
                yield items, part[-1].uid
            if not mails or mails[-1].uid < group[-1]:  # deleted meanwhile
                yield (), group[-1]

    @contextmanager
    def _blamed(self, key: str) -> Iterator[bool]:
        """Remember where the connection broke; yields whether it did so too often."""
        try:
            yield self._given_up(key)
        except (IMAP4.abort, OSError):
            self.breaks += 1
            self._broke[key] += 1
            self._since.setdefault(key, time.monotonic())
            raise

    def _given_up(self, key: str) -> bool:
        if self._broke[key] < _PATIENCE:
            return False
        return time.monotonic() - self._since[key] >= _GRACE

    def _readable(self, client: Any, key: str, uid: int) -> bool:
        """Whether a mail at which connections broke often can be read after all. It cannot where a
        glimpse of it breaks a connection on which others were just read.
        """
        messages.fetch_another(client, uid)
        if key in self._unreadable:
            return False
        try:
            messages.glimpse(client, uid)
        except (IMAP4.abort, OSError):
            self._unreadable.add(key)
            raise
        return True

    def _parts(self, mails: Sequence[Listed]) -> Iterator[list[Listed]]:
        """Mails that are fetched together, bounded in bytes."""
        part: list[Listed] = []
        size = 0
        for mail in mails:
            weight = min(mail.size, self._limit)
            if part and size + weight > _GROUP_BYTES:
                yield part
                part, size = [], 0
            part.append(mail)
            size += weight
        if part:
            yield part

    def _items(
        self, client: Any, folder: OpenFolder, part: Sequence[Listed]
    ) -> tuple[Fetched, ...]:
        key = key_of(folder, part[0].uid)
        times = self._broke[key]
        contents: dict[int, bytes] = {}
        if self._given_up(key) and not self._readable(client, key, part[0].uid):
            troubles = {part[0].uid: f"the connection broke {times} times while it was read"}
        else:
            wanted = [mail.uid for mail in part if mail.size <= self._limit]
            contents, troubles = messages.bodies(client, wanted)
        items = [self._item(client, folder, mail, contents, troubles) for mail in part]
        del self._broke[key]
        self._since.pop(key, None)
        self._unreadable.discard(key)
        return tuple(item for item in items if item)

    def _item(
        self,
        client: Any,
        folder: OpenFolder,
        mail: Listed,
        contents: Mapping[int, bytes],
        troubles: Mapping[int, str],
    ) -> Fetched | None:
        """The item; None where the mail was deleted meanwhile."""
        content, refused = contents.get(mail.uid, b""), ""
        size = max(mail.size, len(content))  # some servers state sizes that are wrong
        where = f"folder {folder.name!r} (UID {mail.uid})"
        if size > self._limit:
            content = header_of(content) if content else messages.header(client, mail.uid)
            refused = too_large("mail", size, self._limit, "limits.mail_bytes", where)
        elif mail.uid in troubles:
            refused = f"the mail in {where} cannot be fetched: {troubles[mail.uid]}"
        elif mail.uid not in contents:
            return None
        return Fetched(
            ref=SourceRef(self._source, "imap", key_of(folder, mail.uid)),
            channel="email",
            received_at=mail.received_at,
            media_type="message/rfc822",
            content=content,
            refused=refused,
        )


def key_of(folder: OpenFolder, uid: int) -> str:
    """Where a mail is, as its reference says it."""
    return f"{folder.name}/{folder.uidvalidity}/{uid}"
