"""The process that transcribes: `python -m triage.transcripts.child`, started by `host`.

Its first line of input holds the settings. It ends when its input does, at once and in the middle
of a call, so that it never outlives the worker, however that ended.
"""

from __future__ import annotations

import functools
import json
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from triage.settings import Limits, Transcription
from triage.transcripts import audio, messages, peaks, recording, silence, weights
from triage.transcripts.engine import SpeechEngine
from triage.transcripts.messages import Message
from triage.transcripts.turns.diarist import Diarist
from triage.transcripts.weights import Weights

if TYPE_CHECKING:
    from triage.transcripts.faster import FasterWhisper
    from triage.transcripts.whisper import OpenAiWhisper

Answer = Callable[[Message], None]


def main() -> None:
    """Answer requests until the input ends."""
    source, answer = _pipes()
    setup = json.loads(source.readline())
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source, requests), daemon=True).start()
    settings = Transcription.model_validate(setup["transcription"])
    limits = Limits.model_validate(setup["limits"])
    work = Work(settings, limits, Path(setup["cache_dir"]), setup["child"])
    if settings.memory_mb is not None:
        _bound(settings.memory_mb)
    answer({"ready": True})
    while True:
        request = json.loads(requests.get())
        try:
            answer(work(request, answer))
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs one call
            answer(messages.failure(error))


class Work:
    """The engine, loaded when the first call holds speech, and what to do with a request."""

    def __init__(
        self, settings: Transcription, limits: Limits, cache_dir: Path, child: int
    ) -> None:
        self._child = child
        self._settings = settings
        self._limits = limits
        self._cache_dir = cache_dir
        self._others: dict[str, Work] = {}

    def __call__(self, request: Message, answer: Answer) -> Message:
        """The last answer to a request; what is known before goes to `answer`."""
        model = request.pop("model", "")
        if model and model != self._settings.model:
            return self._other(model)(request, answer)
        path = Path(request["path"])
        if request.get("probe"):
            return {"info": messages.packed(audio.probe(path, self._limits))}
        if request.get("peaks"):
            return {"peaks": messages.packed(peaks.measure(path, self._limits))}
        if "silence" in request:
            seconds = [(start, end) for start, end in request["silence"]]
            silence.write(path, Path(request["out"]), seconds, self._limits)
            return {"silenced": request["out"]}
        transcript = recording.transcribe(
            path,
            lambda: self._loaded(answer),
            recording.Reading(
                engine=self._settings.engine,
                model=self._weights.version,
                language=self._settings.language or request.get("language", ""),
                caller_channel=self._settings.caller_channel,
                opening_s=request.get("opening_s"),
                min_speech_s=self._settings.min_speech_s,
                from_s=request.get("from_s", 0.0),
                whole_s=request.get("whole_s"),
                pause=request.get("pause", False),
            ),
            self._limits,
            decoded=lambda info: answer({"info": messages.packed(info)}),
            diarist=self._diarist,
        )
        fallen = "_engine" in self.__dict__ and self._engine.fallen
        return {"transcript": messages.packed(transcript), "recycle": fallen}

    def _other(self, model: str) -> Work:
        """The same with other weights, which stay loaded too."""
        if model not in self._others:
            settings = self._settings.model_copy(update={"model": model})
            self._others[model] = Work(settings, self._limits, self._cache_dir, self._child)
        return self._others[model]

    def _loaded(self, answer: Answer) -> SpeechEngine:
        if "_engine" not in self.__dict__:
            answer({"loading": True})
        return self._engine

    @functools.cached_property
    def _diarist(self) -> Diarist | None:
        return Diarist(threads=self._settings.threads) if self._settings.turns else None

    @functools.cached_property
    def _weights(self) -> Weights:
        return weights.locate(self._settings.model, self._cache_dir)

    @functools.cached_property
    def _engine(self) -> FasterWhisper | OpenAiWhisper:
        settings = self._settings
        if settings.engine == "openai-whisper":
            from triage.transcripts.whisper import OpenAiWhisper  # noqa: PLC0415 - heavy

            return OpenAiWhisper(
                self._weights,
                threads=settings.threads,
                languages=settings.languages,
                vocabulary=settings.vocabulary,
            )
        from triage.transcripts.faster import FasterWhisper  # noqa: PLC0415 - heavy

        return FasterWhisper(
            self._weights,
            threads=settings.threads,
            languages=settings.languages,
            vocabulary=settings.vocabulary,
            device=settings.device,
            child=self._child,
        )


def _bound(megabytes: int) -> None:
    """Let this process take so much memory and no more: what asks for it fails, nothing else."""
    size = megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def _pipes() -> tuple[BinaryIO, Answer]:
    """Requests in, answers out. What libraries print goes to standard error instead."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(message: Message) -> None:
        out.write(messages.line(message))
        out.flush()

    return sys.stdin.buffer, answer


def _listen(source: BinaryIO, requests: queue.SimpleQueue[Any]) -> None:
    for request in source:
        requests.put(request)
    os._exit(0)


if __name__ == "__main__":
    main()
