"""Whisper by faster-whisper (CTranslate2, int8): the default, 2.4 times as fast as the original."""

from __future__ import annotations

from typing import Any, Final

from triage.transcripts.audio import Samples
from triage.transcripts.engine import Heard, Piece, Word
from triage.transcripts.weights import Weights

# Greedy first; a window that loops or is unlikely is tried again, a little more freely.
TEMPERATURES: Final = (0.0, 0.2, 0.4)


class FasterWhisper:
    """int8, greedy, windows one after the other, no text of one window as a prompt of the next."""

    name = "faster-whisper"

    def __init__(self, weights: Weights, *, threads: int = 1) -> None:
        import ctranslate2  # noqa: PLC0415 - heavy
        from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy

        ctranslate2.set_random_seed(0)
        self._model = WhisperModel(
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


def _piece(segment: Any) -> Piece:
    return Piece(
        words=tuple(Word(w.start, w.end, w.word, w.probability) for w in segment.words or ()),
        avg_logprob=segment.avg_logprob,
        no_speech=segment.no_speech_prob,
        compression=segment.compression_ratio,
    )
