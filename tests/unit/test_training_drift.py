"""Windows that are alike are quiet; each measure notices what it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.support.past import items
from triage.pipeline.drifting import sentence
from triage.settings import Drift
from triage.store.words import split
from triage.training.drift import Finding, Piece, Window, alarms, holm, psi

MONDAY = datetime(2026, 6, 8, tzinfo=UTC)
DAYS = 7


def pieces() -> list[Piece]:
    """Mails of the corpus, with the labels they have."""
    rng = Random(3)
    return [
        Piece(
            MONDAY,
            str(item.label),
            rng.betavariate(6, 1),
            frozenset(word for word in split(item.example.text) if word.isalpha()),
            model="m@1",
        )
        for part in ("calibration-s", "calibration-t")
        for item in items(part, "email")
    ]


def window(new: list[Piece], old: list[Piece]) -> Window:
    """The first over the week from Monday on, the others over the four weeks before."""
    return Window(
        "sales",
        [replace(piece, at=MONDAY + timedelta(days=DAYS * n / len(new)))
         for n, piece in enumerate(new)],
        [replace(piece, at=MONDAY - timedelta(days=28 * n / len(old) + 0.01))
         for n, piece in enumerate(old)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def stock() -> list[Piece]:
    return pieces()


def drawn(stock: list[Piece], seed: int, new: int = 60, old: int = 120) -> Window:
    order = Random(seed).sample(stock, len(stock))
    return window(order[:new], order[new : new + old])


def test_what_is_alike_is_quiet(stock: list[Piece]) -> None:
    assert len(stock) >= 180
    found = [alarms([drawn(stock, seed)], Drift()) for seed in range(6)]
    assert found == [[]] * 6
    strict = Drift(chance=0.05, shift=0.0)
    loud = sum(bool(alarms([drawn(stock, seed)], strict)) for seed in range(6))
    assert loud <= 1


def test_more_spam_from_thursday_on_is_said_so(stock: list[Piece]) -> None:
    same = drawn(stock, 1)
    thursday = MONDAY + timedelta(days=3)
    spam = [
        replace(piece, label="spam") if piece.at >= thursday and n % 4 else piece
        for n, piece in enumerate(same.recent)
    ]
    first, *others = alarms([replace(same, recent=spam)], Drift())
    assert (first.measure, first.label, first.source) == ("labels", "spam", "sales")
    assert first.after > first.before + 0.3
    assert first.p < 0.001
    assert first.since == thursday
    assert all(other.measure == "labels" for other in others)
    said = sentence(first)
    assert said.startswith("since Thursday 11 June ")
    assert f"{first.after:.0%} of mails from 'sales' are spam, {first.before:.0%} before" in said


def altered(change: Callable[[Piece], Piece], measure: str) -> tuple[Finding, str]:
    """What is found where every second recent inquiry is changed, and how it is said."""
    same = drawn(pieces(), 2)
    recent = [change(piece) if n % 2 else piece for n, piece in enumerate(same.recent)]
    found = {each.measure: each for each in alarms([replace(same, recent=recent)], Drift())}
    assert set(found) == {measure}
    return found[measure], sentence(found[measure])  # type: ignore[index]


def test_a_model_that_hesitates_is_noticed() -> None:
    found, said = altered(lambda piece: replace(piece, margin=0.1), "confidence")
    assert found.before < 0.15
    assert found.after > 0.4
    assert "hard to tell" in said


def test_words_that_nobody_used_are_noticed() -> None:
    jargon = frozenset(f"{first}{second}ulon" for first in "bcdfgklmn" for second in "aeiou")

    def about_something_else(piece: Piece) -> Piece:
        return replace(piece, words=(piece.words or frozenset()) | jargon)

    found, said = altered(about_something_else, "vocabulary")
    assert found.after > found.before + 0.1
    assert "of the words in mails from 'sales' are new there" in said


def test_another_model_is_named() -> None:
    found, said = altered(lambda piece: replace(piece, margin=0.1, model="own@2"), "confidence")
    assert found.models == ("own@2",)
    assert said.endswith("(by another model than before: own@2)")


def test_calls_without_speech_are_noticed() -> None:
    def calls(silent: int, count: int) -> list[Piece]:
        return [
            Piece(MONDAY, "support", 0.9, None, n < silent, "call", "m@1") for n in range(count)
        ]

    quiet = window(calls(6, 60), calls(12, 120))
    assert alarms([quiet], Drift()) == []
    (found,) = alarms([window(calls(30, 60), calls(12, 120))], Drift())
    assert (found.measure, found.before, found.after) == ("silence", 0.1, 0.5)
    assert "50% of calls from 'sales' hold no speech that can be understood" in sentence(found)


def test_too_little_says_nothing(stock: list[Piece]) -> None:
    spam = [replace(piece, label="spam") for piece in stock[:39]]
    assert alarms([window(spam, stock[39:])], Drift(least=40)) == []
    assert alarms([window(spam, stock[39:])], Drift(least=39))


def test_chances_are_corrected_for_their_number() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_stability_index_is_that_of_the_textbooks() -> None:
    assert psi([50, 50], [5, 5]) == pytest.approx(0.0)
    # (0.7 - 0.5) ln(0.7 / 0.5) + (0.3 - 0.5) ln(0.3 / 0.5)
    assert psi([50, 50], [70, 30]) == pytest.approx(0.1694596)
    assert 0 < psi([50, 50, 0], [50, 50, 1]) < 0.1
