"""An answer in the conversation of a lead is news of that lead, whoever its owner is."""

from __future__ import annotations

from datetime import timedelta

from tests.support.leads import data, desk
from triage.store.repository import Repository
from triage.types import Party

ANN = Party("Ann Example", "ann@example.org")
FIRST = ("<first@example.org>",)
ANSWER = ("<first@example.org>", "<second@example.org>")


def test_an_answer_that_is_no_lead_by_itself_reaches_the_owner(any_repository: Repository) -> None:
    crm = desk(any_repository)
    crm.settled("one", sender=ANN, thread=FIRST)
    answer = crm.settled("two", "irrelevant", text="Yes, Tuesday works.", sender=ANN, thread=ANSWER)
    assert crm.types() == ["lead.qualified", "lead.updated"]
    opened, news = crm.events()
    assert news.inquiry_id == answer
    assert data(news)["refers_to"] == opened.id
    assert (data(news)["cause"], data(news)["changes"]) == ("reply", ["reply"])
    assert data(news)["text"] == "Yes, Tuesday works."


def test_it_is_told_once_however_often_it_is_decided(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one", sender=ANN, thread=FIRST)
    answer = crm.settled("two", "support", text="Yes.", sender=ANN, thread=ANSWER)
    crm.corrections.relabel(answer, "irrelevant")
    assert crm.types() == ["lead.qualified", "lead.updated"]


def test_spam_and_colleagues_are_no_news(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one", sender=ANN, thread=FIRST)
    crm.settled("two", "spam", text="Cheap watches", sender=ANN, thread=ANSWER)
    own = Party("Sales", "sales@brightwater.example")
    crm.settled("three", "internal", text="I called her.", sender=own, thread=ANSWER)
    assert crm.types() == ["lead.qualified"]


def test_a_stranger_with_the_right_id_is_no_news(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one", sender=ANN, thread=FIRST)
    eve = Party("Eve", "eve@evil.example")
    crm.settled("two", "irrelevant", text="Send it to me.", sender=eve, thread=ANSWER)
    assert crm.types() == ["lead.qualified"]


def test_a_lead_in_the_conversation_is_no_second_one(repository: Repository) -> None:
    crm = desk(repository, window=timedelta(seconds=1).total_seconds())
    crm.settled("one", sender=ANN, thread=FIRST)
    colleague = Party("Carl", "ann@example.org")
    crm.settled("two", sender=colleague, thread=ANSWER)
    assert crm.types() == ["lead.qualified", "lead.updated"]
    assert data(crm.events()[1])["cause"] == "reply"


def test_without_a_lead_there_is_no_news(repository: Repository) -> None:
    crm = desk(repository)
    crm.settled("one", "support", text="It hums.", sender=ANN, thread=FIRST)
    crm.settled("two", "irrelevant", text="Thank you.", sender=ANN, thread=ANSWER)
    assert crm.types() == []
