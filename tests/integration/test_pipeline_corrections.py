"""A correction acts: it retracts, forwards, or is noted, and never tells anybody twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.leads import Desk, data, desk
from triage.delivery.client import HttpClient
from triage.delivery.webhook import new_secret
from triage.demo.endpoint import Endpoint
from triage.errors import Usage
from triage.pipeline.corrections import Corrections
from triage.pipeline.dispatch import Dispatch
from triage.rules.rulebook import Rulebook
from triage.settings import Destination, Filter, OwnLabel
from triage.store.repository import Repository
from triage.types import DeliveryState, Outcome, Party


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def delivered(crm: Desk, client: HttpClient) -> None:
    """Send all that is due, in the order of the outbox."""
    outbox = crm.repository.outbox
    dispatch = Dispatch(crm.settings, crm.repository, client)
    while due := outbox.due("crm", 10):
        for delivery in due:
            tried = dispatch.attempt(delivery)
            assert tried is not None
            assert tried.settlement.state is DeliveryState.ACCEPTED
            dispatch.store([tried])


def test_relabelling_reaches_the_endpoint_with_new_ids_that_refer_to_the_first(
    repository: Repository, tmp_path: Path, client: HttpClient
) -> None:
    secret = new_secret()
    with Endpoint(secret, tmp_path / "ledger.jsonl") as endpoint:
        target = Destination(name="crm", url=endpoint.url, secret=secret, allow_private=True)
        crm = desk(repository, target)
        lead, junk = crm.settled("a lead"), crm.settled("junk", "spam", sender=Party("Bob"))
        delivered(crm, client)
        ((first_id, first),) = endpoint.accepted.items()
        assert (first["type"], first["data"]["inquiry_id"]) == ("lead.qualified", lead)

        crm.corrections.relabel(lead, "spam", by="Dana", note="asked us for nothing")
        delivered(crm, client)
        retraction_id, retraction = list(endpoint.accepted.items())[1]
        assert retraction["type"] == "lead.retracted"
        assert retraction_id != first_id
        assert retraction["data"]["refers_to"] == first_id
        assert retraction["data"]["inquiry_id"] == lead
        assert retraction["data"]["corrected_by"] == "Dana"
        assert retraction["data"]["label"] == "spam"
        assert retraction["data"]["previous_label"] == "lead"

        crm.corrections.relabel(junk, "lead", by="Dana")
        delivered(crm, client)
        found = list(endpoint.accepted.values())[2]
        assert (found["type"], found["data"]["inquiry_id"]) == ("lead.qualified", junk)
        assert found["data"]["score"] is not None
        assert found["data"]["signals"]["phone"]["normalized"] == "+16145550142"
        assert len(endpoint.accepted) == 3
        assert not endpoint.refused


def test_there_and_back_again_is_three_events_with_three_ids(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one")
    for label in ("spam", "lead", "support"):
        crm.corrections.relabel(lead, label)
    assert crm.types() == ["lead.qualified", "lead.retracted", "lead.qualified", "lead.retracted"]
    first, gone, again, gone_again = crm.events()
    assert len({event.id for event in crm.events()}) == 4
    assert (data(gone)["refers_to"], data(gone_again)["refers_to"]) == (first.id, again.id)
    assert [gone.refers_to, gone_again.refers_to] == [first.id, again.id]


def test_a_correction_is_never_refused_and_never_told_twice(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one")
    for by in ("Ann", "Bob", "Ann"):
        crm.corrections.relabel(lead, "spam", by=by)
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    said = any_repository.corrections.of(lead)
    assert [(entry.by, entry.previous, entry.label) for entry in said] == [
        ("Ann", "lead", "spam"),
        ("Bob", "spam", "spam"),
        ("Ann", "spam", "spam"),
    ]
    crm.corrections.relabel(lead, "lead")
    crm.corrections.relabel(lead, "lead")
    assert crm.types() == ["lead.qualified", "lead.retracted", "lead.qualified"]


def test_who_corrects_at_the_same_moment_is_told_apart(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one")
    threads = [
        threading.Thread(target=crm.corrections.relabel, args=(lead, label))
        for label in ("spam", "support", "spam", "misdial")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    assert len(any_repository.corrections.of(lead)) == 4


def test_a_persons_word_counts_more_than_the_score(repository: Repository) -> None:
    crm = desk(repository)
    poor = crm.settled("poor", "spam", text="hello there", sender=Party("Bob"))
    corrected = crm.corrections.relabel(poor, "lead", by="Dana")
    assert corrected.decision.outcome is Outcome.FORWARD
    assert "said by Dana" in corrected.decision.reason
    assert [event.event for event in corrected.events] == ["lead.qualified"]


def test_a_correction_overtakes_the_worker(repository: Repository) -> None:
    crm = desk(repository)
    work = crm.qualified("one")
    crm.corrections.relabel(work.id, "spam")
    crm.steps.settle(work)  # it read the inquiry before the correction
    assert crm.types() == []
    decision = repository.archive.decision(work.id)
    assert decision is not None
    assert decision.outcome == "file"


def test_own_labels_decide_as_the_settings_say(repository: Repository) -> None:
    tenant = OwnLabel(base="lead", outcome="nurture")
    taxonomy = {"tenant": tenant, "bill": OwnLabel(base="support")}
    crm = desk(repository, taxonomy=taxonomy)
    lead = crm.settled("one")
    assert crm.corrections.relabel(lead, "tenant").decision.outcome is Outcome.NURTURE
    crm.corrections.relabel(lead, "bill")
    assert crm.types() == ["lead.qualified", "lead.updated", "lead.retracted"]
    assert data(crm.events()[1])["changes"][:2] == ["own_label", "outcome"]


def test_what_cannot_be_corrected_says_why(repository: Repository) -> None:
    crm = desk(repository)
    lead = crm.settled("one")
    with pytest.raises(Usage, match="no label 'leads'; choose one of lead, support"):
        crm.corrections.relabel(lead, "leads")
    with pytest.raises(Usage, match="no inquiry inq_0"):
        crm.corrections.relabel("inq_0", "lead")


def test_a_lead_that_nobody_takes_is_looked_at(repository: Repository) -> None:
    target = Destination(name="crm", url="http://127.0.0.1:1/", filter=Filter(channels=("call",)))
    crm = desk(repository, target)
    lead = crm.settled("one")
    decision = repository.archive.decision(lead)
    assert decision is not None
    assert decision.outcome == "review"
    assert "no destination's filter takes it" in decision.reason
    assert crm.corrections.relabel(lead, "lead").decision.outcome is Outcome.REVIEW


def test_a_better_look_is_an_update_and_the_same_look_is_nothing(repository: Repository) -> None:
    crm = desk(repository)
    lead = crm.settled("one")
    assert crm.corrections.renew(lead, crm.steps.rulebook).events == ()
    other = desk(repository, ideal_customer={"products": ["rooftop units"], "min_budget": 500_000})
    (update,) = other.corrections.renew(lead, crm.steps.rulebook).events
    assert update.event == "lead.updated"
    told = data(update)
    assert told["cause"] == "signals"
    assert "score" in told["changes"]
    assert told["refers_to"] == crm.events()[0].id


def test_classified_is_told_to_those_who_asked_and_again_when_corrected(
    repository: Repository,
) -> None:
    every = Destination(name="all", url="http://127.0.0.1:1/", events=("inquiry.classified",))
    crm = desk(repository, every)
    junk = crm.settled("junk", "spam")
    crm.corrections.relabel(junk, "support")
    crm.corrections.relabel(junk, "support")
    assert crm.types() == ["inquiry.classified"] * 2
    assert [data(event)["label"] for event in crm.events()] == ["spam", "support"]
    assert all("text" not in json.loads(event.body)["data"] for event in crm.events())


def test_nothing_is_known_of_a_mistake(repository: Repository) -> None:
    """What is stored follows the correction: lists, the last verdict, the history."""
    crm = desk(repository)
    lead = crm.settled("one")
    crm.corrections.relabel(lead, "spam", by="Dana")
    (row,) = repository.archive.listed()
    assert (row.label, row.outcome, row.score) == ("spam", "file", None)
    verdict = repository.archive.verdict(lead)
    assert verdict is not None
    assert verdict.model == "person:Dana"
    assert "corrected" in [entry.event for entry in repository.archive.history(lead)]


def test_a_second_look_does_not_undo_what_a_person_says_meanwhile(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = desk(repository, Destination(name="crm", url="http://127.0.0.1:1/"))
    lead = crm.settled("a lead")
    look = Corrections._qualified
    said: list[str] = []

    def interrupted(self: Corrections, *found: Any) -> Any:
        if not said:
            said.append("spam")
            crm.corrections.relabel(lead, "spam", by="Dana")
        return look(self, *found)

    monkeypatch.setattr(Corrections, "_qualified", interrupted)
    renewed = crm.corrections.renew(lead, Rulebook(crm.settings.rules, crm.settings.business))
    assert renewed.decision.outcome is Outcome.FILE
    assert [event.event for event in crm.events(lead)] == ["lead.qualified", "lead.retracted"]
