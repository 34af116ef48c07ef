"""The fast engine with the real weights: windows, sides, word times, languages, vocabulary."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from triage.errors import Configuration
from triage.settings import Limits
from triage.transcripts import audio, channels, speech
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.decoding import Decoded
from triage.transcripts.engine import Heard, Word
from triage.transcripts.faster import FasterWhisper
from triage.transcripts.weights import Weights, locate

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
EMPTY = np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    return locate("base", tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def engine(weights: Weights) -> FasterWhisper:
    return FasterWhisper(weights)


@pytest.fixture(scope="module")
def sides() -> list[Samples]:
    """The speech of the agent (9 s) and of the caller (8 s)."""
    decoded = audio.decode(CALLS / "wrong-number-pizza.wav", Limits())
    return [speech.find(side).samples for side in channels.gated(decoded.samples)]


@pytest.fixture(scope="module")
def heard(engine: FasterWhisper, sides: list[Samples]) -> list[Heard]:
    return engine.transcribe_sides(sides, language="")


def words(heard: Heard) -> list[Word]:
    return [word for piece in heard.pieces for word in piece.words]


def text(heard: Heard) -> str:
    return "".join(word.text for word in words(heard))


def test_each_side_has_its_own_text_in_whatever_order(
    engine: FasterWhisper, sides: list[Samples], heard: list[Heard]
) -> None:
    agent, caller = heard
    assert "wrong number" in text(agent)
    assert "pepperoni" in text(caller)
    assert "pepperoni" not in text(agent)

    assert engine.transcribe_sides(sides[::-1], language="") == heard[::-1]


def test_pieces_are_sentences(heard: list[Heard]) -> None:
    caller = ["".join(word.text for word in piece.words).strip() for piece in heard[1].pieces]

    assert len(caller) >= 2
    assert all(sentence[-1] in ".?!" for sentence in caller)
    assert all(piece.avg_logprob < 0 and piece.compression > 0.5 for piece in heard[1].pieces)


def test_word_times_go_on_and_stay_inside_the_audio(
    sides: list[Samples], heard: list[Heard]
) -> None:
    for samples, side in zip(sides, heard, strict=True):
        times = [time for word in words(side) for time in (word.start, word.end)]
        assert len(times) > 20
        assert all(a <= b for a, b in itertools.pairwise(times))
        assert times[0] >= 0.0
        assert times[-1] <= samples.size / RATE + 0.01


def test_words_are_where_they_were_said(engine: FasterWhisper, sides: list[Samples]) -> None:
    # 27 s are two windows: what is said again 18 s later has its times 18 s later.
    pause = np.zeros(RATE, np.float32)
    again = np.concatenate([sides[1], pause, sides[0], pause, sides[1]])
    offset = (sides[1].size + sides[0].size + 2 * RATE) / RATE

    found = [(re.sub(r"\W", "", word.text).lower(), word) for word in words(
        engine.transcribe(again, language="en")
    )]  # fmt: skip

    for name in ("pepperoni", "pickup"):
        first, second = [word for heard, word in found if heard == name]
        assert second.start - first.start == pytest.approx(offset, abs=0.3)
        assert second.end - first.end == pytest.approx(offset, abs=0.3)


def test_a_side_without_speech_has_no_text(engine: FasterWhisper, sides: list[Samples]) -> None:
    agent, silent = engine.transcribe_sides([sides[0], EMPTY], language="en")

    assert "wrong number" in text(agent)
    assert silent == Heard((), "en")
    assert engine.transcribe(EMPTY, language="") == Heard((), "")


def test_a_stretch_without_a_word_is_in_doubt_only_where_somebody_speaks(
    engine: FasterWhisper, sides: list[Samples], heard: list[Heard]
) -> None:
    agent, caller = sides
    written = Decoded(tuple(words(heard[0])), avg_logprob=-0.2, no_speech=0.1, compression=1.2)
    noise = 0.01 * np.random.default_rng(0).standard_normal(6 * RATE).astype(np.float32)

    assert not engine._in_doubt(agent, written)
    assert not engine._in_doubt(np.concatenate([agent, noise]), written)
    assert engine._in_doubt(np.concatenate([agent, caller]), written)


def test_what_one_side_says_is_not_heard_again_in_the_noise_of_the_other(
    engine: FasterWhisper,
) -> None:
    call = CALLS.parent / "mixed-calls" / "spam-closed-plan-refund.opus"
    decoded = audio.decode(call, Limits())
    gated = [speech.find(side).samples for side in channels.gated(decoded.samples)]

    agent, caller = (text(heard) for heard in engine.transcribe_sides(gated, language="en"))

    assert "Kevin" in caller
    assert "Kevin" not in agent


def test_noise_gets_no_words_whatever_the_vocabulary(weights: Weights) -> None:
    # Shown these names, Whisper writes just them on the second, low noise.
    loud = np.random.default_rng(5).normal(0, 0.02, 6 * RATE).astype(np.float32)
    low = np.convolve(np.random.default_rng(6).normal(0, 0.02, 6 * RATE), np.ones(8) / 8, "same")
    knowing = FasterWhisper(weights, vocabulary=("Brightwater", "Kowalski"))

    assert text(knowing.transcribe(loud, language="en")) == ""
    assert "Brightwater" not in text(knowing.transcribe(low.astype(np.float32), language="en"))


def test_a_name_of_the_business_is_written_as_it_is_spelt(
    weights: Weights, sides: list[Samples], heard: list[Heard]
) -> None:
    knowing = FasterWhisper(weights, vocabulary=("Brightwater", "Kowalski"))

    agent, caller = knowing.transcribe_sides(sides, language="en")

    assert "Brightwater" not in text(heard[0])
    assert "Brightwater" in text(agent)
    assert not re.search("Brightwater|Kowalski", text(caller))
    assert "Kowalski" not in text(agent)


def test_the_language_is_found_among_the_allowed_ones(
    weights: Weights, engine: FasterWhisper, sides: list[Samples], heard: list[Heard]
) -> None:
    assert [side.language for side in heard] == ["en", "en"]
    only = FasterWhisper(weights, languages=("de", "nl"))

    assert only.transcribe(sides[1], language="").language in {"de", "nl"}
    assert only.transcribe(sides[1], language="en").language == "en"


def test_a_language_that_the_weights_do_not_know_is_a_matter_of_configuration(
    weights: Weights,
) -> None:
    with pytest.raises(Configuration, match=r"the weights do not know xx"):
        FasterWhisper(weights, languages=("en", "xx"))
