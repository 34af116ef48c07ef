from __future__ import annotations

import random
import struct
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from triage.errors import Permanent, Transient
from triage.settings import Limits
from triage.transcripts import audio, weights

LIMITS = Limits()
CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
CODECS = {
    "wav": "pcm_s16le", "flac": "flac", "mp3": "mp3", "ogg": "libopus", "au": "pcm_mulaw",
    "m4a": "aac",
}  # fmt: skip


def tone(seconds: float, *hertz: float, rate: int = 8000) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return np.stack([0.3 * np.sin(2 * np.pi * h * time) for h in hertz]).astype(np.float32)


def wav(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.T * 32767).astype("<i2").tobytes())
    return path


def encoded(
    path: Path, samples: np.ndarray, codec: str, rate: int = 8000, form: str | None = None
) -> Path:
    layout = "stereo" if samples.shape[0] == 2 else "mono"
    whole = np.ascontiguousarray((samples.T * 32767).astype(np.int16).reshape(1, -1))
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            stream.codec_context.format, layout, rate, frame_size=stream.codec_context.frame_size
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", CODECS)
def test_formats_are_found_by_content_under_any_name(tmp_path: Path, kind: str) -> None:
    made = encoded(tmp_path / f"call.{kind}", tone(2.0, 440.0, 880.0), CODECS[kind])
    misnamed = made.rename(tmp_path / "call.txt")

    info = audio.probe(misnamed, LIMITS)
    decoded = audio.decode(misnamed, LIMITS)

    assert (info.channels, info.sample_rate in {8000, 48000}) == (2, True)
    assert info.duration_s == pytest.approx(2.0, abs=0.2)
    assert decoded.samples.dtype == np.float32
    assert decoded.samples.shape[0] == 2
    assert decoded.samples.shape[1] == pytest.approx(2 * audio.RATE, abs=0.2 * audio.RATE)
    assert info == decoded.info


def test_channels_stay_apart(tmp_path: Path) -> None:
    samples = audio.decode(wav(tmp_path / "a.wav", tone(1.0, 400.0, 1200.0)), LIMITS).samples

    peaks = [np.argmax(np.abs(np.fft.rfft(side))) for side in samples]

    assert peaks == [pytest.approx(400, abs=4), pytest.approx(1200, abs=4)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"Dear all, this is no recording.\n" * 200, "no recording"),
        (b"<html><body>404</body></html>", "no recording"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n", "no recording"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "no recording"),
        (b"RIFF", "no recording"),
    ],
)
def test_what_is_no_recording_is_permanent(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "call.mp3"
    path.write_bytes(content)

    with pytest.raises(Permanent, match=f"call.mp3.*{reason}"):
        audio.decode(path, LIMITS)
    with pytest.raises(Permanent, match=f"call.mp3.*{reason}"):
        audio.probe(path, LIMITS)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_permanent(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "call.wav"
    path.write_bytes(random.Random(seed).randbytes(30_000))

    with pytest.raises(Permanent):
        audio.decode(path, LIMITS)


@pytest.mark.parametrize("kept", [44, 100])
def test_a_header_without_audio_is_permanent(tmp_path: Path, kept: int) -> None:
    path = wav(tmp_path / "call.wav", tone(5.0, 440.0))
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(Permanent, match="holds no audio"):
        audio.decode(path, LIMITS)


def test_no_frames_at_all_is_permanent(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="holds no audio"):
        audio.decode(wav(tmp_path / "call.wav", np.zeros((1, 0), np.float32)), LIMITS)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_recording_that_breaks_off_is_read_with_a_warning(tmp_path: Path, kind: str) -> None:
    path = encoded(tmp_path / f"call.{kind}", tone(10.0, 440.0), CODECS[kind])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    info = audio.decode(path, LIMITS).info

    assert info.truncated
    assert audio.TRUNCATED in info.warnings
    assert 3.0 < info.duration_s < 7.0


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_streamed_header_is_not_a_truncated_one(tmp_path: Path, size: int) -> None:
    path = wav(tmp_path / "call.wav", tone(2.0, 440.0))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)

    info = audio.decode(path, LIMITS).info

    assert not info.truncated
    assert info.duration_s == pytest.approx(2.0, abs=0.05)


def test_damage_in_the_middle_costs_the_damaged_place_only(tmp_path: Path) -> None:
    path = encoded(tmp_path / "call.mp3", tone(10.0, 440.0), "mp3")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = random.Random(1).randbytes(600)
    path.write_bytes(content)

    assert audio.decode(path, LIMITS).info.duration_s == pytest.approx(10.0, abs=3.0)


def test_limits_on_size_and_length(tmp_path: Path) -> None:
    path = wav(tmp_path / "call.wav", tone(3.0, 440.0))

    with pytest.raises(Permanent, match="recording_bytes"):
        audio.decode(path, Limits(recording_bytes=1000))
    with pytest.raises(Permanent, match="recording_seconds"):
        audio.decode(path, Limits(recording_seconds=1.0))


def test_the_same_audio_twice_is_one_channel(tmp_path: Path) -> None:
    one = tone(1.0, 440.0)
    decoded = audio.decode(wav(tmp_path / "call.wav", np.repeat(one, 2, axis=0)), LIMITS)

    assert decoded.samples.shape[0] == 1
    assert decoded.info.channels == 2
    assert audio.FAKE_STEREO in decoded.info.warnings


def test_the_opening_alone_can_be_read(tmp_path: Path) -> None:
    path = wav(tmp_path / "call.wav", tone(10.0, 440.0))

    decoded = audio.decode(path, LIMITS, opening_s=2.0)

    assert 2.0 <= decoded.samples.shape[1] / audio.RATE < 3.0
    assert not decoded.info.truncated


@pytest.mark.parametrize("codec", ["pcm_mulaw", "pcm_alaw"])
def test_a_voice_without_any_header_is_known_by_its_sound(tmp_path: Path, codec: str) -> None:
    call = audio.decode(CALLS / "robocall-listing.wav", LIMITS).samples[:, ::2]
    raw = encoded(tmp_path / "call.bin", call, codec, form=codec.removeprefix("pcm_"))

    decoded = audio.decode(raw, LIMITS)

    assert decoded.info.codec == codec
    assert decoded.info.duration_s == pytest.approx(call.shape[1] / 8000, abs=0.01)
    assert np.corrcoef(decoded.samples[0, ::2], call[0])[0, 1] > 0.99


def test_full_rate_gsm_is_read(tmp_path: Path) -> None:
    path, randomly = tmp_path / "call.gsm", random.Random(7)
    path.write_bytes(
        b"".join(bytes([0xD0 | randomly.randrange(16)]) + randomly.randbytes(32) for _ in range(50))
    )

    assert audio.probe(path, LIMITS).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize("path", [av.__file__, sys.executable, weights.__file__])
def test_programs_are_no_voice(path: str, tmp_path: Path) -> None:
    (tmp_path / "call.ulaw").write_bytes(Path(path).read_bytes()[:400_000] * 2)

    with pytest.raises(Permanent, match="no recording"):
        audio.decode(tmp_path / "call.ulaw", LIMITS)


def test_a_file_that_cannot_be_read_may_be_there_later(tmp_path: Path) -> None:
    with pytest.raises(Transient, match="cannot read"):
        audio.decode(tmp_path / "gone.wav", LIMITS)
