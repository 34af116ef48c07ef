"""A new look at old inquiries: shown first, stored then, and told only where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from classifiers.labels import Label
from classifiers.verdict import Example
from tests.support import stored
from tests.support.leads import Desk, desk
from triage.pipeline.rescoring import TOLD, Rescored, Rescoring
from triage.rules.rulebook import Rulebook
from triage.store.repository import Repository
from triage.types import Party, Verdict

BOB = Party("Bob", "bob@elsewhere.example")


@dataclass
class NewModel:
    """Finds one label in everything."""

    label: Label

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        return [stored.verdict(self.label, 0.97) for _ in examples]


def look(crm: Desk, label: Label, *ids: str, **how: bool) -> list[Rescored]:
    """Look again with a model that finds this label."""
    model = cast("Any", NewModel(label))
    rules = Rulebook(crm.settings.rules, crm.settings.business)
    rescoring = Rescoring(crm.settings, crm.repository, lambda: model, lambda: None, rules)
    return list(rescoring.run(ids, **how))


def test_a_new_lead_is_held_unless_it_is_to_be_forwarded(any_repository: Repository) -> None:
    crm = desk(any_repository)
    missed, other = crm.settled("one", "support"), crm.settled("two", "support", sender=BOB)
    (planned, _) = look(crm, "lead", missed, other, dry_run=True)
    assert (planned.before.label, planned.after.label) == ("support", "lead")
    assert (planned.before.outcome, planned.after.outcome) == ("file", "review")
    verdict = any_repository.archive.verdict(missed)
    assert verdict is not None
    assert verdict.label == "support"
    assert look(crm, "lead", missed) == [planned]
    assert look(crm, "lead", missed) == []
    assert crm.events() == []
    assert any_repository.archive.held_leads() == {"inbox": 1}
    (row,) = look(crm, "lead", other, forward=True)
    assert row.events == ("lead.qualified to crm",)
    rules = Rulebook(crm.settings.rules, crm.settings.business)
    crm.corrections.release(missed, rules)
    # Both gave one number: to the destination this is news of the person's lead.
    assert crm.types() == ["lead.qualified", "lead.updated"]


def test_what_destinations_know_is_not_changed_behind_their_backs(repository: Repository) -> None:
    crm = desk(repository)
    lead = crm.settled("one")
    (row,) = look(crm, "spam", lead)
    assert row.note == TOLD
    assert stored.current(repository, lead).held == ""
    assert crm.types() == ["lead.qualified"]
    (row,) = look(crm, "spam", lead, forward=True)
    assert row.events == ("lead.retracted to crm",)


def test_what_a_person_said_stands(repository: Repository) -> None:
    crm = desk(repository)
    inquiry = crm.settled("one", "support")
    crm.corrections.relabel(inquiry, "spam", by="Dana")
    assert look(crm, "lead", inquiry, forward=True) == []
    assert crm.events() == []
