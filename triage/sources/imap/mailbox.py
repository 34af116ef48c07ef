"""A mailbox on a server, read by UID, folder by folder, and left exactly as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from imaplib import IMAP4
from typing import Any

from triage.errors import Configuration
from triage.settings import ImapSource, Limits
from triage.sources.base import Batch, Fetched, Memory
from triage.sources.imap import messages
from triage.sources.imap.connection import connected, is_passing, port_of
from triage.sources.imap.messages import Listed, OpenFolder
from triage.sources.refusals import header_of, too_large
from triage.types import FolderCursor, SourceRef

_BATCH_BYTES = 32_000_000
_PATIENCE = 3  # polls that may break off at the same mail before it is refused


class ImapMailbox:
    """Reads what arrived since the cursor of each folder.

    The cursor is UIDVALIDITY and the last UID. Where UIDVALIDITY is new or missing the folder is
    read from its beginning: the store knows mails by their content. Flags, dates and names of
    senders play no part.
    """

    def __init__(self, settings: ImapSource, limits: Limits) -> None:
        self.name = settings.name
        self._settings = settings
        self._limit = limits.mail_bytes
        # By key: how often the connection broke while this mail, or a batch it led, was fetched.
        self._broke: Counter[str] = Counter()

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield what is new, folder by folder. See `Source.poll`."""
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
        mails = messages.listed(client, uids)
        for part in self._parts(folder, mails):
            yield Batch(self._items(client, folder, part), _cursor(folder, part[-1].uid))
        if not mails or mails[-1].uid < uids[-1]:  # deleted meanwhile
            yield Batch((), _cursor(folder, uids[-1]))

    def _parts(self, folder: OpenFolder, mails: Sequence[Listed]) -> Iterator[list[Listed]]:
        """Mails that are fetched together: bounded in bytes; alone after the connection broke."""
        alone = any(self._broke[self._key(folder, mail)] for mail in mails)
        part: list[Listed] = []
        size = 0
        for mail in mails:
            weight = min(mail.size, self._limit)
            if part and (alone or size + weight > _BATCH_BYTES):
                yield part
                part, size = [], 0
            part.append(mail)
            size += weight
        if part:
            yield part

    def _items(
        self, client: Any, folder: OpenFolder, part: Sequence[Listed]
    ) -> tuple[Fetched, ...]:
        first = self._key(folder, part[0])
        given_up = self._broke[first] > _PATIENCE
        wanted = [mail.uid for mail in part if mail.size <= self._limit and not given_up]
        try:
            contents, troubles = messages.bodies(client, wanted)
            if given_up:
                troubles = {
                    part[
                        0
                    ].uid: f"the connection broke {self._broke[first]} times while it was read"
                }
            items = [self._item(client, folder, mail, contents, troubles) for mail in part]
        except (IMAP4.abort, OSError):
            self._broke[first] += 1
            raise
        del self._broke[first]
        return tuple(item for item in items if item)

    def _item(
        self,
        client: Any,
        folder: OpenFolder,
        mail: Listed,
        contents: dict[int, bytes],
        troubles: dict[int, str],
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
            ref=SourceRef(self.name, "imap", self._key(folder, mail)),
            channel="email",
            received_at=mail.received_at,
            media_type="message/rfc822",
            content=content,
            refused=refused,
        )

    @staticmethod
    def _key(folder: OpenFolder, mail: Listed) -> str:
        return f"{folder.name}/{folder.uidvalidity}/{mail.uid}"


def _cursor(folder: OpenFolder, last_uid: int) -> FolderCursor:
    return FolderCursor(folder.name, folder.uidvalidity, last_uid)
