"""Where in a channel somebody speaks, by the VAD inside faster-whisper (Silero, 2 ms a second).

Whisper invents words on silence, so an engine only ever hears speech: the stretches with speech,
joined. Words are then moved back to where they were said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from triage.transcripts.audio import RATE, Samples
from triage.transcripts.engine import Piece, Word
from triage.transcripts.sounds.kinds import Sound, sounding

# At the usual 0.5 the VAD drops words of telephone speech: 8.5 instead of 6.2 % errors.
THRESHOLD: Final = 0.25
MIN_SILENCE_MS: Final = 300
PADDING: Final = 3 * RATE // 10
# Over music, and where nothing was written, somebody has to be heard clearly, for a fifth of a
# second: the VAD is at 0.5 for moments of a plucked string.
CLEAR: Final = 0.6
CLEAR_MS: Final = 200
# Part of the padding: words are placed within a quarter of a second at best.
SLACK_S: Final = 0.2
# A pause that ends a segment. Whisper does not see it, as the stretches are joined.
PAUSE_S: Final = 0.8

Stretch = dict[str, int]


@dataclass(frozen=True, slots=True)
class Speech:
    """The speech of one channel, joined, and the map back to the channel's own times.

    `seconds`: how long somebody speaks, without the padding. `sounds` are what else is heard.
    """

    samples: Samples
    seconds: float
    sounds: tuple[Sound, ...]
    _map: Any
    _starts: tuple[float, ...]

    def placed(self, piece: Piece) -> list[Piece]:
        """The piece with its words where they were said, cut where there was a pause."""
        words = [self._word(word) for word in piece.words if word.text.strip()]
        cuts = [
            index
            for index in range(1, len(words))
            if words[index].start - words[index - 1].end >= PAUSE_S
        ]
        spans = zip([0, *cuts], [*cuts, len(words)], strict=True)
        return [replace(piece, words=tuple(words[a:b])) for a, b in spans if a < b]

    def _word(self, word: Word) -> Word:
        # The middle decides which stretch a word is from, as its ends may touch the neighbours'.
        # A middle in the padding behind a stretch, where the VAD heard nobody, is of the next one.
        stretch = self._map.get_chunk_index((word.start + word.end) / 2 + SLACK_S)
        start = max(self._map.get_original_time(word.start, stretch), self._starts[stretch])
        end = self._map.get_original_time(word.end, stretch)
        return replace(word, start=start, end=max(start, end))


def find(channel: Samples, sounds: Sequence[Sound] = ()) -> Speech:
    """The speech in mono samples at 16 kHz; without samples where nobody speaks.

    `sounds`: where music is, over which nothing but a clear voice counts.
    """
    from faster_whisper.vad import SpeechTimestampsMap  # noqa: PLC0415 - heavy

    spoken = [
        stretch
        for stretch in _detected(channel, THRESHOLD, 0)
        if not _over_music(stretch, sounds) or _clear(channel, stretch)
    ]
    stretches = _padded(spoken, channel.size)
    parts = [channel[part["start"] : part["end"]] for part in stretches]
    joined = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return Speech(
        joined,
        sum(stretch["end"] - stretch["start"] for stretch in spoken) / RATE,
        tuple(sounds),
        SpeechTimestampsMap(stretches, RATE),
        tuple(part["start"] / RATE for part in stretches),
    )


def clear(part: Samples) -> bool:
    """Whether somebody surely speaks in mono samples at 16 kHz."""
    return bool(_detected(part, CLEAR, CLEAR_MS))


def _detected(channel: Samples, threshold: float, least_ms: int) -> list[Stretch]:
    """Stretches in which the VAD hears a voice, in samples."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # noqa: PLC0415 - heavy

    options = VadOptions(
        threshold=threshold,
        min_speech_duration_ms=least_ms,
        min_silence_duration_ms=MIN_SILENCE_MS,
        speech_pad_ms=0,
    )
    found: list[Stretch] = get_speech_timestamps(channel, options)
    return found


def _over_music(stretch: Stretch, sounds: Sequence[Sound]) -> bool:
    start, end = stretch["start"] / RATE, stretch["end"] / RATE
    return sounding([s for s in sounds if s.kind == "music"], start, end) > (end - start) / 2


def _clear(channel: Samples, stretch: Stretch) -> bool:
    """Whether the VAD is sure of a stretch, heard with a little of what is around it."""
    start = max(0, stretch["start"] - PADDING)
    return clear(channel[start : stretch["end"] + PADDING])


def _padded(spoken: list[Stretch], size: int) -> list[Stretch]:
    """Stretches with padding on both sides; neighbours share what is between them."""
    starts = [max(0, part["start"] - PADDING) for part in spoken]
    ends = [min(size, part["end"] + PADDING) for part in spoken]
    for i in range(len(spoken) - 1):
        if starts[i + 1] < ends[i]:
            ends[i] = starts[i + 1] = (spoken[i]["end"] + spoken[i + 1]["start"]) // 2
    return [{"start": a, "end": b} for a, b in zip(starts, ends, strict=True)]
