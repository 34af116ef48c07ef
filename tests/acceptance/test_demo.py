"""The demo as a newcomer runs it, twice: every lead arrives once, nothing is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def demo(folder: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "triage", "demo", "--folder", str(folder), "--json"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.server("dovecot")
@pytest.mark.timeout(900)
def test_two_runs_deliver_every_lead_once(tmp_path: Path) -> None:
    code, first = demo(tmp_path / "demo")
    assert code == 0, first
    assert first["leads"] == first["accepted"] >= 10
    assert first["doubled"] == first["refused"] == first["unfinished"] == 0
    ledger = (tmp_path / "demo" / "endpoint.jsonl").read_text()

    code, second = demo(tmp_path / "demo")

    assert code == 0, second
    assert (tmp_path / "demo" / "endpoint.jsonl").read_text() == ledger
    assert len(second["rows"]) == len(first["rows"])
    # The labels are the model's, so not all can be demanded; but the shipped demo must convince.
    right = sum(row["expected"] for row in first["rows"])
    assert right >= 0.75 * len(first["rows"]), [row for row in first["rows"] if not row["expected"]]
