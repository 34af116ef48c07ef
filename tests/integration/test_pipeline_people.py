"""The same person by call, by mail and by form is one lead, at the place that has it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from tests.support.leads import WELL_STATED, data, desk
from triage.pipeline.contacts import company_key
from triage.settings import DecisionRules, Destination, Filter
from triage.store import tables
from triage.store.handovers import Ledger
from triage.store.people import Contact, Person
from triage.store.records import now
from triage.store.repository import Repository
from triage.types import Outcome, Party

FROM_WORK = WELL_STATED
FROM_HOME = (
    "Hi, it is me again, Ann Example of Acme Hotels: I also need 12 chillers in June, "
    "budget $30,000. My number is 614-555-0142."
)
NOBODY = Party()


def test_a_second_inquiry_is_news_of_the_first_lead(any_repository: Repository) -> None:
    crm = desk(any_repository)
    first = crm.settled("by mail", text=FROM_WORK)
    second = crm.settled("by form", text=FROM_HOME, sender=NOBODY)
    assert crm.types() == ["lead.qualified", "lead.updated"]
    opened, news = crm.events()
    assert (news.inquiry_id, data(news)["refers_to"]) == (second, opened.id)
    assert data(news)["cause"] == "inquiry"
    assert data(opened)["person"]["id"] == data(news)["person"]["id"]
    assert [data(opened)["person"]["known"], data(news)["person"]["known"]] == [False, True]
    person = any_repository.people.of(first)
    assert person is not None
    assert any_repository.people.inquiries(person.id) == [first, second]


def test_an_answer_in_the_thread_is_a_reply(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one")
    crm.settled("two", thread=("<a@example.org>", "<b@example.org>"))
    assert data(crm.events()[1])["cause"] == "reply"


def test_a_weak_inquiry_of_a_known_person_is_news_too(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one")
    choosy = desk(repository, decision=DecisionRules(forward_score=100))
    choosy.settled("two", text="Any news?\n\nAnn Example\n614-555-0142")
    decision = repository.archive.decision(crm.events()[-1].inquiry_id)
    assert decision is not None
    assert decision.outcome == "nurture"
    assert crm.types() == ["lead.qualified", "lead.updated"]


def test_after_the_window_it_is_a_lead_again(repository: Repository) -> None:
    crm = desk(repository, window=timedelta(0).total_seconds())
    crm.settled("one")
    crm.settled("two", text=FROM_HOME)
    assert crm.types() == ["lead.qualified", "lead.qualified"]


def test_somebody_else_is_a_lead_of_their_own(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one")
    other = "We need 9 boilers by May, budget $20,000. Call 614-555-0199.\n\nBob Miller"
    crm.settled("two", text=other, sender=Party("Bob Miller", "bob@example.net"))
    assert crm.types() == ["lead.qualified", "lead.qualified"]


def test_the_first_owner_keeps_the_person(repository: Repository) -> None:
    north = Destination(name="north", url="http://n/", filter=Filter(campaigns=("north",)))
    south = Destination(name="south", url="http://s/", filter=Filter(campaigns=("south",)))
    feed = Destination(name="feed", url="http://f/", owns=False)
    crm = desk(repository, north, south, feed)
    crm.settled("one", campaign="north")
    crm.settled("two", text=FROM_HOME, campaign="south")
    told = [(event.destination, event.event) for event in crm.events()]
    assert sorted(told[:2]) == [("feed", "lead.qualified"), ("north", "lead.qualified")]
    assert sorted(told[2:]) == [("feed", "lead.updated"), ("north", "lead.updated")]


def test_a_colleague_goes_to_the_same_owner_as_a_lead_of_their_own(repository: Repository) -> None:
    north = Destination(name="north", url="http://n/", filter=Filter(campaigns=("north",)))
    south = Destination(name="south", url="http://s/", filter=Filter(campaigns=("south",)))
    crm = desk(repository, north, south)
    crm.settled("one", campaign="north")
    colleague = WELL_STATED.replace("614-555-0142", "614-555-0177").replace(
        "Ann Example\n", "Carl Jones\n"
    )
    crm.settled(
        "two",
        text=colleague,
        campaign="south",
        sender=Party("Carl Jones", "carl@acmehotels.example"),
    )
    assert [(event.destination, event.event) for event in crm.events()] == [
        ("north", "lead.qualified"),
        ("north", "lead.qualified"),
    ]


def test_taking_a_lead_back_does_not_lose_the_other_inquiry(any_repository: Repository) -> None:
    crm = desk(any_repository)
    first = crm.settled("one")
    second = crm.settled("two", text=FROM_HOME)
    third = crm.settled("three", text=FROM_HOME + " Thanks.")
    crm.corrections.relabel(first, "spam")
    assert crm.types(first) == ["lead.qualified", "lead.retracted"]
    assert crm.types(second) == ["lead.updated", "lead.qualified"]
    heir = crm.events(second)[1]
    assert data(heir)["person"] == data(crm.events(third)[0])["person"]
    crm.corrections.relabel(third, "support")
    gone = crm.events(third)[-1]
    assert (gone.event, data(gone)["cause"]) == ("lead.updated", "withdrawn")
    assert data(gone)["refers_to"] == heir.id


def test_inquiries_of_one_person_at_the_same_moment_are_one_lead(
    any_repository: Repository,
) -> None:
    crm = desk(any_repository)
    works = [crm.qualified(f"mail {number}") for number in range(6)]
    threads = [threading.Thread(target=crm.steps.settle, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(crm.types()) == ["lead.qualified"] + ["lead.updated"] * 5
    people = {data(event)["person"]["id"] for event in crm.events()}
    assert len(people) == 1


def test_whoever_has_one_of_many_colleagues_owns_them(any_repository: Repository) -> None:
    crm = desk(any_repository)
    others = [
        {"id": f"per_{n:04}", "name": f"P{n}", "company": "acme hotels", "created_at": now()}
        for n in range(900)
    ]
    with any_repository.database.write() as connection:
        connection.execute(insert(tables.people), others)
    crm.settled("one")
    with any_repository.database.read() as connection:
        ledger = Ledger(any_repository.database, connection, "another")
        known = connection.execute(select(tables.people.c.company)).scalars().all()
        assert known.count("acme hotels") == 901
        assert ledger.owners(Person("nobody", "x", "acme hotels", known=True)) == {"crm"}


def identified(repository: Repository, inquiry_id: str, contact: Contact) -> Person | None:
    with repository.database.write() as connection:
        ledger = Ledger(repository.database, connection, inquiry_id)
        ledger.exclusive()
        return ledger.identify(contact)


def test_whoever_turns_out_to_be_one_is_merged(any_repository: Repository) -> None:
    crm = desk(any_repository)
    ids = [crm.qualified(name).id for name in "abc"]
    by_phone = identified(any_repository, ids[0], Contact(phone="+16145550142"))
    by_mail = identified(any_repository, ids[1], Contact(email="ann@example.org"))
    assert by_phone is not None
    assert by_mail is not None
    assert by_phone.id != by_mail.id
    both = identified(
        any_repository, ids[2], Contact(phone="+16145550142", email="ann@example.org")
    )
    assert both is not None
    assert (both.id, both.known) == (by_phone.id, True)
    assert any_repository.people.inquiries(both.id) == sorted(ids)


def test_a_number_that_two_share_does_not_make_them_one(repository: Repository) -> None:
    crm = desk(repository)
    ids = [crm.qualified(name).id for name in "abcd"]
    line = "+16145550142"
    ann = identified(repository, ids[0], Contact(phone=line, name="Ann Example"))
    bob = identified(repository, ids[1], Contact(phone=line, name="Bob Miller"))
    again = identified(repository, ids[2], Contact(phone=line, name="Bob  miller"))
    assert ann is not None
    assert bob is not None
    assert again is not None
    assert ann.id != bob.id
    assert again.id == bob.id
    nobody = identified(repository, ids[3], Contact())
    assert nobody is None


def test_a_name_at_a_company_is_a_person(repository: Repository) -> None:
    crm = desk(repository)
    ids = [crm.qualified(name).id for name in "abc"]
    ann = identified(repository, ids[0], Contact(name="Ann Example", company="acme hotels"))
    same = identified(repository, ids[1], Contact(name="ann example", company="acme hotels"))
    other = identified(repository, ids[2], Contact(name="Bob", company="acme hotels"))
    assert ann is not None
    assert same is not None
    assert other is not None
    assert ann.id == same.id != other.id


@pytest.mark.parametrize("name", ["Acme Hotels, Inc.", "ACME HOTELS LLC", "Acme Hotels"])
def test_a_company_is_known_whatever_its_legal_form(name: str) -> None:
    assert company_key(name) == "acme hotels"


def test_whoever_sent_a_lead_before_is_not_filed_unseen(any_repository: Repository) -> None:
    crm = desk(any_repository)
    first = crm.settled("a lead")
    spam = crm.settled("what looks like spam", "spam")
    decision = any_repository.archive.decision(spam)
    assert decision is not None
    assert decision.outcome == Outcome.REVIEW
    assert f"wrote before (the lead {first} of 2026-03-01): not filed unseen" in decision.reason
    # Nobody else, and not because of a lead that was none.
    other = crm.settled("spam of others", "spam", sender=Party("Bob", "bob@elsewhere.example"))
    crm.corrections.relabel(first, "spam")
    later = crm.settled("more spam", "spam")
    for name in (other, later):
        found = any_repository.archive.decision(name)
        assert found is not None
        assert found.outcome == Outcome.FILE
    assert crm.settled("support", "support")
