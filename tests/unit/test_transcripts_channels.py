from __future__ import annotations

import numpy as np
import pytest

from triage.transcripts import channels
from triage.transcripts.audio import RATE, Samples


def burst(start: float, end: float, level: float, total: float = 6.0, seed: int = 0) -> Samples:
    samples = np.zeros(int(total * RATE), np.float32)
    noise = np.random.default_rng(seed).standard_normal(int((end - start) * RATE))
    samples[int(start * RATE) : int(start * RATE) + noise.size] = level * noise
    return samples


def level_db(samples: Samples, start: float, end: float) -> float:
    part = samples[int(start * RATE) : int(end * RATE)].astype(np.float64)
    return float(10 * np.log10(np.mean(part**2) + 1e-12))


def test_sides_follow_the_settings() -> None:
    assert channels.speakers(2, "right") == ("agent", "caller")
    assert channels.speakers(2, "left") == ("caller", "agent")
    assert channels.speakers(1, "left") == ("unknown",)


@pytest.mark.parametrize("echo_db", [-20.0, -30.0, -40.0])
def test_an_echo_is_muted_and_its_source_is_not(echo_db: float) -> None:
    agent, caller = burst(1.0, 2.5, 0.1), burst(3.5, 5.0, 0.1, seed=1)
    leak = 10 ** (echo_db / 20)
    line = np.stack([agent + leak * caller, caller + leak * agent])

    left, right = channels.gated(line)

    assert level_db(left, 3.6, 4.9) < -90
    assert level_db(right, 1.1, 2.4) < -90
    assert level_db(left, 1.1, 2.4) == pytest.approx(level_db(agent, 1.1, 2.4), abs=0.5)
    assert level_db(right, 3.6, 4.9) == pytest.approx(level_db(caller, 3.6, 4.9), abs=0.5)


def test_an_echo_below_the_noise_of_a_side_is_muted_with_it() -> None:
    agent, caller = burst(1.0, 2.5, 0.04), burst(3.5, 5.0, 0.04, seed=1)
    noise = np.stack([burst(0.0, 6.0, 0.01, seed=seed) for seed in (2, 3)])
    line = np.stack([agent + 0.004 * caller, caller + 0.004 * agent]) + noise  # 12 dB apart

    left, right = channels.gated(line)

    assert level_db(left, 3.8, 4.7) < -90
    assert level_db(right, 1.3, 2.2) < -90
    assert level_db(left, 1.1, 2.4) == pytest.approx(level_db(line[0], 1.1, 2.4), abs=0.1)
    assert level_db(left, 5.3, 6.0) == pytest.approx(-40, abs=0.5)  # nobody is louder there


def test_a_quiet_voice_above_the_noise_is_kept_beside_a_loud_one() -> None:
    noise = np.stack([burst(0.0, 6.0, 0.005, seed=seed) for seed in (2, 3)])
    line = np.stack([burst(1.0, 4.0, 0.05), burst(2.0, 3.5, 0.015, seed=1)]) + noise

    _, right = channels.gated(line)

    assert np.abs(right - line[1])[int(2.1 * RATE) : int(3.4 * RATE)].max() < 1e-6


def test_two_who_talk_at_once_are_both_kept() -> None:
    line = np.stack([burst(1.0, 4.0, 0.1), burst(2.0, 5.0, 0.03, seed=1)])

    assert np.abs(channels.gated(line) - line)[:, int(2.2 * RATE) : int(3.8 * RATE)].max() < 1e-6


def test_one_channel_is_left_alone() -> None:
    mono = burst(1.0, 2.0, 0.1)[None]

    assert channels.gated(mono) is mono
    assert not channels.one_sided(mono)


def test_a_dead_channel_is_noticed() -> None:
    speech = burst(1.0, 2.0, 0.1)

    assert channels.one_sided(np.stack([speech, np.zeros_like(speech)]))
    assert not channels.one_sided(np.stack([speech, 0.01 * speech]))
    assert not channels.one_sided(np.zeros((2, RATE), np.float32))
