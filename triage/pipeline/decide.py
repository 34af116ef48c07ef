"""From a verdict and its qualification to an outcome, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from triage.pipeline.ruled import BLOCKED, shields
from triage.rules.rulebook import UNRULED, Ruling
from triage.settings import DecisionRules, OwnLabel
from triage.types import Decision, Outcome, Qualification, Transcript, Verdict

_RULE: Final = re.compile(r"rule:([\w-]+)@")
NINE: Final[Mapping[str, OwnLabel]] = MappingProxyType({})
"""The taxonomy without own labels."""


def may_be_lead(verdict: Verdict, rules: DecisionRules) -> bool:
    """Whether an inquiry is worth qualifying: labelled a lead, or one that a person might find."""
    return verdict.label == "lead" or verdict.abstained or is_lead_likely(verdict, rules)


def is_lead_likely(verdict: Verdict, rules: DecisionRules) -> bool:
    """Whether a lead is too probable to file the inquiry away unseen."""
    return verdict.scores.get("lead", 0.0) >= rules.lead_floor


def decide(
    verdict: Verdict,
    qualification: Qualification | None,
    rules: DecisionRules,
    doubts: Sequence[str] = (),
    ruling: Ruling = UNRULED,
    taxonomy: Mapping[str, OwnLabel] = NINE,
) -> Decision:
    """The outcome. `doubts` are reasons not to trust the text itself (a flagged transcript, say).

    Nothing is filed away unseen where a lead is likely, and nothing doubtful is forwarded unseen.
    Only the block list files whatever is known else; an own label's outcome counts only where the
    verdict is clear.
    """
    named = _named(verdict, ruling)
    if verdict.model == BLOCKED:
        return Decision(Outcome.FILE, named)
    if doubt := _doubt(verdict, rules, doubts, ruling):
        return Decision(Outcome.REVIEW, f"{named}{doubt}")
    wanted = taxonomy[verdict.own].outcome if verdict.own in taxonomy else None
    if wanted is not None:
        return Decision(Outcome(wanted), f"{named}, as taxonomy.{verdict.own} says")
    if verdict.label != "lead":
        return Decision(Outcome.FILE, named)
    score = qualification.score if qualification else 0
    if score >= rules.forward_score:
        return Decision(Outcome.FORWARD, f"{named}, score {score} reaches {rules.forward_score}")
    return Decision(Outcome.NURTURE, f"{named}, score {score} is below {rules.forward_score}")


def held_back(decision: Decision, reason: str) -> Decision:
    """What becomes of a lead that is not to be forwarded by itself: a person releases it."""
    if decision.outcome != Outcome.FORWARD:
        return decision
    return Decision(Outcome.REVIEW, f"{decision.reason}, but not forwarded: {reason}")


def settled_early(decision: Decision, transcript: Transcript | None) -> Decision:
    """The decision, saying so where only a part of a call was read for it."""
    if transcript is None or not transcript.partial or transcript.read_s is None:
        return decision
    part = f"settled on the first {transcript.read_s:.0f} s of {transcript.duration_s:.0f}"
    return replace(decision, reason=f"{decision.reason}, {part}")


def untaken(decision: Decision) -> Decision:
    """What becomes of a lead that no destination's filter lets pass: a person looks at it."""
    return Decision(Outcome.REVIEW, f"{decision.reason}, but no destination's filter takes it")


def _named(verdict: Verdict, ruling: Ruling) -> str:
    """The label in words, with the rule that has a say in it, or why nothing was to be read."""
    label = f"{verdict.own} ({verdict.label})" if verdict.own else verdict.label
    rule = _RULE.match(verdict.model)
    said = f"{label} {f'by rule {rule[1]}' if rule else f'at {verdict.confidence:.0%}'}"
    return f"{said}, {ruling.because}" if ruling.because else said


def _doubt(verdict: Verdict, rules: DecisionRules, doubts: Sequence[str], ruling: Ruling) -> str:
    """Why a person must look at it; empty where nobody need."""
    if doubts:
        return f", but {'; '.join(doubts)}"
    if verdict.abstained or (
        rules.review_below is not None and verdict.confidence < rules.review_below
    ):
        return ": too unsure to act without a person"
    if verdict.label == "lead":
        return ""
    if is_lead_likely(verdict, rules):
        return f", but a lead at {verdict.scores['lead']:.0%} (floor {rules.lead_floor:.0%})"
    if shields(ruling, verdict.label):
        return ": not filed unseen"
    return ""
