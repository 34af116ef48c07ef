"""Text, quoted history, signature and forwarded messages are told apart, and no line is lost."""

from __future__ import annotations

import time
from collections import Counter
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.intake.sections import Sections, split


def sections(text: str, subject: str = "") -> Sections:
    return split(dedent(text).strip("\n"), subject=subject)


def lines(*texts: str) -> Counter[str]:
    return Counter(line.rstrip() for text in texts for line in text.split("\n") if line.strip())


def test_text_alone_stays_text() -> None:
    text = "Hello,\n\nwhat does a heat pump cost?\n\nAnn\n614-555-0100"
    assert split(text) == Sections(text=text)


@pytest.mark.parametrize(
    "heading",
    [
        "On Mon, Nov 2, 2026 at 9:14 AM Ann Lee <ann@x.example> wrote:",
        "On Mon, Nov 2, 2026 at 9:14 AM Ann Lee\n<ann@x.example> wrote:",
        "On 11/2/26 9:14, Ann Lee wrote:",
        "Ann Lee <ann@x.example> wrote:",
        "Am 02.11.2026 um 09:14 schrieb Ann Lee <ann@x.example>:",
        "Le lun. 2 nov. 2026 à 09:14, Ann Lee <ann@x.example> a écrit :",
        "El lun, 2 nov 2026 a las 9:14, Ann Lee (<ann@x.example>) escribió:",
        "Em seg., 2 de nov. de 2026 às 09:14, Ann Lee <ann@x.example> escreveu:",
        "Dne po 2. 11. 2026 v 9:14 Ann Lee <ann@x.example> napsal(a):",
        "2026年11月2日(月) 9:14 Ann Lee <ann@x.example>:",
    ],
)
@pytest.mark.parametrize("marked", [True, False])
def test_reply_above_the_quote(heading: str, marked: bool) -> None:
    history = "> The price is $400.\n> Shall we come?" if marked else "The price is $400."
    found = split(f"Yes, please come.\n\n{heading}\n\n{history}")
    assert found.text == "Yes, please come."
    assert heading in found.quoted
    assert "The price is $400." in found.quoted


def test_the_shortest_reply_is_kept_as_text() -> None:
    found = split("ok\n\nOn 2 Nov 2026, Ann <a@x.example> wrote:\n> " + "history\n> " * 50)
    assert found.text == "ok"


def test_reply_below_the_quote() -> None:
    found = sections("""
        On 2 Nov 2026, Ann wrote:
        > How large is it?
        >
        > Where is it?

        1,600 square feet in Hilliard.
        """)
    assert found.text == "1,600 square feet in Hilliard."
    assert found.quoted.startswith("On 2 Nov 2026, Ann wrote:")


def test_answers_between_the_quotes() -> None:
    found = sections("""
        > How large is it?
        1,600 square feet.
        > Where is it?
        In Hilliard.
        """)
    assert found.text == "1,600 square feet.\nIn Hilliard."
    assert found.quoted == "> How large is it?\n\n> Where is it?"


def test_wrote_in_a_sentence_is_no_heading() -> None:
    text = "On our last visit your man wrote:\nreplace the filter. Which filter?"
    assert split(text).text == text


OUTLOOK = """
{comment}

From: Ann Lee <ann@x.example>
Sent: Monday, November 2, 2026 9:14 AM
To: Bob <bob@y.example>
Subject: boiler

We need a boiler.
"""


def test_outlook_heading_is_a_reply_or_a_forward_by_its_subject() -> None:
    text = OUTLOOK.format(comment="Can you call her?").strip()
    reply, forward = split(text, subject="RE: boiler"), split(text, subject="FW: boiler")
    assert "We need a boiler." in reply.quoted
    assert "We need a boiler." in forward.forwarded
    assert reply.text == forward.text == "Can you call her?"


def test_outlook_heading_with_nothing_above_was_passed_on() -> None:
    found = split(OUTLOOK.format(comment="").strip(), subject="boiler")
    assert found.text == ""
    assert found.forwarded.startswith("From: Ann Lee")


@pytest.mark.parametrize(
    "heading",
    [
        "---------- Forwarded message ---------",
        "-------- Forwarded Message --------",
        "Begin forwarded message:",
    ],
)
def test_forwards_with_and_without_a_comment(heading: str) -> None:
    inner = f"{heading}\nFrom: Ann <ann@x.example>\nDate: 2 Nov 2026\nTo: b@y.example\n\nA quote?"
    assert split(inner) == Sections(forwarded=inner)
    commented = split(f"For you, I think.\n\n{inner}")
    assert (commented.text, commented.forwarded) == ("For you, I think.", inner)


