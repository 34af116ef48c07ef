"""Mail in files: a maildir with its subfolders, or a folder of `.eml` files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from triage.settings import Limits, MaildirSource
from triage.sources.base import Batch, Entry, Fetched, Memory, Span
from triage.sources.files import (
    Candidate,
    Listing,
    Stillness,
    chosen,
    entry_of,
    folder_faults,
    key_below,
    regular,
    require_folders,
    revision_of,
    since_day,
    unseen,
)
from triage.sources.refusals import HEADER_BYTES, header_of, too_large
from triage.types import SourceRef

_BATCH = 50
_WRITING_SECONDS = 1.0
_FLAGS = re.compile(r"[:;!]2,[^/]*$")  # ; and ! where the file system has no :


class MaildirFolder:
    """Reads mails from files. A mail in a maildir keeps its key when it is read, flagged or moved
    from `new` to `cur`; an `.eml` file that is written anew is a new item.
    """

    def __init__(self, settings: MaildirSource, limits: Limits) -> None:
        self.name = settings.name
        self._root = settings.path
        self._since = settings.since
        self._limit = limits.mail_bytes
        self._stillness = Stillness(_WRITING_SECONDS)

    def poll(self, memory: Memory) -> Iterator[Batch]:
        """Yield mails never taken in, oldest first. See `Source.poll`."""
        with folder_faults(self.name, self._root):
            self._stillness.new_look()
            listing = Listing(self._root)
            recent = since_day(self._mails(listing), self._since)
            mails = unseen([mail for mail in recent if self._complete(mail)], memory)
            for start in range(0, len(mails), _BATCH):
                found = (self._fetched(mail) for mail in mails[start : start + _BATCH])
                if items := tuple(item for item in found if item):
                    yield Batch(items)
            listing.raise_problems(self.name)

    def entries(
        self,
        span: Span,
        folders: Sequence[str],
        memory: Memory,  # noqa: ARG002 - files have no cursor
    ) -> Iterator[Entry]:
        """The mails written in a stretch of time. See `Retrievable.entries`."""
        with folder_faults(self.name, self._root):
            require_folders(self.name, self._root, folders)
            for mail in chosen(self._mails(Listing(self._root)), span, folders):
                yield entry_of(mail, self.name, "maildir", self._since)

    def retrieve(self, keys: Sequence[str]) -> Iterator[Batch]:
        """Read mails wherever they lie. See `Retrievable.retrieve`."""
        with folder_faults(self.name, self._root):
            there = {mail.key: mail for mail in self._mails(Listing(self._root))}
            for start in range(0, len(keys), _BATCH):
                some = [there[key] for key in keys[start : start + _BATCH] if key in there]
                if items := tuple(item for mail in some if (item := self._fetched(mail))):
                    yield Batch(items, backlog=True)

    def check(self) -> str:
        """How many mails there are. Raises like `poll`."""
        with folder_faults(self.name, self._root):
            listing = Listing(self._root)
            number = sum(1 for _ in self._mails(listing))
            listing.raise_problems(self.name)
        return f"{number} mail files in {self._root}"

    def _mails(self, listing: Listing) -> Iterator[Candidate]:
        mailboxes: set[Path] = set()
        for folder, subfolders, names in listing:
            if {"cur", "new"} <= set(subfolders):
                mailboxes |= {folder / "cur", folder / "new"}
                subfolders[:] = [name for name in subfolders if name != "tmp"]
            visible = [name for name in names if not name.startswith(".")]
            if folder in mailboxes:
                yield from self._in_maildir(folder, visible)
            elif not any(part.startswith(".") for part in folder.relative_to(self._root).parts):
                yield from self._eml_files(folder, visible)

    def _in_maildir(self, folder: Path, names: list[str]) -> Iterator[Candidate]:
        """A file here is complete from the moment it has its name, and never changes."""
        for name in names:
            if status := regular(folder / name):
                # `new` and `cur` are states of a mail, like its flags, not parts of its name.
                key = _FLAGS.sub("", key_below(self._root, folder.parent / name))
                yield Candidate(folder / name, key, "", status)

    def _eml_files(self, folder: Path, names: list[str]) -> Iterator[Candidate]:
        for name in names:
            if name.lower().endswith(".eml") and (status := regular(folder / name)):
                key = key_below(self._root, folder / name)
                yield Candidate(folder / name, key, revision_of(status), status)

    def _complete(self, mail: Candidate) -> bool:
        return not mail.revision or self._stillness.complete(mail.path, mail.status)

    def _fetched(self, mail: Candidate) -> Fetched | None:
        """The item; None where it is gone, or still as unusable as it was reported to be."""
        content: bytes | Path = mail.path
        size, refused, where = mail.status.st_size, "", f"the file {mail.key}"
        try:
            with mail.path.open("rb") as file:
                if size > self._limit:
                    content = header_of(file.read(HEADER_BYTES))
                    refused = too_large("mail", size, self._limit, "limits.mail_bytes", where)
        except FileNotFoundError:
            return None  # moved or deleted meanwhile; a moved one is found by the next poll
        except OSError as error:
            content, refused = b"", f"{where} cannot be read: {error.strerror}"
        if refused and mail.reported:
            return None
        revision = mail.refused_revision if refused else mail.revision
        return Fetched(
            ref=SourceRef(self.name, "maildir", mail.key, revision),
            channel="email",
            received_at=mail.changed_at,
            media_type="message/rfc822",
            content=content,
            refused=refused,
            again=mail.reported and not refused,
        )
