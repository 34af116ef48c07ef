"""Mails that are parsed in processes of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import triage.intake.parser
from tests.support.mails import mail
from tests.support.stored import ARRIVED, current
from triage.intake.mail import parse_mail
from triage.intake.parser import MANY, MailParser, Stored
from triage.pipeline.stages import Step
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Limits, Settings
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import RawItem, SourceRef, Stage

FIXTURES = Path(__file__).parents[2] / "fixtures"
LIMITS = Limits(documents=0)


@pytest.fixture
def parser() -> Iterator[MailParser]:
    made = MailParser()
    yield made
    made.close()


def stored(repository: Repository, contents: list[bytes]) -> list[Stored]:
    found = []
    for number, (sha256, _) in enumerate(repository.blobs.put_all(contents)):
        ref = SourceRef("inbox", "imap", f"INBOX/1/{number}")
        path = repository.blobs.path(sha256)
        found.append(Stored(f"inq_{number}", path, sha256, ref, ARRIVED, "spring"))
    return found


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(name) for path in tasks for name in path.read_text().split()}


def test_it_finds_what_is_found_here(parser: MailParser, repository: Repository) -> None:
    paths = sorted((FIXTURES / "mail").glob("*.eml"))[::4]
    mails = stored(repository, [path.read_bytes() for path in paths])
    found = parser.parse(mails, LIMITS, ["mx.example.com"])
    assert found == [
        parse_mail(
            one.path.read_bytes(),
            inquiry_id=one.id,
            ref=one.ref,
            received_at=one.received_at,
            limits=LIMITS,
            campaign="spring",
            authserv_ids=["mx.example.com"],
        )
        for one in mails
    ]


def test_what_is_wrong_is_left_to_the_caller(parser: MailParser, repository: Repository) -> None:
    mails = stored(repository, [mail("one"), b"no mail", mail("two"), mail("three")])
    mails[2].path.write_bytes(b"damaged")
    found = parser.parse(mails, LIMITS, [])
    assert [one and one.subject for one in found] == ["one", None, None, "three"]


def test_a_process_that_dies_costs_nothing(parser: MailParser, repository: Repository) -> None:
    mails = stored(repository, [mail("one"), mail("two")])
    before = children()
    assert all(parser.parse(mails, LIMITS, []))
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    assert parser.parse(mails, LIMITS, []) == [None, None]
    assert all(parser.parse(mails, LIMITS, []))


def test_one_that_hangs_is_ended(
    parser: MailParser, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = stored(repository, [mail("one")])
    before = children()
    assert all(parser.parse(mails, LIMITS, []))
    (child,) = children() - before
    os.kill(child, signal.SIGSTOP)
    monkeypatch.setattr(triage.intake.parser, "_MAIL_S", 0.2)
    assert parser.parse(mails, LIMITS, []) == [None]
    assert child not in children()


def test_processes_end_when_there_is_nothing_to_do(
    parser: MailParser, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage.intake.parser, "IDLE_S", 0.0)
    before = children()
    assert all(parser.parse(stored(repository, [mail("one")]), LIMITS, []))
    assert parser._timer is not None
    parser._timer.join()
    assert children() == before


def test_a_step_for_many_stores_all_of_them(repository: Repository) -> None:
    contents = [mail(f"number {number}") for number in range(MANY)] + [mail("Re: number 3")]
    arrivals = [
        Arrival(RawItem(one.ref, ARRIVED, one.sha256, 100, "message/rfc822"), "email", one.sha256)
        for one in stored(repository, contents)
    ]
    works = [current(repository, name) for name in repository.arrivals.receive(arrivals)]
    settings = Settings(limits=LIMITS)
    steps = Steps(
        settings,
        repository,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        Rulebook(settings.rules, settings.business),
    )
    # Somebody else was faster with one of them.
    steps.run(Step.PARSE, works[:1])
    before = repository.archive.history(works[0].id)
    steps.run(Step.PARSE, works)
    steps.parser.close()
    assert repository.archive.counts()[Stage.PARSED] == len(contents)
    assert repository.archive.history(works[0].id) == before
    assert [entry.event for entry in repository.archive.history(works[1].id)] == [
        "received",
        "parsed",
    ]
    subjects = {line.id: line.subject for line in repository.archive.listed(limit=100)}
    (answer,) = (name for name, subject in subjects.items() if subject == "Re: number 3")
    conversation = [member.subject for member in repository.threads.of(answer)]
    assert sorted(conversation) == ["Re: number 3", "number 3"]
