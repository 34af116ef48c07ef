from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.store import words
from triage.store.words import Term

ANY = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("Quote", Term(("quote",))),
        ('"Forty Seats"', Term(("forty", "seats"))),
        ("-spam", Term(("spam",), without=True)),
        ("FROM:Ann@X.example", Term(("ann", "x", "example"), sender=True)),
        ("-from:ann", Term(("ann",), without=True, sender=True)),
        ("quot*", Term(("quot",), begins=True)),
        ("+1 (614) 555-0142", Term(("1", "614", "555", "0142"), number="6145550142")),
        ("0171-1234567", Term(("0171", "1234567"), number="1711234567")),
        ("12-34", Term(("12", "34"))),
    ],
)
def test_a_term_is_what_was_typed(typed: str, term: Term) -> None:
    assert words.parse(typed).terms == (term,)


def test_several_terms_are_all_meant() -> None:
    query = words.parse('budget "call me" -seo from:bob')
    assert words.fts5(query) == (
        '"budget" AND "call me" AND (sender : "bob")',
        '"seo"',
    )
    assert words.tsquery(query) == "('budget') & ('call' <-> 'me') & !('seo') & ('bob':A)"


def test_numbers_are_words_with_and_without_their_country() -> None:
    found = words.numbers("Call +49 (171) 123-4567 or 614.555.0142, order 12-34")
    assert {"491711234567", "1711234567", "6145550142", "5550142"} <= set(found)
    assert "1234" not in found


@given(ANY)
def test_whatever_is_typed_holds_no_syntax(text: str) -> None:
    for term in words.parse(text).terms:
        assert all(word.isalnum() for word in term.words)
        assert not term.number or term.number.isdigit()


@given(ANY, ANY, ANY)
def test_a_vector_holds_each_word_with_its_places(sender: str, subject: str, text: str) -> None:
    fields = (words.split(sender), words.split(subject), words.split(text))
    vector = words.tsvector(fields)
    assert {part.partition("':")[0].lstrip("'") for part in vector.split()} == {
        word for field in fields for word in field
    }


def test_near_duplicates_share_a_sketch_and_others_do_not() -> None:
    one = words.split("we need a quote for forty rooftop units at our hotel before the end of may")
    two = [*one[:-1], "june"]
    other = words.split("my invoice of last month is wrong please correct it and send it again now")
    assert set(zip(words.sketch(one), range(4), strict=True)) & set(
        zip(words.sketch(two), range(4), strict=True)
    )
    assert not set(words.sketch(one)) & set(words.sketch(other))
    assert words.sketch([]) == ()
    assert len(words.sketch(["hello"])) == 4
