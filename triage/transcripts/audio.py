"""Bytes of a recording → samples, by PyAV. What a file is follows from its content, never its name.

FFmpeg is given an open file, a list of the formats that recorders write and no protocol, so that a
playlist named `call.wav` cannot make it open another file or an address.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from triage.errors import Permanent, Transient
from triage.settings import Limits
from triage.transcripts import headerless, stereo
from triage.transcripts.engine import AudioInfo
from triage.transcripts.notes import FAKE_STEREO

Samples = NDArray[np.float32]

RATE = 16_000
MIN_SECONDS = 0.1
FORMATS = (
    "wav,w64,aiff,au,caf,voc,mp3,flac,ogg,mov,mp4,matroska,webm,amr,amrnb,amrwb,aac,ac3,asf,gsm"
)
OPEN_OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
TRUNCATED = "the recording breaks off: its header promises more audio than the file holds"


@dataclass(frozen=True, slots=True)
class Audio:
    """Decoded samples: float32 in -1..1, [channels, samples] at 16 kHz, and where they are from.

    `info.channels` is what the file has; `samples` has one channel where both were the same.
    """

    samples: Samples
    info: AudioInfo


def probe(path: Path, limits: Limits) -> AudioInfo:
    """Decode the whole recording without keeping it. Raises `Permanent` as `decode` does."""
    tally = _Tally(path, limits)
    with _opened(path, limits) as file, _container(path, file) as container:
        for _ in _frames(container, tally):
            pass
        return tally.info(container)


def decode(path: Path, limits: Limits, *, opening_s: float | None = None) -> Audio:
    """Samples of the recording, or of its first `opening_s` seconds.

    Damaged places are skipped and noted as warnings. Raises `Permanent` where the file is empty,
    too large or too long, is no recording, or holds no audio; `Transient` where it cannot be read.
    """
    tally = _Tally(path, limits)
    with _opened(path, limits) as file, _container(path, file) as container:
        samples = _resampled(container, tally, opening_s)
        info = tally.info(container)
    one = stereo.one_signal(samples) if samples.shape[0] == 2 else None
    if one is not None:
        samples = one
        info = replace(info, warnings=(*info.warnings, FAKE_STEREO))
    return Audio(samples, info)


@contextmanager
def reading(path: Path, limits: Limits) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The open container and its decoded frames. Raises as `decode` does."""
    tally = _Tally(path, limits)
    with _opened(path, limits) as file, _container(path, file) as container:
        yield container, _frames(container, tally)


def planes(frames: Iterator[Any], layout: Callable[[], str], rate: int) -> Iterator[Samples]:
    """[channels, samples] of one rate, also where a damaged or chained file changes in between;
    `layout` is asked whenever it does.

    Decoders give 20 ms at a time. A second is resampled at once, as each call costs as much as the
    samples do.
    """
    gathered: Any = None
    resampler: Any = None
    shape = None
    for frame in frames:
        frame.pts = None
        now = (frame.sample_rate, frame.format.name, frame.layout.name, frame.time_base)
        if now != shape:
            yield from _last_planes(gathered, resampler)
            gathered, resampler = av.AudioFifo(), av.AudioResampler("fltp", layout(), rate)
            shape = now
        gathered.write(frame)
        if gathered.samples >= frame.sample_rate:
            yield from _planes(resampler, gathered.read())
    yield from _last_planes(gathered, resampler)


def _last_planes(gathered: Any, resampler: Any) -> Iterator[Samples]:
    if resampler is not None:
        if gathered.samples:
            yield from _planes(resampler, gathered.read())
        yield from _planes(resampler, None)


def _planes(resampler: Any, frame: Any) -> Iterator[Samples]:
    if frame is not None:
        frame.pts = None
    yield from (found.to_ndarray() for found in resampler.resample(frame) if found.samples)


