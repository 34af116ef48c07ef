"""Candidates of signals, and a ranking that learns which of them are right."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from classifiers.ranking import (
    BUCKETS,
    NOTHING,
    Choices,
    Field,
    Ranking,
    Row,
    fit_ranking,
    hashed,
    writer_groups,
)
from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tag_model import Choice, Context, Stretch, Tagged
from classifiers.tagging import LAYOUT, Tokens
from tests.support.qualified import BUSINESS, mail
from triage.settings import IdealCustomer
from triage.signals.candidates import MOST, Reading, around, candidates, features
from triage.signals.choice import field_of
from triage.signals.learned import Learned, read_learned
from triage.signals.qualify import qualify, ruled
from triage.signals.rank_training import rank
from triage.signals.source import gather

CHOICES = {
    name: Choice(dict.fromkeys(values, 1 / len(values)), (0, 1)) for name, values in CLASSES.items()
}


class Blank:
    """A tagger that sees nothing, or one stretch of a company."""

    def __init__(
        self,
        company: tuple[int, int] | None = None,
        ranking: Mapping[str, Ranking] | None = None,
        context: Context | None = None,
    ) -> None:
        self.company, self.ranking, self.context = company, ranking or {}, context

    def read(self, texts: object) -> list[Tagged]:
        spans: dict[str, tuple[Stretch, ...]] = dict.fromkeys(SPANS, ())
        if self.company:
            spans["company"] = (Stretch(*self.company, 0.6),)
        return [Tagged(spans, CHOICES, self.context)]  # type: ignore[arg-type]


def reading(text: str, tagger: Blank | None = None) -> Reading:
    material = gather(mail(text), None, BUSINESS)
    learned = read_learned(material, tagger or Blank())
    assert isinstance(learned, Learned)
    return Reading(material, learned, ruled(material))


def test_all_figures_and_capitals_are_candidates_once() -> None:
    read = reading("We are 38 people at Lakeland Title. Budget is $4,000, not 5.")
    sizes = [one.finding.quote for one in candidates("company_size", read)]
    assert {"38", "5"} <= {size.split()[0] for size in sizes}
    names = [one.finding.quote for one in candidates("company", read)]
    assert "Lakeland Title" in names
    assert len(names) == len(set(names))


def test_a_candidate_keeps_what_tagger_and_rule_say() -> None:
    text = "We are 38 people."
    size = next(one for one in candidates("company_size", reading(text)) if one.ruled)
    assert size.finding.normalized == "38"
    whole = "Hello\n\nLakeland Title"
    read = reading(whole, Blank((len("Hello\n\n") + 2, len(whole) + 2)))
    tagged = next(one for one in candidates("company", read) if one.rank == 0)
    assert tagged.score == 0.6
    assert features("company", tagged, read)["rank 0"] == 1.0


def test_features_tell_words_labels_and_domains() -> None:
    read = reading("Company: Lakeland Title\nMail: dana@lakelandtitle.example")
    one = next(c for c in candidates("company", read) if c.finding.quote == "Lakeland Title")
    found = features("company", one, read)
    assert {"label company", "is a domain", "left 0 :", "first lakeland"} <= set(found)


def test_endless_texts_have_few_candidates_and_take_little_time() -> None:
    read = reading("Anna Smith has 12 vans. " * 4000)
    started = time.process_time()
    found = candidates("contact_name", read)
    assert len(found) <= MOST + 3
    assert all(features("contact_name", one, read) for one in found)
    assert time.process_time() - started < 5


def field(*rows: Row) -> Field:
    """Candidates that share no words."""
    return Field(rows, np.eye(len(rows), dtype=bool))


def choices(writer: str, *, good: str, bad: str) -> Choices:
    rows = (hashed({word: 1.0}) for word in (bad, good))
    return Choices(writer, True, field(*rows), (False, True))


def test_a_ranking_learns_what_right_candidates_have() -> None:
    theirs = [choices(f"w{at % 6}", good="signed", bad="quoted") for at in range(60)]
    quoted, signed = hashed({"quoted": 1.0}), hashed({"signed": 1.0})
    silent = [Choices(f"w{at % 6}", False, field(quoted), (False,)) for at in range(30)]
    ranking, f1 = fit_ranking([*theirs, *silent])
    assert f1 > 0.95
    place, probability = ranking.best(field(quoted, signed))
    assert place == 1
    assert probability > ranking.floor > ranking.best(field(quoted))[1]


def test_candidates_are_weighed_against_one_another() -> None:
    """Of two days the second counts, whatever the day: no day by itself says that."""
    days = [hashed({f"day {at}": 1.0, "first": 1.0}) for at in range(8)]
    later = [hashed({f"day {at}": 1.0, "second": 1.0}) for at in range(8)]
    both = [
        Choices(f"w{at % 6}", True, field(days[at % 8], later[(at + 3) % 8]), (False, True))
        for at in range(60)
    ]
    alone = [Choices(f"w{at % 6}", True, field(days[at % 8]), (True,)) for at in range(60)]
    ranking, f1 = fit_ranking([*both, *alone])
    assert f1 == 1.0
    assert ranking.best(field(days[0], later[0]))[0] == 1
    assert ranking.best(field(days[0]))[1] > ranking.floor


def test_probabilities_of_what_says_the_same_add_up() -> None:
    weights = np.zeros(BUCKETS + 1)
    weights[-1] = 3.0
    whole, piece, other = (hashed({word: 1.0}) for word in ("by friday", "friday", "monday"))
    apart = Ranking(weights, 0.5).best(field(whole, piece, other))[1]
    near = np.eye(3, dtype=bool)
    near[0, 1] = near[1, 0] = True
    together = Ranking(weights, 0.5).best(Field((whole, piece, other), near))[1]
    assert apart < 0.34
    assert together == 2 * apart
    assert Ranking(weights, 0.5).best(field()) == (-1, 0.0)


def test_where_nothing_is_right_nothing_is_taken() -> None:
    some = hashed({"x": 1.0})
    wrong = [Choices(f"w{at % 6}", False, field(some), (False,)) for at in range(60)]
    ranking, f1 = fit_ranking([*wrong, Choices("b", False, field(), ())])
    assert ranking.best(field(some))[1] < 0.05
    assert f1 == 0.0
    assert not fit_ranking([Choices("b", False, field(), ())])[0].weights.any()


def test_groups_hold_every_writer_once() -> None:
    groups = writer_groups("aaabbc", 2)
    assert sorted(writer for group in groups for writer in group) == ["a", "b", "c"]


def test_the_ranking_decides_and_its_floor_withholds() -> None:
    weights = np.zeros(BUCKETS + 1)
    weights[hashed({"in lakeland": 1.0})[0][0]] = 4.0
    weights[-1] = -2.0
    text = "Greetings from Skibbereen. Lakeland Title needs lunch."
    for floor, value in ((0.5, "Lakeland Title"), (0.95, None)):
        tagger = Blank(ranking={"company": Ranking(weights, floor)})
        found = qualify(mail(text), None, IdealCustomer(), BUSINESS, tagger).signals.get("company")
        assert (found.value if found else None) == value


def test_rankings_are_learned_from_marked_leads() -> None:
    rows = [
        {
            "id": f"{writer}{at}", "writer": writer, "channel": "email", "label": "lead",
            "body": f"We run {at} vans and want {at + 40} cups.",
            "signals": {"company_size": {"value": str(at), "evidence": [{"quote": str(at)}]}},
        }
        for writer in "abcdef"
        for at in range(3, 9)
    ]  # fmt: skip
    read = {row["id"]: Blank().read(())[0] for row in rows}
    ranking, figures = rank(rows, read)  # type: ignore[arg-type]
    assert set(ranking) == set(SPANS)
    assert figures["company_size"] > 0.9
    inquiry, tagger = mail("We run 7 vans and want 47 cups."), Blank(ranking=ranking)
    found = qualify(inquiry, None, IdealCustomer(), BUSINESS, tagger).signals["company_size"]
    assert found.normalized == "7"


def words_seen(text: str) -> Context:
    """Each word one token behind an empty subject; its vector is its place and 1."""
    spans = [(match.start() + 2, match.end() + 2) for match in re.finditer(r"\S+", text)]
    count = len(spans)
    layout = np.zeros((count, len(LAYOUT)), dtype=np.int64)
    tokens = Tokens((), np.arange(count), np.array(spans), layout)
    return Context(tokens, np.stack([np.arange(count), np.ones(count)], axis=1))


def test_a_figure_is_seen_with_its_noun_a_time_too_and_a_name_is_not() -> None:
    text = "We run two laundromats Friday"
    read = reading(text, Blank(context=words_seen(text)))
    two = next(one for one in candidates("company_size", read) if one.finding.quote == "two")
    assert around("company_size", two, read).tolist() == [1.0, 0.5, 1.5, 0.5]  # words 2 and 3
    friday = next(one for one in candidates("timeline", read))
    assert around("timeline", friday, read).tolist() == [2.0, 0.5, 0.0, 0.0]
    assert around("company", two, read) is NOTHING
    assert around("company_size", two, reading(text)) is NOTHING


def test_what_was_not_read_is_seen_as_nothing_of_the_same_length() -> None:
    text = "We run two"
    read = reading(text, Blank(context=words_seen(text)))
    last = next(one for one in candidates("company_size", read) if one.finding.quote == "two")
    assert around("company_size", last, read).tolist() == [1.0, 0.5, 0.0, 0.0]
    elsewhere = replace(last.finding, source=replace(last.finding.source, field="attachment"))
    assert read.learned.around(elsewhere).tolist() == [0.0] * 4


def seen(writer: str, *, good: float) -> Choices:
    same = {"figures 1": 1.0}
    rows = (hashed(same, np.array([0.0, kind])) for kind in (-good, good))
    return Choices(writer, True, field(*rows), (False, True))


def test_a_ranking_learns_what_vectors_mean_and_does_without() -> None:
    ranking, f1 = fit_ranking([seen(f"w{at % 6}", good=1.0) for at in range(60)])
    assert f1 > 0.95
    assert ranking.weights.shape == (BUCKETS + 1 + 2,)
    plain = {"figures 1": 1.0}
    right, wrong = (hashed(plain, np.array([0.0, kind])) for kind in (1.0, -1.0))
    assert ranking.best(field(wrong, right))[0] == 1
    without = Ranking(ranking.weights[: BUCKETS + 1], 0.5)
    assert without.best(field(right)) == without.best(field(wrong))
    assert without.best(field(right)) == without.best(field(hashed(plain)))


def test_a_candidate_is_seen_beside_the_others() -> None:
    read = reading("Could you do next Tuesday at ten or Wednesday the 12th?")
    found = candidates("timeline", read)
    quotes = [one.finding.quote for one in found]
    assert quotes == ["next Tuesday at ten", "Wednesday the 12th", "the 12th"]
    rows = field_of("timeline", found, read)
    said = [
        [name for name in ("nth 0", "nth from the end 0", "of 3", "inside another", "holds another")
         if hashed({name: 1.0})[0][0] in row[0]]
        for row in rows.rows
    ]  # fmt: skip
    assert said == [
        ["nth 0", "of 3"],
        ["of 3", "holds another"],
        ["nth from the end 0", "of 3", "inside another"],
    ]
    assert rows.near.tolist() == [[True, False, False], [False, True, True], [False, True, True]]
