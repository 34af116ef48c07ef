from __future__ import annotations

from triage.redaction import speech
from triage.types import Segment, Speaker, TimedWord, Transcript


def heard(*turns: tuple[Speaker, str]) -> Transcript:
    """Ten seconds a turn, eight of them speech; agents are on the left."""
    segments = tuple(
        Segment(10.0 * at, 10.0 * at + 8, who, text, 0.9, channel=int(who == "caller"))
        for at, (who, text) in enumerate(turns)
    )
    return Transcript(segments, "en", "test", "test", 10.0 * len(turns))


CARD = heard(
    ("agent", "What is your card number?"),
    ("caller", "Four one one one, one one one one."),
    ("agent", "One one one one, okay."),
    ("caller", "One one one one, one one one one."),
    ("agent", "And your phone number?"),
    ("caller", "Six one four, five five five, oh one four two."),
)


def test_a_number_is_masked_over_turns_and_echoes() -> None:
    masked = speech.mask(CARD)
    assert [segment.text for segment in masked.transcript.segments] == [
        "What is your card number?",
        "[card number ••1111].",
        "[card number], okay.",
        "[card number].",
        "And your phone number?",
        "Six one four, five five five, oh one four two.",
    ]
    assert masked.masked.text == masked.transcript.text


def test_without_word_times_whole_segments_are_silent_and_the_turns_between() -> None:
    ((start, end),) = speech.mask(CARD).silent
    assert 8.0 < start <= 10.0
    assert 38.0 <= end < 50.0


def test_nothing_found_is_nothing_changed() -> None:
    call = heard(("caller", "We need 40 units, call 614-555-0142."))
    masked = speech.mask(call)
    assert masked.transcript is call
    assert masked.silent == ()
    assert speech.mask(CARD, ()).transcript is CARD


def test_words_say_when_and_are_masked_too() -> None:
    said = ["My", "SSN", "is", "536", "90", "4399,", "and", "I", "need", "a", "quote."]
    words = tuple(TimedWord(float(at), at + 0.5, word) for at, word in enumerate(said))
    text = " ".join(said)
    turn = Segment(0.0, 11.0, "unknown", text, 0.9, words=words)
    call = Transcript((turn,), "en", "t", "t", 11.0)
    masked = speech.mask(call)
    (segment,) = masked.transcript.segments
    assert segment.text == "My SSN is [identity number], and I need a quote."
    assert [word.text for word in segment.words] == [
        "My", "SSN", "is", "[identity number]", "and", "I", "need", "a", "quote.",
    ]  # fmt: skip
    assert (segment.words[3].start, segment.words[3].end) == (3.0, 5.5)
    assert masked.silent == ((2.5, 6.0),)  # to the words around


def test_a_number_that_a_segment_ends_in_the_middle_of_is_found() -> None:
    call = heard(("unknown", "my card is 4012 8888"), ("unknown", "8888 1881 and it is a visa"))
    texts = [segment.text for segment in speech.mask(call).transcript.segments]
    assert texts == ["my card is [card number ••1881]", "[card number] and it is a visa"]
