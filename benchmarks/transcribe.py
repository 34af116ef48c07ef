"""Speech engines on the same recordings in one run: speed, word errors, invented words, memory.

    python benchmarks/transcribe.py [RECORDING…] [--choices] [--engines NAME…]

Default: the shipped calls, all engines.

Each engine in a process of its own with one thread and the same weights (*base*). CPU seconds of
the whole path, from the file to the text, without loading the model; each engine finds the language
itself. The other engines get both sides mixed into one channel, as they would from a file, and no
word times are asked of them; this worker reads the sides apart and places every word. `--choices`
adds rows that leave out one choice of this worker each. A table goes to standard output, progress
to standard error. Words that are invented on the calls without speech are counted;
`benchmarks/sounds.py` does so on forty sounds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from jiwer import process_words
from whisper.normalizers import EnglishTextNormalizer

from triage.demo.fixtures import fixtures_folder
from triage.settings import Limits
from triage.transcripts import audio, devices
from triage.transcripts.audio import Samples
from triage.transcripts.engine import Heard
from triage.transcripts.process import ALLOCATOR
from triage.transcripts.recording import Reading, transcribe
from triage.transcripts.weights import Weights, locate

NORMAL: Final = EnglishTextNormalizer()
OPENAI: Final = "openai-whisper"
WORKER: Final = "this worker"
BATCHED: Final = "faster-whisper batched 8"
ENGINES: Final = (
    OPENAI,
    WORKER,
    BATCHED,
    "faster-whisper beam 1",
    "faster-whisper beam 5",
)
CHOICES: Final = (
    "… sides one by one",
    "… windows one by one",
    "… windows of 28 s",
    "… windows of 12 s",
    "… usual allocator",
)
SUFFIXES: Final = {".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a"}
VAD: Final = {"vad_filter": True, "vad_parameters": {"threshold": 0.25}}

# A recording → its text, and what counts of it: text without flags.
Read = Callable[[Path], tuple[str, str]]


def main() -> None:
    options = _options()
    if options.engine:
        print(json.dumps(measured(options.engine, options.recordings)))
        return
    calls = options.recordings or shipped("calls")
    sounds = [path for path in calls if script(path) == ""]
    spoken = [path for path in calls if path not in sounds]
    engines = options.engines or ((*ENGINES, *CHOICES) if options.choices else ENGINES)
    print(f"{len(spoken)} recordings with speech, {len(sounds)} without; one core each")
    heads = f"{'engine':<26}{'audio/CPU':>10}{'ratio':>7}{'WER %':>7}{'errors':>14}"
    print(f"{heads}{'invented':>10}{'peak MB':>9}")
    slowest = 0.0
    for name in engines:
        print(f"{name} …", file=sys.stderr, flush=True)
        found = apart(name, [*spoken, *sounds])
        speed = pace(found["rows"][: len(spoken)])
        slowest = slowest or speed
        print(row(name, found, spoken, speed / slowest), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--choices", action="store_true", help="rows without one choice each")
    parser.add_argument("--engines", nargs="+", choices=(*ENGINES, *CHOICES), metavar="NAME")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    return parser.parse_args()


def shipped(name: str) -> list[Path]:
    folder = fixtures_folder() / name
    return sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)


def script(path: Path) -> str | None:
    """What is said in a recording, by all sides; None where nobody wrote it down."""
    expected = path.with_suffix(".expected.json")
    if not expected.exists():
        return None
    turns = json.loads(expected.read_text(encoding="utf-8")).get("transcript", [])
    return plain(" ".join(turn["text"] for turn in turns))


def plain(text: str) -> str:
    """Text as Whisper's authors compare it, and numbers digit by digit: a script spells them, each
    engine groups them in its own way.
    """
    return " ".join(re.sub(r"(\d)", r" \1 ", NORMAL(text)).split())


def apart(name: str, paths: list[Path]) -> dict[str, Any]:
    """What `measured` gives, from a process with one thread."""
    ours = name == WORKER or (name in CHOICES and name != "… usual allocator")
    command = [sys.executable, __file__, "--engine", name, *map(str, paths)]
    done = subprocess.run(command, env=environment(ours=ours), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def environment(*, ours: bool) -> dict[str, str]:
    """One thread for every library; `ours`: the allocator that the worker's children have."""
    found = {key: value for key, value in os.environ.items() if key != "GLIBC_TUNABLES"}
    found |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    return found | ({"GLIBC_TUNABLES": ALLOCATOR} if ours else {})


