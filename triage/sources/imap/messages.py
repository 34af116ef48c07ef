"""What a server says about the mails of the folder that is open. Reads only, sets no flag."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from imaplib import IMAP4
from typing import Any

import structlog

from triage.sources.refusals import HEADER_BYTES
from triage.types import FolderCursor

log = structlog.get_logger(__name__)

# An answer to SEARCH is one line, and the client bounds lines to 1 MB: eleven bytes a UID.
_SEARCHED_AT_ONCE = 50_000
_NEARBY = 2000
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
# What imapclient raises for an answer that it cannot read; the session goes on.
_UNREADABLE = (IMAP4.error, ValueError, TypeError, LookupError)


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A folder that was examined. `uidvalidity` is empty where the server has none."""

    name: str
    uidvalidity: str
    exists: int
    next_uid: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail before it is fetched; `size` in bytes as the server states it, 0 if it does not."""

    uid: int
    size: int
    received_at: datetime


def examine(client: Any, folder: str) -> OpenFolder:
    """Open a folder for reading only."""
    answer = client.select_folder(folder, readonly=True)
    uidvalidity = answer.get(b"UIDVALIDITY")
    return OpenFolder(
        folder,
        "" if uidvalidity is None else str(uidvalidity),
        int(answer.get(b"EXISTS", 0)),
        answer.get(b"UIDNEXT"),
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many mails lie behind a UID, and the newest of them."""

    number: int
    newest: int


def uids_after(
    client: Any,
    folder: OpenFolder,
    last: int,
    until: int | None = None,
    since: date | None = None,
    before: date | None = None,
) -> Iterator[list[int]]:
    """UIDs above `last` (and not above `until`), ascending, in portions; only of mails that arrived
    on the day `since` or later, and before the day `before`, as the server counts days.
    """
    days = (("SINCE", since), ("BEFORE", before))
    criteria = [part for word, day in days if day for part in (word, day)]
    end = folder.next_uid if until is None else until + 1
    if until is None and (folder.exists <= _SEARCHED_AT_ONCE or end is None):
        ranges = [f"{last + 1}:*"]
    else:
        starts = range(last + 1, end or 0, _SEARCHED_AT_ONCE)
        ranges = [f"{start}:{min(start + _SEARCHED_AT_ONCE, end or 0) - 1}" for start in starts]
    for wanted in ranges if folder.exists else ():
        # `n:*` also finds the last mail where that is below n.
        yield sorted({uid for uid in client.search(["UID", wanted, *criteria]) if uid > last})


def count_after(client: Any, folder: OpenFolder, last: int, since: date | None = None) -> Waiting:
    """What lies behind a UID."""
    number, newest = 0, last
    for uids in uids_after(client, folder, last, since=since):
        number += len(uids)
        newest = max([newest, *uids[-1:]])
    return Waiting(number, newest)


def renamed(client: Any, cursor: FolderCursor, known: Collection[str]) -> str:
    """The new name of a folder that is gone: of those that nobody reads, the only one that has its
    UIDVALIDITY and has given out its UIDs. Empty where there is none, or more than one.
    """
    found = []
    for flags, _, name in client.list_folders():
        if name in known or b"\\Noselect" in flags:
            continue
        try:
            status = client.folder_status(name, ["UIDVALIDITY", "UIDNEXT"])
        except IMAP4.abort:
            raise
        except IMAP4.error:  # one that cannot be opened is not the one
            continue
        same = str(status.get(b"UIDVALIDITY", "")) == cursor.uidvalidity
        if same and int(status.get(b"UIDNEXT", 0)) > cursor.last_uid:
            found.append(str(name))
    return found[0] if len(found) == 1 else ""


def listed(client: Any, uids: Sequence[int]) -> list[Listed]:
    """The size and date of each mail that still exists, in order."""
    answers, troubles = fetched(client, uids, ["RFC822.SIZE", "INTERNALDATE"])
    return [
        Listed(
            uid,
            size=int(answers.get(uid, {}).get(b"RFC822.SIZE") or 0),
            received_at=_sane(answers.get(uid, {}).get(b"INTERNALDATE")),
        )
        for uid in uids
        if uid in answers or uid in troubles
    ]


def unlisted(uid: int) -> Listed:
    """Stands for a mail about which the server cannot be asked."""
    return Listed(uid, 0, datetime.now(UTC))


def bodies(client: Any, uids: Sequence[int]) -> tuple[dict[int, bytes], dict[int, str]]:
    """(mails as they are, why others that exist could not be had). What was deleted is in none."""
    answers, troubles = fetched(client, uids, ["BODY.PEEK[]"])
    contents: dict[int, bytes] = {}
    for uid in uids:
        content = answers.get(uid, {}).get(b"BODY[]")
        if isinstance(content, bytes):
            contents[uid] = content
        elif uid not in troubles and _exists(client, uid):
            troubles[uid] = "the server sent no content"
    return contents, troubles


def header(client: Any, uid: int) -> bytes:
    """The header of a mail, bounded; empty where it cannot be had."""
    answers, _ = fetched(client, [uid], [f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"])
    content = answers.get(uid, {}).get(b"BODY[HEADER]<0>")
    return content if isinstance(content, bytes) else b""


def fetch_another(client: Any, uid: int) -> None:
    """Read a little of some other mail nearby, if there is one; raises what a broken connection
    raises. Shows whether the server is at fault, or the mail `uid` alone.
    """
    around = client.search(f"UID {max(1, uid - _NEARBY)}:{uid + _NEARBY}")
    if others := [other for other in around if other != uid]:
        # Any: a fixed choice might be a bad one for ever.
        client.fetch([random.choice(others)], ["BODY.PEEK[]<0.1024>"])  # noqa: S311 - no secret


def glimpse(client: Any, uid: int) -> None:
    """Read the beginning of a mail; raises what a broken connection raises."""
    fetched(client, [uid], ["BODY.PEEK[]<0.1024>"])


def fetched(
    client: Any, uids: Sequence[int], items: Sequence[str]
) -> tuple[dict[int, Mapping[bytes, Any]], dict[int, str]]:
    """(answers by UID, troubles by UID). Where the answer for many cannot be read, each is asked
    for alone, so that one mail costs itself and no other. A lost connection is raised.
    """
    if not uids:
        return {}, {}
    try:
        return dict(client.fetch(list(uids), list(items))), {}
    except IMAP4.abort:
        raise
    except _UNREADABLE as error:
        if len(uids) == 1:
            trouble = {uids[0]: " ".join(str(error).split())[:500]}
            return {}, trouble if _exists(client, uids[0]) else {}
        log.info("fetching one by one", problem=str(error)[:200])
    answers: dict[int, Mapping[bytes, Any]] = {}
    troubles: dict[int, str] = {}
    for uid in uids:
        answer, trouble = fetched(client, [uid], items)
        answers |= answer
        troubles |= trouble
    return answers, troubles


def _exists(client: Any, uid: int) -> bool:
    client.noop()  # lets the server tell what was deleted meanwhile
    return uid in client.search(f"UID {uid}")


def _sane(stated: object) -> datetime:
    """The server's date in UTC, or the present where it cannot be one of arrival."""
    present = datetime.now(UTC)
    if not isinstance(stated, datetime) or stated.tzinfo is None:
        return present
    try:
        moment = stated.astimezone(UTC)
    except (OverflowError, ValueError):
        return present
    return moment if _OLDEST <= moment <= present + _AHEAD else present