def test_a_form_that_looks_like_a_heading_is_text() -> None:
    text = (
        "New request\n\nName: Ann\nFrom: Hilliard\nTo: Columbus\nSubject: Quote\nMessage: two units"
    )
    assert split(text).text == text


def test_separator_signature() -> None:
    found = split("A quote, please.\n--\nAnn Lee\n614-555-0100")
    assert (found.text, found.signature) == ("A quote, please.", "--\nAnn Lee\n614-555-0100")


@pytest.mark.parametrize(
    "closing", ["Best regards,", "Thanks!", "Cheers", "Many thanks in advance,", "Sincerely yours,"]
)
def test_sign_off_with_contact_data(closing: str) -> None:
    below = f"{closing}\nAnn Lee\nOwner | Lee Bakery\n614-555-0100\nann@lee.example"
    found = split(f"What would it cost?\n\n{below}")
    assert (found.text, found.signature) == ("What would it cost?", below)


def test_sign_off_and_name_on_one_line() -> None:
    assert split("Can you come on Friday?\nThanks, Ann").signature == "Thanks, Ann"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for the visit.\nCould you also quote a second unit for the garage upstairs?",
        "Thanks,\nbut when can you come?",
        "Best price wins.",
        "Thanks!",
        "Thanks,\nAnn\n614-555-0100",
        "--\nAnn Lee\n614-555-0100",
        "- two units\n- one boiler",
        "Disclaimer: I know nothing of boilers, but mine leaks. Is my e-mail confidential?",
    ],
)
def test_text_is_not_taken_for_a_signature(text: str) -> None:
    assert split(text) == Sections(text=text)


def test_postscript_below_the_signature_is_text() -> None:
    found = split("Please call.\n\nRegards,\nAnn\n\nPS: we also need a second boiler")
    assert found.text == "Please call.\n\nPS: we also need a second boiler"
    assert found.signature == "Regards,\nAnn"


def test_a_notice_goes_with_the_signature_unless_a_person_speaks_in_it() -> None:
    notice = "CONFIDENTIALITY NOTICE: this e-mail is privileged.\n\nDelete it if it is not yours."
    found = split(f"A quote, please.\n\nRegards,\nAnn\n\n{notice}")
    assert found.text == "A quote, please."
    assert (found.signature, found.disclaimer) == ("Regards,\nAnn", notice)
    spoken = f"Hello.\n\n{notice}\n\nI need a boiler."
    assert split(spoken).text == spoken


LINE = st.sampled_from(
    [
        "", "  ", "hello there", "> quoted", "> > older", ">", "Thanks,", "Ann Lee", "614-555-0100",
        "--", "-- ", "On 2 Nov 2026, Ann <a@x.example> wrote:", "Am 2.11. schrieb a@x.example:",
        "-----Original Message-----", "---------- Forwarded message ---------", "From: a@x.example",
        "Sent: Monday", "To: b@y.example", "Subject: s", "PS: more", "Sent from my iPhone",
        "CONFIDENTIAL: this message is privileged.", "________________________________", "wrote:",
        "Em 2 de nov. de 2026, Ann <a@x.example> escreveu:", "a question?",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(LINE, max_size=30), st.sampled_from(["", "RE: s", "Fwd: s"]))
def test_every_line_is_in_exactly_one_section(found: list[str], subject: str) -> None:
    text = "\n".join(found)
    result = split(text, subject=subject)
    parts = (
        result.text, result.quoted, result.signature, result.disclaimer, result.forwarded,
    )  # fmt: skip
    assert lines(*parts) == lines(text)
    if text.strip():
        assert result.text or result.forwarded


@pytest.mark.parametrize(
    "text",
    [
        "On 1 " * 40_000,
        "On 1 a@b.example\n" * 12_000,
        ("Am " + "a@b.example " * 15 + ":\n") * 1_000,
        "> x\ny\n" * 30_000,
        "From: a\nSent: b\n" * 10_000,
        "Thanks " * 25_000,
        "-" * 200_000,
        " " * 200_000 + ":",
        ("a@b.example" + " " * 180 + ":\n") * 1_000,
    ],
)
def test_long_texts_are_split_quickly(text: str) -> None:
    began = time.process_time()
    split(text)
    assert time.process_time() - began < 5
