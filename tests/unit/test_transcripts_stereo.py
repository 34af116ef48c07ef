"""One signal in two channels is known, however it was bent; two sides never are one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triage.settings import Limits
from triage.transcripts import audio, loudness
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.stereo import one_signal

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
STEREO = ("church-mini-split-quotes.wav", "wrong-number-pizza.wav", "seo-agency-pitch.mp3")


@pytest.fixture(scope="module")
def mono() -> Samples:
    found: Samples = audio.decode(CALLS / "robocall-listing.wav", Limits()).samples[0]
    return found


def db(value: float) -> float:
    return float(10 ** (value / 20))


@pytest.mark.parametrize("delay_ms", [0, 1, 20, 95, -40])
@pytest.mark.parametrize("gain_db", [0.0, -6.0, -11.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_copy_is_one_signal(mono: Samples, delay_ms: int, gain_db: float, sign: int) -> None:
    copy = sign * db(gain_db) * np.roll(mono, delay_ms * RATE // 1000)

    one = one_signal(np.stack([mono, copy]).astype(np.float32))

    assert one is not None
    assert one.shape == (1, mono.size)
    assert abs(np.corrcoef(one[0], mono)[0, 1]) > 0.99 or delay_ms


@pytest.mark.parametrize("side", [0, 1])
def test_of_a_noisy_copy_the_clear_side_is_read(mono: Samples, side: int) -> None:
    level = np.sqrt(np.mean(mono**2)) * db(-12.0)
    pair = np.stack([mono, mono])
    pair[side] += (level * np.random.default_rng(0).standard_normal(mono.size)).astype(np.float32)

    one = one_signal(pair)

    assert one is not None
    np.testing.assert_array_equal(one[0], mono)


@pytest.mark.parametrize("name", STEREO)
@pytest.mark.parametrize("leak_db", [-np.inf, -20.0, -12.0])
def test_two_sides_are_two_even_where_the_line_leaks(name: str, leak_db: float) -> None:
    samples = audio.decode(CALLS / name, Limits()).samples
    assert one_signal(samples + db(leak_db) * samples[::-1]) is None


def test_an_echo_of_one_who_speaks_alone_is_no_copy(mono: Samples) -> None:
    assert one_signal(np.stack([mono, np.roll(db(-25.0) * mono, 800)])) is None


def test_silence_twice_is_one_silence_and_noises_are_two() -> None:
    noise = np.random.default_rng(0).standard_normal((2, 3 * RATE)).astype(np.float32)
    one = one_signal(np.zeros((2, RATE), np.float32))
    assert one is not None
    assert one.shape == (1, RATE)
    assert one_signal(0.0005 * noise) is None
    assert one_signal(0.1 * noise) is None
    assert one_signal(np.zeros((2, 0), np.float32)) is not None


@pytest.mark.parametrize("level_db", [-20.0, -35.0, -50.0])
def test_a_quiet_side_is_raised_within_bounds(mono: Samples, level_db: float) -> None:
    quiet = (mono * db(level_db)).astype(np.float32)
    gain = np.abs(loudness.raised(quiet)).max() / np.abs(quiet).max()
    assert gain == pytest.approx(db(min(-level_db, loudness.MAX_GAIN_DB)), rel=0.7)
    assert 1.5 < gain <= db(loudness.MAX_GAIN_DB) * 1.001


def test_what_is_loud_enough_and_what_is_only_noise_stays_as_it_is(mono: Samples) -> None:
    hiss = (0.002 * np.random.default_rng(0).standard_normal(5 * RATE)).astype(np.float32)
    for side in (mono, np.clip(20 * mono, -1, 1), hiss, hiss[:0], np.zeros(RATE, np.float32)):
        assert loudness.raised(side) is side
