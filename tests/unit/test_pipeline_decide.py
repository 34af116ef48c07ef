"""From verdicts to outcomes: nothing likely is filed unseen, nothing doubtful forwarded unseen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.labels import LABELS, Label
from triage.pipeline.decide import decide, held_back, may_be_lead
from triage.pipeline.reading import read
from triage.settings import DecisionRules
from triage.types import (
    Decision,
    Inquiry,
    Outcome,
    Qualification,
    ScorePart,
    SourceRef,
    Transcript,
    Verdict,
)

RULES = DecisionRules(forward_score=30, lead_floor=0.2)


def verdict(label: Label, confidence: float, *, lead: float = 0.0, unsure: bool = False) -> Verdict:
    scores = dict.fromkeys(LABELS, 0.0)
    scores["lead"] = lead
    scores[label] = confidence
    return Verdict(label, scores, margin=confidence, abstained=unsure, model="m@1")


def worth(score: int) -> Qualification:
    return Qualification({}, score, (ScorePart("base", score, "because"),), "B")


@pytest.mark.parametrize(
    ("said", "score", "outcome"),
    [
        (verdict("lead", 0.9), 30, Outcome.FORWARD),
        (verdict("lead", 0.9), 29, Outcome.NURTURE),
        (verdict("lead", 0.5, unsure=True), 80, Outcome.REVIEW),
        (verdict("spam", 0.97), 0, Outcome.FILE),
        (verdict("spam", 0.7, lead=0.2), 0, Outcome.REVIEW),
        (verdict("spam", 0.7, lead=0.19), 0, Outcome.FILE),
        (verdict("support", 0.4, unsure=True), 0, Outcome.REVIEW),
    ],
)
def test_outcomes(said: Verdict, score: int, outcome: Outcome) -> None:
    assert decide(said, worth(score), RULES).outcome is outcome


def test_doubtful_text_is_seen_by_a_person_whatever_it_says() -> None:
    decision = decide(verdict("lead", 0.99), worth(90), RULES, ["most of it is uncertain"])
    assert decision.outcome is Outcome.REVIEW
    assert "most of it is uncertain" in decision.reason


def test_review_below_is_stricter_than_the_model() -> None:
    rules = RULES.model_copy(update={"review_below": 0.95})
    assert decide(verdict("lead", 0.9), worth(80), rules).outcome is Outcome.REVIEW


@given(
    st.sampled_from(LABELS), st.floats(0, 1), st.floats(0, 1), st.booleans(), st.integers(0, 100)
)
def test_a_likely_lead_is_never_filed(
    label: Label, confidence: float, lead: float, unsure: bool, score: int
) -> None:
    said = verdict(label, confidence, lead=lead, unsure=unsure)
    decision = decide(said, worth(score), RULES)
    if said.scores["lead"] >= RULES.lead_floor or unsure:
        assert decision.outcome is not Outcome.FILE
        assert may_be_lead(said, RULES)
    assert said.label in decision.reason


def test_what_a_rule_settled_says_which() -> None:
    silent = Transcript((), "", "test", "base", 5.0)
    ref = SourceRef("calls", "recordings", "a.wav")
    call = Inquiry("inq_1", ref, "call", datetime(2026, 3, 1, tzinfo=UTC))
    reading = read(call, silent, "")
    assert reading.settled is not None
    decision = decide(reading.settled, None, RULES, reading.doubts, reading.ruling)
    assert decision.reason == "misdial by rule no-speech"


def test_a_held_lead_is_reviewed_and_nothing_else_is_changed() -> None:
    lead = Decision(Outcome.FORWARD, "lead at 90%")
    assert held_back(lead, "old") == Decision(Outcome.REVIEW, "lead at 90%, but not forwarded: old")
    for outcome in (Outcome.FILE, Outcome.NURTURE, Outcome.REVIEW):
        assert held_back(Decision(outcome, "x"), "old") == Decision(outcome, "x")
