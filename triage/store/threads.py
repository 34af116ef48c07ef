"""Which mails belong to one conversation, and which recordings to one call, whichever came first.

Ids can be reused, changed by mail programs and forged, so an id alone joins nothing: the author of
one mail must be among the people of the other.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from triage.store import tables
from triage.store.database import Database
from triage.types import Inquiry

_IDS: Final = 40  # of a long thread: its beginning and its end
_PEOPLE: Final = 100
_SAME_CALL: Final = timedelta(hours=12)  # how far apart the legs of one call may be
_RECENT: Final = timedelta(days=30)  # how long a subject alone may join
_REPLY: Final = re.compile(
    r"^\s*(?:(?:re|aw|sv|vs|antw|ant|odp|ynt|res|rif|ref|回复|答复|fwd?|wg|tr|rv|i)\s*"
    r"(?:\[\d+\])?\s*[:\uff1a]\s*)+",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")

_MESSAGE: Final = insert(tables.messages)
_MESSAGE_ID: Final = insert(tables.message_ids)
_KNOWN: Final = (
    select(tables.message_ids.c.digest)
    .where(tables.message_ids.c.digest.in_(bindparam("names", expanding=True)))
    .distinct()
)


@dataclass(frozen=True, slots=True)
class Member:
    """A mail of a conversation, or a leg of a call."""

    inquiry_id: str
    received_at: datetime
    sender: str
    subject: str
    label: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What of a mail decides where it belongs."""

    ids: tuple[str, ...]
    own: str
    author: str
    people: frozenset[str]
    subject: str
    is_reply: bool


