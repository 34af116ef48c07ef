from __future__ import annotations

import pytest

from tests.support.qualified import call, mail, normals, qualified, values


@pytest.mark.parametrize(
    "text",
    [
        "I'm the owner of a small bakery and need a new oven.",
        "As head of facilities I look after four sites.",
        "It's my company so I decide.",
        "I sign off on everything under 30k.",
        "It comes out of my budget.",
        "I hold the budget and will decide myself.",
        "My husband and I own it.",
        "I run a small nursery with my sister.",
        "We've got two restaurants.",
        "I have the cheque book.",
        "I'm writing the check.",
        "My partners leave it to me.",
        "My call, and my signature.",
        "I can approve up to 5k without a vote.",
        "I am the managing director here.",
        "We'd like a quote.\n\nRegards\nAnna Lind\nCEO\nLind Bikes",
        "We'd like a quote.\n\nRegards\nAnna Lind\nVP Operations\nLind Bikes",
    ],
)
def test_who_decides(text: str) -> None:
    assert values(mail(text))["decision_maker"] == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "My boss asked me to find out what this costs.",
        "I have been asked by our chief nursing officer to gather pricing.",
        "The trustees have to agree the amount.",
        "I'd have to take it back to the committee.",
        "The selection will be made by our CFO.",
        "It's subject to approval by our board.",
        "I only do the legwork.",
        "I'm just the intern, I only need a ballpark.",
        "I'm not the owner, I only collect quotes.",
        "I'll have to run it past my manager.",
        "I am writing on behalf of our VP of Facilities.",
        "Final choice rests with our COO.",
        "I'm a student and this is for my thesis.",
        "I don't get to decide, Mr Cabe does.",
        "I'm the bookkeeper, the director will sign.",
        "We'd like a quote.\n\nRegards\nAnna Lind\nExecutive Assistant\nLind Bikes",
        "My manager wants three prices.",
    ],
)
def test_who_asks_for_somebody_else(text: str) -> None:
    assert values(mail(text))["decision_maker"] == "no"


@pytest.mark.parametrize(
    "text",
    [
        "Can you quote a new AC for my house?",
        "Do you do boilers?",
        "If I were the owner I would replace it.",
        "We need 25 licences by Friday.",
        "Please quote.\n\nRegards\nAnna Lind\nFacilities Manager\nLind Bikes",
    ],
)
def test_not_stated_is_not_no(text: str) -> None:
    assert "decision_maker" not in values(mail(text))


@pytest.mark.parametrize(
    ("said", "decides"), [("I decide that.", "yes"), ("I don't decide that.", "no"),
                          ("I'm the owner.", "yes"), ("I'm not the owner.", "no"),
                          ("My boss asked me, but I sign.", "yes")]
)  # fmt: skip
def test_minimal_pairs_of_deciding(said: str, decides: str) -> None:
    assert values(mail(f"We need a pump. {said}"))["decision_maker"] == decides


@pytest.mark.parametrize(
    ("text", "readiness"),
    [
        ("Our air conditioner died, can somebody come today?", "ready"),
        ("Please send the contract, we are ready to sign.", "ready"),
        ("I'd like to book an appointment.", "ready"),
        ("We need it by Friday.", "ready"),
        ("It has to be installed by April 3.", "ready"),
        ("This is urgent, the basement is flooding.", "ready"),
        ("We're getting three quotes.", "evaluating"),
        ("I am comparing you and two others.", "evaluating"),
        ("Could we see a demo?", "evaluating"),
        ("Please find our RFP attached.", "evaluating"),
        ("We'd want it done in June.", "evaluating"),
        ("I'm seeing one other guy on Thursday.", "evaluating"),
        ("I'm ringing round a few firms.", "evaluating"),
        ("Go ahead and book it.", "ready"),
        ("We'll take two of the blue ones.", "ready"),
        ("We need it within three weeks.", "ready"),
        ("We need it by the end of June.", "evaluating"),
        ("We need it by July 12.", "evaluating"),
        ("Nothing will be bought before the new budget.", "researching"),
        ("Maybe further down the road.", "researching"),
        ("I'm just looking around right now.", "researching"),
        ("It would be a next year thing, if at all.", "researching"),
        ("No rush, just curious what it costs.", "researching"),
        ("Not before next year.", "researching"),
        ("It's for budget purposes only.", "researching"),
        ("No hurry whatsoever, maybe the year after next.", "researching"),
    ],
)
def test_readiness(text: str, readiness: str) -> None:
    assert values(mail(text))["readiness"] == readiness


@pytest.mark.parametrize(
    "text",
    [
        "do you do X?",
        "how much for 2 rooms and the stairs, we have a cat",
        "Is it the right place?",
    ],
)
def test_readiness_that_is_not_stated(text: str) -> None:
    assert "readiness" not in values(mail(text))


def test_no_hurry_is_taken_back_by_but() -> None:
    hurried = "I'm not in a hurry but I'd like it before winter."
    assert values(mail(hurried))["readiness"] == "evaluating"
    assert values(mail("I'm not in a hurry."))["readiness"] == "researching"


def test_who_compares_but_needs_it_within_days_is_ready() -> None:
    assert values(mail("We're getting three quotes. Need it by Thursday."))["readiness"] == "ready"


