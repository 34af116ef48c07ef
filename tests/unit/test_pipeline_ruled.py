"""Rules before the model: only the block list files a possible lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.labels import LABELS, Label
from triage.pipeline.decide import decide
from triage.pipeline.reading import read
from triage.pipeline.ruled import named, relabelled
from triage.rules.rulebook import Rulebook, RuleName, Ruling
from triage.settings import Business, Calls, DecisionRules, OwnLabel, Rules
from triage.types import (
    Call,
    Inquiry,
    Outcome,
    Party,
    Qualification,
    SourceRef,
    Verdict,
    Withheld,
)

DECISION = DecisionRules(lead_floor=0.2)
RULES: list[RuleName | None] = [
    None, "allow-list", "own-domain", "known-customer", "known-supplier", "block-list",
    "delivery-report", "read-receipt", "abuse-report", "automatic-reply", "prior-contact",
]  # fmt: skip
OUR = Business(domains=("us.example",))
MAIL = Inquiry(
    id="1",
    ref=SourceRef("inbox", "imap", "1"),
    channel="email",
    received_at=datetime.now(UTC),
    sender=Party(email="joe@us.example"),
    subject="Monday",
    text="The meeting is at ten now.\nJoe",
)


def book(**rules: object) -> Rulebook:
    return Rulebook(Rules(**rules), OUR, {"gmail.com"})  # type: ignore[arg-type]


def verdict(label: Label, lead: float = 0.0, *, unsure: bool = False) -> Verdict:
    scores = dict.fromkeys(LABELS, 0.0)
    scores[label] = 1 - lead
    scores["lead"] += lead
    return Verdict(label, scores, margin=0.5, abstained=unsure, model="m@1")


def test_the_block_list_settles_without_the_model() -> None:
    rules = book(block=["rankers.example"], allow=["ann@rankers.example"])
    blocked = replace(MAIL, sender=Party(email="x@rankers.example"), text="")
    reading = read(blocked, None, "", rules.rule(blocked))
    assert reading.settled is not None
    assert reading.settled.model == "rule:block-list@1"
    decision = decide(reading.settled, None, DECISION, reading.doubts, reading.ruling)
    assert decision.outcome is Outcome.FILE
    assert decision.reason == "spam by rule block-list, on the block list (rankers.example)"
    allowed = replace(MAIL, sender=Party(email="ann@rankers.example"))
    assert rules.rule(allowed).rule == "allow-list"


def test_a_blocked_call_is_settled_by_its_number() -> None:
    rules = book(block=["(614) 555-0199"])
    call = replace(MAIL, channel="call", sender=Party(phone="+16145550199"))
    assert rules.rule(call).rule == "block-list"


@pytest.mark.parametrize(
    "change",
    [
        {"forwarded": "From: ann@acme.example\nPlease quote two boilers"},
        {"quoted": "Please quote two boilers"},
        {"subject": "Fwd: boilers"},
        {"subject": "[ext] WG: boilers"},
        {"text": "Name: Ann\nEmail: ann@acme.example\nMessage: two boilers"},
        {"headers": {"reply-to": "Ann <ann@acme.example>"}},
        {"headers": {"auto-submitted": "auto-generated"}},
        {"headers": {"authentication-results": "mx.us.example; spf=pass; dmarc=fail"}},
        {"sender": Party(email="joe@us.example.org")},
        {"sender": Party(name="us.example")},
    ],
)
def test_a_colleague_is_one_only_where_nothing_is_from_outside(change: dict[str, object]) -> None:
    assert book().rule(MAIL).rule == "own-domain"
    assert book().rule(replace(MAIL, headers={"reply-to": "joe@mail.us.example"})).rule
    assert book().rule(replace(MAIL, **change)).rule is None  # type: ignore[arg-type]


def test_a_colleague_has_no_outsiders_label() -> None:
    ruling = book().rule(MAIL)
    said = relabelled(verdict("support", 0.05), ruling, DECISION.lead_floor)
    assert (said.label, said.abstained) == ("internal", False)
    assert said.model == "rule:own-domain@1+m@1"
    assert said.scores["lead"] == pytest.approx(0.05)
    assert sum(said.scores.values()) == pytest.approx(1)
    decision = decide(said, None, DECISION, (), ruling)
    assert decision.outcome is Outcome.FILE
    assert "from a colleague (us.example)" in decision.reason
    for kept in ("personal", "spam", "irrelevant", "lead"):
        assert relabelled(verdict(kept), ruling, DECISION.lead_floor) == verdict(kept)
    for doubtful in (verdict("support", 0.2), verdict("support", unsure=True)):
        assert relabelled(doubtful, ruling, DECISION.lead_floor) == doubtful


@pytest.mark.parametrize(
    ("kind", "label", "outcome"),
    [
        ("customers", "spam", Outcome.REVIEW),
        ("customers", "misdial", Outcome.REVIEW),
        ("customers", "solicitation", Outcome.REVIEW),
        ("customers", "support", Outcome.FILE),
        ("customers", "lead", Outcome.NURTURE),
        ("suppliers", "spam", Outcome.REVIEW),
        ("suppliers", "solicitation", Outcome.FILE),
    ],
)
def test_known_contacts_are_a_hint(
    tmp_path: Path, kind: str, label: Label, outcome: Outcome
) -> None:
    (tmp_path / "crm.csv").write_text("company,email\nAcme,ann@acme.example\n")
    mail = replace(MAIL, sender=Party(email="ann@acme.example"))
    ruling = book(**{kind: [tmp_path / "crm.csv"]}).rule(mail)
    said = relabelled(verdict(label), ruling, DECISION.lead_floor)
    assert said == verdict(label)
    decision = decide(said, None, DECISION, (), ruling)
    assert decision.outcome is outcome
    assert f"known {kind[:-1]} (Acme, crm.csv line 2)" in decision.reason


@given(
    st.sampled_from(LABELS),
    st.lists(st.floats(0.001, 1), min_size=9, max_size=9),
    st.booleans(),
    st.sampled_from(RULES),
    st.floats(0, 1),
)
def test_no_rule_files_a_possible_lead(
    label: Label, weights: list[float], unsure: bool, rule: RuleName | None, floor: float
) -> None:
    shares = [weight / sum(weights) for weight in weights]
    scores = dict(zip(LABELS, shares, strict=True))
    label = max(LABELS, key=lambda name: scores[name])
    before = Verdict(label, scores, margin=0.1, abstained=unsure, model="m@1")
    ruling, decision = Ruling(rule, "because"), DecisionRules(lead_floor=floor)
    after = relabelled(before, ruling, floor)
    assert after.scores["lead"] == before.scores["lead"]
    assert sum(after.scores.values()) == pytest.approx(1)
    if label == "lead" or scores["lead"] >= floor:
        outcome = decide(after, Qualification({}, 0, (), "D"), decision, (), ruling).outcome
        assert outcome is not Outcome.FILE
    if unsure:
        assert decide(after, None, decision, (), ruling).outcome is Outcome.REVIEW


def test_own_labels_rename_and_decide() -> None:
    taxonomy = {
        "wholesale": OwnLabel(base="lead", outcome="forward"),
        "retail": OwnLabel(base="lead"),
        "repairs": OwnLabel(base="support", outcome="review"),
    }
    repair = named(verdict("support"), taxonomy)
    assert repair.own == "repairs"
    decision = decide(repair, None, DECISION, taxonomy=taxonomy)
    assert decision.outcome is Outcome.REVIEW
    assert decision.reason == "repairs (support) at 100%, as taxonomy.repairs says"
    assert named(verdict("lead"), taxonomy).own == ""  # two names: only a trained model can tell
    trade = named(replace(verdict("lead"), own="wholesale"), taxonomy)
    assert decide(trade, None, DECISION, taxonomy=taxonomy).outcome is Outcome.FORWARD
    unsure = replace(trade, abstained=True)
    assert decide(unsure, None, DECISION, taxonomy=taxonomy).outcome is Outcome.REVIEW
    likely = named(verdict("support", 0.3), {"repairs": OwnLabel(base="support", outcome="file")})
    assert decide(likely, None, DECISION, taxonomy=taxonomy).outcome is Outcome.REVIEW
    assert named(replace(verdict("spam"), own="gone"), taxonomy).own == ""


@pytest.mark.parametrize(
    ("withheld", "setting", "label", "outcome"),
    [
        ("no-consent", "review", "irrelevant", Outcome.REVIEW),
        ("no-consent", "file", "irrelevant", Outcome.FILE),
        ("outbound-call", "review", "internal", Outcome.FILE),
        ("internal-call", "review", "internal", Outcome.FILE),
    ],
)
def test_what_nobody_may_transcribe_is_settled_without_the_model(
    withheld: Withheld, setting: str, label: Label, outcome: Outcome
) -> None:
    call = replace(MAIL, channel="call", text="", subject="", call=Call(withheld=withheld))
    ruling = book(allow=["us.example"]).rule(call)
    reading = read(call, None, "", ruling, Calls.model_validate({"without_consent": setting}))
    assert reading.settled is not None
    assert (reading.settled.label, reading.settled.model) == (label, f"rule:{withheld}@1")
    decision = decide(reading.settled, None, DECISION, reading.doubts, reading.ruling)
    assert decision.outcome is outcome
    assert "not transcribed" in decision.reason
