"""A heap of short calls is worked off once, all of it, and memory does not grow with it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "drain.py"
CALLS = 60
ALLOWED_MB = 60.0  # a hundred calls; what one leaks that keeps its audio is twice that


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
    assert run.slope < ALLOWED_MB, run.samples
