from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from triage.errors import Configuration
from triage.transcripts import messages
from triage.transcripts.engine import Piece, Word
from triage.transcripts.turns import diarist, features, phrases, roles, voices, weights
from triage.transcripts.turns.diarist import Diarist
from triage.transcripts.turns.weights import Array
from triage.types import Segment, Transcript

AGENT = (
    "Thank you for calling Brightwater, this is Dana speaking.",
    "We can do that. What is the address?",
    "And your name? Let me check what we have.",
)
CALLER = (
    "Hi, I'd like to get a price on a new furnace for my house.",
    "I'm calling from Dublin, it's on Weber Road.",
    "My name is Melissa Grant. Thank you.",
)


def said(text: str, start: float, *, each: float = 0.3) -> tuple[Word, ...]:
    """Words one after the other, without pauses."""
    return tuple(
        Word(start + index * each, start + (index + 1) * each, f" {word}", 0.9)
        for index, word in enumerate(text.split())
    )


def piece(*words: Word) -> Piece:
    return Piece(words, -0.2, 0.0, 1.2)


def talk(
    voices_of: list[int], *, spread: float = 0.5, alike: float = 0.4, seed: int = 1
) -> tuple[Array, Array, Array]:
    """Vectors of phrases of 1.5 s by these voices: noise around a direction for each voice."""
    random = np.random.default_rng(seed)
    width = 192
    common = random.standard_normal(width)
    own = random.standard_normal((max(voices_of) + 1, width))
    centres = np.sqrt(alike) * common + np.sqrt(1 - alike) * own
    prints = centres[voices_of] + spread * random.standard_normal((len(voices_of), width))
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    count = len(voices_of)
    return prints.astype(np.float32), np.full(count, 1.5, np.float32), np.full(count, 0.3)


def test_a_phrase_ends_with_a_sentence_and_at_a_pause() -> None:
    first = said("Where are you? We are in Dublin", 0.0)
    second = said("or near it today", first[-1].end + 0.3)

    found = phrases.phrases([piece(*first, *second), piece(*said("Okay.", 9.0))])

    texts = ["Where are you?", "We are in Dublin", "or near it today", "Okay."]
    assert [phrase.text for phrase in found] == texts
    assert [phrase.piece for phrase in found] == [0, 0, 0, 1]


def test_a_word_stays_in_its_sentence_unless_the_pause_is_long() -> None:
    word = said("Hi,", 0.0)
    soon, late = said("this is Dana.", 0.7), said("this is Dana.", 1.2)

    assert len(phrases.phrases([piece(*word, *soon)])) == 1
    assert len(phrases.phrases([piece(*word, *late)])) == 2


def test_phrases_of_a_turn_become_the_pieces_they_were() -> None:
    pieces = [piece(*said("One two. Three four.", 0.0)), piece(*said("Five.", 4.0))]

    whole = phrases.joined(pieces, phrases.phrases(pieces))
    end = phrases.joined(pieces, phrases.phrases(pieces)[1:])

    assert whole == pieces
    assert ["".join(word.text for word in part.words) for part in end] == [" Three four.", " Five."]


def test_two_voices_are_told_apart_in_order_of_appearance() -> None:
    spoken = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]

    found = voices.apart(*talk(spoken))

    assert found.count == 2
    assert found.labels.tolist() == [1 - voice for voice in spoken]
    assert found.margins.min() > diarist.DOUBT


def test_three_voices_are_three() -> None:
    spoken = [0, 1, 0, 1, 2, 1, 2, 1, 2, 1, 0, 2]

    assert voices.apart(*talk(spoken)).labels.tolist() == spoken


@pytest.mark.parametrize("seed", range(5))
def test_one_voice_stays_one(seed: int) -> None:
    found = voices.apart(*talk([0] * 12, seed=seed))

    assert found.count == 1
    assert (found.margins == 1).all()


def test_a_phrase_like_no_other_is_in_doubt() -> None:
    found = voices.apart(*talk([0, 0, 0, 0, 1, 0, 0, 0]))

    assert found.count == 1
    assert (found.margins == 0).tolist() == [False] * 4 + [True] + [False] * 3


