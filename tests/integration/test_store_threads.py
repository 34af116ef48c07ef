"""Replies find their conversation, and nobody gets into one by an id alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.support.mails import mail
from triage.intake.mail import parse_mail
from triage.pipeline.ingest import ingest
from triage.settings import Limits
from triage.sources.base import Batch, Fetched, Memory
from triage.store.repository import Repository
from triage.types import SourceRef

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Shown:
    """A source that shows these mails."""

    name = "inbox"

    def __init__(self, *mails: bytes) -> None:
        self._mails = mails

    def poll(self, memory: Memory) -> Iterator[Batch]:
        yield from [
            Batch(
                tuple(
                    Fetched(
                        SourceRef(self.name, "imap", f"INBOX/1/{hash(content)}"),
                        "email",
                        NOW + timedelta(minutes=number),
                        "message/rfc822",
                        content,
                    )
                    for number, content in enumerate(self._mails)
                )
            )
        ]

    def check(self) -> str:
        return ""


def taken(repository: Repository, *mails: bytes) -> list[str]:
    """Take mails in and parse them, one after the other; returns the ids of their inquiries."""
    found: list[str] = []
    for content in mails:
        (new,) = ingest(Shown(content), "", repository).fresh
        work = repository.worklist.get(new)
        assert work is not None
        inquiry = parse_mail(
            content, inquiry_id=new, ref=work.ref, received_at=NOW, limits=Limits()
        )
        assert repository.worklist.parsed(work, inquiry)
        found.append(new)
    return found


def conversation(repository: Repository, inquiry_id: str) -> set[str]:
    return {member.inquiry_id for member in repository.threads.of(inquiry_id)}


FIRST = mail("New furnace")
REPLY = mail("Re: New furnace", In_Reply_To="<New-furnace@example.org>")


def test_a_reply_joins_what_it_answers(any_repository: Repository) -> None:
    first, reply = taken(any_repository, FIRST, REPLY)
    assert conversation(any_repository, first) == {first, reply}
    told = [entry for entry in any_repository.archive.history(first) if entry.event == "reply"]
    assert [entry.detail for entry in told] == [{"inquiry": reply}]


def test_a_reply_that_came_first_is_joined_later(any_repository: Repository) -> None:
    reply, first = taken(any_repository, REPLY, FIRST)
    assert conversation(any_repository, reply) == {first, reply}


def test_two_that_have_a_third_in_common_become_one(any_repository: Repository) -> None:
    one = mail("One", References="<a@example.org>")
    two = mail("Two", References="<b@example.org>")
    both = mail("Three", References="<a@example.org> <b@example.org>")
    ids = taken(any_repository, one, two, both)
    assert conversation(any_repository, ids[1]) == set(ids)


def test_a_subject_and_its_people_are_enough_where_ids_were_lost(
    any_repository: Repository,
) -> None:
    changed = mail("AW: RE: New  furnace", In_Reply_To="<made-up@elsewhere.example>")
    first, reply = taken(any_repository, FIRST, changed)
    assert conversation(any_repository, first) == {first, reply}


def test_a_new_mail_with_an_old_subject_is_no_reply(any_repository: Repository) -> None:
    again = mail("New furnace", "Another house, same question.\r\n", Message_ID="<2@example.org>")
    again = again.replace(b"Message-ID: <New-furnace@example.org>\r\n", b"")
    first, second = taken(any_repository, FIRST, again)
    assert conversation(any_repository, first) == set()
    assert conversation(any_repository, second) == set()


def test_a_stranger_who_names_an_id_is_not_let_in(any_repository: Repository) -> None:
    forged = REPLY.replace(b"Ann Example <ann@example.org>", b"Eve <eve@evil.example>")
    first, _ = taken(any_repository, FIRST, forged)
    assert conversation(any_repository, first) == set()


def test_an_id_that_is_used_twice_joins_nothing(any_repository: Repository) -> None:
    one = mail("Parcel 1", "one", Message_ID="<same@example.org>", Reply_To="a@example.org")
    two = mail("Parcel 2", "two", Message_ID="<same@example.org>", Reply_To="a@example.org")
    for content in (one, two):
        assert content.count(b"Message-ID") == 2
    ids = taken(
        any_repository,
        one.replace(b"Message-ID: <Parcel-1@example.org>\r\n", b""),
        two.replace(b"Message-ID: <Parcel-2@example.org>\r\n", b""),
    )
    assert conversation(any_repository, ids[0]) == set()


def test_forms_that_share_an_address_stay_apart(any_repository: Repository) -> None:
    one = mail("Re: Contact form", "one", Reply_To="one@customer.example")
    two = mail(
        "Re: Contact form", "two", Reply_To="two@customer.example", References="<x@y.example>"
    )
    ids = taken(any_repository, one, two)
    assert conversation(any_repository, ids[0]) == set()


def test_the_same_mail_in_two_mailboxes_is_one_inquiry(any_repository: Repository) -> None:
    written = mail("To both of you", Date="Sun, 01 Mar 2026 12:00:00 +0000")
    here = b"Received: from a by b; 1\r\nDelivered-To: sales@example.com\r\n" + written
    there = b"Received: from a by c; 2\r\n  folded\r\nDelivered-To: info@example.com\r\n" + written
    assert len(ingest(Shown(here), "", any_repository).fresh) == 1
    assert not ingest(Shown(there), "", any_repository).fresh
    assert len(ingest(Shown(here + b"P.S.\r\n", here), "", any_repository).fresh) == 1


def test_an_id_used_again_for_another_mail_loses_nothing(any_repository: Repository) -> None:
    first = mail("Parcel", "on its way", Date="Sun, 01 Mar 2026 12:00:00 +0000")
    later = first.replace(b"12:00:00", b"13:00:00")
    other = first.replace(b"on its way", b"delivered")
    assert len(ingest(Shown(first, later, other), "", any_repository).fresh) == 3


def test_what_an_earlier_version_took_in_is_known(any_repository: Repository) -> None:
    content = mail("old", Date="Sun, 01 Mar 2026 12:00:00 +0000")
    (old,) = ingest(Shown(content), "", any_repository).fresh
    work = any_repository.worklist.get(old)
    assert work is not None
    with any_repository.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE inquiries SET identity = 'mail:{work.sha256}'")
    assert not ingest(Shown(content), "", any_repository).fresh


def test_two_that_are_parsed_at_once_see_each_other(any_repository: Repository) -> None:
    mails = [mail(f"Re: New furnace {n}", References="<root@example.org>") for n in range(8)]
    start = threading.Barrier(len(mails))

    def take(content: bytes) -> str:
        start.wait()
        return taken(any_repository, content)[0]

    with ThreadPoolExecutor(len(mails)) as pool:
        ids = list(pool.map(take, mails))
    assert conversation(any_repository, ids[0]) == set(ids)
