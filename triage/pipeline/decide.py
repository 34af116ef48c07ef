"""From a verdict and its qualification to an outcome, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence

from triage.settings import DecisionRules
from triage.types import Decision, Outcome, Qualification, Verdict


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
) -> Decision:
    """The outcome. `doubts` are reasons not to trust the text itself (a flagged transcript, say).

    Nothing is filed away unseen where a lead is likely, and nothing doubtful is forwarded unseen.
    """
    named = f"{verdict.label} at {verdict.confidence:.0%}"
    if doubts:
        return Decision(Outcome.REVIEW, f"{named}, but {'; '.join(doubts)}")
    unsure = verdict.abstained or (
        rules.review_below is not None and verdict.confidence < rules.review_below
    )
    if unsure:
        return Decision(Outcome.REVIEW, f"{named}: too unsure to act without a person")
    if verdict.label != "lead":
        if is_lead_likely(verdict, rules):
            chance = verdict.scores["lead"]
            return Decision(
                Outcome.REVIEW,
                f"{named}, but a lead at {chance:.0%} (floor {rules.lead_floor:.0%})",
            )
        return Decision(Outcome.FILE, named)
    score = qualification.score if qualification else 0
    if score >= rules.forward_score:
        return Decision(Outcome.FORWARD, f"{named}, score {score} reaches {rules.forward_score}")
    return Decision(Outcome.NURTURE, f"{named}, score {score} is below {rules.forward_score}")
