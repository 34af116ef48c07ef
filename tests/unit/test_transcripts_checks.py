from __future__ import annotations

import pytest

from triage.transcripts import checks
from triage.transcripts.engine import Piece, Word
from triage.types import Segment


def piece(*probabilities: float, no_speech: float = 0.0) -> Piece:
    words = tuple(Word(i, i + 0.5, f" w{i}", p) for i, p in enumerate(probabilities))
    return Piece(words, avg_logprob=-0.3, no_speech=no_speech, compression=1.2)


def segment(text: str) -> Segment:
    return Segment(0.0, 1.0, "caller", text, 0.9)


@pytest.mark.parametrize(
    "text",
    [
        "I want a new I want a new I want a new I want a new",
        "go go go go go go",
        "and then and then and then and then and then",
        "call us " * 60,
        "Press one for sales, press two for service. " * 12,
    ],
)
def test_loops_are_seen(text: str) -> None:
    assert checks.LOOP in checks.flags(text, 60.0, 0.95, 1.2)


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no, no, it's been great.",
        "614-555-0184. Again, that's 614-555-0184.",
        "K-O-W-A-L-S-K-I.",
        "Yeah, yeah, yeah. Okay, okay.",
        "We have two options. You can bring it in any time, or you can schedule an appointment.",
    ],
)
def test_how_people_repeat_themselves_is_no_loop(text: str) -> None:
    assert checks.flags(text, 60.0, 0.95, 1.2) == ()


def test_a_window_that_compresses_too_well_is_a_loop() -> None:
    assert checks.flags("Okay then.", 2.0, 0.9, 3.1) == (checks.LOOP,)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for watching!",
        "Thanks for watching, and please subscribe.",
        "Please like and subscribe to my channel.",
        "Subtitles by the Amara.org community",
        "Untertitel der Amara.org-Community",
        "you",
        "The",
        "[Music]",
        "(crickets chirping)",
        "♪ ♪",
        "*phone ringing*",
    ],
)
def test_words_for_non_speech_are_filler(text: str) -> None:
    assert checks.FILLER in checks.flags(text, 2.0, 0.9, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you.",
        "Thanks, bye.",
        "Thank you for calling Brightwater.",
        "You can call me back.",
        "I'd like to subscribe to your maintenance plan.",
        "Is there music in the hall?",
    ],
)
def test_what_callers_say_is_no_filler(text: str) -> None:
    assert not checks.is_filler(text)


def test_doubt_and_haste_are_flagged() -> None:
    assert checks.flags("Uh, I see it.", 2.0, 0.2, 1.0) == (checks.LOW_CONFIDENCE,)
    assert checks.flags("one two three four five six seven", 0.4, 0.9, 1.0) == (checks.TOO_FAST,)
    assert checks.flags("Sure, what would you like to know?", 0.96, 0.9, 1.0) == ()


def test_confidence_is_between_nothing_and_certain() -> None:
    assert checks.confidence(piece(0.9, 0.8)) == pytest.approx(0.85)
    assert checks.confidence(piece(0.9, 0.8, no_speech=0.9)) == pytest.approx(0.55)
    assert checks.confidence(piece(0.1, no_speech=1.0)) == 0.0
    assert checks.confidence(piece(1.0000001)) == 1.0
    assert checks.confidence(piece()) == 0.0


def test_the_same_segment_three_times_is_a_loop() -> None:
    texts = ["Hello?", "Hello?", "Okay.", "I will.", "I will!", "i will"]

    checked = checks.repeated([segment(text) for text in texts])

    assert [s.flags for s in checked] == [(), (), (), ("loop",), ("loop",), ("loop",)]
    assert [s.text for s in checked] == texts
