"""How the tagger's reading of one text becomes findings, and meets the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from classifiers.ranking import Ranking
from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tag_model import Choice, Stretch, Tagged
from classifiers.verdict import Example
from tests.support.qualified import BUSINESS, call, mail
from triage.settings import IdealCustomer
from triage.signals.measure import agrees, first_number, inquiry_of, measure
from triage.signals.qualify import qualify
from triage.types import Evidence, Qualification, Signal


class Finds:
    """Reads exactly what it is told to: phrases for signals, probabilities for classes."""

    def __init__(
        self,
        probability: float = 0.95,
        classes: Mapping[str, tuple[str, str, float]] | None = None,
        **phrases: str,
    ) -> None:
        self.probability, self.classes, self.phrases = probability, classes or {}, phrases
        self.texts: list[str] = []
        self.ranking: Mapping[str, Ranking] = {}

    def read(self, texts: Sequence[tuple[Example, str]]) -> list[Tagged]:
        return [self._tagged(text) for _, text in texts]

    def _tagged(self, text: str) -> Tagged:
        self.texts.append(text)
        spans = {
            name: tuple(
                Stretch(*match.span(), self.probability)
                for match in re.finditer(re.escape(self.phrases.get(name, "\0")), text)
            )
            for name in SPANS
        }
        return Tagged(spans, {name: self._choice(name, text) for name in CLASSES})

    def _choice(self, name: str, text: str) -> Choice:
        value, quote, sure = self.classes.get(name, ("unknown", "", 0.9))
        rest = (1 - sure) / (len(CLASSES[name]) - 1)
        start = max(text.find(quote), 0)
        return Choice(
            {one: sure if one == value else rest for one in CLASSES[name]},
            (start, start + len(quote)),
        )


def test_the_tagger_never_reads_flagged_speech() -> None:
    inquiry, heard = call(
        ("agent", "Brightwater, this is Dana."), ("caller", "I have a budget of $9,000."),
        flags=("over-sound",),
    )  # fmt: skip
    spoken = replace(heard, segments=(heard.segments[0], replace(heard.segments[1], flags=())))
    tagger = Finds(budget="$9,000")

    assert not qualify(inquiry, heard, IdealCustomer(), BUSINESS, tagger).signals  # type: ignore[arg-type]
    assert "9,000" not in tagger.texts[0]

    found = qualify(inquiry, spoken, IdealCustomer(), BUSINESS, tagger).signals["budget"]  # type: ignore[arg-type]
    (evidence, *_) = found.evidence
    assert spoken.text[evidence.start : evidence.end] == evidence.quote == "$9,000"


def read(tagger: Finds, text: str, **more: str) -> Qualification:
    return qualify(mail(text, **more), None, IdealCustomer(), BUSINESS, tagger)  # type: ignore[arg-type]


def test_a_finding_lies_in_the_field_it_was_read_in() -> None:
    tagger = Finds(
        contact_name="Oisin Fallon", company="Hebble Works", location="Skibbereen",
        product_interest="a new gate",
    )  # fmt: skip
    found = read(
        tagger,
        "The hinges went again.",
        subject="a new gate",
        signature="-- \nOisin Fallon\nHebble Works",
        forwarded="From: them\n\nthe place by Skibbereen",
    ).signals
    where = {name: found[name].evidence[0] for name in tagger.phrases}  # type: ignore[index]
    assert {name: one.field for name, one in where.items()} == {
        "contact_name": "signature", "company": "signature", "location": "forwarded",
        "product_interest": "subject",
    }  # fmt: skip
    assert where["company"].start == len("-- \nOisin Fallon\n")
    assert all(one.quote == tagger.phrases[name] for name, one in where.items())


def test_a_call_keeps_the_second_at_which_it_was_said() -> None:
    inquiry, transcript = call(("agent", "Hello?"), ("caller", "zzyx from the mill here"))
    found = qualify(
        inquiry, transcript, IdealCustomer(), BUSINESS, Finds(contact_name="zzyx")
    ).signals["contact_name"]
    assert (found.value, found.evidence[0].at_s) == ("zzyx", 5.0)


def test_what_is_hardly_probable_is_not_said() -> None:
    assert "location" not in read(Finds(0.1, location="the mill"), "see you at the mill").signals


def test_a_size_and_a_budget_get_their_numbers() -> None:
    tagger = Finds(company_size="two hundred and twenty", budget="48k", timeline="by Friday")
    text = "two hundred and twenty souls here, 48k is what there is, by Friday"
    found = read(tagger, text).signals
    assert found["company_size"].normalized == "220"
    assert found["budget"].normalized == "48000"
    assert found["timeline"].normalized.startswith("2026-03-2")


def test_a_size_without_a_number_is_none() -> None:
    assert "company_size" not in read(Finds(company_size="the lot"), "the lot of them").signals


def test_not_stated_is_not_no() -> None:
    found = read(Finds(), "do you do gutters?").signals
    assert "decision_maker" not in found
    assert "readiness" not in found


def test_a_sure_class_is_said_with_what_shows_it() -> None:
    shown = "she will have to nod it through"
    tagger = Finds(classes={"decision_maker": ("no", shown, 0.97)})
    found = read(tagger, f"Lovely boots. {shown}, you see.").signals["decision_maker"]
    assert (found.value, found.evidence[0].quote) == ("no", shown)
    assert 0 < found.confidence <= 1


def test_a_rule_outvotes_a_doubtful_tagger_and_not_a_sure_one() -> None:
    text = "I am the owner and I sign this off."
    doubtful = Finds(classes={"decision_maker": ("unknown", "", 0.5)})
    sure = Finds(classes={"decision_maker": ("no", "I sign", 0.98)})
    assert read(doubtful, text).signals["decision_maker"].value == "yes"
    assert read(sure, text).signals["decision_maker"].value == "no"


def signal(value: str, normalized: str = "") -> Signal:
    return Signal("budget", value, 0.9, (Evidence(value, 0, len(value)),), normalized)


@pytest.mark.parametrize(
    ("name", "marked", "found", "right"),
    [
        ("company_size", "40 people", signal("40"), True),
        ("company_size", "sixty-two trucks", signal("62"), True),
        ("company_size", "14", signal("41"), False),
        ("budget", "around twelve grand", signal("twelve grand"), True),
        ("contact_name", "Mrs Ruiz", signal("Ruiz"), True),
        ("contact_name", "Jen Ruiz", signal("Tom Ruiz-Bell"), False),
        ("company", "The Lantern", signal("lantern"), True),
        ("phone", "oh one six three two nine six oh one one eight", signal("01632 960118"), True),
        ("email", "jen at example dot com", signal("", "jen@example.com"), True),
        ("timeline", "before end of March", signal("end of March"), True),
        ("timeline", "before end of March", signal("Tuesday"), False),
        ("product_interest", "new gutters", signal("the gutters"), True),
    ],
)
def test_what_counts_as_the_marked_value(
    name: str, marked: str, found: Signal, *, right: bool
) -> None:
    mark = {"value": marked, "evidence": [{"quote": marked}]}
    assert agrees(name, mark, found) == right  # type: ignore[arg-type]


def test_figures_count_hits_misses_and_what_was_not_stated() -> None:
    def row(text: str, **signals: str) -> dict[str, object]:
        marks = {name: {"value": value, "evidence": []} for name, value in signals.items()}
        return {"id": text, "channel": "email", "body": text, "signals": marks}

    rows = [
        row("call me on 614 555 0142", phone="614-555-0142", decision_maker="unknown"),
        row("614 555 0143", phone="555 0199", decision_maker="unknown"),
        row("i own the house", decision_maker="yes"),
        row("budget is $900", decision_maker="unknown"),
    ]
    found = measure(rows, None)
    assert (found["phone"].marked, found["phone"].found) == (2, 2)
    assert found["phone"].figure.value == pytest.approx(0.5)
    assert found["decision_maker"].figure.value == 1.0
    assert found["budget"].precision.value == 0.0
    assert found["budget"].evidenced.value == 1.0
    assert inquiry_of(rows[0]).text == "call me on 614 555 0142"


def test_first_number() -> None:
    assert [first_number(text) for text in ("51-200", "about 2,300 taps", "none", "a dozen")] == [
        "51", "2300", "", "",
    ]  # fmt: skip


def test_that_rules_are_silent_says_less_of_who_decides_than_a_rule() -> None:
    text = "the roof of our old place drips"
    likely = Finds(classes={"decision_maker": ("yes", "our old place", 0.6)})
    assert read(likely, text).signals["decision_maker"].value == "yes"
    unsure = Finds(classes={"decision_maker": ("yes", "our old place", 0.4)})
    assert (
        read(unsure, f"{text}. my boss asked me to find out").signals["decision_maker"].value
        == "no"
    )
    hint = Finds(classes={"readiness": ("ready", "drips", 0.5)})
    assert "readiness" not in read(hint, text).signals
