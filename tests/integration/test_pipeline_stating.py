"""A person says which signal some words are: score, grade and destinations follow, and back."""

from __future__ import annotations

import pytest

from tests.support import stored
from tests.support.leads import Desk, data, desk
from triage.errors import Usage
from triage.pipeline.corrections import Corrections
from triage.pipeline.stating import Facts, not_stated, state, taken_back
from triage.rules.rulebook import Rulebook
from triage.signals.stated import Words
from triage.store.repository import Repository
from triage.store.statements import CORRECTED, Statement

TEXT = (
    "Hello 👋, our hotel wants new rooftop units. We could go to 90 grand, all in. Our night desk "
    "is on 614 555 0177, Maria Lopez, the boss, on 614 555 0199.\n\nBest, Ann"
)


def words(quote: str, field: str = "text", text: str = TEXT) -> Words:
    start = text.index(quote)
    return Words(field, start, start + len(quote), quote)


def rulebook(crm: Desk) -> Rulebook:
    return Rulebook(crm.settings.rules, crm.settings.business)


def said(crm: Desk, inquiry_id: str, name: str, quote: str = "", value: str = "") -> None:
    chosen = words(quote) if quote else None
    crm.corrections.restate(
        inquiry_id, state(crm.settings, name, "Dana", chosen, value), lambda: rulebook(crm)
    )


def test_a_signal_that_a_person_states_reaches_whoever_knows_the_lead(
    any_repository: Repository,
) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one", text=TEXT)
    before = any_repository.archive.qualification(lead)
    assert before is not None
    assert "contact_name" not in before.signals or before.signals["contact_name"].value != "Maria"
    said(crm, lead, "contact_name", "Maria Lopez")
    said(crm, lead, "phone", "614 555 0199")
    after = any_repository.archive.qualification(lead)
    assert after is not None
    assert after.signals["contact_name"].value == "Maria Lopez"
    assert after.signals["phone"].normalized == "+16145550199"
    (evidence,) = after.signals["phone"].evidence
    assert TEXT[evidence.start : evidence.end] == evidence.quote == "614 555 0199"
    assert sum(part.points for part in after.parts) == after.score
    events = crm.events(lead)
    assert [event.event for event in events] == ["lead.qualified"] + ["lead.updated"] * 2
    assert data(events[-1])["signals"]["phone"]["normalized"] == "+16145550199"
    assert {event.refers_to for event in events[1:]} == {events[0].id}


def test_not_stated_lowers_the_score_and_taking_it_back_restores_it(
    any_repository: Repository,
) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one")
    before = any_repository.archive.qualification(lead)
    assert before is not None
    budget = before.signals["budget"]
    crm.corrections.restate(lead, not_stated("budget", "Dana"), lambda: rulebook(crm))
    without = any_repository.archive.qualification(lead)
    assert without is not None
    assert "budget" not in without.signals
    assert without.score < before.score
    crm.corrections.restate(lead, taken_back("budget", "Bob"), lambda: rulebook(crm))
    again = any_repository.archive.qualification(lead)
    assert again is not None
    assert (again.signals["budget"], again.score) == (budget, before.score)
    with pytest.raises(Usage, match="nobody said anything about budget"):
        crm.corrections.restate(lead, taken_back("budget", "Bob"), lambda: rulebook(crm))
    rows = any_repository.statements.of(lead)
    assert [(row.by, row.previous, row.undoes) for row in rows] == [
        ("Dana", budget.value, None), ("Bob", "", rows[0].id)
    ]  # fmt: skip
    told = [one.detail for one in any_repository.archive.history(lead) if one.event == CORRECTED]
    assert [(one["from"], one["to"], one["by"]) for one in told] == [
        (budget.value, "not stated", "Dana"), ("not stated", "taken back", "Bob")
    ]  # fmt: skip
    assert crm.types(lead) == ["lead.qualified", "lead.updated", "lead.updated"]


