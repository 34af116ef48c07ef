"""What telephones sound like is named, and no voice is taken for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from triage.settings import Limits
from triage.transcripts import audio
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.sounds import find, keys
from triage.transcripts.sounds.kinds import Sound, heard, sounding

FIXTURES = Path(__file__).parents[2] / "fixtures"
SOUNDS = FIXTURES / "sounds"
EXPECTED: dict[str, list[str]] = json.loads((SOUNDS / "expected.json").read_text("utf-8"))
# A beep at the voicemail's greeting is the only one in the calls.
BEEPS = {"voicemail-restaurant-cooler.wav": 1}


def sides(path: Path) -> Samples:
    return audio.decode(path, Limits()).samples


def tone(seconds: float, *hertz: float, level: float = 0.1) -> Samples:
    at = np.arange(int(seconds * RATE)) / RATE
    return np.sum([level * np.sin(2 * np.pi * h * at) for h in hertz], axis=0).astype(np.float32)


def line(seconds: float, level: float = 0.001) -> Samples:
    noise = np.random.default_rng(1).standard_normal(int(seconds * RATE))
    return (level * noise).astype(np.float32)


@pytest.fixture(scope="module")
def voice() -> Samples:
    """A man who says "Hey, can I get a large pepperoni", out of the pizza call."""
    caller: Samples = sides(FIXTURES / "calls" / "wrong-number-pizza.wav")[1]
    return caller[int(2.9 * RATE) : int(6.6 * RATE)]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_sound_is_named(name: str) -> None:
    (side,) = sides(SOUNDS / name)
    assert sorted({sound.kind for sound in find.find(side)}) == EXPECTED[name]


def test_the_set_is_whole_and_small() -> None:
    files = {path.name for path in SOUNDS.iterdir() if path.suffix in {".wav", ".opus"}}
    assert files == set(EXPECTED)
    assert len(files) >= 20
    assert sum(path.stat().st_size for path in SOUNDS.iterdir()) < 1_500_000


@pytest.mark.parametrize(
    "path",
    [p for p in sorted((FIXTURES / "calls").iterdir()) if p.suffix in {".wav", ".mp3", ".opus"}],
    ids=lambda path: path.name,
)
def test_no_voice_is_cut(path: Path) -> None:
    found = [sound for side in sides(path) for sound in find.find(side)]
    tones = [sound for sound in found if sound.kind != "music"]
    assert len(tones) == BEEPS.get(path.name, 0)
    assert (len(found) > len(tones)) == (path.name == "hold-music.mp3")


@pytest.mark.parametrize(("gap", "beep"), [(0.0, 1000.0), (0.05, 1400.0), (0.3, 440.0)])
def test_a_voice_right_after_a_beep_is_whole(voice: Samples, gap: float, beep: float) -> None:
    before = np.concatenate([line(2.0), tone(0.5, beep), line(gap)])
    side = np.concatenate([before, voice + line(voice.size / RATE)])

    (found,) = find.find(side)
    rest = find.muted(side, [found])[before.size :]

    assert found.kind == "beep"
    assert (found.start, found.end) == pytest.approx((2.0, 2.5), abs=0.03)
    assert np.abs(find.muted(side, [found])[int(2.1 * RATE) : int(2.4 * RATE)]).max() == 0
    lost = np.sum((rest - side[before.size :]) ** 2) / np.sum(side[before.size :] ** 2)
    assert lost < 0.01


@pytest.mark.parametrize("loudness", [0.02, 0.05])
def test_keys_pressed_between_words_are_cut_and_under_words_are_left(
    voice: Samples, loudness: float
) -> None:
    key = tone(0.12, 770.0, 1336.0, level=loudness)
    side = np.concatenate([voice, line(0.3), key, line(0.3), voice])
    side[RATE : RATE + key.size] += key  # pressed while he talks

    found = find.find(side)

    assert [sound.kind for sound in found if sound.start > 3.7] == ["keys"]
    changed = np.flatnonzero(find.muted(side, found)[: voice.size] != side[: voice.size]) / RATE
    assert changed.size == 0 or (changed.min() > 0.9 and changed.max() < 1.25)


@pytest.mark.parametrize("below_db", [6.0, 12.0, 20.0])
def test_music_quietly_behind_a_voice_is_none(voice: Samples, below_db: float) -> None:
    music = sides(SOUNDS / "music-piano.opus")[0]
    talk = np.tile(voice, 4)
    scale = np.sqrt(np.mean(talk**2) / np.mean(music**2)) / 10 ** (below_db / 20)
    assert not find.find((talk + scale * music[: talk.size]).astype(np.float32))


def test_tones_through_noise_are_found() -> None:
    ring = np.concatenate([tone(1.0, 425.0), line(4.0, 0), tone(1.0, 425.0), line(3.0, 0)])
    noisy = ring + line(ring.size / RATE, 0.02)
    assert [sound.kind for sound in find.find(noisy)] == ["ring", "ring"]


def test_a_long_tone_is_one_tone() -> None:
    (found,) = find.find(tone(100.0, 425.0))
    assert (found.kind, found.start, found.end) == ("dial", 0.0, pytest.approx(100.0, abs=0.05))


def test_single_frequencies_are_no_keys() -> None:
    assert keys.pressed(tone(1.0, 770.0)) == []
    assert keys.pressed(tone(1.0, 770.0, 1250.0)) == []  # 3.4 % off: Q.24 has it refused
    assert keys.pressed(np.zeros(100, np.float32)) == []


@pytest.mark.parametrize("size", [0, 1, 500, 2047, 2048, 2049, 5000])
def test_short_recordings_have_no_sounds(size: int) -> None:
    side = line(1.0)[:size]
    assert find.find(side) == ()
    assert find.otherwise(side) == "silence"


def test_words_for_what_is_heard() -> None:
    ring, music = Sound(0.0, 1.0, "ring"), Sound(2.0, 9.0, "music")
    assert heard([music, ring, ring]) == "a ring tone, music"
    assert heard([]) == ""
    assert sounding([music, Sound(5.0, 12.0, "music"), ring], 0.5, 10.0) == pytest.approx(8.5)
