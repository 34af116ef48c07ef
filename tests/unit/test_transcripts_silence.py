from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from triage.errors import Permanent
from triage.settings import Limits
from triage.transcripts import audio, silence

LIMITS = Limits()
CODECS = {"wav": "pcm_s16le", "au": "pcm_mulaw", "mp3": "mp3", "ogg": "libopus", "flac": "flac"}


def recording(path: Path, codec: str, seconds: float = 4.0) -> Path:
    """A stereo recording of two tones."""
    time = np.arange(int(seconds * 8000)) / 8000
    tones = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (440.0, 620.0)])
    whole = np.ascontiguousarray((0.3 * tones.T * 32767).astype(np.int16).reshape(1, -1))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="stereo")
        frame.sample_rate = 8000
        sized = av.AudioResampler(
            stream.codec_context.format, "stereo", 8000, frame_size=stream.codec_context.frame_size
        )
        for piece in [*sized.resample(frame), *sized.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def level(samples: audio.Samples, start: float, end: float) -> float:
    """The louder channel's level between two seconds."""
    part = samples[:, int(start * audio.RATE) : int(end * audio.RATE)]
    return float(np.sqrt((part**2).mean(axis=1)).max())


@pytest.mark.parametrize("kind", CODECS)
def test_some_seconds_are_silent_on_both_channels_and_the_rest_is_as_it_was(
    tmp_path: Path, kind: str
) -> None:
    path = recording(tmp_path / f"call.{kind}", CODECS[kind])
    silence.write(path, tmp_path / "out", [(1.0, 1.5), (2.8, 9.0)], LIMITS)
    before, after = audio.decode(path, LIMITS), audio.decode(tmp_path / "out", LIMITS)
    assert after.info.codec == "flac"
    assert after.info.channels == before.info.channels == 2
    assert after.info.duration_s == pytest.approx(before.info.duration_s, abs=0.001)
    assert level(after.samples, 1.03, 1.47) < 1e-3
    assert level(after.samples, 2.83, before.info.duration_s) < 1e-3
    for start, end in ((0.0, 0.95), (1.55, 2.75)):
        assert level(after.samples, start, end) > 0.15
        assert level(after.samples - before.samples, start, end) < 2e-4


def test_silence_begins_and_ends_without_a_click(tmp_path: Path) -> None:
    path = recording(tmp_path / "call.wav", "pcm_s16le")
    silence.write(path, tmp_path / "out", [(1.0, 2.0)], LIMITS)
    samples = audio.decode(tmp_path / "out", LIMITS).samples
    steps = np.abs(np.diff(samples[:, int(0.99 * audio.RATE) : int(1.03 * audio.RATE)]))
    assert steps.max() < 0.1  # as in the tone itself


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(b"no sound at all")
    with pytest.raises(Permanent, match="no recording"):
        silence.write(tmp_path / "call.wav", tmp_path / "out", [(0.0, 1.0)], LIMITS)
