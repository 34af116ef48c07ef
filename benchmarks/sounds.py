"""Words that are written where nobody speaks: this worker, and two engines as they come.

    python benchmarks/sounds.py [RECORDING…]      default: all of fixtures/sounds

One thread each, the same weights. This worker counts words that are not flagged, the others have no
flags. CPU seconds are those of the whole path, without loading a model.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage.demo.fixtures import fixtures_folder
from triage.settings import Limits
from triage.transcripts import audio
from triage.transcripts.faster import FasterWhisper
from triage.transcripts.recording import Reading, transcribe
from triage.transcripts.weights import Weights, locate

Write = Callable[[Path], str]


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]] or shipped()
    weights = locate("base")
    seconds = sum(audio.probe(path, Limits()).duration_s for path in paths)
    print(f"{len(paths)} recordings without speech, {seconds:.0f} s", flush=True)
    engines = {
        "this worker": this_worker,
        "faster-whisper, default": faster_default,
        "openai-whisper, default": openai_default,
    }
    rows = [measured(name, make(weights), paths) for name, make in engines.items()]
    print("\n| | recordings with words | invented words | CPU s |\n|---|---|---|---|")
    print("\n".join(rows))


def measured(name: str, write: Write, paths: list[Path]) -> str:
    print(f"\n{name}")
    with_words, words, spent = 0, 0, 0.0
    for path in paths:
        before = time.process_time()
        text = write(path)
        spent += time.process_time() - before
        if text:
            print(f"  {path.name}: {text[:90]}", flush=True)
            with_words, words = with_words + 1, words + len(text.split())
    return f"| {name} | {with_words} | {words} | {spent:.1f} |"


def shipped() -> list[Path]:
    folder = fixtures_folder() / "sounds"
    return sorted(path for path in folder.iterdir() if path.suffix in {".wav", ".opus"})


def this_worker(weights: Weights) -> Write:
    engine = FasterWhisper(weights, threads=1)
    reading = Reading(engine=engine.name, model=weights.version, min_speech_s=0.7)

    def write(path: Path) -> str:
        transcript = transcribe(path, lambda: engine, reading, Limits())
        return " ".join(s.text for s in transcript.segments if not s.flags)

    return write


def faster_default(weights: Weights) -> Write:
    from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy

    model = WhisperModel(
        str(weights.folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )

    def write(path: Path) -> str:
        segments, _ = model.transcribe(mono(path))
        return " ".join(segment.text.strip() for segment in segments)

    return write


def openai_default(weights: Weights) -> Write:
    from triage.transcripts.whisper import OpenAiWhisper  # noqa: PLC0415 - heavy

    model: Any = OpenAiWhisper(weights, threads=1)._model
    return lambda path: str(model.transcribe(mono(path), fp16=False, verbose=None)["text"]).strip()


def mono(path: Path) -> Any:
    return audio.decode(path, Limits()).samples.mean(axis=0)


if __name__ == "__main__":
    main()
