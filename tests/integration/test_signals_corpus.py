"""Signals on the corpus: how often they agree with what people marked, and what always holds."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers.labels import SIGNALS
from classifiers.tag_model import Tagger
from tests.support.qualified import BUSINESS, call, field_text, mail
from triage.settings import IdealCustomer
from triage.signals.measure import business_of, inquiry_of, marked_leads, measure
from triage.signals.qualify import qualify
from triage.signals.spoken import number, spoken_digits, spoken_email
from triage.types import Inquiry, Party, Qualification, Signal, Transcript

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
FILES = ("train-a", "train-b", "train-c", "train-d", "dev-e")
LATER_HANDS = ("train-g", "train-h", "train-i", "train-j")
# A little below what is reached, so that a loss shows. The marks name no day of arrival: all items
# arrive on one day here, which blurs `ready` and `evaluating` where only a date tells them apart.
FLOORS = {
    "dev-e": {
        "contact_name": 0.88, "company": 0.74, "role": 0.7, "phone": 0.93, "email": 0.97,
        "location": 0.6, "company_size": 0.52, "budget": 0.74, "timeline": 0.82,
        "product_interest": 0.05,
    },
    "later hands": {
        "contact_name": 0.77, "company": 0.7, "role": 0.67, "phone": 0.95, "email": 0.87,
        "location": 0.6, "company_size": 0.54, "budget": 0.74, "timeline": 0.72,
        "product_interest": 0.28,
    },
}  # fmt: skip
# What ships, rules and tagger, on a hand that neither was made on.
SHIPPED = {
    "contact_name": 0.91, "company": 0.81, "phone": 0.97, "email": 0.99, "company_size": 0.7,
    "budget": 0.75, "timeline": 0.75, "decision_maker": 0.82, "readiness": 0.8,
}  # fmt: skip
RIGHT = {
    "dev-e": {"decision_maker": 0.91, "readiness": 0.8},
    "later hands": {"decision_maker": 0.92, "readiness": 0.78},
}


def rows(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        with (CORPUS / f"{name}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def read(row: dict[str, Any]) -> Qualification:
    return qualify(inquiry_of(row), None, IdealCustomer(), business_of(row))


def words(text: str) -> set[str]:
    small = {
        "the",
        "a",
        "an",
        "of",
        "in",
        "at",
        "by",
        "on",
        "for",
        "to",
        "and",
        "our",
        "my",
        "about",
    }
    return set(re.findall(r"[\w']+", text.lower())) - small


def agrees(name: str, gold: dict[str, Any], found: Signal) -> bool:
    value = gold["value"]
    match name:
        case "decision_maker" | "readiness":
            return bool(value == found.value)
        case "phone" | "email":
            return reaches(name, value, found)
        case "company_size":
            return found.normalized == counted(value)
        case "product_interest":
            quotes = [value, *(part["quote"] for part in gold["evidence"])]
            return any(overlap(found.value, quote) >= 0.5 for quote in quotes)
        case "timeline" | "budget" | "role":
            stated = words(value).union(*(words(part["quote"]) for part in gold["evidence"]))
            ours = words(found.value)
            return bool(ours) and (len(ours & stated) * 2 >= len(ours) or words(value) <= ours)
    both = words(value) | words(found.value)
    return len(words(value) & words(found.value)) * 2 >= len(both)


def reaches(name: str, value: str, found: Signal) -> bool:
    """Whether a phone number or an address, written or read aloud, is the marked one."""
    if name == "phone":
        return digits(value)[-9:] == digits(found.value)[-9:]
    marked = value if "@" in value else spoken_email(value)
    return bool(marked.lower() == found.normalized)


def overlap(ours: str, marked: str) -> float:
    """F1 of the content words of two phrases; plurals count as their singulars."""
    left, right = ({re.sub(r"(?<=\w\w)s$", "", word) for word in words(t)} for t in (ours, marked))
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def digits(text: str) -> str:
    text = re.split(r",? ?ext", text)[0]
    written = re.sub(r"\D", "", text)
    return written if len(written) > 6 else spoken_digits(text)


def counted(text: str) -> str:
    parts = re.findall(r"[\w,]+", text)
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            value = number(" ".join(parts[start : start + length]))
            if value is not None:
                return f"{value:.0f}"
    return ""


def stated(row: dict[str, Any], name: str) -> dict[str, Any] | None:
    gold: dict[str, Any] | None = row["signals"].get(name)
    return gold if gold and gold["value"] != "unknown" else None


def tally(*names: str) -> dict[str, Counter[str]]:
    """Hits, false ones and misses by signal. What only the sender says is not counted as false:
    the marks are about what was written or said.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in SIGNALS}
    for row in rows(*names):
        if row["label"] != "lead":
            continue
        found = read(row).signals
        for name in SIGNALS:
            gold, ours, count = stated(row, name), found.get(name), counts[name]
            hit = gold is not None and ours is not None and agrees(name, gold, ours)
            aside = ours is None or ours.evidence[0].field in {"sender", "metadata"}
            count["leads"] += 1
            count["right"] += hit or (gold is None and aside)
            count["hits"] += hit
            count["false"] += not hit and not aside
            count["missed"] += not hit and gold is not None
    return counts


