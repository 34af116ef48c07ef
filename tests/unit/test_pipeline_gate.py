"""What a model has to show before it may decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from classifiers.labels import LABELS, Label
from classifiers.verdict import Example, Verdict
from triage.pipeline.gate import Exam, judge
from triage.settings import Settings
from triage.store.confirmed import Confirmed
from triage.training.snapshot import Learned, Line

MOMENT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SAID = Confirmed("", "lead", "", "ann", MOMENT, "", "inbox", "email", "", "0" * 64, True)

Say = Callable[[Example], tuple[Label, str]]


def exam(items: Sequence[tuple[str, str, str]]) -> Exam:
    """Held-out inquiries, each with a text, a label and an own label."""
    lines = [
        Line(
            Learned(
                replace(SAID, inquiry_id=f"inq_{number}", label=label, own=own),
                Example("email", text),
            ),
            f"inq_{number}",
            "held-out",
        )
        for number, (text, label, own) in enumerate(items)
    ]
    return Exam(tuple(lines), np.arange(len(lines)))


def model(name: str, say: Say) -> Callable[[Sequence[Example]], list[Verdict]]:
    """A classifier that is sure of what it says."""

    def classify(examples: Sequence[Example]) -> list[Verdict]:
        said = [say(example) for example in examples]
        return [
            Verdict(label, dict.fromkeys(LABELS, 0.0) | {label: 1.0}, 1.0, False, name, own=own)
            for label, own in said
        ]

    return classify


REORDERS = [("the same again", "lead", "reorder")] * 12
SPAM = [("win a phone", "spam", "")] * 12


def told_apart(example: Example) -> tuple[Label, str]:
    return ("lead", "reorder") if "again" in example.text else ("spam", "")


def base_alone(example: Example) -> tuple[Label, str]:
    return ("lead" if "again" in example.text else "spam"), ""


def test_telling_own_labels_apart_is_better() -> None:
    figures = judge(
        exam(REORDERS + SPAM), model("a@1", base_alone), model("b@2", told_apart), Settings()
    )
    assert (figures["passed"], figures["reasons"]) == (True, [])
    assert figures["paired"]["better"] == 12


def test_a_model_that_lost_own_labels_is_refused() -> None:
    figures = judge(
        exam(REORDERS + SPAM), model("a@1", told_apart), model("b@2", base_alone), Settings()
    )
    assert not figures["passed"]
    (why,) = figures["reasons"]
    assert why.startswith("it is worse: accuracy 0.500 against 1.000; of 24 groups 0 are better")


@pytest.mark.parametrize("own", ["", "reorder"])
def test_whoever_said_no_own_label_is_content_with_either(own: str) -> None:
    """Confirmed before there was an own label, or because it does not matter here."""
    said = model("b@2", lambda example: ("lead", own) if "again" in example.text else ("spam", ""))
    plain = [("the same again", "lead", "")] * 12
    figures = judge(exam(plain + SPAM), model("a@1", base_alone), said, Settings())
    assert (figures["paired"]["better"], figures["paired"]["worse"]) == (0, 0)


def test_a_lead_that_would_be_filed_unseen_refuses_a_better_model() -> None:
    items = [*SPAM, ("a quote, please", "lead", ""), *[("my bill", "support", "")] * 12]
    before = model("a@1", lambda example: ("lead" if "quote" in example.text else "spam", ""))
    after = model("b@2", lambda example: ("support" if "bill" in example.text else "spam", ""))
    figures = judge(exam(items), before, after, Settings())
    assert figures["lost_leads"] == {"before": 0, "after": 1}
    assert figures["reasons"] == [
        "it would file 1 of 1 leads unseen, the model that decides 0",
    ]
