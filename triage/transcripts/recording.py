"""One recording → one transcript: decode, gate, find speech, transcribe each side, merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triage.settings import Limits
from triage.transcripts import audio, channels, checks, parts, speech
from triage.transcripts.audio import Audio, Samples
from triage.transcripts.engine import NO_SPEECH, AudioInfo, Piece, SpeechEngine
from triage.transcripts.speech import Speech
from triage.types import Segment, Speaker, Transcript

MAX_BREATH_S = 0.5
MAX_SENTENCE_S = 25.0

ONE_SIDED = "one channel is silent: both sides may be on the other, so speakers are not known"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a recording is to be read.

    `engine` and `model` are what the transcript will name. An empty `language` is found on speech;
    `opening_s` reads only the first seconds, with `pause` up to a pause before their end, and
    `from_s` leaves out what was read before. `whole_s` is how long the recording is, where that is
    known.
    """

    engine: str
    model: str
    language: str = ""
    caller_channel: Literal["left", "right"] = "right"
    opening_s: float | None = None
    from_s: float = 0.0
    whole_s: float | None = None
    pause: bool = False


def transcribe(
    path: Path,
    engine: Callable[[], SpeechEngine],
    reading: Reading,
    limits: Limits,
    *,
    decoded: Callable[[AudioInfo], None] = lambda _: None,
) -> Transcript:
    """Transcribe the recording at `path`.

    `engine` is only asked for where somebody speaks, as loading one takes a second; `decoded` is
    told what the recording is before the long part begins. Raises `Permanent` for a file that is no
    recording.
    """
    recording = audio.decode(path, limits, opening_s=reading.opening_s)
    decoded(recording.info)
    duration_s, partial = _extent(path, recording, reading, limits)
    sides, who, warnings = _sides(recording, reading)
    sides, read_s = parts.cut(sides, reading.from_s, to_pause=partial and reading.pause)
    spoken = [speech.find(side) for side in sides]
    segments, language = _read(spoken, who, engine, reading.language)
    segments = parts.moved(segments, reading.from_s)
    if not segments:
        warnings.append(NO_SPEECH)
    return Transcript(
        segments=segments,
        language=language,
        engine=reading.engine,
        model=reading.model,
        duration_s=duration_s,
        partial=partial,
        warnings=tuple(warnings),
        read_s=read_s if partial else None,
    )


def _extent(path: Path, recording: Audio, reading: Reading, limits: Limits) -> tuple[float, bool]:
    """How long the whole recording is, and whether less than that was read."""
    if reading.opening_s is None or recording.info.duration_s < reading.opening_s:
        return recording.info.duration_s, False
    if reading.whole_s is not None:
        return reading.whole_s, reading.whole_s > recording.info.duration_s
    whole = audio.probe(path, limits).duration_s
    return whole, whole > recording.info.duration_s


def _sides(
    recording: Audio, reading: Reading
) -> tuple[list[Samples], tuple[Speaker, ...], list[str]]:
    """The channels as they are to be read, who is on each, and what to know about them."""
    samples, warnings = recording.samples, list(recording.info.warnings)
    if channels.one_sided(samples):
        samples = samples.sum(axis=0, keepdims=True)
        warnings.append(ONE_SIDED)
    who = channels.speakers(samples.shape[0], reading.caller_channel)
    return list(channels.gated(samples)), who, warnings


def _read(
    spoken: list[Speech],
    who: tuple[Speaker, ...],
    engine: Callable[[], SpeechEngine],
    language: str,
) -> tuple[tuple[Segment, ...], str]:
    """Segments of all channels by time, and the language.

    It is found on the channel with most speech, and holds for the other one: "Hello?" alone is
    easily taken for another language.
    """
    found: list[Segment] = []
    order = sorted(range(len(spoken)), key=lambda channel: -spoken[channel].seconds)
    for channel in order:
        if not spoken[channel].samples.size:
            continue
        heard = engine().transcribe(spoken[channel].samples, language=language)
        language = heard.language
        placed = [part for piece in heard.pieces for part in spoken[channel].placed(piece)]
        whole = whole_sentences(placed)
        found += checks.repeated([_segment(part, channel, who[channel]) for part in whole])
    return tuple(sorted(found, key=lambda segment: (segment.start, segment.channel))), language


def whole_sentences(pieces: list[Piece]) -> list[Piece]:
    """Pieces of one channel, joined where Whisper cut a sentence that was spoken in one go."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and _continues(joined[-1], piece):
            before = joined.pop()
            piece = Piece(  # noqa: PLW2901 - the longer piece takes its place
                words=before.words + piece.words,
                avg_logprob=min(before.avg_logprob, piece.avg_logprob),
                no_speech=max(before.no_speech, piece.no_speech),
                compression=max(before.compression, piece.compression),
            )
        joined.append(piece)
    return joined


def _continues(before: Piece, piece: Piece) -> bool:
    last, first = before.words[-1], piece.words[0]
    return (
        last.text.rstrip()[-1:] not in ".?!…。"
        and first.start - last.end < MAX_BREATH_S
        and piece.words[-1].end - before.words[0].start < MAX_SENTENCE_S
    )


def _segment(piece: Piece, channel: int, speaker: Speaker) -> Segment:
    start, end = piece.words[0].start, piece.words[-1].end
    text = "".join(word.text for word in piece.words).strip()
    sure = checks.confidence(piece)
    return Segment(
        start=round(start, 2),
        end=round(max(start, end), 2),
        speaker=speaker,
        text=text,
        confidence=sure,
        channel=channel,
        flags=checks.flags(text, end - start, sure, piece.compression),
    )
