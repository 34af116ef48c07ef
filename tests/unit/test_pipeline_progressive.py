"""How far a call is read: plans and verdicts, without sound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from classifiers.bound import FilingBound
from classifiers.labels import LABELS, Label
from classifiers.opening import SETTLING, OpeningRule
from classifiers.verdict import Verdict
from triage.pipeline.progressive import AUDIT, READING_ON, Progressive, audited
from triage.pipeline.reading import SILENCE, read
from triage.pipeline.ruled import BLOCKED, certain
from triage.settings import Settings
from triage.store.records import HistoryEntry
from triage.transcripts.messages import WHOLE, Part
from triage.types import Call, Inquiry, Segment, SourceRef, Transcript

RULE = OpeningRule(
    looks=(20.0, 45.0),
    settling=SETTLING,
    confidence=0.8,
    bound=FilingBound(0.01, 400, 0, 0.0075),
    calls=250,
    mails=150,
    agreement=0.99,
    stopped=0.6,
    model="m@1",
    weights="",
    corpus="",
)
MOMENT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def progressive(rule: OpeningRule | None = RULE, **transcription: Any) -> Progressive:
    chosen = {"progressive": True} | transcription
    return Progressive(Settings.model_validate({"transcription": chosen}), rule)


def call(duration_s: float = 180.0, group: str = "") -> Inquiry:
    reference = SourceRef("calls", "recordings", "a.wav")
    known = Call(group=group)
    return Inquiry("inq_1", reference, "call", MOMENT, call=known, duration_s=duration_s)


def heard(read_s: float, words: int = 80) -> Transcript:
    said = (Segment(0.0, read_s, "caller", "word " * words, 0.9),) if words else ()
    return Transcript(said, "en", "e", "m", 180.0, partial=True, read_s=read_s)


def said(label: Label, sure: float = 0.97, lead: float = 0.001) -> Verdict:
    scores = dict.fromkeys(LABELS, 0.0) | {"lead": lead, label: sure}
    return Verdict(label, scores, 0.9, abstained=False, model="m@1")


def noted(**detail: Any) -> list[HistoryEntry]:
    return [HistoryEntry(MOMENT, READING_ON, {"reason": "", "to_the_end": False} | detail)]


def test_the_opening_comes_first_and_then_what_was_not_read() -> None:
    plan = progressive()
    assert plan.part(call(), None, []) == Part(22.0, 0.0, 180.0, pause=True)
    assert plan.part(call(), heard(18.7), noted()) == Part(47.0, 18.7, 180.0, "en", pause=True)
    assert plan.part(call(), heard(18.7), noted(to_the_end=True)) == Part(
        from_s=18.7, language="en"
    )
    assert plan.part(call(), heard(44.1), noted()) == Part(from_s=44.1, language="en")


@pytest.mark.parametrize(
    ("plan", "duration_s"),
    [
        (progressive(None), 180.0),
        (progressive(progressive=False), 180.0),
        (progressive(), 31.0),
        (progressive(opening_s=90.0), 180.0),
    ],
)
def test_without_a_rule_and_for_short_calls_everything_is_read(
    plan: Progressive, duration_s: float
) -> None:
    assert plan.part(call(duration_s), None, []) == WHOLE


def test_a_longer_opening_leaves_out_looks() -> None:
    assert progressive(opening_s=30.0).part(call(), None, []).opening_s == 47.0


def test_what_is_read_whole_is_read_with_the_better_weights() -> None:
    plan = progressive(lead_model="small")
    assert plan.part(call(), None, []) == Part(22.0, 0.0, 180.0, pause=True)
    assert plan.part(call(), heard(18.7), noted(to_the_end=True)) == Part(model="small")
    assert plan.part(call(25.0), None, []) == Part(model="small")


def why(
    verdict: Verdict,
    transcript: Transcript | None = None,
    *,
    plan: Progressive | None = None,
    inquiry: Inquiry | None = None,
) -> str | None:
    inquiry, transcript = inquiry or call(), transcript or heard(19.0)
    reading = read(inquiry, transcript, "")
    found = (plan or progressive(audit_share=0.0)).reads_on(
        inquiry, transcript, reading, verdict, verdict
    )
    return found["reason"] if found else None


def test_a_settled_label_stops_and_anything_else_goes_on() -> None:
    assert why(said("internal")) is None
    assert why(said("lead", 0.97, 0.97)) == "it may be a lead"
    assert why(said("internal", 0.7)) == "its label is open"
    assert why(said("support")) == "its label is open"
    assert why(said("internal", lead=0.05)) == "its label is open"
    assert why(said("internal"), plan=progressive(None)) == "progressive triage is off"


def test_another_look_is_taken_only_where_it_may_settle() -> None:
    plan = progressive(audit_share=0.0)
    ends = {}
    for verdict in (said("internal", 0.7), said("support"), said("internal", 0.7, 0.25)):
        reading = read(call(), heard(19.0), "")
        found = plan.reads_on(call(), heard(19.0), reading, verdict, verdict)
        assert found is not None
        ends[verdict.label, verdict.scores["lead"]] = found["to_the_end"]
    assert ends == {("internal", 0.001): False, ("support", 0.001): True, ("internal", 0.25): True}


def test_nothing_heard_yet_is_not_an_empty_call() -> None:
    assert why(certain("misdial", SILENCE), heard(19.0, words=0)) == "too little was said yet"
    assert why(said("misdial"), heard(19.0, words=8)) == "too little was said yet"


def test_a_leg_is_read_whole_and_a_blocked_caller_is_not() -> None:
    assert why(said("internal"), inquiry=call(group="g")) == "it is one leg of a call"
    assert why(certain("spam", BLOCKED), heard(19.0, words=3)) is None


def test_what_was_read_to_the_end_is_not_read_on() -> None:
    whole = Transcript((), "en", "e", "m", 12.0)
    assert why(said("internal", 0.4), whole) is None


def test_a_share_of_what_would_stop_is_read_whole() -> None:
    assert why(said("internal"), plan=progressive(audit_share=1.0)) == AUDIT
    plan = progressive(audit_share=0.1)
    drawn = sum(plan.audits(f"inq_{number}") for number in range(2000))
    assert 150 < drawn < 250


def test_an_audit_compares_with_the_first_verdict_that_would_have_stood() -> None:
    history = [
        *noted(reason="its label is open", label="spam", read_s=19.0),
        *noted(reason=AUDIT, label="internal", read_s=44.0),
        *noted(reason=AUDIT, label="lead", read_s=60.0),
    ]
    assert audited(history, said("lead")) == {
        "opening": "internal",
        "whole": "lead",
        "agrees": False,
        "read_s": 44.0,
    }
    assert audited(history[:1], said("lead")) is None
