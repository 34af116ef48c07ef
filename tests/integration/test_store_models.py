"""Models, switches and trainings in the store, and what counts as confirmed; on each database."""

from __future__ import annotations

import threading
from typing import cast

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from tests.support.confirmed import Mail, put
from triage.pipeline.corrections import Corrections
from triage.settings import Settings
from triage.store import records, tables
from triage.store.audit import Actor
from triage.store.models import Model, State, Switch
from triage.store.repository import Repository
from triage.store.reviews import Item

ANN = Actor("usr_ann", "ann")
SETTINGS = Settings()


def model(name: str, state: State = "candidate") -> Model:
    return Model(name, records.now(), "trained", "0" * 64, None, state)


def states(repository: Repository) -> dict[str, str]:
    return {each.name_version: each.state for each in repository.models.known()}


def test_what_decided_before_stays_retired_however_it_is_measured(
    any_repository: Repository,
) -> None:
    models = any_repository.models
    for name, state in (("first@1", "active"), ("second@1", "candidate"), ("third@1", "candidate")):
        assert models.add(model(name, cast("State", state)))
    assert models.decided() == frozenset()
    assert models.switched(0, "first@1", "second@1", "promoted", ANN)
    for name in ("first@1", "second@1", "third@1"):
        models.measured(name, "refused", {"passed": False})
    assert states(any_repository) == {
        "first@1": "retired",
        "second@1": "active",
        "third@1": "refused",
    }
    assert models.decided() == {"first@1", "second@1"}


def test_of_two_switches_at_once_one_is_made(any_repository: Repository) -> None:
    models = any_repository.models
    for name in ("first@1", "second@1", "third@1"):
        assert models.add(model(name, "active" if name == "first@1" else "candidate"))
    assert not models.add(model("first@1"))
    found: list[Switch | None] = []
    ready = threading.Barrier(2)

    def switch(to: str) -> None:
        ready.wait()
        found.append(models.switched(0, "first@1", to, "promoted", ANN, "a note"))

    threads = [threading.Thread(target=switch, args=[to]) for to in ("second@1", "third@1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made,) = [each for each in found if each is not None]
    assert models.switches() == [made]
    assert (made.from_, made.by, made.note) == ("first@1", "ann", "a note")
    other = {"second@1", "third@1"} - {made.to}
    assert states(any_repository) == {
        "first@1": "retired",
        made.to: "active",
        other.pop(): "candidate",
    }
    (entry,) = any_repository.audit.listed()
    assert (entry.action, entry.subject, entry.user_id) == ("model promoted", made.to, "usr_ann")
    assert entry.detail["from"] == "first@1"


def test_a_switch_is_never_changed_or_removed(any_repository: Repository) -> None:
    any_repository.models.add(model("first@1"))
    any_repository.models.switched(0, "first@1", "first@1", "forced", ANN)
    table = tables.model_switches
    for change in (delete(table), update(table).values(by="nobody")):
        with pytest.raises(DatabaseError), any_repository.database.write() as connection:
            connection.execute(change)
    assert any_repository.models.switches()[0].by == "ann"


def test_the_settings_choose_the_model_until_the_first_switch(any_repository: Repository) -> None:
    models = any_repository.models
    models.settled_first(model("old@1", "active"))
    models.settled_first(model("new@1", "active"))
    assert states(any_repository) == {"old@1": "retired", "new@1": "active"}
    models.settled_first(model("newest@1", "candidate"))
    assert states(any_repository)["new@1"] == "active"


def test_a_training_ends_once(any_repository: Repository) -> None:
    trainings = any_repository.trainings
    trainings.begin("trn_1", ANN)
    assert trainings.is_open()
    assert trainings.going("trn_1", progress={"phase": "training", "share": 0.5})
    found = trainings.get("trn_1")
    assert found is not None
    assert (found.state, found.progress["share"], found.by) == ("running", 0.5, "ann")
    assert trainings.cancelled("trn_1", ANN)
    assert not trainings.cancelled("trn_1", ANN)
    assert not trainings.going("trn_1", progress={"share": 0.6})
    assert not trainings.ended("trn_1", "done")
    trainings.begin("trn_2", ANN)
    trainings.abandoned("gone")
    assert [(each.id, each.state) for each in trainings.listed()] == [
        ("trn_2", "failed"),
        ("trn_1", "cancelled"),
    ]
    assert [each.action for each in any_repository.audit.listed()] == [
        "training started",
        "training cancelled",
        "training started",
    ]


def said(repository: Repository) -> dict[str, tuple[str, str]]:
    return {each.inquiry_id: (each.label, each.by) for each in repository.confirmations.all()}


def test_only_a_persons_standing_word_is_confirmed(any_repository: Repository) -> None:
    """Nobody said anything, somebody did, somebody else did later, and who spoke took it back."""
    mails = [Mail(f"text {n}", label) for n, label in enumerate(["", "lead", "spam", "support"])]
    silent, one, two, undone = put(any_repository, SETTINGS, mails)
    corrections = Corrections(SETTINGS, any_repository)
    corrections.relabel(two, "support", by="ben")
    moment = any_repository.corrections.of(undone)[-1].at
    corrections.restore(undone, moment, by="ann")
    assert said(any_repository) == {one: ("lead", "ann"), two: ("support", "ben")}
    assert silent not in said(any_repository)
    # Whoever takes back what they said of it lets the word before stand, with whose it was.
    moment = any_repository.corrections.of(two)[-1].at
    corrections.restore(two, moment, by="ben")
    assert said(any_repository)[two] == ("spam", "ann")


def test_what_two_reviewers_dispute_is_not_confirmed(any_repository: Repository) -> None:
    (one,) = put(any_repository, SETTINGS, [Mail("text", "spam")])
    seen = {each.inquiry_id: each.settled_at for each in any_repository.settlements.some([one])}
    any_repository.waiting.offer([Item(one, "dispute", 1.0)], seen)
    assert said(any_repository) == {}
    Corrections(SETTINGS, any_repository).relabel(one, "lead", by="cleo")
    assert said(any_repository) == {one: ("lead", "cleo")}


def test_what_is_held_out_stays_so(any_repository: Repository) -> None:
    one, two = put(any_repository, SETTINGS, [Mail("text a", "spam"), Mail("text b", "lead")])
    any_repository.confirmations.hold_out([one])
    any_repository.confirmations.hold_out([one])
    found = {each.inquiry_id: each.held_out for each in any_repository.confirmations.all()}
    assert found == {one: True, two: False}
    assert any_repository.confirmations.settled_last(1) == [two]
