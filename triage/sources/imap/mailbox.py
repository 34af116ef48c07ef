"""A mailbox on a server, read by UID, folder by folder, and left exactly as it was."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from imaplib import IMAP4
from typing import Any

import structlog

from triage.errors import Configuration, Transient
from triage.settings import ImapSource, Limits
from triage.sources.base import Batch, Fetched, Memory
from triage.sources.imap import messages
from triage.sources.imap.connection import connected, is_passing, port_of
from triage.sources.imap.idle import FolderWatch
from triage.sources.imap.messages import Listed, OpenFolder
from triage.sources.refusals import header_of, too_large
from triage.types import FolderCursor, SourceRef

log = structlog.get_logger(__name__)

_BATCH_BYTES = 32_000_000
_PATIENCE = 3  # times that the connection may break at one mail before it is refused
_PAUSES = (0.5, 1.0, 1.5, 2.0)  # seconds before a connection that broke at a mail is opened again


class ImapMailbox:
    """Reads what arrived since the cursor of each folder.

    The cursor is UIDVALIDITY and the last UID. Where UIDVALIDITY is new or missing the folder is
    read from its beginning: the store knows mails by their content. Flags and dates play no part.

    Some servers drop the connection over a mail that they cannot give (its file is damaged, say).
    Such a mail is found by fetching alone what a batch broke at, and refused once the server gives
    other mails but never this one; so it blocks neither the folder nor the worker.
    """

    def __init__(self, settings: ImapSource, limits: Limits) -> None:
        self.name = settings.name
        self._settings = settings
        self._limit = limits.mail_bytes
        # By key: how often the connection broke while this mail, or a batch it led, was fetched.
        self._broke: Counter[str] = Counter()

    def watches(self) -> Sequence[FolderWatch]:
        """One for each folder, unless `idle` is off."""
        folders = self._settings.folders if self._settings.idle else ()
        return [FolderWatch(self._settings, folder) for folder in folders]

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield what is new, folder by folder. See `Source.poll`."""
        for pause in (*_PAUSES, None):
            broken = self._broke.total()
            try:
                yield from self._session(memory)
            except Transient as error:
                at_a_mail = self._broke.total() > broken
                if pause is None or not at_a_mail or isinstance(error.__cause__, TimeoutError):
                    raise
                log.info("connecting again", source=self.name, problem=str(error))
                time.sleep(pause)
            else:
                return

    def _session(self, memory: Memory) -> Iterator[Batch]:
        with connected(self._settings) as client:
            problems: list[str] = []
            for name in self._settings.folders:
                folder = self._opened(client, name, problems)
                if folder is not None:
                    yield from self._new(client, folder, memory.cursor(name))
            self._raise(problems, client)

    def check(self) -> str:
        """Sign in and count the mails of each folder."""
        with connected(self._settings) as client:
            problems: list[str] = []
            folders = [self._opened(client, name, problems) for name in self._settings.folders]
            self._raise(problems, client)
        counts = ", ".join(f"{folder.name}: {folder.exists} mails" for folder in folders if folder)
        return f"{self._settings.host}:{port_of(self._settings)}, {counts or 'no folders set'}"

    def _opened(self, client: Any, name: str, problems: list[str]) -> OpenFolder | None:
        try:
            return messages.examine(client, name)
        except IMAP4.abort:
            raise
        except IMAP4.error as error:
            if is_passing(error):
                raise
            problems.append(f"folder {name!r} cannot be opened ({error})")
            return None

    def _raise(self, problems: Sequence[str], client: Any) -> None:
        if not problems:
            return
        names = sorted(str(name) for _, _, name in client.list_folders())
        raise Configuration(
            f"source {self.name!r}: {'; '.join(problems)}. The folders of this mailbox are: "
            f"{', '.join(names)}. Correct `folders`; the others have been read"
        )

    def _new(self, client: Any, folder: OpenFolder, cursor: FolderCursor | None) -> Iterator[Batch]:
        last = 0
        if cursor is not None and folder.uidvalidity and cursor.uidvalidity == folder.uidvalidity:
            last = cursor.last_uid
        else:
            yield Batch((), _cursor(folder, 0))
        for uids in messages.uids_after(client, folder, last):
            for start in range(0, len(uids), self._settings.batch):
                yield from self._batches(client, folder, uids[start : start + self._settings.batch])

    def _batches(self, client: Any, folder: OpenFolder, uids: list[int]) -> Iterator[Batch]:
        alone = any(self._broke[_key(folder, uid)] for uid in uids)
        for group in [[uid] for uid in uids] if alone else [uids]:
            with self._blamed(_key(folder, group[0])) as given_up:
                mails = (
                    [messages.unlisted(group[0])] if given_up else messages.listed(client, group)
                )
            for part in self._parts(mails):
                with self._blamed(_key(folder, part[0].uid)):
                    items = self._items(client, folder, part)
                yield Batch(items, _cursor(folder, part[-1].uid))
            if not mails or mails[-1].uid < group[-1]:  # deleted meanwhile
                yield Batch((), _cursor(folder, group[-1]))

    @contextmanager
    def _blamed(self, key: str) -> Iterator[bool]:
        """Remember where the connection broke; yields whether it did so too often."""
        try:
            yield self._broke[key] >= _PATIENCE
        except (IMAP4.abort, OSError):
            self._broke[key] += 1
            raise

    def _parts(self, mails: Sequence[Listed]) -> Iterator[list[Listed]]:
        """Mails that are fetched together, bounded in bytes."""
        part: list[Listed] = []
        size = 0
        for mail in mails:
            weight = min(mail.size, self._limit)
            if part and size + weight > _BATCH_BYTES:
                yield part
                part, size = [], 0
            part.append(mail)
            size += weight
        if part:
            yield part

    def _items(
        self, client: Any, folder: OpenFolder, part: Sequence[Listed]
    ) -> tuple[Fetched, ...]:
        key = _key(folder, part[0].uid)
        times = self._broke[key]
        contents: dict[int, bytes] = {}
        if times >= _PATIENCE:  # then the part is this one mail
            messages.fetch_another(client, part[0].uid)
            troubles = {part[0].uid: f"the connection broke {times} times while it was read"}
        else:
            wanted = [mail.uid for mail in part if mail.size <= self._limit]
            contents, troubles = messages.bodies(client, wanted)
        items = [self._item(client, folder, mail, contents, troubles) for mail in part]
        del self._broke[key]
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
            ref=SourceRef(self.name, "imap", _key(folder, mail.uid)),
            channel="email",
            received_at=mail.received_at,
            media_type="message/rfc822",
            content=content,
            refused=refused,
        )


def _key(folder: OpenFolder, uid: int) -> str:
    return f"{folder.name}/{folder.uidvalidity}/{uid}"


def _cursor(folder: OpenFolder, last_uid: int) -> FolderCursor:
    return FolderCursor(folder.name, folder.uidvalidity, last_uid)