@dataclass
class _Tally:
    """What came out of the decoder so far."""

    path: Path
    limits: Limits
    seconds: float = 0.0
    damaged: int = 0
    partial: bool = False
    warnings: list[str] = field(default_factory=list)

    def add(self, frame: Any) -> None:
        self.seconds += frame.samples / frame.sample_rate
        if self.seconds > self.limits.recording_seconds:
            raise Permanent(
                f"{self.path.name} is longer than {self.limits.recording_seconds:.0f} s "
                "(limits.recording_seconds)"
            )

    def info(self, container: Any) -> AudioInfo:
        stream = container.streams.audio[0]
        if self.seconds < MIN_SECONDS:
            raise Permanent(
                f"{self.path.name} holds no audio: "
                + ("every packet is damaged" if self.damaged else "only a header")
            )
        if self.damaged:
            self.warnings.append(f"{self.damaged} damaged packets were skipped")
        truncated = not self.partial and self._breaks_off(container)
        if truncated:
            self.warnings.append(TRUNCATED)
        return AudioInfo(
            duration_s=round(self.seconds, 3),
            channels=stream.codec_context.layout.nb_channels,
            sample_rate=stream.codec_context.sample_rate,
            codec=stream.codec_context.codec.name,
            truncated=truncated,
            warnings=tuple(self.warnings),
        )

    def _breaks_off(self, container: Any) -> bool:
        if container.format.name == "wav":  # FFmpeg believes the file's size, not its header
            return _wav_misses_bytes(self.path)
        declared = container.duration
        return declared is not None and self.seconds < 0.95 * declared / av.time_base - 1.0


def _opened(path: Path, limits: Limits) -> BinaryIO:
    try:
        size = path.stat().st_size
        if size == 0:
            raise Permanent(f"{path.name} is empty (0 bytes)")
        if size > limits.recording_bytes:
            raise Permanent(
                f"{path.name} has {size} bytes, more than {limits.recording_bytes} "
                "(limits.recording_bytes)"
            )
        return path.open("rb")
    except OSError as error:
        raise Transient(f"cannot read {path}: {error.strerror}") from error


def _container(path: Path, file: BinaryIO) -> Any:
    try:
        container = av.open(file, metadata_errors="replace", options=OPEN_OPTIONS)
    except (av.FFmpegError, ValueError) as error:
        file.seek(0)
        law = headerless.law(file)
        if law is None:
            raise Permanent(f"{path.name} is no recording in a known format") from error
        container = av.open(file, format=law, options=headerless.OPTIONS)
    if not container.streams.audio:
        container.close()
        raise Permanent(f"{path.name} has no audio track")
    return container


def _frames(container: Any, tally: _Tally) -> Iterator[Any]:
    """Decoded frames of the first audio track; damaged packets are counted and skipped."""
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except av.EOFError:
            return
        except (av.FFmpegError, ValueError):
            tally.damaged += 1
            if tally.damaged > 10_000:
                return
            continue
        for frame in frames:
            tally.add(frame)
            yield frame


def _resampled(container: Any, tally: _Tally, opening_s: float | None) -> Samples:
    def layout() -> str:
        two = container.streams.audio[0].codec_context.layout.nb_channels == 2
        return "stereo" if two else "mono"

    pieces = list(planes(_opening(container, tally, opening_s), layout, RATE))
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((1, 0), np.float32)


def _opening(container: Any, tally: _Tally, opening_s: float | None) -> Iterator[Any]:
    for frame in _frames(container, tally):
        yield frame
        if opening_s is not None and tally.seconds >= opening_s:
            tally.partial = True
            return


def _wav_misses_bytes(path: Path) -> bool:
    """Whether the data chunk is said to be longer than the file (by more than 1 %)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(12)
        while len(header := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                streamed = length in {0, 0x7FFFFFFF, 0xFFFFFFFF}
                return not streamed and length > 1.01 * (size - file.tell())
            file.seek(length + length % 2, 1)
    return False
