"""One recording → one transcript: decode, gate, find speech, transcribe each side, merge."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from triage.settings import Limits
from triage.transcripts import audio, channels, checks, loudness, notes, parts, speech
from triage.transcripts.audio import Audio, Samples
from triage.transcripts.engine import NO_SPEECH, AudioInfo, Piece, SpeechEngine, transcribe_sides
from triage.transcripts.sounds import find, kinds
from triage.transcripts.speech import Speech
from triage.transcripts.turns.diarist import Diarist, Turn
from triage.types import Segment, Speaker, TimedWord, Transcript

MAX_BREATH_S = 0.5
MAX_SENTENCE_S = 25.0
# The VAD takes a cough for speech; from here on somebody said something that Whisper cannot write.
WORDLESS_S = 1.0

ONE_SIDED = "one channel is silent: both sides may be on the other, so speakers are not known"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a recording is to be read.

    `engine` and `model` are what the transcript will name. An empty `language` is found on speech;
    `opening_s` reads only the first seconds, with `pause` up to a pause before their end, and
    `from_s` leaves out what was read before. `whole_s` is how long the recording is, where that is
    known. Less than `min_speech_s` of speech is not read.
    """

    engine: str
    model: str
    language: str = ""
    caller_channel: Literal["left", "right"] = "right"
    opening_s: float | None = None
    min_speech_s: float = 0.0
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
    diarist: Diarist | None = None,
) -> Transcript:
    """Transcribe the recording at `path`.

    `engine` is only asked for where somebody speaks, as loading one takes a second; `decoded` is
    told what the recording is before the long part begins. `diarist` tells voices apart where there
    is one channel only. Raises `Permanent` for a file that is no recording.
    """
    recording = audio.decode(path, limits, opening_s=reading.opening_s)
    decoded(recording.info)
    duration_s, partial = _extent(path, recording, reading, limits)
    sides, who, warnings = _sides(recording, reading)
    sides, read_s = parts.cut(sides, reading.from_s, to_pause=partial and reading.pause)
    heard = [_speech(side) for side in sides]
    in_part = partial or reading.from_s > 0
    little = not in_part and _is_too_little(heard, reading.min_speech_s, warnings)
    spoken = [] if little else heard
    lacking = diarist.missing() if diarist and len(sides) == 1 else ""
    tell = functools.partial(_turns, None if lacking else diarist, sides, who)
    segments, language = _read(spoken, tell, engine, reading.language)
    segments = parts.moved(segments, reading.from_s)
    if not segments:
        warnings += _without_words(sides, heard, little=little)
    elif lacking:
        warnings.append(lacking)
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


def _speech(side: Samples) -> Speech:
    """The speech of a side: without tones, and raised where it is quiet."""
    sounds = find.find(side)
    return speech.find(loudness.raised(find.muted(side, sounds)), sounds)


def _is_too_little(spoken: list[Speech], least_s: float, warnings: list[str]) -> bool:
    """Whether somebody speaks, but less than a message takes. Damage may have cost the rest."""
    seconds = sum(side.seconds for side in spoken)
    return 0 < seconds < least_s and not notes.proves_nothing(warnings)


def _without_words(sides: list[Samples], spoken: list[Speech], *, little: bool) -> list[str]:
    """What to know about a recording that gave no text: what it holds instead, if it is known."""
    heard = kinds.heard([sound for side in spoken for sound in side.sounds])
    seconds = sum(side.seconds for side in spoken)
    if seconds == 0:
        loudest = max(sides, key=lambda side: float(np.abs(side).max(initial=0.0)))
        return [NO_SPEECH, notes.instead(heard or find.otherwise(loudest))]
    also = [notes.instead(heard)] if heard else []
    if little:
        return [notes.too_little(seconds), *also]
    return [NO_SPEECH if seconds < WORDLESS_S else notes.UNINTELLIGIBLE, *also]


def _read(
    spoken: list[Speech],
    tell: Callable[[int, list[Piece], str], list[Turn]],
    engine: Callable[[], SpeechEngine],
    language: str,
) -> tuple[tuple[Segment, ...], str]:
    """Segments of all channels by time, and the language."""
    found: list[Segment] = []
    if not any(side.samples.size for side in spoken):
        return (), language
    sides = transcribe_sides(engine(), [side.samples for side in spoken], language=language)
    for channel, heard in enumerate(sides):
        language = heard.language
        placed = [part for piece in heard.pieces for part in spoken[channel].placed(piece)]
        segments = checks.repeated(
            [
                _segment(part, channel, turn)
                for turn in tell(channel, placed, language)
                for part in whole_sentences(turn.pieces)
            ]
        )
        found += [checks.over_sounds(segment, spoken[channel].sounds) for segment in segments]
    return tuple(sorted(found, key=lambda segment: (segment.start, segment.channel))), language


def _turns(
    diarist: Diarist | None,
    sides: list[Samples],
    who: tuple[Speaker, ...],
    channel: int,
    placed: list[Piece],
    language: str,
) -> list[Turn]:
    """Who says what on a channel: one side of a call, or all voices of it."""
    if diarist is None or len(sides) > 1:
        return [Turn(tuple(placed), who[channel])]
    return diarist.turns(sides[channel], placed, language)


def whole_sentences(pieces: Sequence[Piece]) -> list[Piece]:
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


def _segment(piece: Piece, channel: int, turn: Turn) -> Segment:
    start, end = piece.words[0].start, piece.words[-1].end
    # Whisper begins what it takes for a dialogue with a dash; nobody says that.
    text = "".join(word.text for word in piece.words).lstrip("- ").rstrip()
    sure = checks.confidence(piece)
    return Segment(
        start=round(start, 2),
        end=round(max(start, end), 2),
        speaker=turn.speaker,
        text=text,
        confidence=sure,
        channel=channel,
        flags=checks.flags(text, end - start, sure, piece.compression),
        words=tuple(
            TimedWord(round(word.start, 2), round(word.end, 2), said)
            for word in piece.words
            if (said := word.text.lstrip("- ").rstrip())
        ),
        voice=turn.voice,
    )
