"""What a ruling does to a verdict, and own names for labels: the steps and `classify` share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from classifiers.labels import LABELS, Label
from triage.rules.rulebook import Ruling
from triage.settings import OwnLabel
from triage.types import Verdict

BLOCKED: Final = "rule:block-list@1"
# Rules that need no model, and the label that they give.
_SETTLED: Final[Mapping[str, Label]] = {
    "block-list": "spam",
    "delivery-report": "irrelevant",
    "read-receipt": "irrelevant",
    "abuse-report": "irrelevant",
    "automatic-reply": "irrelevant",
    "no-consent": "irrelevant",
    "outbound-call": "internal",
    "internal-call": "internal",
}
# Labels that a colleague's own words cannot have: they say that somebody from outside wrote.
_OUTSIDERS: Final[tuple[Label, ...]] = ("support", "solicitation", "misdial", "job_applicant")
# Labels that say an inquiry is worth nobody's time. Of known contacts that is checked by a person.
_WORTHLESS: Final[Mapping[str, tuple[Label, ...]]] = {
    "allow-list": tuple(label for label in LABELS if label != "lead"),
    "known-customer": ("spam", "misdial", "solicitation"),
    "known-supplier": ("spam", "misdial"),
    "prior-contact": ("spam", "misdial", "solicitation"),
}


def settled(ruling: Ruling) -> Verdict | None:
    """The verdict that needs no model: of the block list, of mails by machines about mails, and of
    calls that may not be transcribed.
    """
    label = _SETTLED.get(ruling.rule or "")
    return certain(label, f"rule:{ruling.rule}@1") if label else None


def certain(label: Label, model: str) -> Verdict:
    """A verdict by rule."""
    scores: Mapping[Label, float] = {name: float(name == label) for name in LABELS}
    return Verdict(label, scores, margin=1.0, abstained=False, model=model)


def relabelled(verdict: Verdict, ruling: Ruling, lead_floor: float) -> Verdict:
    """What the own-domain rule makes of a model's verdict.

    The probability of labels that only outsiders can have goes to `internal`; that of a lead stays
    what it is. Where the model abstains or a lead is likely nothing is changed, so the rule names
    what would be filed anyway and files nothing.
    """
    doubtful = verdict.abstained or verdict.scores["lead"] >= lead_floor
    if ruling.rule != "own-domain" or doubtful or verdict.label in ("lead", "internal"):
        return verdict
    moved = sum(verdict.scores[label] for label in _OUTSIDERS)
    scores = {**verdict.scores, **dict.fromkeys(_OUTSIDERS, 0.0)}
    scores["internal"] = verdict.scores["internal"] + moved
    first, second = sorted(scores.values(), reverse=True)[:2]
    if max(LABELS, key=lambda name: scores[name]) != "internal":
        return verdict
    model = f"rule:own-domain@1+{verdict.model}"
    return replace(
        verdict, label="internal", scores=scores, margin=first - second, abstained=False,
        model=model, own="",
    )  # fmt: skip


def shields(ruling: Ruling, label: Label) -> bool:
    """Whether the rule keeps an inquiry with this label from being filed unseen."""
    return ruling.rule is not None and label in _WORTHLESS.get(ruling.rule, ())


def named(verdict: Verdict, taxonomy: Mapping[str, OwnLabel]) -> Verdict:
    """The verdict under the business's own name for its label.

    The model's choice among own labels counts where it fits the settings; a label with a single own
    name is just renamed.
    """
    names = [name for name, own in taxonomy.items() if own.base == verdict.label]
    if verdict.own in names:
        return verdict
    only = names[0] if len(names) == 1 and verdict.own != verdict.label else ""
    return replace(verdict, own=only)
