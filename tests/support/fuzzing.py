"""Schemathesis against a running console: whatever the API describes, and whatever it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx2

# That a request fits the description does not mean that there is such a label or such a page.
_LEFT_OUT = "positive_data_acceptance"


def fuzzed(
    program: httpx2.Client, folder: Path, *, examples: int, seed: int = 1, phases: str = ""
) -> subprocess.CompletedProcess[str]:
    """Every operation, by a program's token, with so many examples each and all other checks."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run",
        str(program.base_url.join("/api/openapi.json")),
        "--header", f"Authorization: {program.headers['authorization']}",
        "--checks", "all", "--exclude-checks", _LEFT_OUT,
        "--seed", str(seed), "--max-examples", str(examples), "--no-shrink", "--no-color",
        *(["--phases", phases] if phases else []),
    ]  # fmt: skip
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=1200
    )
