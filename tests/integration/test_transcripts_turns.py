"""Voices of a real recording in one channel, with the real weights."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from triage.settings import Limits
from triage.transcripts import audio
from triage.transcripts.faster import FasterWhisper
from triage.transcripts.recording import Reading, transcribe
from triage.transcripts.turns.diarist import Diarist
from triage.transcripts.weights import locate
from triage.types import Transcript

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
CALL = CALLS / "wrong-number-pizza.wav"

pytestmark = pytest.mark.skipif(bool(Diarist().missing()), reason=Diarist().missing())


def mono(path: Path, samples: audio.Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Transcript]:
    """The call mixed down, and its caller alone."""
    folder = tmp_path_factory.mktemp("mono")
    sides = audio.decode(CALL, Limits()).samples
    engine, diarist = FasterWhisper(locate("base")), Diarist()
    reading = Reading(engine="faster-whisper", model="base", language="en")
    return {
        name: transcribe(
            mono(folder / name, samples), lambda: engine, reading, Limits(), diarist=diarist
        )
        for name, samples in (("both.wav", sides.sum(axis=0)), ("caller.wav", sides[1]))
    }


def test_each_turn_of_a_mixed_call_has_its_speaker(heard: dict[str, Transcript]) -> None:
    script = json.loads(CALL.with_suffix(".expected.json").read_text(encoding="utf-8"))
    expected = [turn["speaker"] for turn in script["transcript"]]

    turns = [segment.speaker for segment in heard["both.wav"].segments]
    changes = [now for before, now in zip([None, *turns], turns, strict=False) if now != before]

    assert changes == expected
    assert {segment.voice for segment in heard["both.wav"].segments} == {1, 2}
    assert heard["both.wav"].text.startswith("Agent: ")
    pizza = next(s for s in heard["both.wav"].segments if "pepperoni" in s.text)
    assert pizza.speaker == "caller"


def test_one_voice_is_one_voice(heard: dict[str, Transcript]) -> None:
    assert {segment.voice for segment in heard["caller.wav"].segments} == {1}
    assert "agent" not in {segment.speaker for segment in heard["caller.wav"].segments}