def envelope(inquiry: Inquiry) -> Envelope:
    """The envelope of a parsed mail. The author is who wants the answer: web forms send every
    request from one address.
    """
    sender = inquiry.sender.email.lower()
    answers = _ADDRESS.search(inquiry.headers.get("reply-to", ""))
    author = answers.group().lower() if answers else sender
    people = [author, *(party.email.lower() for party in inquiry.recipients if party.email)]
    digests = [_digest(name) for name in inquiry.thread]
    ids = digests if len(digests) <= _IDS else [*digests[: _IDS // 2], *digests[-_IDS // 2 :]]
    prefix = _REPLY.match(inquiry.subject)
    bare = " ".join(_REPLY.sub("", inquiry.subject).split()).casefold()
    return Envelope(
        ids=tuple(dict.fromkeys(ids)),
        own=_digest(inquiry.thread[-1]) if _has_own(inquiry) else "",
        author=author,
        people=frozenset(people[:_PEOPLE]) - {""},
        subject=_digest(bare) if bare else "",
        is_reply=prefix is not None or len(inquiry.thread) > 1,
    )


class Threads:
    """Reads conversations."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, inquiry_id: str) -> list[Member]:
        """All mails of an inquiry's conversation, or legs of its call, oldest first; one alone is
        none.
        """
        mine, inquiries = tables.messages.alias(), tables.inquiries
        query = (
            select(inquiries)
            .join(tables.messages, tables.messages.c.inquiry_id == inquiries.c.id)
            .join(mine, mine.c.conversation_id == tables.messages.c.conversation_id)
            .where(mine.c.inquiry_id == inquiry_id)
            .order_by(tables.messages.c.received_at, inquiries.c.id)
        )
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        found = [
            Member(row.id, row.received_at, row.sender, row.subject, row.label, row.outcome)
            for row in rows
        ]
        return found if len(found) > 1 else []


def link_all(
    connection: Connection, inquiries: Sequence[Inquiry]
) -> Iterator[tuple[str, list[str]]]:
    """Put mails where they belong; yields each id with what `_link` returns for it.

    Most mails begin a conversation of their own, and these are written together.
    """
    mails = [(inquiry, envelope(inquiry)) for inquiry in inquiries]
    named = Counter(name for _, mail in mails for name in mail.ids)
    known = {name for name, number in named.items() if number > 1} | _known(connection, named)
    alone = [pair for pair in mails if known.isdisjoint(pair[1].ids) and not pair[1].is_reply]
    if alone:
        connection.execute(_MESSAGE, [_row(inquiry, mail, inquiry.id) for inquiry, mail in alone])
    if ids := [row for inquiry, mail in alone for row in _id_rows(inquiry, mail)]:
        connection.execute(_MESSAGE_ID, ids)
    single = {inquiry.id for inquiry, _ in alone}
    for inquiry, mail in mails:
        yield inquiry.id, [] if inquiry.id in single else _link(connection, inquiry, mail)


def _known(connection: Connection, names: Iterable[str]) -> set[str]:
    """Which of these message ids some mail named before."""
    wanted = sorted(names)
    found: set[str] = set()
    for start in range(0, len(wanted), 400):  # SQLite bounds the variables of a statement
        rows = connection.execute(_KNOWN, {"names": wanted[start : start + 400]})
        found.update(rows.scalars())
    return found


def _link(connection: Connection, inquiry: Inquiry, mail: Envelope) -> list[str]:
    """Put a mail where it belongs; returns the other inquiries of its conversation, oldest first.

    A reply that came before what it answers is joined when that comes.
    """
    found = _by_ids(connection, inquiry.id, mail) or _by_subject(connection, inquiry, mail)
    return _joined(connection, inquiry, mail, found)


def link_leg(connection: Connection, inquiry: Inquiry) -> list[str]:
    """Put a leg of a call where it belongs; returns the other legs, oldest first.

    The telephone system says what belongs together, and nobody else can: its word is enough.
    """
    group = inquiry.call.group if inquiry.call else ""
    digest = _digest(f"call\0{inquiry.ref.source}\0{group}")
    leg = Envelope((digest,), "", "", frozenset(), "", is_reply=False)
    table, ids = tables.messages, tables.message_ids
    found = connection.execute(
        select(table)
        .join(ids, ids.c.inquiry_id == table.c.inquiry_id)
        .where(ids.c.digest == digest, table.c.inquiry_id != inquiry.id)
        .where(table.c.received_at >= _at(inquiry) - _SAME_CALL)
        .where(table.c.received_at <= _at(inquiry) + _SAME_CALL)
        .order_by(table.c.received_at, table.c.inquiry_id)
    ).all()
    return _joined(connection, inquiry, leg, found)


def _joined(
    connection: Connection, inquiry: Inquiry, mail: Envelope, found: Sequence[Row[Any]]
) -> list[str]:
    """Add an inquiry to the conversation of those it was found to belong to, or begin one."""
    conversations = list(dict.fromkeys(row.conversation_id for row in found))
    chosen = conversations[0] if conversations else inquiry.id
    table = tables.messages
    if len(conversations) > 1:
        connection.execute(
            update(table)
            .where(table.c.conversation_id.in_(conversations[1:]))
            .values(conversation_id=chosen)
        )
    connection.execute(_MESSAGE, _row(inquiry, mail, chosen))
    if mail.ids:
        connection.execute(_MESSAGE_ID, _id_rows(inquiry, mail))
    others = (
        select(table.c.inquiry_id)
        .where(table.c.conversation_id == chosen, table.c.inquiry_id != inquiry.id)
        .order_by(table.c.received_at, table.c.inquiry_id)
    )
    return list(connection.execute(others).scalars()) if found else []


def _row(inquiry: Inquiry, mail: Envelope, conversation_id: str) -> dict[str, object]:
    return {
        "inquiry_id": inquiry.id,
        "conversation_id": conversation_id,
        "author": mail.author,
        "people": " ".join(sorted(mail.people)),
        "subject": mail.subject,
        "received_at": _at(inquiry),
    }


def _id_rows(inquiry: Inquiry, mail: Envelope) -> list[dict[str, object]]:
    return [
        {"digest": name, "inquiry_id": inquiry.id, "own": name == mail.own} for name in mail.ids
    ]


def _by_ids(connection: Connection, inquiry_id: str, mail: Envelope) -> list[Row[Any]]:
    if not mail.ids:
        return []
    table, ids = tables.messages, tables.message_ids
    rows = connection.execute(
        select(table, ids.c.digest, ids.c.own)
        .join(ids, ids.c.inquiry_id == table.c.inquiry_id)
        .where(ids.c.digest.in_(mail.ids), table.c.inquiry_id != inquiry_id)
        .order_by(table.c.received_at, table.c.inquiry_id)
    )
    # Two mails with one id of their own are no answers to each other: that id was used twice.
    return _acquainted((row for row in rows if not (row.own and row.digest == mail.own)), mail)


def _by_subject(connection: Connection, inquiry: Inquiry, mail: Envelope) -> list[Row[Any]]:
    """Mail programs lose and change ids; an answer keeps the subject, and the people."""
    if not mail.subject or not mail.is_reply:
        return []
    table = tables.messages
    rows = connection.execute(
        select(table)
        .where(table.c.subject == mail.subject, table.c.inquiry_id != inquiry.id)
        .where(table.c.received_at >= inquiry.received_at - _RECENT)
        .where(table.c.received_at <= inquiry.received_at + _RECENT)
        .order_by(table.c.received_at, table.c.inquiry_id)
        .limit(200)
    )
    return _acquainted(rows, mail)


def _acquainted(rows: Iterable[Row[Any]], mail: Envelope) -> list[Row[Any]]:
    """Only mails whose author wrote this one, or whose author got it, or the other way round."""
    found = []
    for row in rows:
        people: Sequence[str] = row.people.split(" ")
        if (mail.author and mail.author in people) or (row.author and row.author in mail.people):
            found.append(row)
    return found


def _at(inquiry: Inquiry) -> datetime:
    """When a mail arrived; of a recording rather when it began, since several may end together."""
    began = inquiry.call.started_at if inquiry.call else None
    return began or inquiry.received_at


def _has_own(inquiry: Inquiry) -> bool:
    return bool(inquiry.thread) and inquiry.thread[-1] in inquiry.headers.get("message-id", "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
