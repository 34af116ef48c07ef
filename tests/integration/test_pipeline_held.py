"""What came before its source was read is triaged, told to nobody, and can be released."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.support import stored
from tests.support.leads import Desk, desk
from tests.support.mails import mail
from tests.support.mailserver import Mailbox
from triage.errors import Usage
from triage.pipeline.holding import Holding
from triage.pipeline.ingest import ingest
from triage.rules.rulebook import Rulebook
from triage.settings import Destination, Limits, MaildirSource
from triage.sources.build import build_source
from triage.store import tables
from triage.store.archive import Chosen
from triage.store.repository import Repository
from triage.types import Decision, FolderCursor, Outcome, Party, Stage

OLD = "it came on 2023-01-05, before inbox was first read on 2026-03-01"


def now(repository: Repository, inquiry_id: str) -> tuple[str, str]:
    """(outcome, reason) as decided last."""
    decision = repository.archive.decision(inquiry_id)
    assert decision is not None
    return decision.outcome, decision.reason


def rulebook(crm: Desk) -> Rulebook:
    return Rulebook(crm.settings.rules, crm.settings.business)


def test_a_held_lead_says_why_and_nobody_is_told(any_repository: Repository) -> None:
    everything = Destination(
        name="crm", url="http://127.0.0.1:1/", events=("lead.qualified", "inquiry.classified")
    )
    crm = desk(any_repository, everything)
    lead = crm.settled("old", held=OLD)
    bob = Party("Bob", "bob@elsewhere.example")
    junk = crm.settled("old junk", "spam", held=OLD, sender=bob)
    outcome, reason = now(any_repository, lead)
    assert outcome == Outcome.REVIEW
    assert reason.endswith(f"but not forwarded: {OLD}")
    assert now(any_repository, junk)[0] == Outcome.FILE
    assert crm.events() == []
    assert any_repository.archive.held_leads() == {"inbox": 1}
    # Who wrote is known all the same.
    assert any_repository.people.of(lead) is not None


def test_a_released_lead_is_forwarded_once(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("old", held=OLD)
    planned = crm.corrections.releasable(lead, rulebook(crm))
    assert planned is not None
    assert planned.outcome == Outcome.FORWARD
    assert crm.events() == []
    released = crm.corrections.release(lead, rulebook(crm))
    assert released.decision == planned
    assert crm.types() == ["lead.qualified"]
    assert stored.current(any_repository, lead).held == ""
    with pytest.raises(Usage, match="is not held"):
        crm.corrections.release(lead, rulebook(crm))
    assert crm.types() == ["lead.qualified"]
    assert "released" in [entry.event for entry in any_repository.archive.history(lead)]


def test_a_release_before_the_decision_is_not_overtaken_by_it(repository: Repository) -> None:
    crm = desk(repository)
    work = crm.qualified("old", held=OLD)
    decision = Decision(Outcome.REVIEW, "held")
    crm.corrections.release(work.id, rulebook(crm))
    # A step that began before the release must not settle the inquiry as held.
    assert not repository.worklist.settled(work, decision, [])
    crm.steps.settle(stored.current(repository, work.id))
    assert crm.types() == ["lead.qualified"]


def test_an_old_reply_is_no_news_of_a_lead(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("a lead")
    crm.settled("the same person, long ago", held=OLD)
    assert crm.types() == ["lead.qualified"]


def test_a_person_who_calls_it_a_lead_has_it_forwarded(repository: Repository) -> None:
    crm = desk(repository)
    lead, junk = crm.settled("old", "support", held=OLD), crm.settled("older", held=OLD)
    crm.corrections.relabel(junk, "spam")
    assert crm.events() == []
    assert stored.current(repository, junk).held == OLD
    crm.corrections.relabel(lead, "lead")
    assert crm.types() == ["lead.qualified"]
    assert stored.current(repository, lead).held == ""


def test_who_takes_that_back_has_it_held_again(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("old", "support", held=OLD)
    began = datetime.now(UTC)
    crm.corrections.relabel(lead, "lead", by="Ann")
    crm.corrections.restore(lead, began, by="Ann")
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    assert stored.current(any_repository, lead).held == OLD


def test_a_new_look_leaves_it_held(repository: Repository) -> None:
    crm = desk(repository)
    lead = crm.settled("old", held=OLD)
    crm.corrections.renew(lead, rulebook(crm))
    assert OLD in now(repository, lead)[1]
    assert crm.events() == []


def test_old_mail_is_not_marked_in_its_mailbox(repository: Repository) -> None:
    crm = desk(repository)
    old = crm.settled("old", held=OLD)
    crm.settled("new", sender=Party("Bob", "bob@elsewhere.example"))
    outcomes = [outcome.value for outcome in Outcome]
    assert len(repository.marks.due("inbox", outcomes, 10)) == 1
    crm.corrections.release(old, rulebook(crm))
    assert len(repository.marks.due("inbox", outcomes, 10)) == 2


@pytest.mark.server("dovecot")
def test_only_what_came_long_before_the_first_reading_is_held(
    mailbox: Mailbox, repository: Repository
) -> None:
    settings = mailbox.settings()
    source = build_source(settings, Limits())
    present = datetime.now(UTC)
    for subject, days in (("three years old", 1000), ("of yesterday", 1)):
        mailbox.append(mail(subject), when=present - timedelta(days=days))

    def read() -> dict[str, tuple[bool, bool]]:
        """(held, backlog) of what is new, by subject."""
        fresh = ingest(source, "", repository, hold=Holding(settings, repository)).fresh
        works = [stored.current(repository, name) for name in fresh]
        subjects = [repository.blobs.read(work.sha256).split(b"\r\n")[2] for work in works]
        return {
            subject.decode().removeprefix("Subject: "): (bool(work.held), work.backlog)
            for subject, work in zip(subjects, works, strict=True)
        }

    assert read() == {"three years old": (True, True), "of yesterday": (False, False)}
    # A worker that was away for weeks forwards what came meanwhile.
    began = repository.arrivals.beginnings("inbox")["INBOX"]
    assert abs(began - present) < timedelta(minutes=1)
    _began_earlier(repository, timedelta(days=60))
    mailbox.append(mail("while it was away"), when=present - timedelta(days=30))
    assert read() == {"while it was away": (False, False)}
    # A folder that is read from now on has a beginning of its own.
    mailbox.append(mail("in another folder"), "Sales", when=present - timedelta(days=30))
    source = build_source(settings.model_copy(update={"folders": ("Sales",)}), Limits())
    assert read() == {"in another folder": (True, True)}


def _began_earlier(repository: Repository, by: timedelta) -> None:

    with repository.database.write() as connection:
        at = repository.arrivals.beginnings("inbox")["INBOX"] - by
        connection.execute(update(tables.beginnings).values(at=at))


def test_an_empty_folder_that_was_read_has_begun(repository: Repository) -> None:
    repository.arrivals.receive([], "inbox", FolderCursor("INBOX", "1", 0))
    assert set(repository.arrivals.beginnings("inbox")) == {"INBOX"}


def test_old_files_are_held_too(repository: Repository, tmp_path: Path) -> None:
    settings = MaildirSource(kind="maildir", name="files", path=tmp_path / "mails")
    for folder in ("new", "cur"):
        (settings.path / folder).mkdir(parents=True)
    old, new = settings.path / "new" / "1.old", settings.path / "new" / "2.new"
    for path in (old, new):
        path.write_bytes(mail(path.name))

    os.utime(old, (1_600_000_000, 1_600_000_000))
    hold = Holding(settings, repository)
    assert len(ingest(build_source(settings, Limits()), "", repository, hold=hold).fresh) == 2
    (line,) = repository.archive.listed(chosen=Chosen(held=True))
    assert line.key == "1.old"
    assert line.held.startswith("it came on 2020-09-13, before files was first read on ")
    assert line.stage is Stage.RECEIVED
