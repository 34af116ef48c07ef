"""A heap of short calls is worked off once, all of it, and memory does not grow with it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from triage.settings import Limits, Transcription, child_environment
from triage.transcripts import messages
from triage.transcripts.process import Child
from triage.transcripts.weights import DEFAULT_CACHE

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "drain.py"
CALLS = 60
ALLOWED = (
    1.06  # memory at the end to memory at half; 1.08 where a process kept what each length took
)
ALLOWED_MB = 20
_ENCODER = """
import sys
import ctranslate2, numpy as np
from triage.transcripts.weights import locate

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

model = ctranslate2.models.Whisper(
    str(locate("base").folder), device="cpu", compute_type="int8", intra_threads=1
)
sound = np.random.default_rng(0).standard_normal((1, 80, 300)).astype(np.float32)

def encode(frames):
    part = np.ascontiguousarray(sound[..., :frames])
    model.encode(ctranslate2.StorageView.from_array(part))

encode(300)
before = resident()
for frames in range(100, 220, 2):
    encode(frames)
print(resident() - before)
"""


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("drain", BENCHMARK)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_sixty_calls_are_drained_in_flat_memory(tmp_path: Path) -> None:
    run = benchmark().drained(CALLS, tmp_path)
    assert (run.settled, run.lost, run.doubled) == (CALLS, 0, 0)
    assert run.at(1.0).memory < ALLOWED * run.at(0.5).memory, run.samples


def test_no_length_of_audio_costs_memory_for_good() -> None:
    """oneDNN keeps what it made for a shape; calls have as many shapes as lengths."""
    child = Child(messages.setup(Transcription(), Limits(), DEFAULT_CACHE), threads=1)
    done = subprocess.run(
        [sys.executable, "-c", _ENCODER],
        env=child_environment(child._variables()),
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert float(done.stdout) < ALLOWED_MB
