"""A call that is passed on is one call: its legs in order, one lead, which no leg takes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from classifiers.labels import Label
from classifiers.model import Classifier
from classifiers.verdict import Example, Verdict
from tests.support import stored
from tests.support.leads import WELL_STATED, Desk, data, desk
from triage.pipeline.label_errors import LabelErrors
from triage.pipeline.remembering import Remembering
from triage.pipeline.rescoring import Rescoring
from triage.rules.rulebook import Rulebook
from triage.settings import Calls
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Call, Outcome, Segment, Stage, Transcript

BEGAN = stored.ARRIVED


@dataclass
class Labels:
    """Gives labels in turn, and keeps what it was asked to read."""

    labels: list[Label]
    read: list[str] = field(default_factory=list)

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        self.read += [example.text for example in examples]
        return [stored.verdict(self.labels.pop(0), 0.97) for _ in examples]


def heard(text: str) -> Transcript:
    return Transcript((Segment(0.0, 9.0, "caller", text, 0.9),), "en", "test", "base", 9.0)


def parsed(repository: Repository, name: str, group: str, minutes: int, caller: str = "") -> Work:
    work = stored.received(repository, name, channel="call")
    inquiry = replace(
        stored.inquiry(work),
        channel="call",
        sender=replace(stored.inquiry(work).sender, name="", email="", phone=caller),
        text="",
        subject="",
        call=Call(id=name, group=group, started_at=BEGAN + timedelta(minutes=minutes)),
    )
    assert repository.worklist.parsed(work, inquiry)
    return stored.current(repository, work.id)


def settled(crm: Desk, work: Work, text: str, labels: Labels) -> str:
    repository = crm.repository
    assert repository.worklist.transcribed(work, heard(text))
    steps = replace(crm.steps, classifier=lambda: cast("Classifier", labels))
    for step in (lambda w: steps.classify([w]), steps.qualify, steps.settle):
        cast("Any", step)(stored.current(repository, work.id))
    assert stored.current(repository, work.id).stage is Stage.SETTLED
    return work.id


def test_later_legs_are_read_with_earlier_ones_and_are_news_of_one_lead(
    any_repository: Repository,
) -> None:
    crm = desk(any_repository, window=0)
    labels = Labels(["lead", "lead", "irrelevant"])
    first = settled(crm, parsed(any_repository, "a", "g1", 0), WELL_STATED, labels)
    second = settled(crm, parsed(any_repository, "b", "g1", 3), "By May, please.", labels)
    third = settled(crm, parsed(any_repository, "c", "g1", 9), "Thank you, goodbye.", labels)
    assert labels.read[1].startswith(f"Caller: {WELL_STATED}")
    assert labels.read[1].endswith("\nCaller: By May, please.")
    assert crm.types() == ["lead.qualified", "lead.updated"]
    opened, news = crm.events()
    assert (opened.inquiry_id, news.inquiry_id) == (first, second)
    assert data(news)["refers_to"] == opened.id
    last = any_repository.archive.decision(third)
    assert last is not None
    assert last.outcome is Outcome.FILE
    for leg in (first, second, third):
        members = any_repository.threads.of(leg)
        assert [member.inquiry_id for member in members] == [first, second, third]
    events = [entry.event for entry in any_repository.archive.history(first)]
    assert events.count("another leg") == 2


def test_whoever_reads_a_leg_again_reads_the_earlier_ones_too(repository: Repository) -> None:
    """A new look, what is remembered, and the look for wrong labels."""
    crm = desk(repository)
    labels = Labels(["irrelevant", "irrelevant", "support"])
    settled(crm, parsed(repository, "a", "g1", 0), "I will put you through.", labels)
    second = settled(crm, parsed(repository, "b", "g1", 1), "By May, please.", labels)
    whole = "Caller: I will put you through.\nCaller: By May, please."
    model, rules = cast("Any", labels), Rulebook(crm.settings.rules, crm.settings.business)
    rescoring = Rescoring(crm.settings, repository, lambda: model, lambda: None, rules)
    assert [found.id for found in rescoring.run([second], dry_run=True)] == [second]
    assert labels.read[1:] == [whole, whole]
    remembered = Remembering(crm.settings, repository)._example(second)
    assert remembered is not None
    assert remembered.text == whole
    crm.corrections.relabel(second, "personal", by="Dana")
    (word,) = repository.doubts.words()
    item = LabelErrors(crm.corrections)._item(word)
    assert item is not None
    assert item.example.text == whole


def test_a_new_look_knows_what_the_settings_say_of_calls(repository: Repository) -> None:
    """A call that nobody may transcribe was filed, as it is to be."""
    calls = Calls(without_consent="file")
    crm = desk(repository)
    crm = replace(crm, settings=crm.settings.model_copy(update={"calls": calls}))
    work = stored.received(repository, "a", channel="call")
    call = Call(id="a", withheld="no-consent")
    inquiry = replace(stored.inquiry(work), channel="call", text="", subject="", call=call)
    assert repository.worklist.parsed(work, inquiry)
    labels = Labels(["irrelevant", "irrelevant"])
    steps = replace(crm.steps, classifier=lambda: cast("Classifier", labels))
    for step in (steps.transcribe, lambda w: steps.classify([w]), steps.qualify, steps.settle):
        cast("Any", step)(stored.current(repository, work.id))
    decision = repository.archive.decision(work.id)
    assert decision is not None
    assert decision.outcome is Outcome.FILE
    model, rules = cast("Any", labels), Rulebook(crm.settings.rules, crm.settings.business)
    rescoring = Rescoring(crm.settings, repository, lambda: model, lambda: None, rules)
    assert list(rescoring.run([work.id], dry_run=True)) == []


def test_a_lead_in_a_later_leg_is_a_lead(repository: Repository) -> None:
    crm = desk(repository)
    labels = Labels(["irrelevant", "lead"])
    settled(crm, parsed(repository, "a", "g1", 0), "I will put you through.", labels)
    second = settled(crm, parsed(repository, "b", "g1", 1), WELL_STATED, labels)
    assert [event.inquiry_id for event in crm.events()] == [second]


def test_legs_are_in_order_of_their_beginning_whichever_came_first(repository: Repository) -> None:
    later = parsed(repository, "b", "g1", 5)
    earlier = parsed(repository, "a", "g1", 0)
    members = repository.threads.of(later.id)
    assert [member.inquiry_id for member in members] == [earlier.id, later.id]


def test_other_calls_stay_apart(repository: Repository) -> None:
    crm = desk(repository, window=0)
    labels = Labels(["lead", "lead", "lead"])
    settled(crm, parsed(repository, "a", "g1", 0), WELL_STATED, labels)
    settled(crm, parsed(repository, "b", "g2", 1), "We need two units.", labels)
    # The id of a call long ago, given out again by a telephone system that began anew.
    settled(crm, parsed(repository, "c", "g1", 13 * 60), "We need three units.", labels)
    assert labels.read[1:] == ["Caller: We need two units.", "Caller: We need three units."]
    assert crm.types() == ["lead.qualified"] * 3
