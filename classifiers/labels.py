"""The nine labels and the signal vocabulary: the one place where they are spelled.

Its sha256 goes into every model artifact, so that a model is never used with a vocabulary it was
not trained on. Definitions and the rules for doubtful cases are in docs/taxonomy.md.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Label = Literal[
    "lead",
    "support",
    "solicitation",
    "spam",
    "personal",
    "misdial",
    "job_applicant",
    "internal",
    "irrelevant",
]
LABELS: Final[tuple[Label, ...]] = get_args(Label)

SignalName = Literal[
    "decision_maker",
    "readiness",
    "contact_name",
    "company",
    "role",
    "phone",
    "email",
    "location",
    "company_size",
    "budget",
    "timeline",
    "product_interest",
]
SIGNALS: Final[tuple[SignalName, ...]] = get_args(SignalName)

DecisionMaker = Literal["yes", "no", "unknown"]
Readiness = Literal["ready", "evaluating", "researching", "unknown"]