def f1(count: Counter[str]) -> float:
    total = 2 * count["hits"] + count["false"] + count["missed"]
    return 2 * count["hits"] / total if total else 1.0


@pytest.fixture(scope="module")
def tallies() -> dict[str, dict[str, Counter[str]]]:
    return {"dev-e": tally("dev-e"), "later hands": tally(*LATER_HANDS)}


@pytest.mark.parametrize(("group", "name"), [(g, n) for g in FLOORS for n in FLOORS[g]])
def test_signals_agree_with_the_marks(
    tallies: dict[str, dict[str, Counter[str]]], group: str, name: str
) -> None:
    count = tallies[group][name]
    assert f1(count) >= FLOORS[group][name], dict(count)


@pytest.mark.parametrize(("group", "name"), [(g, n) for g in RIGHT for n in RIGHT[g]])
def test_decision_and_readiness_agree_unknown_included(
    tallies: dict[str, dict[str, Counter[str]]], group: str, name: str
) -> None:
    count = tallies[group][name]
    assert count["right"] / count["leads"] >= RIGHT[group][name], dict(count)


def test_hardly_a_lead_is_withheld_unless_it_only_looks_around() -> None:
    withheld = [
        row["id"]
        for row in rows(*FILES, *LATER_HANDS)
        if row["label"] == "lead"
        and row["signals"]["readiness"]["value"] != "researching"
        and read(row).score < 30
    ]
    assert len(withheld) <= 4, withheld


def test_what_ships_reads_what_an_unknown_hand_wrote_and_more_than_rules() -> None:
    leads = marked_leads(CORPUS / "calibration-t.jsonl")
    rules, shipped = measure(leads, None), measure(leads, Tagger.load(threads=1))
    assert all(one.evidenced.value == 1 for one in shipped.values())
    for name, floor in SHIPPED.items():
        assert shipped[name].figure.value >= max(floor, rules[name].figure.value), name


def check(inquiry: Inquiry, transcript: Transcript | None, found: Qualification) -> None:
    assert sum(part.points for part in found.parts) == found.score
    assert 0 <= found.score <= 100
    for name, signal in found.signals.items():
        assert signal.name == name
        assert signal.value
        assert signal.evidence
        assert 0 < signal.confidence <= 1
        for evidence in signal.evidence:
            text = field_text(inquiry, transcript, evidence.field)
            assert evidence.quote == text[evidence.start : evidence.end]
            assert evidence.quote.strip()


def test_every_quote_is_where_it_says_in_every_item_of_the_corpus() -> None:
    files = sorted(path.stem for path in CORPUS.glob("*.jsonl"))
    for row in rows(*(file for file in files if not file.startswith("profiles"))):
        check(inquiry_of(row), None, read(row))


PIECES = st.sampled_from(
    [
        "Regards,\n", "Name: ", "my name is ", "614-555-0142", " six one four ", "double ", "@",
        "\n\n", "> ", "From: ", "Agent: ", "Caller: ", "by Friday ", "the 31st ", "$12k ",
        "budget ", "Feb 30 ", "I'm the ", "owner", "-----Original Message-----\n",
        "99/99/99 ", "\u0130", "ß", "\u2019", "first thousand ",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=30).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, subject=TEXTS, signature=TEXTS)
def test_no_text_breaks_qualification(text: str, subject: str, signature: str) -> None:
    written = mail(text, subject=subject, signature=signature, sender=Party(subject, text))
    check(written, None, qualify(written, None, IdealCustomer(), BUSINESS))
    spoken, transcript = call(("agent", subject), ("caller", text), ("unknown", signature))
    check(spoken, transcript, qualify(spoken, transcript, IdealCustomer(), BUSINESS))


@pytest.mark.parametrize(
    ("piece", "times"),
    [
        ("a ", 40_000), ("one ", 20_000), ("A. ", 20_000), ("Name:\n", 12_000), ("1 ", 40_000),
        ("(", 80_000), ("we ", 20_000), ("\n", 80_000), ("Aa ", 20_000), ("a-", 40_000),
    ],
)  # fmt: skip
def test_long_and_odd_texts_take_time_in_proportion(piece: str, times: int) -> None:
    text = piece * times
    started = time.process_time()
    qualify(mail(text, signature=text[:20_000]), None, IdealCustomer(), BUSINESS)
    assert time.process_time() - started < 10
