from __future__ import annotations

import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from triage.errors import Configuration, Permanent, Transient
from triage.settings import Limits, Transcription
from triage.transcripts import audio, checks, messages, notes, recording, speech
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.engine import AudioInfo, Heard, Piece, SpeechEngine, Word
from triage.transcripts.recording import Reading
from triage.transcripts.sounds import find
from triage.types import Segment, TimedWord, Transcript

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
READING = Reading(engine="recorder", model="none@0")


class Recorder:
    """An engine that writes one word for every half second of speech, and remembers its calls."""

    name = "recorder"

    def __init__(self) -> None:
        self.calls: list[tuple[float, str]] = []
        self.heard: list[Samples] = []

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        seconds = samples.size / RATE
        self.calls.append((seconds, language))
        self.heard.append(samples)
        words = tuple(
            Word(at, at + 0.4, " word", 0.9) for at in np.arange(0.0, seconds - 0.4, 0.5).tolist()
        )
        return Heard((Piece(words, -0.2, 0.0, 1.1),), "en")


def no_engine() -> SpeechEngine:
    raise AssertionError("an engine was asked for")


def test_without_speech_there_is_no_engine_and_no_word() -> None:
    transcript = recording.transcribe(CALLS / "silence.wav", no_engine, READING, Limits())

    assert transcript.segments == ()
    assert transcript.language == ""
    assert transcript.duration_s == pytest.approx(20.0)
    assert transcript.warnings == (recording.NO_SPEECH, "heard instead: silence")


def test_sides_are_read_apart_and_merged_by_time() -> None:
    engine = Recorder()

    transcript = recording.transcribe(
        CALLS / "wrong-number-pizza.wav", lambda: engine, READING, Limits()
    )

    starts = [segment.start for segment in transcript.segments]
    turns = [segment.speaker for segment in transcript.segments]
    assert starts == sorted(starts)
    assert turns[:3] == ["agent", "caller", "agent"]
    assert {(s.speaker, s.channel) for s in transcript.segments} == {("agent", 0), ("caller", 1)}
    assert [language for _, language in engine.calls] == ["", "en"]
    assert engine.calls[0][0] >= engine.calls[1][0]
    assert transcript.duration_s == pytest.approx(16.5, abs=0.5)
    assert not transcript.partial


def test_the_caller_may_be_on_the_left() -> None:
    reading = Reading(engine="recorder", model="none@0", caller_channel="left", language="en")

    transcript = recording.transcribe(CALLS / "wrong-number-pizza.wav", Recorder, reading, Limits())

    assert transcript.segments[0].speaker == "caller"


def test_the_opening_is_partial_and_knows_the_whole_length() -> None:
    reading = Reading(engine="recorder", model="none@0", opening_s=5.0)

    transcript = recording.transcribe(CALLS / "wrong-number-pizza.wav", Recorder, reading, Limits())

    assert transcript.partial
    assert transcript.duration_s == pytest.approx(16.5, abs=0.5)
    assert transcript.segments[-1].end < 6.5


def test_an_opening_longer_than_the_call_is_the_whole_call() -> None:
    reading = Reading(engine="recorder", model="none@0", opening_s=600.0)

    assert not recording.transcribe(CALLS / "silence.wav", no_engine, reading, Limits()).partial


def test_a_mono_file_in_one_of_two_channels_names_nobody(tmp_path: Path) -> None:
    with wave.open(str(CALLS / "silence.wav")) as file:
        mono = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    with wave.open(str(tmp_path / "call.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([mono, np.zeros_like(mono)], axis=1).tobytes())

    transcript = recording.transcribe(tmp_path / "call.wav", no_engine, READING, Limits())

    assert recording.ONE_SIDED in transcript.warnings


def test_words_return_to_where_they_were_said() -> None:
    with_pauses = np.concatenate(
        [np.zeros(3 * RATE, np.float32), voice(), np.zeros(5 * RATE, np.float32), voice()]
    )
    found = speech.find(with_pauses)
    half = found.seconds / 2
    piece = Piece(
        (Word(0.5, 0.9, " One", 0.9), Word(half + 0.5, half + 0.9, " two.", 0.9)), -0.1, 0.0, 1.0
    )

    first, second = found.placed(piece)

    assert found.seconds < 9
    assert first.words[0].start == pytest.approx(3.3, abs=0.5)
    assert second.words[0].start == pytest.approx(3 + voice().size / RATE + 5.3, abs=0.6)


def test_a_sentence_that_was_spoken_in_one_go_is_one_segment() -> None:
    def piece(start: float, *texts: str) -> Piece:
        words = tuple(
            Word(start + i * 0.3, start + i * 0.3 + 0.3, t, 0.9) for i, t in enumerate(texts)
        )
        return Piece(words, -0.1, 0.0, 1.0)

    pieces = [piece(0.0, " We", " own"), piece(0.6, " it."), piece(1.0, " Yes."), piece(9.0, " Ok")]

    joined = recording.whole_sentences(pieces)

    assert ["".join(w.text for w in p.words) for p in joined] == [" We own it.", " Yes.", " Ok"]


def saved(path: Path, *sides: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sides))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.stack(sides, axis=1) * 32767).astype("<i2").tobytes())
    return path


def test_words_keep_their_times(tmp_path: Path) -> None:
    call = saved(tmp_path / "call.wav", np.concatenate([np.zeros(2 * RATE, np.float32), voice()]))

    transcript = recording.transcribe(call, Recorder, READING, Limits())

    for segment in transcript.segments:
        assert " ".join(word.text for word in segment.words) == segment.text
        assert segment.start == segment.words[0].start >= 1.9
        assert segment.end == segment.words[-1].end
        assert all(a.start <= a.end <= b.end for a, b in pairwise(segment.words))


