"""Whisper by openai-whisper (PyTorch, fp32), from the same weights: the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from triage.transcripts import checkpoint
from triage.transcripts.audio import Samples
from triage.transcripts.engine import Heard, Piece, Word
from triage.transcripts.weights import Weights

TEMPERATURES: Final = (0.0, 0.2, 0.4)


class OpenAiWhisper:
    """fp32, greedy, no text of one window as a prompt of the next; on the CPU.

    `languages`   what may be spoken; empty: any language that the weights know
    `vocabulary`  names and products, which are shown to the model
    """

    name = "openai-whisper"
    fallen = False  # see `FasterWhisper`

    def __init__(
        self,
        weights: Weights,
        *,
        threads: int = 1,
        languages: Sequence[str] = (),
        vocabulary: Sequence[str] = (),
    ) -> None:
        import torch  # noqa: PLC0415 - heavy
        from whisper.model import ModelDimensions, Whisper  # noqa: PLC0415 - heavy

        self._languages = tuple(languages)
        self._prompt = ", ".join(vocabulary) + "." if vocabulary else None
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        read = checkpoint.read(weights.folder)
        self._model = Whisper(ModelDimensions(**read.dimensions))
        self._model.load_state_dict(
            {name: torch.from_numpy(array) for name, array in read.arrays.items()}, strict=True
        )
        heads = torch.zeros(
            read.dimensions["n_text_layer"], read.dimensions["n_text_head"], dtype=torch.bool
        )
        for layer, head in read.alignment_heads:
            heads[layer, head] = True
        self._model.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
        self._model.eval()

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        """See `SpeechEngine`."""
        result = self._model.transcribe(
            samples,
            language=language or self._spoken(samples),
            initial_prompt=self._prompt,
            carry_initial_prompt=True,
            fp16=False,
            verbose=None,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        return Heard(tuple(_piece(segment) for segment in result["segments"]), result["language"])

    def _spoken(self, samples: Samples) -> str | None:
        """The most probable of the allowed languages; None where Whisper may find any."""
        if len(self._languages) < 2 or not self._model.is_multilingual:
            return next(iter(self._languages), None)
        from whisper import audio  # noqa: PLC0415 - heavy

        mel = audio.log_mel_spectrogram(samples, self._model.dims.n_mels, padding=audio.N_SAMPLES)
        _, found = self._model.detect_language(audio.pad_or_trim(mel, audio.N_FRAMES))
        return max(self._languages, key=lambda code: found.get(code, 0.0))


def _piece(segment: dict[str, Any]) -> Piece:
    return Piece(
        words=tuple(
            Word(float(w["start"]), float(w["end"]), w["word"], float(w["probability"]))
            for w in segment.get("words", ())
        ),
        avg_logprob=segment["avg_logprob"],
        no_speech=segment["no_speech_prob"],
        compression=segment["compression_ratio"],
    )
