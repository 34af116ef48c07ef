"""Times that the rules leave out, as candidates of a timeline."""

from __future__ import annotations

import time

import pytest

from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tag_model import Choice, Tagged
from tests.support.qualified import BUSINESS, mail
from triage.signals.candidates import Reading, candidates
from triage.signals.learned import Learned
from triage.signals.moments import moments
from triage.signals.qualify import ruled
from triage.signals.source import Source, gather

NOTHING_READ = Tagged(
    dict.fromkeys(SPANS, ()),
    {name: Choice(dict.fromkeys(values, 0.5), (0, 0)) for name, values in CLASSES.items()},
)


def quotes(text: str) -> list[str]:
    """The candidates of a timeline in a mail that no tagger read."""
    material = gather(mail(text), None, BUSINESS)
    read = Reading(material, Learned(NOTHING_READ, (), {}), ruled(material))
    return [one.finding.quote for one in candidates("timeline", read)]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("fertig bis herbst w\u00e4re sch\u00f6n", "herbst"),
        ("sie m\u00fcsste noch vor ostern eingebaut werden", "ostern"),
        ("kunt u volgende week woensdag komen", "volgende week woensdag"),
        ("nous cherchons un laboratoire \u00e0 partir de septembre", "septembre"),
        ("ser\u00eda a partir de enero", "enero"),
        ("posti da luned\u00ec prossimo", "luned\u00ec prossimo"),
        ("preciso deles at\u00e9 dia 20", "dia 20"),
        ("we have q3 as the target", "q3"),
        ("to be seen within a fortnight", "within a fortnight"),
        ("is your marquee free august bank holiday", "august bank holiday"),
        ("you free at four? just a fill", "at four"),
        ("it has to be done before hurricane season", "before hurricane season"),
    ],
)
def test_times_that_the_rules_leave_out_may_be_meant(text: str, when: str) -> None:
    found = [finding.quote for finding in moments(Source("text", text, text))]
    assert when in found
    assert when in quotes(text)


def test_what_the_rules_know_is_no_second_candidate() -> None:
    found = quotes("Done by 3 May at four.")
    assert sorted(found) == ["at four", "by 3 May"]
    words = "the first one may go, the second we keep"
    assert not [*moments(Source("text", words, words))]


def test_endless_numbers_are_looked_through_in_little_time() -> None:
    started = time.process_time()
    for words in ("nineteen hundred and ", "next next week ", "12 de mes este ", "before a "):
        text = words * 3000
        found = list(moments(Source("text", text, text)))
        assert all(text[one.start : one.end] == one.quote for one in found)
    assert time.process_time() - started < 5
