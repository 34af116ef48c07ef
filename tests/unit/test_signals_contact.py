from __future__ import annotations

import pytest

from tests.support.qualified import call, mail, normals, qualified, values
from triage.settings import Business
from triage.types import Party


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call me on 614-555-0142 please", "+16145550142"),
        ("my cell: (614) 555-0142", "+16145550142"),
        ("reach me at 614.555.0142.", "+16145550142"),
        ("Joyce, 515-555-0142 ext. 208", "+15155550142"),
        ("ring +44 1632 960 331", "+441632960331"),
        ("it's +353 86 555 0139", "+353865550139"),
    ],
)
def test_phone_numbers_become_e164(text: str, number: str) -> None:
    assert normals(mail(text))["phone"] == number


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("six one four five five five oh one four two", "+16145550142"),
        ("six one four, five five five, oh one three eight.", "+16145550138"),
        ("six one four double five five zero one four two", "+16145550142"),
        ("six one four triple five oh one four two", "+16145550142"),
        ("614, 555, 0142", "+16145550142"),
    ],
)
def test_numbers_read_aloud_become_e164(said: str, number: str) -> None:
    assert normals(*call(("caller", f"you can call me on {said}")))["phone"] == number


def test_a_number_of_the_business_country_needs_no_country_code() -> None:
    found = qualified(mail("call 01632 960 331"), business=Business(country="GB"))
    assert found.signals["phone"].normalized == "+441632960331"


def test_a_number_its_region_does_not_have_is_kept_as_stated() -> None:
    found = qualified(mail("call me on 07700 900981")).signals["phone"]
    assert (found.value, found.normalized) == ("07700 900981", "")


@pytest.mark.parametrize(
    "text",
    [
        "Order number 6145550142 arrived",
        "we opened 2019-2024 and paid $61455.50",
        "invoice 20264471",
        "Sent from IP 198.51.100.77 / Chrome",
    ],
)
def test_other_figures_are_no_phone(text: str) -> None:
    assert "phone" not in values(mail(text))


def test_email_is_lower_case_for_machines_and_as_stated_for_people() -> None:
    found = qualified(mail("write to Jen.Ruiz@Example.COM, thanks")).signals["email"]
    assert (found.value, found.normalized) == ("Jen.Ruiz@Example.COM", "jen.ruiz@example.com")


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("jen dot ruiz at example dot com", "jen.ruiz@example.com"),
        ("it's a.kessler at outpost dot example", "a.kessler@outpost.example"),
        ("jen underscore r at example dot com", "jen_r@example.com"),
    ],
)
def test_addresses_read_aloud(said: str, address: str) -> None:
    assert normals(*call(("caller", said)))["email"] == address


def test_the_business_itself_is_never_the_contact() -> None:
    text = "I wrote to sales@brightwater.example and office@mail.brightwater.example before"
    assert "email" not in values(mail(text))
    other = mail("cc desk@hadley.example", recipients=(Party(email="hello@hadley.example"),))
    assert "email" not in values(other)


def test_a_recipient_at_a_large_provider_does_not_make_all_its_users_ours() -> None:
    ours = (Party(email="joes.plumbing@gmail.com"),)
    found = normals(mail("write dana@gmail.com", recipients=ours))
    assert found["email"] == "dana@gmail.com"


def test_the_sender_is_the_fall_back_with_its_own_field_and_less_confidence() -> None:
    sender = Party("Dale Pruett", "dale@buckeye.example")
    found = qualified(mail("do you do gutters?", sender=sender)).signals
    assert found["contact_name"].value == "Dale Pruett"
    assert found["contact_name"].evidence[0].field == "sender"
    assert found["email"].confidence < 0.9
    stated = qualified(mail("do you do gutters?\n\nDaniel Pruett", sender=sender)).signals
    assert stated["contact_name"].evidence[0].field == "text"


@pytest.mark.parametrize(
    "address", ["noreply@shop.example", "no-reply@wix.example", "forms@shop.example",
                "fleet-noreply@rent.example", "hello@brightwater.example"]
)  # fmt: skip
def test_automata_and_the_business_are_no_fall_back(address: str) -> None:
    found = values(mail("do you do gutters?", sender=Party("Web Form", address)))
    assert "email" not in found
    assert "contact_name" not in found


def test_a_family_name_first_display_name_is_turned_round() -> None:
    sender = Party("Thibodeaux, Marcel", "marcel@plaza.example")
    assert values(mail("prices?", sender=sender))["contact_name"] == "Marcel Thibodeaux"


