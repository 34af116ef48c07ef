"""Windows of speech → words, by CTranslate2 itself: encode each, decode and align all together.

Heavy: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import (
    get_compression_ratio,
    get_suppressed_tokens,
    merge_punctuations,
)
from numpy.typing import NDArray

from triage.transcripts.engine import Word
from triage.transcripts.sentences import in_order

Features = NDArray[np.float32]

FRAMES_PER_SECOND: Final = 100
# Whisper hears at most this much, and pads what is shorter with silence. A window is encoded with
# 2 s of that only: without any it loops, with all of it most of the time is spent on silence.
MOST_FRAMES: Final = 3_000
SILENCE: Final = 200
# Of the encoded silence (20 ms each), what is surely no speech: words may end a little late.
QUIET: Final = 60
# What tells the language, in 20 ms: 10 s of speech.
TELLING: Final = 500
# Nobody says more tokens a second; a window that has not ended by then loops.
TOKENS_PER_SECOND: Final = 9
LEAST_TOKENS: Final = 20
# Half of what the decoder holds, less the start: Whisper's own bound for what it is shown.
MOST_PROMPT: Final = 223

_PREPENDED: Final = "\"'“¿([{-"
_APPENDED: Final = "\"'.。,,!!??::”)]}、"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was written for a window; `avg_logprob`, `no_speech` and `compression` as in `Piece`."""

    words: tuple[Word, ...]
    avg_logprob: float
    no_speech: float
    compression: float


def features(model: WhisperModel, samples: NDArray[np.float32]) -> Features:
    """The log-mel spectrogram of samples at 16 kHz, [mels, frames of 10 ms]."""
    found = model.feature_extractor(samples, padding=160, chunk_length=None)
    return np.asarray(found, np.float32)


def encoded(model: WhisperModel, mels: Sequence[Features]) -> ctranslate2.StorageView:
    """[windows, frames / 2, width]: each window with silence behind it, all as long as the longest.

    On a CPU one by one, which its caches hold, and each for as long as it is: what a shorter window
    lacks is filled with its own encoded silence. A GPU takes all at once.
    """
    if model.model.device != "cpu":
        longest = max(mel.shape[1] for mel in mels)
        return model.model.encode(_view(np.stack([_padded(mel, longest) for mel in mels])))
    parts = [
        np.asarray(model.model.encode(_view(_padded(mel, mel.shape[1])[None]))) for mel in mels
    ]
    length = max(part.shape[1] for part in parts)
    return _view(np.concatenate([_filled(part, length) for part in parts]))


def _padded(mel: Features, frames: int) -> Features:
    """The window with silence behind it, an even number of frames, as the encoder halves them."""
    length = min(MOST_FRAMES, frames + SILENCE + frames % 2)
    return np.pad(mel[:, :length], ((0, 0), (0, max(0, length - mel.shape[1]))))


def _filled(part: Features, length: int) -> Features:
    """The encoded window with its last part, which is silence, again until it has the length."""
    silence = part[:, -QUIET:]
    times = -(-(length - part.shape[1]) // QUIET)
    return np.concatenate([part, *[silence] * times], axis=1)[:, :length]


def _view(array: Features) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array))


def likely(model: WhisperModel, speech: ctranslate2.StorageView, allowed: Sequence[str]) -> str:
    """The most probable language of the first window, among `allowed` unless that is empty."""
    if model.model.device == "cpu":
        speech = _view(np.asarray(speech)[:1, :TELLING])
    (found, *_) = model.model.detect_language(speech)
    codes: list[str] = [token[2:-2] for token, _ in found]  # <|en|>, the likeliest first
    return next(code for code in codes if not allowed or code in allowed)


def decode(
    model: WhisperModel,
    tokenizer: Tokenizer,
    speech: ctranslate2.StorageView,
    seconds: Sequence[float],
    shown: Sequence[str] = (),
) -> list[Decoded]:
    """The words of each encoded window, with times from its start.

    `seconds` is how long each window is without its padding; `shown` are terms of the business,
    given as if they had been said before.
    """
    start = [*_prompt(tokenizer, shown), *tokenizer.sot_sequence, tokenizer.no_timestamps]
    results = model.model.generate(
        speech,
        [start] * len(seconds),
        beam_size=1,
        max_length=len(start) + LEAST_TOKENS + round(TOKENS_PER_SECOND * max(seconds)),
        suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
        return_scores=True,
        return_no_speech_prob=True,
    )
    texts = [[t for t in one.sequences_ids[0] if t < tokenizer.eot] for one in results]
    frames = [min(MOST_FRAMES, round(one * FRAMES_PER_SECOND)) for one in seconds]
    timed = model.find_alignment(tokenizer, texts, speech, frames)
    return [
        _decoded(tokenizer, result, text, words, length)
        for result, text, words, length in zip(results, texts, timed, seconds, strict=True)
    ]


def _prompt(tokenizer: Tokenizer, shown: Sequence[str]) -> list[int]:
    if not shown:
        return []
    tokens: list[int] = tokenizer.encode(" " + ", ".join(shown) + ".")
    return [tokenizer.sot_prev, *tokens[:MOST_PROMPT]]


def _decoded(
    tokenizer: Tokenizer, result: Any, text: list[int], timed: list[dict[str, Any]], seconds: float
) -> Decoded:
    merge_punctuations(timed, _PREPENDED, _APPENDED)
    words = [
        Word(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
        for word in timed
        if word["word"].strip()
    ]
    count = len(result.sequences_ids[0])
    written = tokenizer.decode(text)
    return Decoded(
        words=tuple(in_order(words, seconds)),
        avg_logprob=float(result.scores[0]) * count / (count + 1),
        no_speech=float(result.no_speech_prob),
        compression=float(get_compression_ratio(written)) if written else 0.0,
    )
