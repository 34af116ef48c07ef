"""Transcription for a worker that must not fall with it: the work is done in child processes.

A child that crashes, is killed or takes too long costs one `Transient` error; the next call starts
another. So does one that runs out of memory; one that a GPU had no room for is ended after its
answer. Native code on strangers' files stays out of the worker's process.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Self

import structlog

from triage.settings import Limits, Transcription
from triage.transcripts import messages
from triage.transcripts.engine import AudioInfo, Peaks
from triage.transcripts.messages import WHOLE, Message, Part
from triage.transcripts.process import START_S, Child
from triage.transcripts.weights import DEFAULT_CACHE
from triage.types import Transcript

log = structlog.get_logger(__name__)

FLOOR_S: Final = 60.0
_SILENCE_S: Final = 300.0  # four hours of sound take one minute


class TranscriberHost:
    """Transcribes recordings in `settings.workers` child processes; safe to call from threads.

    `settings`    engine, model, language, workers, threads and the time limit
    `limits`      bounds on the size and the length of a recording
    `cache_dir`   where installed weights are joined once
    """

    def __init__(
        self, settings: Transcription, limits: Limits, cache_dir: Path = DEFAULT_CACHE
    ) -> None:
        self._time_limit = settings.time_limit
        self._children = [
            Child(
                messages.setup(settings, limits, cache_dir, child=number),
                threads=settings.threads,
            )
            for number in range(settings.workers)
        ]
        # Last in, first out: a child that has its model loaded is used before one that has not.
        self._idle: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    def transcribe(
        self, path: Path, part: Part = WHOLE, *, opening_s: float | None = None
    ) -> Transcript:
        """The transcript of a recording, of a part, or of its first `opening_s` seconds.

        Raises `Permanent` for a file that is no recording or beyond the limits, `Configuration`
        where weights are missing, `Transient` where the child died or exceeded the time limit:
        `time_limit` times the audio's seconds, at least 60 s, and loading the model besides.
        """
        started = time.monotonic()
        with self._borrowed() as child:
            answer = child.ask({"path": str(path.absolute()), **_request(part, opening_s)}, FLOOR_S)
            if "info" in answer:
                seconds = messages.info(answer["info"]).duration_s
                limit_s = max(FLOOR_S, self._time_limit * seconds)
                answer = child.answer(limit_s)
                if "loading" in answer:  # once in a child's life
                    answer = child.answer(limit_s + START_S)
        transcript = messages.transcript(_checked(answer)["transcript"])
        log.info(
            "recording transcribed",
            audio_s=transcript.duration_s,
            took_s=round(time.monotonic() - started, 2),
            segments=len(transcript.segments),
            partial=transcript.partial,
        )
        return transcript

    def probe(self, path: Path) -> AudioInfo:
        """What a recording is, by decoding all of it. Raises as `transcribe` does."""
        with self._borrowed() as child:
            answer = child.ask({"path": str(path.absolute()), "probe": True}, FLOOR_S)
        return messages.info(_checked(answer)["info"])

    def peaks(self, path: Path) -> Peaks:
        """How loud a recording is over its length, by decoding all of it. Raises as `transcribe`
        does.
        """
        with self._borrowed() as child:
            answer = child.ask({"path": str(path.absolute()), "peaks": True}, _SILENCE_S)
        return messages.peaks(_checked(answer)["peaks"])

    def silence(self, path: Path, out: Path, seconds: Sequence[tuple[float, float]]) -> None:
        """Write a copy of a recording to `out`, silent in these stretches; see `silence.write`.

        Raises as `transcribe` does.
        """
        request = {"path": str(path.absolute()), "silence": seconds, "out": str(out.absolute())}
        with self._borrowed() as child:
            answer = child.ask(request, _SILENCE_S)
        _checked(answer)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that run now."""
        return tuple(pid for child in self._children if (pid := child.pid) is not None)

    def close(self) -> None:
        """End the children for good; calls that are under way raise `Transient`."""
        for child in self._children:
            child.stop()
        with contextlib.ExitStack() as borrowed:  # calls under way end now and hand theirs back
            for _ in self._children:
                borrowed.enter_context(self._borrowed()).release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Child]:
        child = self._idle.get()
        try:
            yield child
        finally:
            self._idle.put(child)


def _request(part: Part, opening_s: float | None) -> Message:
    return asdict(part if opening_s is None else replace(part, opening_s=opening_s))


def _checked(answer: Message) -> Message:
    if "error" in answer:
        raise messages.raised(answer)
    return answer
