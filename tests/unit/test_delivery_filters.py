"""Which destination is told about which inquiry."""

from __future__ import annotations

from typing import Any

import pytest

from triage.delivery.filters import Facts, wants
from triage.settings import Destination

LEAD = Facts(
    label="lead", channel="email", own="heat-pump", grade="B", score=55, campaign="Spring 2026",
    business="Brightwater",
)  # fmt: skip


def told(event: str = "lead.qualified", facts: Facts = LEAD, **conditions: Any) -> bool:
    destination = Destination.model_validate(
        {"name": "crm", "url": "https://crm.example.com/", "filter": conditions}
    )
    return wants(destination, event, facts)


def test_without_conditions_every_lead_is_told_and_nothing_else() -> None:
    assert told()
    assert told("lead.updated")
    assert told("lead.retracted")
    assert not told("inquiry.classified")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"labels": ["lead"]}, True),
        ({"labels": ["heat-pump"]}, True),
        ({"labels": ["support", "vendor"]}, False),
        ({"grades": ["A", "B"]}, True),
        ({"grades": ["A"]}, False),
        ({"min_score": 55}, True),
        ({"min_score": 56}, False),
        ({"campaigns": ["spring*"]}, True),
        ({"campaigns": ["spring"]}, False),
        ({"businesses": ["BRIGHTWATER"]}, True),
        ({"businesses": ["other"]}, False),
        ({"channels": ["email"]}, True),
        ({"channels": ["call"]}, False),
        ({"grades": ["B"], "channels": ["call"]}, False),
        ({"grades": ["B"], "channels": ["email", "call"], "min_score": 10}, True),
    ],
)
def test_every_condition_must_hold(conditions: dict[str, Any], expected: bool) -> None:
    assert told(**conditions) is expected


def test_what_was_not_qualified_has_no_grade_and_no_points() -> None:
    plain = Facts(label="support", channel="call")
    assert told(facts=plain)
    assert not told(facts=plain, grades=["D"])
    assert not told(facts=plain, min_score=1)
    assert not told(facts=plain, campaigns=["?*"])