def test_the_callers_number_is_the_fall_back_of_a_call() -> None:
    inquiry, transcript = call(("caller", "do you do gutters"), caller="+16145550138")
    phone = qualified(inquiry, transcript).signals["phone"]
    assert phone.normalized == "+16145550138"
    assert phone.evidence[0].field in {"sender", "metadata"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Please quote a new boiler.\n\nThanks,\nJoyce Abernathy", "Joyce Abernathy"),
        ("Please quote a new boiler.\n\nJoyce Abernathy\nBuyer, Hollis Bancorp", "Joyce Abernathy"),
        (
            "A pool for a hill, please.\n\nKind regards\nDr Ryan Petersen\n082 555 0144",
            "Dr Ryan Petersen",
        ),
        ("could you quote?\n\naparna (people ops)", "aparna"),
        ("Who do I talk to about my lawn? - Becca", "Becca"),
        ("u open sat? can be there by 4. Wiremu", "Wiremu"),
        ("My name is Yuki Tanabe and I need a quote.", "Yuki Tanabe"),
        ("R. Subramaniam here, kindly quote.", "R. Subramaniam"),
        (
            "Please quote.\n\nYours faithfully,\n\nR. St. J. Beamish\nHon. Clerk",
            "R. St. J. Beamish",
        ),
    ],
)
def test_names_in_mails(text: str, name: str) -> None:
    assert values(mail(text))["contact_name"] == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Hi, this is Melissa Grant.", "Melissa Grant"),
        ("It's Phil at Riverside Leisure, the pool.", "Phil"),
        ("hi my name is dean i used to be on his books", "dean"),
        ("good morning i found you i am Halina I am seventy nine", "Halina"),
        ("it's Winifred Oakes O A K E S and the number is", "Winifred Oakes"),
        ("Ana Restrepo. R-E-S-T-R-E-P-O.", "Ana Restrepo"),
        ("Arlene Schrock, 260-555-0144.", "Arlene Schrock"),
    ],
)
def test_names_in_calls(said: str, name: str) -> None:
    assert values(*call(("caller", said)))["contact_name"] == name


def test_the_agents_turns_name_the_agent() -> None:
    turns = (
        ("agent", "Brightwater, this is Marcus, my number is 614-555-0100. I'm the owner."),
        ("caller", "Do you do gutters?"),
    )
    found = values(*call(*turns))
    assert {"contact_name", "phone", "role", "decision_maker"}.isdisjoint(found)


def test_the_answer_to_the_question_for_a_name_is_one() -> None:
    turns = (
        ("caller", "It quit last night."),
        ("agent", "And your name?"),
        ("caller", "Melissa Grant. Thanks."),
    )
    found = qualified(*call(*turns)).signals["contact_name"]
    assert found.value == "Melissa Grant"
    assert found.evidence[0].at_s == 10.0


@pytest.mark.parametrize(
    "text",
    ["Thanks,\nThe team", "This is urgent. I'm looking for a quote.", "It's Monday and I'm Dutch"],
)
def test_phrases_are_no_names(text: str) -> None:
    assert "contact_name" not in values(mail(text))


@pytest.mark.parametrize(
    ("name", "lines", "role", "company"),
    [
        ("Joyce Abernathy", "Buyer, Hollis Bancorp", "Buyer", "Hollis Bancorp"),
        ("Tracey Odell", "Fleet Manager\nSwiftsure Ltd", "Fleet Manager", "Swiftsure Ltd"),
        (
            "Dr Ryan Petersen",
            "Practice owner\nPinelands\n082 555 0144",
            "Practice owner",
            "Pinelands",
        ),
        ("Deborah Hollis", "Buyer, Equipment\nBracken Water", "Buyer, Equipment", "Bracken Water"),
    ],
)
def test_signatures_give_role_and_company(name: str, lines: str, role: str, company: str) -> None:
    signature = f"{name}\n{lines}"
    for found in (
        values(mail("Please quote.", signature=signature)),
        values(mail(f"Please quote.\n\nRegards\n{signature}")),
    ):
        assert (found["role"], found["company"]) == (role, company)


def test_a_town_after_the_company_is_the_place() -> None:
    found = values(mail("Please quote.\n\nRegards\nHendrik\nVos Attorneys, Bloemfontein"))
    assert (found["company"], found["location"]) == ("Vos Attorneys", "Bloemfontein")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("We're in Clintonville, on Weber Road.", "Clintonville"),
        ("can you quote a new AC for my house in Dublin?", "Dublin"),
        ("I live near Port Huron and need a fence", "Port Huron"),
    ],
)
def test_places(text: str, place: str) -> None:
    assert values(mail(text))["location"] == place


