from __future__ import annotations

import pytest

from tests.support.qualified import call, mail, qualified
from triage.settings import IdealCustomer
from triage.types import Party

PLAIN = "Hi, can you quote a new AC for my house in Dublin? 614-555-0142"
LOOKING = "I'm just looking, maybe next year. What do heat pumps cost?"
SENDER = Party("Jo Park", "jo@park.example")


def test_an_ordinary_lead_is_forwarded_by_default() -> None:
    assert qualified(mail(PLAIN)).score >= 30


@pytest.mark.parametrize("text", ["do you do X?", "hello, do you clean gutters", "how much", "?"])
def test_a_lead_that_says_little_is_not_withheld(text: str) -> None:
    assert qualified(mail(text, sender=SENDER)).score >= 30


def test_a_lead_who_only_looks_around_is_nurtured() -> None:
    assert qualified(mail(LOOKING, sender=SENDER)).score < 30


def test_an_assistant_who_is_sent_to_ask_is_still_forwarded() -> None:
    assert (
        qualified(mail("My boss asked me to get a price for cleaning.", sender=SENDER)).score >= 30
    )


RICH = (
    "We need 25 licences by Friday, my budget is $30,000 and I sign. We have 45 employees.\n\n"
    "Regards\nAnna Lind\nDirector of Operations\nLind Bikes\n614-555-0142\nanna@lind.example"
)
IDEAL = IdealCustomer(
    industries=("bikes",), min_size=20, max_size=100, regions=("Ohio",), products=("licences",),
    min_budget=10_000,
)  # fmt: skip


@pytest.mark.parametrize(
    "text", [PLAIN, LOOKING, RICH, "", "I'm a student, just curious, next year"]
)
@pytest.mark.parametrize("ideal", [IdealCustomer(), IDEAL])
def test_the_parts_add_up_to_the_score(text: str, ideal: IdealCustomer) -> None:
    found = qualified(mail(text, sender=SENDER), ideal=ideal)
    assert sum(part.points for part in found.parts) == found.score
    assert 0 <= found.score <= 100
    assert all(part.reason for part in found.parts)


def test_a_cut_is_a_part_with_a_reason() -> None:
    found = qualified(mail(RICH), ideal=IDEAL)
    assert found.score == 100
    assert found.grade == "A"
    cut = found.parts[-1]
    assert cut.name == "limit"
    assert cut.points < 0


def test_grades_follow_the_score() -> None:
    assert qualified(mail(PLAIN)).grade == "C"
    assert qualified(mail(LOOKING, sender=SENDER)).grade == "D"
    assert qualified(mail("Could you come today? I own the house. 614-555-0142")).grade in {
        "A",
        "B",
    }


@pytest.mark.parametrize(
    ("ideal", "part", "points"),
    [
        (IdealCustomer(min_size=20), "fit_size", 8),
        (IdealCustomer(min_size=500), "fit_size", -8),
        (IdealCustomer(max_size=10), "fit_size", -8),
        (IdealCustomer(min_budget=10_000), "fit_budget", 5),
        (IdealCustomer(min_budget=90_000), "fit_budget", -10),
        (IdealCustomer(products=("licences",)), "fit_product", 5),
        (IdealCustomer(industries=("bike",)), "fit_industry", 5),
    ],
)
def test_fit_is_measured_against_the_ideal(ideal: IdealCustomer, part: str, points: int) -> None:
    parts = {found.name: found.points for found in qualified(mail(RICH), ideal=ideal).parts}
    assert parts[part] == points


def test_empty_fields_of_the_ideal_do_not_count() -> None:
    assert not [part for part in qualified(mail(RICH)).parts if part.name.startswith("fit")]


def test_a_size_that_is_not_stated_costs_nothing() -> None:
    ideal = IdealCustomer(min_size=20, min_budget=1000)
    assert qualified(mail(PLAIN), ideal=ideal).score == qualified(mail(PLAIN)).score


def test_a_call_without_a_number_is_still_a_lead() -> None:
    assert qualified(*call(("caller", "Do you have anybody Saturday?"))).score >= 30