@pytest.mark.parametrize(
    ("phrase", "resolved"),
    [
        ("before end of March", "2026-03-31"),
        ("by the 14th", "2026-04-14"),
        ("by the 20th", "2026-03-20"),
        ("next Tuesday", "2026-03-24"),
        ("by Friday", "2026-03-20"),
        ("in Q2", "2026-04-01/2026-06-30"),
        ("within six weeks", "2026-03-16/2026-04-27"),
        ("asap", "2026-03-16"),
        ("tomorrow", "2026-03-17"),
        ("this week", "2026-03-16/2026-03-22"),
        ("next month", "2026-04"),
        ("in October", "2026-10"),
        ("in January", "2027-01"),
        ("on June the twentieth", "2026-06-20"),
        ("by 3/27", "2026-03-27"),
        ("by 30.04", "2026-04-30"),
        ("from 19-20 Nov", "2026-11-19/2026-11-20"),
        ("before Christmas", "2026-12-25"),
        ("before Easter", "2026-04-05"),
        ("in early May", "2026-05-01/2026-05-10"),
        ("on the last Saturday in February", "2027-02-27"),
        ("next year", "2027-01-01/2027-12-31"),
        ("by the end of the quarter", "2026-03-31"),
        ("19 December to 3 January", "2026-12-19/2027-01-03"),
        ("in the next three, four weeks", "2026-04-13"),
        ("the last week of April", "2026-04-20/2026-04-26"),
        ("from Sept 8 to 19", "2026-09-08/2026-09-19"),
        ("in week 42", "2026-10-12/2026-10-18"),
        ("on the second of next month", "2026-04-02"),
    ],
)
def test_times_are_resolved_against_the_day_of_arrival(phrase: str, resolved: str) -> None:
    found = qualified(mail(f"We need a new roof {phrase}.")).signals["timeline"]
    assert found.normalized == resolved
    assert found.value.split()[-1] in phrase


@pytest.mark.parametrize(
    "text",
    [
        "It quit last Tuesday.",
        "The roof was put on in 1991.",
        "We bought it two years ago.",
        "I call you in the second half.",
        "Is the 24/7 desk any good?",
    ],
)
def test_what_is_past_is_no_timeline(text: str) -> None:
    assert "timeline" not in values(mail(text))


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("Our budget is $12,000.", "USD 12000"),
        ("budget's 25k all-in", "25000"),
        ("We have about $85k for this.", "USD 85000"),
        ("not to exceed 180k", "180000"),
        ("Our ceiling is CAD 4,500 per month.", "CAD 4500"),
        ("I've a figure in mind of £500 a month", "GBP 500"),
        ("I have put aside two thousand dollars for it", "USD 2000"),
        ("there's 11 grand in the line for it", "11000"),
        ("I can sign up to €1.5 million", "EUR 1500000"),
        ("I would like to stay around seven thousand.", "7000"),
        ("somewhere around four thousand would be fine", "4000"),
    ],
)
def test_budgets(text: str, normalized: str) -> None:
    assert normals(mail(text))["budget"] == normalized


@pytest.mark.parametrize(
    "text",
    [
        "The other firm wanted $11,000.",
        "We paid $96.00 for unit C-09.",
        "Insurance of $2M umbrella is required.",
        "What do 25 licences cost?",
        "It came to $41 last month.",
    ],
)
def test_anothers_price_is_no_budget(text: str) -> None:
    assert "budget" not in values(mail(text))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("We have 45 employees.", "45"),
        ("We run 34 vans from Leicester.", "34"),
        ("a 30-person company in Tallinn", "30"),
        ("we are thirty one staff", "31"),
        ("It's nineteen schools in all.", "19"),
        ("We have 3,800 learners.", "3800"),
        ("a team of 12", "12"),
        ("we have two hundred and twenty workers", "220"),
        ("We have 60 beds over two sites.", "60"),
        ("I have two restaurants.", "2"),
    ],
)
def test_company_sizes(text: str, size: str) -> None:
    assert normals(mail(text))["company_size"] == size


@pytest.mark.parametrize(
    "text",
    ["We want four vans for a week.", "I need 2 seats.", "dinner for 80 people", "House is 1968"],
)
def test_what_is_wanted_is_no_size(text: str) -> None:
    assert "company_size" not in values(mail(text))


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("Can you quote me for a new boiler?", "new boiler"),
        ("I'm interested in heat pumps.", "heat pumps"),
        ("We are looking for a low-VOC paint job, please.", "low-VOC paint job"),
        ("how much for 2 rooms and the stairs", "2 rooms"),
    ],
)
def test_products(text: str, product: str) -> None:
    assert product in values(mail(text))["product_interest"]


def test_a_telling_subject_names_the_product() -> None:
    assert (
        values(mail("same as last time", subject="40k neck labels"))["product_interest"]
        == "40k neck labels"
    )
    assert "product_interest" not in values(mail("as before", subject="New submission: Contact Us"))


def test_speech_has_its_second() -> None:
    turns = (("agent", "Brightwater."), ("caller", "We need a new furnace, today if you can."))
    found = qualified(*call(*turns)).signals
    assert found["readiness"].evidence[0].at_s == 5.0
    assert found["timeline"].evidence[0].at_s == 5.0


def test_the_amount_given_when_asked_for_a_figure_is_the_budget() -> None:
    turns = (("agent", "Did you have a figure in mind?"), ("caller", "A hundred and fifty or so."))
    assert normals(*call(*turns))["budget"] == "150"


def test_a_count_after_a_budget_cue_is_no_money() -> None:
    assert "budget" not in values(mail("We have about four thousand square feet."))