def test_a_month_is_no_place() -> None:
    assert "location" not in values(mail("I need it in May, maybe in English"))
    assert (
        values(*call(("caller", "it's me i'm in boise and in may i need it")))["location"]
        == "boise"
    )


FORM = """Name: Patrice Dunleavy
Phone - 901-555-0128
*Email*: pdunleavy@midsouth.example
Company = Dunleavy Realty
Job Title: Office Manager
City: Germantown
Number of employees: 45
Budget: $12,000
When do you need it?: March 28
Message: whole attic and an upright piano
"""


def test_every_field_of_a_form_is_read() -> None:
    found = qualified(mail(FORM, sender=Party("Web", "forms@brightwater.example"))).signals
    assert found["contact_name"].value == "Patrice Dunleavy"
    assert found["phone"].normalized == "+19015550128"
    assert found["email"].value == "pdunleavy@midsouth.example"
    assert found["company"].value == "Dunleavy Realty"
    assert found["role"].value == "Office Manager"
    assert found["location"].value == "Germantown"
    assert found["company_size"].normalized == "45"
    assert found["budget"].normalized == "USD 12000"
    assert found["timeline"].normalized == "2026-03-28"


@pytest.mark.parametrize(
    "form",
    [
        "First Name\nLaura\nLast Name\nMcKee\nEmail\nlaura@mail.example\nPhone\n 614-555-0142",
        "full_name=Laura McKee\nemail=laura@mail.example\ntel=614-555-0142",
        "| Name | Laura McKee |\n| Email | laura@mail.example |\n| Phone | 614-555-0142 |",
        "Requestor ... Laura McKee\nE-Mail ... laura@mail.example\nDirect .... 614-555-0142",
        "Your name    Laura McKee\nE-Mail       laura@mail.example\nTelephone    614-555-0142",
    ],
)
def test_forms_of_many_layouts(form: str) -> None:
    found = normals(mail(form))
    assert (found["email"], found["phone"]) == ("laura@mail.example", "+16145550142")
    assert values(mail(form))["contact_name"] == "Laura McKee"


def test_an_empty_field_states_nothing() -> None:
    found = values(mail("Name: D. Osei\nEmail: (not given)\nPhone: -\nCompany: n/a\nBudget:\n"))
    assert set(found) & {"email", "phone", "company", "budget"} == set()


def test_quoted_history_is_no_evidence() -> None:
    text = "Yes, the same again.\n\n> From: Rita\n> call 614-555-0199\n> my budget is $5,000"
    found = values(mail(text, quoted="Rita Hayes\nrita@other.example\n614-555-0199"))
    assert {"phone", "email", "budget"}.isdisjoint(found)


def test_doubtful_speech_is_no_evidence() -> None:
    found = values(*call(("caller", "my name is Dana, call 614-555-0142"), flags=("loop",)))
    assert found == {}


def test_a_mail_domain_finds_the_company_in_the_text() -> None:
    text = "The Fosse & Vale Trust needs printing.\n\nCaroline\ncaroline@fosseandvale.example"
    assert values(mail(text))["company"] == "Fosse & Vale Trust"


def test_the_name_by_which_the_agent_greets_is_the_callers() -> None:
    turns = (("agent", "Hi Renee, how can I help?"), ("caller", "I need two copiers."))
    assert values(*call(*turns))["contact_name"] == "Renee"


def test_an_answer_between_quoted_lines_is_heard() -> None:
    text = "On Tuesday, Glenn wrote:\n> who decides?\nIt's my company.\n> how many?\n50"
    assert values(mail(text))["decision_maker"] == "yes"


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("Our two sites at Eagle Farm and Yatala need cleaning.", "Eagle Farm and Yatala"),
        ("Please quote.\n\nAnn Poe\n1200 North State Street, Jackson, MS", "Jackson, MS"),
        ("Shipping to Bakersfield.", "Bakersfield"),
        ("We are at 12 Mill Road in Partick.", "Partick"),
    ],
)
def test_towns_before_streets(text: str, town: str) -> None:
    assert values(mail(text))["location"] == town


def test_turns_of_a_chat_in_small_letters_are_read() -> None:
    text = "agent: our number is 614-555-0199\nvisitor: ring me\nvisitor: 614-555-0142"
    assert normals(mail(text))["phone"] == "+16145550142"