def test_a_corrected_value_keeps_its_evidence(any_repository: Repository) -> None:
    crm = desk(any_repository)
    lead = crm.settled("one")
    before = any_repository.archive.qualification(lead)
    assert before is not None
    said(crm, lead, "budget", value="€ 85,000")
    after = any_repository.archive.qualification(lead)
    assert after is not None
    assert after.signals["budget"].normalized == "EUR 85000"
    assert after.signals["budget"].evidence == before.signals["budget"].evidence
    with pytest.raises(Usage, match="one of yes, no"):
        said(crm, lead, "decision_maker", value="perhaps")
    with pytest.raises(Usage, match="email: there is none"):
        said(crm, lead, "email", value="none given")
    with pytest.raises(Usage, match="company size: select the words"):
        said(crm, lead, "company_size", value="40")


def test_what_is_said_of_a_mail_that_is_no_lead_counts_when_it_becomes_one(
    any_repository: Repository,
) -> None:
    crm = desk(any_repository)
    junk = crm.settled("junk", "spam", text=TEXT)
    say = state(crm.settings, "contact_name", "Dana", words("Maria Lopez"))
    assert crm.corrections.restate(junk, say, lambda: rulebook(crm)) is None
    assert crm.types(junk) == []
    crm.corrections.relabel(junk, "lead", by="Dana")
    found = any_repository.archive.qualification(junk)
    assert found is not None
    assert found.signals["contact_name"].value == "Maria Lopez"
    crm.corrections.renew(junk, rulebook(crm))  # a new look does not lose it either
    renewed = any_repository.archive.qualification(junk)
    assert renewed is not None
    assert renewed.signals["contact_name"] == found.signals["contact_name"]


def test_what_is_said_while_the_tagger_reads_counts(any_repository: Repository) -> None:
    """Somebody calls it a lead; before that is written another person states a signal."""
    crm = desk(any_repository)
    junk = crm.settled("junk", "spam", text=TEXT)
    say = state(crm.settings, "contact_name", "Dana", words("Maria Lopez"))

    def read() -> None:
        if not any_repository.statements.of(junk):
            assert crm.corrections.restate(junk, say, lambda: rulebook(crm)) is None

    Corrections(crm.settings, any_repository, read).relabel(junk, "lead", by="Bob")
    assert name_of(crm, junk) == "Maria Lopez"


def test_what_is_said_as_it_becomes_a_lead_is_told(any_repository: Repository) -> None:
    crm = desk(any_repository)
    junk = crm.settled("junk", "spam", text=TEXT)
    say = state(crm.settings, "contact_name", "Dana", words("Maria Lopez"))

    def slow(facts: Facts) -> Statement:
        if crm.types() == []:
            crm.corrections.relabel(junk, "lead", by="Bob")
        return say(facts)

    assert crm.corrections.restate(junk, slow, lambda: rulebook(crm)) is not None
    assert name_of(crm, junk) == "Maria Lopez"
    assert crm.types() == ["lead.qualified", "lead.updated"]


def name_of(crm: Desk, inquiry_id: str) -> str | None:
    found = crm.repository.archive.qualification(inquiry_id)
    return found.signals["contact_name"].value if found else None


def test_words_that_moved_are_found_and_words_that_are_gone_are_not(
    repository: Repository,
) -> None:
    crm = desk(repository)
    lead = crm.settled("one", text=TEXT)
    start = TEXT.index("Maria Lopez")
    near = Words("text", start - 9, start + 2, "Maria Lopez")
    crm.corrections.restate(
        lead, state(crm.settings, "contact_name", "Dana", near), lambda: rulebook(crm)
    )
    found = repository.archive.qualification(lead)
    assert found is not None
    assert found.signals["contact_name"].evidence[0].start == start
    for gone in (Words("text", 5, 9, "nothing of the sort"), Words("text", 900, 950)):
        with pytest.raises(Usage, match="not in the inquiry any more"):
            crm.corrections.restate(
                lead, state(crm.settings, "company", "Dana", gone), lambda: rulebook(crm)
            )
    with pytest.raises(Usage, match="no words of 'headers'"):
        crm.corrections.restate(
            lead, state(crm.settings, "company", "Dana", Words("headers", 0, 3)),
            lambda: rulebook(crm),
        )  # fmt: skip
    open_one = stored.received(repository, "open")
    with pytest.raises(Usage):
        said(crm, open_one.id, "company", "Maria Lopez")