def test_two_phrases_that_differ_are_in_doubt() -> None:
    prints, seconds, gaps = talk([0, 1])

    assert voices.apart(prints, seconds, gaps).margins.tolist() == [0, 0]


def test_too_little_speech_is_no_voice() -> None:
    prints, seconds, gaps = talk([0, 0, 0, 1, 0, 0, 1, 0])
    seconds[[3, 6]] = 0.4

    assert voices.apart(prints, seconds, gaps).count == 1


def test_a_short_phrase_in_doubt_stays_with_its_neighbours() -> None:
    spoken = [0, 0, 0, 0, 1, 1, 1, 1]
    prints, seconds, gaps = talk(spoken)
    between = prints[0] + 1.05 * prints[-1]
    prints[2] = between / np.linalg.norm(between)
    seconds[2] = 0.3

    assert voices.apart(prints, seconds, gaps).labels.tolist() == spoken


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_phrases_are_one_voice(count: int) -> None:
    prints, seconds, gaps = talk([0, 1, 0])

    found = voices.apart(prints[:count], seconds[:count], gaps[:count])

    assert found.labels.tolist() == [0] * count


def test_roles_come_from_what_is_said_not_from_who_begins() -> None:
    assert roles.roles([AGENT, CALLER], "en") == ["agent", "caller"]
    assert roles.roles([CALLER, AGENT], "en") == ["caller", "agent"]


def test_roles_are_unknown_where_little_is_said_or_in_another_language() -> None:
    assert roles.roles([("Yes.",), ("No.",)], "en") == ["unknown", "unknown"]
    assert roles.roles([AGENT, CALLER], "de") == ["unknown", "unknown"]
    assert roles.roles([], "en") == []


def test_a_voice_alone_is_a_caller_or_unknown() -> None:
    assert roles.roles([CALLER], "en") == ["caller"]
    assert roles.roles([AGENT], "en") == ["unknown"]


def test_of_three_voices_those_in_doubt_get_no_role() -> None:
    assert roles.roles([AGENT, ("Yes.",), CALLER], "en") == ["agent", "unknown", "caller"]


def test_mels_follow_the_pitch_and_the_level() -> None:
    time = np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * hertz * time).astype(np.float32) for hertz in (300, 2000))

    quiet, loud = features.log_mels(0.1 * low), features.log_mels(low)

    assert loud.shape == (98, 80)
    assert (
        features.log_mels(low).mean(axis=0).argmax() < features.log_mels(high).mean(axis=0).argmax()
    )
    loudest = loud.mean(axis=0).argmax()
    np.testing.assert_allclose((loud - quiet)[:, loudest], 2 * np.log(10), atol=1e-3)
    assert features.log_mels(low[:10]).shape == (1, 80)


def test_weights_are_read_as_core_ml_lays_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weight.bin"
    values = [np.asarray([1.5, -2.0], np.float16), np.asarray([0.25] * 40, np.float16)]
    content = struct.pack("<II", 2, 2).ljust(64, b"\0")
    for array in values:
        begin = len(content) + 64
        entry = struct.pack("<IIQQ", 0xDEADBEEF, 1, array.nbytes, begin).ljust(64, b"\0")
        content += (entry + array.tobytes()).ljust(-(-(64 + array.nbytes) // 64) * 64, b"\0")
    path.write_bytes(content)

    with pytest.raises(Configuration, match="sha256"):
        weights.arrays(path)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(content).hexdigest())

    assert [array.tolist() for array in weights.arrays(path)] == [v.tolist() for v in values]
    with pytest.raises(Configuration, match="cannot read"):
        weights.arrays(tmp_path / "none.bin")


def test_without_the_weights_nothing_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")

    assert "no_such_package" in Diarist().missing()


def test_a_turn_without_words_is_none() -> None:
    assert Diarist().turns(np.zeros(16_000, np.float32), [], "en") == []


def test_voices_cross_the_pipe_and_old_transcripts_have_none() -> None:
    segment = Segment(0.0, 1.0, "unknown", "Hello.", 0.9, voice=2)
    sent = messages.packed(Transcript((segment,), "en", "e", "m", 1.0))

    assert messages.transcript(sent).segments == (segment,)
    del sent["segments"][0]["voice"]
    assert messages.transcript(sent).segments[0].voice == 0