def test_what_hardly_says_anything_is_not_read(tmp_path: Path) -> None:
    silence = np.zeros(RATE, np.float32)
    call = saved(tmp_path / "call.wav", np.concatenate([silence, voice()[: RATE // 2], silence]))
    reading = replace(READING, min_speech_s=0.7)

    transcript = recording.transcribe(call, no_engine, reading, Limits())
    assert transcript.segments == ()
    assert notes.is_too_little(transcript.warnings)
    assert not notes.proves_nothing(transcript.warnings)

    longer = saved(tmp_path / "more.wav", np.concatenate([silence, voice(), silence]))
    assert recording.transcribe(longer, Recorder, reading, Limits()).segments
    assert recording.transcribe(call, Recorder, READING, Limits()).segments


def test_what_breaks_off_or_is_an_opening_is_read_however_little_is_said(tmp_path: Path) -> None:
    silence = np.zeros(6 * RATE, np.float32)
    call = saved(tmp_path / "call.wav", np.concatenate([voice()[: RATE // 2], silence]))
    reading = replace(READING, min_speech_s=0.7)

    opening = recording.transcribe(call, Recorder, replace(reading, opening_s=2.0), Limits())
    assert opening.partial
    assert opening.segments

    call.write_bytes(call.read_bytes()[:60_000])
    broken = recording.transcribe(call, Recorder, reading, Limits())
    assert notes.proves_nothing(broken.warnings)
    assert broken.segments


def test_a_tone_is_never_words(tmp_path: Path) -> None:
    at = np.arange(RATE // 2) / RATE
    beep = (0.2 * np.sin(2 * np.pi * 1000 * at)).astype(np.float32)
    side = np.concatenate([np.zeros(RATE, np.float32), beep, voice()])
    segment = Segment(1.0, 1.5, "caller", "The", 0.9)

    sounds = find.find(side)

    assert checks.over_sounds(segment, sounds).flags == (checks.OVER_SOUND,)
    assert checks.over_sounds(replace(segment, start=1.6, end=2.4), sounds).flags == ()
    engine = Recorder()
    call = saved(tmp_path / "call.wav", np.concatenate([side, beep, voice()]))
    recording.transcribe(call, lambda: engine, READING, Limits())
    (samples,) = engine.heard  # the second beep is all in the padding
    assert samples.size > 2 * voice().size
    assert find.find(samples) == ()


def test_a_quiet_voice_is_heard(tmp_path: Path) -> None:
    pause = np.zeros(RATE, np.float32)
    talk = 0.002 * np.concatenate([pause, voice(), pause, voice()])
    noise = np.random.default_rng(0).standard_normal(talk.size) * 1e-5
    loud, quiet = Recorder(), Recorder()
    recording.transcribe(saved(tmp_path / "loud.wav", 500 * talk), lambda: loud, READING, Limits())
    recording.transcribe(
        saved(tmp_path / "quiet.wav", (talk + noise).astype(np.float32)),
        lambda: quiet, READING, Limits(),
    )  # fmt: skip
    assert quiet.calls[0][0] == pytest.approx(loud.calls[0][0], abs=0.7)


def test_music_over_which_nobody_speaks_is_not_read_and_a_voice_over_it_is() -> None:
    music = audio.decode(CALLS.parent / "sounds" / "music-guitar.opus", Limits()).samples[0]
    sounds = find.find(music)
    assert [sound.kind for sound in sounds] == ["music"]
    assert speech.find(music).seconds > 0  # the VAD alone takes a string for a voice
    assert speech.find(music, sounds).seconds == 0

    talk = (music * np.sqrt(np.mean(voice() ** 2) / np.mean(music**2))).astype(np.float32)
    talk[5 * RATE : 5 * RATE + voice().size] += voice()
    assert speech.find(talk, find.find(talk)).seconds > 2.5


def voice() -> Samples:
    """A man who says "Hey, can I get a large pepperoni", out of the pizza call."""
    caller: Samples = audio.decode(CALLS / "wrong-number-pizza.wav", Limits()).samples[1]
    return caller[int(2.9 * RATE) : int(6.6 * RATE)]


def test_values_come_out_of_messages_as_they_went_in() -> None:
    info = AudioInfo(1.5, 2, 8000, "gsm", truncated=True, warnings=("a", "b"))
    transcript = Transcript(
        (
            Segment(
                0.1, 0.9, "caller", "Grüezi \u2028 mitenand", 0.7, 1, ("loop",),
                (TimedWord(0.1, 0.4, "Grüezi"), TimedWord(0.5, 0.9, "mitenand")),
            ),
        ),
        "de", "faster-whisper", "base@1", 1.5, True, ("w",),
    )  # fmt: skip

    assert messages.info(messages.parsed(messages.line(messages.packed(info)))) == info
    assert (
        messages.transcript(messages.parsed(messages.line(messages.packed(transcript))))
        == transcript
    )


@pytest.mark.parametrize("error", [Transient("t"), Permanent("p"), Configuration("c")])
def test_errors_keep_their_branch(error: Exception) -> None:
    raised = messages.raised(messages.failure(error))

    assert type(raised) is type(error)
    assert str(raised) == str(error)


def test_an_unknown_error_may_be_gone_the_next_time() -> None:
    assert isinstance(messages.raised(messages.failure(RuntimeError("odd"))), Transient)


def test_odd_file_names_and_settings_survive() -> None:
    setup = messages.setup(Transcription(language="en"), Limits(), Path("/tmp/c"))
    name = b"/calls/\xff\xfe.wav".decode("utf-8", "surrogateescape")

    assert messages.parsed(messages.line({"path": name})) == {"path": name}
    assert Transcription.model_validate(setup["transcription"]).language == "en"
