"""From verdicts to outcomes: nothing likely is filed unseen, nothing doubtful forwarded unseen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.labels import LABELS, Label
from triage.pipeline.decide import decide, held_back, may_be_lead
from triage.pipeline.reading import Reading, read
from triage.settings import DecisionRules
from triage.transcripts import notes
from triage.transcripts.engine import NO_SPEECH
from triage.types import (
    Decision,
    Inquiry,
    Outcome,
    Qualification,
    ScorePart,
    Segment,
    SourceRef,
    Speaker,
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


def said(speaker: Speaker, text: str, *flags: str) -> Segment:
    return Segment(0.0, 2.0, speaker, text, 0.9, flags=flags)


def call_with(*segments: Segment, warnings: tuple[str, ...] = (), partial: bool = False) -> Reading:
    ref = SourceRef("calls", "recordings", "a.wav")
    call = Inquiry("inq_1", ref, "call", datetime(2026, 3, 1, tzinfo=UTC))
    return read(call, Transcript(segments, "", "t", "m", 5.0, partial, warnings), "")


@pytest.mark.parametrize(
    ("warnings", "reason"),
    [
        ((NO_SPEECH, notes.instead("a ring tone")), "no-speech, heard instead: a ring tone"),
        ((NO_SPEECH, notes.FAKE_STEREO), "no-speech"),
        (
            (notes.too_little(0.6),),
            "too-short, hardly anything is said: 0.6 s of speech (transcription.min_speech_s)",
        ),
    ],
)
def test_calls_that_hold_no_message_are_filed_with_what_was_heard(
    warnings: tuple[str, ...], reason: str
) -> None:
    reading = call_with(warnings=warnings)
    assert reading.settled is not None
    decision = decide(reading.settled, None, RULES, reading.doubts, reading.ruling)
    assert decision == Decision(Outcome.FILE, f"misdial by rule {reason}")


@pytest.mark.parametrize(
    ("warning", "partial"),
    [
        ("3 damaged packets were skipped", False),
        (notes.UNINTELLIGIBLE, False),
        ("one channel is silent", False),
        (notes.FAKE_STEREO, True),
    ],
)
def test_what_could_not_be_heard_is_never_settled_as_silence(warning: str, partial: bool) -> None:
    heard = (NO_SPEECH, notes.instead("silence"), warning)
    reading = call_with(warnings=heard, partial=partial)
    assert reading.settled is not None
    decision = decide(reading.settled, None, RULES, reading.doubts, reading.ruling)
    assert decision.outcome is Outcome.REVIEW


@pytest.mark.parametrize(
    "segments",
    [
        [said("unknown", "I want a quote for a new furnace please.", "low-confidence")],
        [
            said("agent", "Brightwater Heating and Cooling, this is Dana, how can I help you?"),
            said("caller", "A new furnace.", "over-sound"),
            said("agent", "So you would like a quote for a new furnace, is that right, sir?"),
        ],
    ],
)
def test_a_lead_of_flagged_words_is_forwarded_by_nobody_but_a_person(
    segments: list[Segment],
) -> None:
    reading = call_with(*segments)
    assert "new furnace please" not in reading.example.text
    decision = decide(verdict("lead", 0.99, lead=0.99), worth(90), RULES, reading.doubts)
    assert decision.outcome is Outcome.REVIEW


def test_one_flagged_word_among_many_holds_nothing_up() -> None:
    reading = call_with(
        said("caller", "Hi, I would like a quote for a new furnace in Dublin, please."),
        said("caller", "Uh.", "filler"),
    )
    assert reading.doubts == ()


def test_a_held_lead_is_reviewed_and_nothing_else_is_changed() -> None:
    lead = Decision(Outcome.FORWARD, "lead at 90%")
    assert held_back(lead, "old") == Decision(Outcome.REVIEW, "lead at 90%, but not forwarded: old")
    for outcome in (Outcome.FILE, Outcome.NURTURE, Outcome.REVIEW):
        assert held_back(Decision(outcome, "x"), "old") == Decision(outcome, "x")