def measured(name: str, paths: list[Path]) -> dict[str, Any]:
    """CPU seconds, seconds of audio and text of every recording, and the peak memory in MB."""
    read = engine(name, locate("base"))
    read(min(paths, key=lambda path: path.stat().st_size))  # loads what is loaded when first used
    rows = []
    for path in paths:
        before = time.process_time()
        text, counted = read(path)
        spent = time.process_time() - before
        seconds = audio.probe(path, Limits()).duration_s
        rows.append({"spent": spent, "seconds": seconds, "text": text, "counted": counted})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "peak": peak}


def engine(name: str, weights: Weights) -> Read:
    if name == OPENAI:
        return _openai(weights)
    if name.startswith("faster-whisper"):
        return _faster(name, weights)
    return _worker(name, weights)


def mixed(path: Path) -> Samples:
    return np.asarray(audio.decode(path, Limits()).samples.mean(axis=0), np.float32)


def _openai(weights: Weights) -> Read:
    from triage.transcripts.whisper import OpenAiWhisper  # noqa: PLC0415 - heavy

    model = OpenAiWhisper(weights)._model

    def read(path: Path) -> tuple[str, str]:
        text = model.transcribe(mixed(path), fp16=False)["text"]
        return text, text

    return read


def _faster(name: str, weights: Weights) -> Read:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415 - heavy

    model = WhisperModel(
        str(weights.folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
    options: dict[str, Any] = {"beam_size": 1, **VAD, "condition_on_previous_text": False}
    if name == BATCHED:
        model = BatchedInferencePipeline(model)
        options = {"beam_size": 1, **VAD, "batch_size": 8}
    elif name.endswith("beam 5"):
        options = {}

    def read(path: Path) -> tuple[str, str]:
        segments, _ = model.transcribe(mixed(path), **options)
        text = "".join(segment.text for segment in segments)
        return text, text

    return read


class OneByOne:
    """The engine without its way of reading all sides together."""

    def __init__(self, whole: Any) -> None:
        self.name = whole.name
        self._whole = whole

    def transcribe(self, samples: Samples, *, language: str) -> Heard:
        heard: Heard = self._whole.transcribe(samples, language=language)
        return heard


def _worker(name: str, weights: Weights) -> Read:
    from triage.transcripts.faster import LONGEST_S, FasterWhisper  # noqa: PLC0415 - heavy

    seconds = re.search(r"of (\d+) s", name)
    if name == "… windows one by one":
        devices.CPU_BATCH = 1  # type: ignore[misc] # to see what it brings
    longest_s = float(seconds[1]) if seconds else LONGEST_S
    whole = FasterWhisper(weights, longest_s=longest_s)
    used = OneByOne(whole) if name == "… sides one by one" else whole
    reading = Reading(engine=name, model=weights.version)

    def read(path: Path) -> tuple[str, str]:
        segments = transcribe(path, lambda: used, reading, Limits()).segments
        text = " ".join(segment.text for segment in segments)
        return text, " ".join(segment.text for segment in segments if not segment.flags)

    return read


def pace(rows: list[dict[str, Any]]) -> float:
    """Seconds of audio in a second of CPU time."""
    return float(sum(row["seconds"] for row in rows) / sum(row["spent"] for row in rows))


def row(name: str, found: dict[str, Any], spoken: list[Path], ratio: float) -> str:
    """An engine's line; the recordings without speech are behind those with."""
    speech, silence = found["rows"][: len(spoken)], found["rows"][len(spoken) :]
    invented = sum(len(plain(one["counted"]).split()) for one in silence)
    return (
        f"{name:<26}{pace(speech):10.1f}{ratio:7.2f}{errors(spoken, speech)}"
        f"{invented:10}{found['peak']:9.0f}"
    )


def errors(paths: list[Path], rows: list[dict[str, Any]]) -> str:
    """Rate and count of word errors where the script is known, all sides in order of time."""
    said = [(script(path), plain(row["text"])) for path, row in zip(paths, rows, strict=True)]
    known = [(text, heard) for text, heard in said if text]
    if not known:
        return f"{'-':>7}{'-':>14}"
    found = process_words([text for text, _ in known], [heard for _, heard in known])
    wrong = found.substitutions + found.deletions + found.insertions
    words = found.hits + found.substitutions + found.deletions
    return f"{100 * found.wer:7.1f}{f'{wrong} of {words}':>14}"


if __name__ == "__main__":
    main()
