"""Both speech engines on the same recordings in one run: speed and word error rate.

    python benchmarks/transcribe.py [RECORDING…]      default: four of the shipped calls

One thread each. CPU seconds of the whole path (decoding, gating, voice detection, recognition),
without loading the model. The ratio is to openai-whisper.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from jiwer import wer

from triage.demo.fixtures import fixtures_folder
from triage.settings import Limits
from triage.transcripts.engine import SpeechEngine
from triage.transcripts.faster import FasterWhisper
from triage.transcripts.recording import Reading, transcribe
from triage.transcripts.weights import locate
from triage.transcripts.whisper import OpenAiWhisper
from triage.types import Transcript

DEFAULT = (
    "homeowner-ac-replacement",
    "facility-manager-office-park",
    "invoice-paid-twice",
    "wrong-number-pizza",
)


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]] or shipped()
    weights = locate("base")
    rows = []
    for name, engine in engines(weights):
        spent, heard = 0.0, []
        reading = Reading(engine=name, model=weights.version, language="en")
        for path in paths:
            before = time.process_time()
            heard.append(transcribe(path, lambda engine=engine: engine, reading, Limits()))
            spent += time.process_time() - before
        audio = sum(transcript.duration_s for transcript in heard)
        rows.append((name, audio, spent, errors(paths, heard)))
    slowest = rows[0][2] / rows[0][1]
    print(f"{'engine':<16} {'audio s':>8} {'CPU s':>8} {'audio/CPU':>10} {'WER %':>6} {'ratio':>6}")
    for name, audio, spent, rate in rows:
        ratio = slowest / (spent / audio)
        print(f"{name:<16} {audio:8.0f} {spent:8.1f} {audio / spent:10.1f} {rate:>6} {ratio:6.1f}")


def shipped() -> list[Path]:
    folder = fixtures_folder() / "calls"
    return [next(p for p in folder.glob(f"{name}.*") if p.suffix != ".json") for name in DEFAULT]


def engines(weights: object) -> Iterator[tuple[str, SpeechEngine]]:
    yield "openai-whisper", OpenAiWhisper(weights, threads=1)
    yield "faster-whisper", FasterWhisper(weights, threads=1)


def errors(paths: list[Path], heard: list[Transcript]) -> str:
    """Word error rate over the calls whose script is known; each side apart where sides are."""
    said, written = [], []
    for path, transcript in zip(paths, heard, strict=True):
        expected = path.with_suffix(".expected.json")
        if not expected.exists():
            continue
        turns = json.loads(expected.read_text(encoding="utf-8"))["transcript"]
        known = any(segment.speaker != "unknown" for segment in transcript.segments)
        for side in ("agent", "caller") if known else (None,):
            script = [turn["text"] for turn in turns if side in {turn["speaker"], None}]
            if script:
                here = [s.text for s in transcript.segments if side in {s.speaker, None}]
                said.append(plain(" ".join(script)))
                written.append(plain(" ".join(here)))
    return f"{100 * wer(said, written):.1f}" if said else "-"


def plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


if __name__ == "__main__":
    main()
