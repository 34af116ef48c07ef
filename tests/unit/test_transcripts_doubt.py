from __future__ import annotations

import pytest

from triage.transcripts.doubt import doubtful, echoes, gaps, unspoken
from triage.transcripts.engine import Word
from triage.transcripts.sentences import in_order, sentences


def said(text: str, *, start: float = 0.0, each: float = 0.4) -> list[Word]:
    """The words of a text, one after the other."""
    return [
        Word(start + index * each, start + (index + 1) * each, f" {word}", 0.9)
        for index, word in enumerate(text.split())
    ]


SENTENCE = "We need a quote for two new rooftop units before the end of March please."


def in_doubt(words: list[Word], seconds: float, logprob: float = -0.2, ratio: float = 1.2) -> bool:
    return doubtful(words, seconds, avg_logprob=logprob, compression=ratio)


def test_plain_speech_is_believed() -> None:
    assert not in_doubt(said(SENTENCE), 6.5)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (said("no " * 40, each=0.1), 6.0),  # loops
        (said(SENTENCE, each=0.05), 1.0),  # more than a mouth can say
    ],
)
def test_what_cannot_be_is_in_doubt(words: list[Word], seconds: float) -> None:
    assert in_doubt(words, seconds)


def test_unlikely_or_repetitive_text_is_in_doubt() -> None:
    assert in_doubt(said(SENTENCE), 6.5, logprob=-1.1)
    assert in_doubt(said(SENTENCE), 6.5, ratio=2.5)


def test_unlikely_text_on_what_is_likely_no_speech_was_not_said() -> None:
    assert unspoken(avg_logprob=-1.8, no_speech=0.64)
    assert not unspoken(avg_logprob=-1.8, no_speech=0.4)
    assert not unspoken(avg_logprob=-0.3, no_speech=0.9)


@pytest.mark.parametrize(
    ("words", "seconds", "found"),
    [
        (said(SENTENCE), 6.5, []),
        (said(SENTENCE), 11.0, [(6.0, 11.0)]),  # ends early
        (said(SENTENCE, start=5.0), 11.0, [(0.0, 5.0)]),  # begins late
        (said(SENTENCE) + said("Thank you.", start=11.0), 12.0, [(6.0, 11.0)]),  # leaves some out
        ([], 4.0, [(0.0, 4.0)]),
        ([], 0.7, []),  # a breath
    ],
)
def test_long_stretches_without_a_word_are_found(
    words: list[Word], seconds: float, found: list[tuple[float, float]]
) -> None:
    assert gaps(words, seconds) == [pytest.approx(gap) for gap in found]


def test_text_that_is_only_vocabulary_was_not_said() -> None:
    vocabulary = ("Brightwater", "mini-split", "Kowalski")

    assert echoes(said("Brightwater, Mini-Split, Kowalski."), vocabulary)
    assert not echoes(said("Brightwater, this is Dana."), vocabulary)
    assert not echoes([], vocabulary)
    assert not echoes(said("Hello."), ())


def test_sentences_hold_every_word_in_order() -> None:
    words = said('Hi Mr. Bell. Is it $3.5 million? "Yes." Fine')

    found = sentences(words)

    assert ["".join(word.text for word in one).strip() for one in found] == [
        "Hi Mr. Bell.",
        "Is it $3.5 million?",
        '"Yes."',
        "Fine",
    ]
    assert [word for one in found for word in one] == words
    assert sentences([]) == []


def test_a_short_word_ends_a_sentence_where_there_is_a_pause() -> None:
    words = [Word(0.0, 0.3, " Yes.", 0.9), Word(0.9, 1.2, " Thursday", 0.9)]

    assert len(sentences(words)) == 2


def test_times_never_go_back_nor_beyond_the_window() -> None:
    words = [Word(0.5, 0.9, " a", 0.9), Word(0.7, 0.6, " b", 0.8), Word(1.9, 2.4, " c", 0.7)]

    assert [(word.start, word.end) for word in in_order(words, 2.0)] == [
        (0.5, 0.9),
        (0.9, 0.9),
        (1.9, 2.0),
    ]
