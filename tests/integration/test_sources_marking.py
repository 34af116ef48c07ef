"""Marks in a real mailbox: as told, once, wherever the mail is, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from tests.support import stored
from tests.support.mails import mail
from tests.support.mailserver import Mailbox
from triage.pipeline.ingest import ingest
from triage.pipeline.marking import mark
from triage.settings import ImapSource, Limits
from triage.sources.build import build_source
from triage.store import tables
from triage.store.repository import Repository
from triage.types import Decision, Outcome

pytestmark = pytest.mark.server("dovecot")


def settle(repository: Repository, outcome: Outcome) -> None:
    """Everything that is open comes to this outcome."""
    for new in repository.worklist.due("email", 100):
        assert repository.worklist.parsed(new, stored.inquiry(new))
        work = stored.current(repository, new.id)
        assert repository.worklist.classified(work, stored.verdict("lead", 0.9))
        assert repository.worklist.qualified(stored.current(repository, work.id), None)
        decided = Decision(outcome, "as the test says")
        assert repository.worklist.settled(stored.current(repository, work.id), decided, [])


def taken(mailbox: Mailbox, repository: Repository, **rules: Any) -> ImapSource:
    settings = mailbox.settings(write_back=rules, folders=("INBOX", "Sales"))
    ingest(build_source(settings, Limits()), "", repository)
    return settings


def marked(settings: ImapSource, repository: Repository) -> int:
    return mark(build_source(settings, Limits()), settings, repository)


def flags(mailbox: Mailbox, folder: str = "INBOX") -> list[set[bytes]]:
    return [set(found) - {rb"\Recent"} for found in mailbox.flags(folder).values()]


def test_a_lead_is_tagged_in_every_folder_it_is_in(
    mailbox: Mailbox, any_repository: Repository
) -> None:
    mailbox.append(mail("both"))
    mailbox.append(mail("both"), "Sales", flags=[b"customer"])
    settings = taken(mailbox, any_repository, forward={"keyword": "Lead", "flag": "flagged"})
    settle(any_repository, Outcome.FORWARD)
    assert marked(settings, any_repository) == 2
    assert flags(mailbox) == [{b"Lead", rb"\Flagged"}]
    assert flags(mailbox, "Sales") == [{b"Lead", rb"\Flagged", b"customer"}]
    assert marked(settings, any_repository) == 0


def test_nothing_is_changed_that_is_not_told(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, forward={"keyword": "Lead"})
    settle(repository, Outcome.FILE)
    assert marked(settings, repository) == 0
    assert flags(mailbox) == [set()]


def test_marking_again_after_a_crash_changes_nothing(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, review={"keyword": "Review"})
    settle(repository, Outcome.REVIEW)
    marked(settings, repository)
    with repository.database.write() as connection:  # killed before it was written down
        connection.execute(tables.marks.delete())
    assert marked(settings, repository) == 2
    assert flags(mailbox) == [{b"Review"}]


def test_a_mail_is_moved_once_and_known_where_it_went(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, file={"move": "Sales"})
    settle(repository, Outcome.FILE)
    marked(settings, repository)
    assert len(mailbox.flags()) == 0
    assert len(mailbox.flags("Sales")) == 2
    assert not ingest(build_source(settings, Limits()), "", repository).fresh
    marked(settings, repository)
    assert len(mailbox.flags("Sales")) == 2
    assert len(repository.archive.listed()) == 2


def test_another_outcome_takes_the_earlier_mark_away(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, forward={"keyword": "Lead"}, file={"keyword": "Filed"})
    settle(repository, Outcome.FORWARD)
    marked(settings, repository)
    with repository.database.write() as connection:
        connection.execute(tables.inquiries.update().values(outcome="file"))
    marked(settings, repository)
    assert flags(mailbox) == [{b"Filed"}]


def test_what_is_gone_or_numbered_anew_costs_nothing(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("two"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, forward={"keyword": "Lead"})
    settle(repository, Outcome.FORWARD)
    mailbox.delete(1)
    mailbox.change_uidvalidity("Sales")
    assert marked(settings, repository) == 3
    assert flags(mailbox) == [{b"Lead"}]
    assert flags(mailbox, "Sales") == [set()]
    ingest(build_source(settings, Limits()), "", repository)  # sighted under its new number
    assert marked(settings, repository) == 1
    assert flags(mailbox, "Sales") == [{b"Lead"}]


def test_a_label_where_there_are_none_is_reported(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.append(mail("one"))
    mailbox.append(mail("there"), "Sales")
    settings = taken(mailbox, repository, forward={"label": "Lead"})
    settle(repository, Outcome.FORWARD)
    assert marked(settings, repository) == 2
    with repository.database.read() as connection:
        results = {row.result for row in connection.execute(tables.marks.select())}
    assert results == {"the server has no labels; use keyword"}
    assert marked(settings, repository) == 0


def test_a_mail_that_somebody_moves_back_stays_there(
    mailbox: Mailbox, any_repository: Repository
) -> None:
    mailbox.append(mail("lead"))
    with mailbox.client() as client:
        client.create_folder("Sales")
    settings = taken(mailbox, any_repository, forward={"keyword": "Lead", "move": "Sales"})
    settle(any_repository, Outcome.FORWARD)
    assert marked(settings, any_repository) == 1
    ingest(build_source(settings, Limits()), "", any_repository)
    assert marked(settings, any_repository) == 0
    with mailbox.client() as client:
        client.select_folder("Sales")
        client.move(client.search("ALL"), "INBOX")
    ingest(build_source(settings, Limits()), "", any_repository)
    assert marked(settings, any_repository) == 0
    assert flags(mailbox) == [{b"Lead"}]
    # It is not a lead after all: the mark is taken away where the mail is now.
    (row,) = any_repository.archive.listed()
    with any_repository.database.write() as connection:
        table = tables.inquiries
        connection.execute(update(table).where(table.c.id == row.id).values(outcome="file"))
    marked(settings, any_repository)
    assert flags(mailbox) == [set()]
    assert marked(settings, any_repository) == 0
