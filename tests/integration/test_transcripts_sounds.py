"""Nobody speaks in these recordings, and the real engine in its process writes nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.settings import Limits, Transcription
from triage.transcripts import notes
from triage.transcripts.engine import NO_SPEECH, SpeechEngine
from triage.transcripts.host import TranscriberHost
from triage.transcripts.recording import Reading, transcribe
from triage.transcripts.sounds.kinds import IN_WORDS

SOUNDS = Path(__file__).parents[2] / "fixtures" / "sounds"
EXPECTED: dict[str, list[str]] = json.loads((SOUNDS / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TranscriberHost]:
    with TranscriberHost(Transcription(), Limits(), tmp_path_factory.mktemp("weights")) as made:
        yield made


@pytest.mark.parametrize("name", EXPECTED)
def test_non_speech_is_no_text_and_says_what_it_is(host: TranscriberHost, name: str) -> None:
    transcript = host.transcribe(SOUNDS / name)

    assert transcript.segments == ()
    assert not notes.proves_nothing(transcript.warnings)  # so it is settled, and by a rule
    assert NO_SPEECH in transcript.warnings or notes.is_too_little(transcript.warnings)
    reason = notes.reason(transcript.warnings)
    for kind, words in IN_WORDS.items():
        assert (words in reason) == (kind in EXPECTED[name])


@pytest.mark.parametrize("name", EXPECTED)
def test_whisper_is_not_even_asked_for(name: str) -> None:
    reading = Reading(engine="none", model="none", min_speech_s=Transcription().min_speech_s)

    assert transcribe(SOUNDS / name, no_engine, reading, Limits()).segments == ()


def no_engine() -> SpeechEngine:
    raise AssertionError("an engine was asked for")
