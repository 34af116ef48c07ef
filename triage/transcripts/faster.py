"""Whisper by faster-whisper (CTranslate2, int8): the default, several times the original's speed.

Heavy: import this module lazily.
"""

from __future__ import annotations

from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from triage.transcripts.audio import Samples
from triage.transcripts.engine import Heard, Piece, Word
from triage.transcripts.weights import Weights

# Greedy first; a window that loops or is unlikely is tried again, a little more freely.
TEMPERATURES: Final = (0.0, 0.2, 0.4)

# In frames of 10 ms. Whisper pads what it hears to 30 s; a window that is not full is encoded with
# 3 s of that silence only (with 1 s the shipped calls had more word errors), and 10 s of speech
# tell its language.
SILENCE: Final = 300
LANGUAGE: Final = 1_000


class FasterWhisper:
    """int8, greedy, windows one after the other, no text of one window as a prompt of the next."""

    name = "faster-whisper"

    def __init__(self, weights: Weights, *, threads: int = 1) -> None:
        ctranslate2.set_random_seed(0)
        self._model = _ShortWindows(
            str(weights.folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            local_files_only=True,
        )

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        """See `SpeechEngine`."""
        segments, info = self._model.transcribe(
            samples,
            language=language or None,
            beam_size=1,
            best_of=1,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=False,
        )
        return Heard(tuple(_piece(segment) for segment in segments), info.language)


class _ShortWindows(WhisperModel):  # type: ignore[misc] # the package has no types
    """Encodes what was said rather than the padding behind it."""

    def encode(self, features: NDArray[np.float32]) -> ctranslate2.StorageView:
        """Encode (mels, frames) or (windows, mels, frames), without most of the padding."""
        spoken = np.flatnonzero(features.any(axis=tuple(range(features.ndim - 1))))
        end = int(spoken[-1]) + 1 + SILENCE if spoken.size else SILENCE
        even = end + end % 2  # the encoder halves the frames
        return super().encode(np.ascontiguousarray(features[..., :even]))

    def detect_language(
        self, audio: Any = None, features: Any = None, **options: Any
    ) -> tuple[str, float, list[tuple[str, float]]]:
        """The language of the beginning, as the library's own method finds it on 30 s."""
        if features is not None:
            features = features[..., :LANGUAGE]
        found: tuple[str, float, list[tuple[str, float]]] = super().detect_language(
            audio, features, **options
        )
        return found


def _piece(segment: Any) -> Piece:
    return Piece(
        words=tuple(Word(w.start, w.end, w.word, w.probability) for w in segment.words or ()),
        avg_logprob=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
        compression=segment.compression_ratio,
    )
