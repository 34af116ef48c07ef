from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from triage.redaction.text import find, mask

TEXTS = Path(__file__).parent / "data" / "redaction.jsonl"
CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()
]


def kept(row: dict[str, Any]) -> list[str]:
    """The marked numbers of which a letter or a figure is left."""
    hidden = {place for one in mask(row["text"]).replaced for place in range(one.start, one.end)}
    return [
        row["text"][span["start"] : span["end"]]
        for span in row["spans"]
        if any(
            row["text"][place].isalnum() and place not in hidden
            for place in range(span["start"], span["end"])
        )
    ]


def test_there_are_enough_texts_of_each_sort() -> None:
    sorts = Counter((row["half"], bool(row["spans"])) for row in ROWS)
    assert sorts == {
        ("dev", True): 62, ("test", True): 62, ("dev", False): 62, ("test", False): 62,
    }  # fmt: skip
    assert len({row["text"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["half"] == "dev" and row["spans"]], ids=lambda row: row["id"]
)
def test_marked_numbers_are_masked_whole(row: dict[str, Any]) -> None:
    assert kept(row) == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not row["spans"]], ids=lambda row: row["id"]
)
def test_numbers_that_qualify_leads_stay(row: dict[str, Any]) -> None:
    assert mask(row["text"]).text == row["text"]


def test_texts_that_nobody_looked_at_are_masked_nearly_as_well() -> None:
    rows = [row for row in ROWS if row["half"] == "test"]
    told = sum(len(row["spans"]) for row in rows)
    missed = sum(len(kept(row)) for row in rows)
    assert (told - missed) / told >= 0.94  # measured: 83 of 88


def test_places_of_the_original_are_found_in_what_is_masked() -> None:
    text = "Pay with 4111 1111 1111 1111, exp 09/28, and call 614-555-0142."
    masked = mask(text)
    assert masked.text == (
        "Pay with [card number ••1111], exp [card expiry], and call 614-555-0142."
    )
    phone = text.index("614")
    start, end = masked.place(phone, phone + 12)
    assert masked.text[start:end] == "614-555-0142"
    card = text.index("4111")
    for begin, finish in ((card, card + 19), (card + 5, card + 9), (card - 5, card + 7)):
        start, end = masked.place(begin, finish)
        assert "[card number ••1111]" in masked.text[start:end]
    assert masked.place(0, len(text)) == (0, len(masked.text))
    assert masked.touches(card + 3, card + 5)
    assert not masked.touches(phone, phone + 12)


def test_masking_again_changes_nothing() -> None:
    for row in (row for row in ROWS if row["half"] == "dev" or not row["spans"]):
        once = mask(row["text"]).text
        assert mask(once).text == once, row["id"]


def test_only_the_kinds_that_are_asked_for_are_masked() -> None:
    text = "Visa 4111 1111 1111 1111, SSN 536-90-4399"
    assert mask(text, {"card"}).text == "Visa [card number ••1111], SSN 536-90-4399"
    assert mask(text, {"identity"}).text == "Visa 4111 1111 1111 1111, SSN [identity number]"
    assert mask(text, ()).text == text


def test_no_digits_but_a_cards_last_four_are_shown() -> None:
    for row in ROWS:
        for one in find(row["text"]):
            assert not one.last or one.kind == "card number"
            assert all(
                sign.isalpha() or sign in " []•" for sign in one.shown().replace(one.last, "")
            )


def test_numbers_are_found_wherever_they_stand_in_a_long_text() -> None:
    filler = "The building has 4 units from 2008 and 12 offices. "
    for before in (7_900, 7_990, 8_480, 8_495, 8_510, 8_990, 15_990):
        text = (filler * 400)[:before] + " my card is 4012 8888 8888 1881 thanks " + filler
        assert mask(text).text.count("[card number ••1881]") == 1, before


def test_what_leads_state_in_the_corpus_stays() -> None:
    lines = (CORPUS / "train-c.jsonl").read_text(encoding="utf-8").splitlines()
    leads = (row for line in lines if (row := json.loads(line))["label"] == "lead")
    stated = 0
    for row in islice(leads, 150):
        text = row.get("body") or row.get("text") or ""
        masked = mask(text)
        for signal in row.get("signals", {}).values():
            for evidence in signal["evidence"]:
                if evidence["field"] in {"body", "text"}:
                    stated += 1
                    assert not masked.touches(evidence["start"], evidence["end"]), row["id"]
    assert stated > 100
