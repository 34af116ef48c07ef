"""Whisper by CTranslate2 (int8): the default, several times the original's speed.

The speech of all sides is packed into windows that are decoded together (`packing`, `decoding`);
a window whose text is in doubt (`doubt`) is read again by faster-whisper, a little more freely.

Heavy: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import ctranslate2
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from triage.errors import Configuration
from triage.transcripts import decoding, devices, doubt, packing, speech
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.decoding import Decoded, Features
from triage.transcripts.devices import Device, Place
from triage.transcripts.engine import Heard, Piece, Word
from triage.transcripts.packing import HOP, Window
from triage.transcripts.sentences import sentences
from triage.transcripts.weights import Weights

# Shorter windows are faster and make more errors on real calls, longer ones gain nothing.
LONGEST_S: Final = 20.0
# For a window in doubt: greedy first, then a little more freely.
TEMPERATURES: Final = (0.0, 0.2, 0.4)
COMPUTE: Final = {"cpu": "int8", "cuda": "float16"}


class FasterWhisper:
    """Greedy, no text of one window as a prompt of the next.

    `languages`   what may be spoken; empty: any language that the weights know
    `vocabulary`  names and products, which are shown to the model
    `device`      `auto` takes a GPU where there is one; `child` says which of several
    `longest_s`   of a window, 28 at most
    """

    name = "faster-whisper"

    def __init__(
        self,
        weights: Weights,
        *,
        threads: int = 1,
        languages: Sequence[str] = (),
        vocabulary: Sequence[str] = (),
        device: Literal["auto", "cpu", "cuda"] = "cpu",
        child: int = 0,
        longest_s: float = LONGEST_S,
    ) -> None:
        ctranslate2.set_random_seed(0)
        gpus = ctranslate2.get_cuda_device_count() if device != "cpu" else 0
        self._weights, self._threads = weights, threads
        self._languages, self._vocabulary = tuple(languages), tuple(vocabulary)
        self._longest_s = longest_s
        self._places = devices.places(device, gpus=gpus, child=child)
        self._loaded: tuple[tuple[Device, int], WhisperModel] | None = None
        # Whether a GPU had no room for a recording: another process starts there with free memory.
        self.fallen = False
        model, _ = devices.with_room(self._places, self._at)
        _checked(model, self._languages, "transcription.languages")

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        """See `SpeechEngine`."""
        return self.transcribe_sides([samples], language=language)[0]

    def transcribe_sides(self, sides: Sequence[Samples], *, language: str) -> list[Heard]:
        """See `SidesEngine`."""
        heard, place = devices.with_room(
            self._places, lambda place: self._read(place, sides, language)
        )
        self.fallen = place != self._places[0]
        return heard

    def _read(self, place: Place, sides: Sequence[Samples], language: str) -> list[Heard]:
        model = self._at(place)
        found = [
            window
            for side, samples in enumerate(sides)
            for window in packing.windows(samples, self._longest_s, side=side)
        ]
        mels = [decoding.features(model, side) if side.size else None for side in sides]
        pieces: dict[Window, list[Piece]] = {}
        for group in packing.batches(found, place.batch):
            batch = [found[position] for position in group]
            heard = decoding.encoded(model, [_cut(mels[one.side], one) for one in batch])
            language = language or self._spoken(model, heard)
            written = self._written(model, heard, batch, language)
            for window, decoded in zip(batch, written, strict=True):
                pieces[window] = self._sure(model, window, decoded, sides[window.side], language)
        return [
            Heard(
                tuple(
                    _moved(piece, window.start / RATE)
                    for window in found
                    if window.side == side
                    for piece in pieces[window]
                ),
                language,
            )
            for side in range(len(sides))
        ]

    def _written(
        self,
        model: WhisperModel,
        heard: ctranslate2.StorageView,
        batch: Sequence[Window],
        language: str,
    ) -> list[Decoded]:
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        seconds = [window.seconds for window in batch]
        return decoding.decode(model, tokenizer, heard, seconds, self._vocabulary)

    def _sure(
        self, model: WhisperModel, window: Window, decoded: Decoded, side: Samples, language: str
    ) -> list[Piece]:
        """What was written for a window, read again where that is in doubt."""
        likely = decoded.avg_logprob
        if doubt.unspoken(avg_logprob=likely, no_speech=decoded.no_speech):
            return []
        samples = side[window.start : window.end]
        if not self._in_doubt(samples, decoded):
            return _pieces(decoded)
        again = _again(model, samples, language)
        return [
            piece
            for piece in again
            if not doubt.unspoken(avg_logprob=likely, no_speech=piece.no_speech)
        ]

    def _in_doubt(self, samples: Samples, decoded: Decoded) -> bool:
        seconds = samples.size / RATE
        return (
            doubt.echoes(decoded.words, self._vocabulary)
            or doubt.doubtful(
                decoded.words,
                seconds,
                avg_logprob=decoded.avg_logprob,
                compression=decoded.compression,
            )
            # Noise passes for speech, too; asked again, Whisper finds words in it.
            or any(
                speech.clear(samples[int(start * RATE) : int(end * RATE)])
                for start, end in doubt.gaps(decoded.words, seconds)
            )
        )

    def _spoken(self, model: WhisperModel, heard: ctranslate2.StorageView) -> str:
        """The language of the longest window."""
        if not model.model.is_multilingual:
            return "en"
        if len(self._languages) == 1:
            return self._languages[0]
        return decoding.likely(model, heard, self._languages)

    def _at(self, place: Place) -> WhisperModel:
        """The model at a place; one at a time is loaded."""
        if self._loaded is None or self._loaded[0] != (place.device, place.number):
            self._loaded = None  # its memory first
            model = WhisperModel(
                str(self._weights.folder),
                device=place.device,
                device_index=place.number,
                compute_type=COMPUTE[place.device],
                cpu_threads=self._threads,
                local_files_only=True,
            )
            self._loaded = ((place.device, place.number), model)
        return self._loaded[1]


def _checked(model: WhisperModel, languages: Sequence[str], what: str) -> None:
    """Raise `Configuration` where the weights do not know one of the languages."""
    known = model.supported_languages
    if unknown := [code for code in languages if code not in known]:
        raise Configuration(
            f"{what}: the weights do not know {', '.join(unknown)}; "
            f"they know {', '.join(sorted(known))}"
        )


def _cut(mel: Features | None, window: Window) -> Features:
    assert mel is not None  # noqa: S101 - a side without samples has no windows
    return mel[:, window.start // HOP : -(-window.end // HOP)]


def _pieces(decoded: Decoded) -> list[Piece]:
    return [
        Piece(words, decoded.avg_logprob, decoded.no_speech, decoded.compression)
        for words in sentences(decoded.words)
    ]


def _again(model: WhisperModel, samples: Samples, language: str) -> list[Piece]:
    """A window read alone, with a higher temperature where the text is still unlikely.

    With all of the silence that Whisper expects behind it, so that it tells noise from speech.
    """
    segments, _ = model.transcribe(
        samples,
        language=language,
        beam_size=1,
        best_of=1,
        temperature=TEMPERATURES,
        condition_on_previous_text=False,
        word_timestamps=True,
        vad_filter=False,
    )
    return [
        Piece(
            words=tuple(Word(w.start, w.end, w.word, w.probability) for w in segment.words or ()),
            avg_logprob=segment.avg_logprob,
            no_speech=segment.no_speech_prob,
            compression=segment.compression_ratio,
        )
        for segment in segments
    ]


def _moved(piece: Piece, seconds: float) -> Piece:
    words = tuple(
        replace(word, start=word.start + seconds, end=word.end + seconds) for word in piece.words
    )
    return replace(piece, words=words)
