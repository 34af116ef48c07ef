"""No network access: the models load and work where there is no network at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from triage.demo.fixtures import fixtures_folder

ALONE = ["unshare", "--map-root-user", "--net"]


@pytest.fixture(scope="module", autouse=True)
def _separable() -> None:
    try:
        able = subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        able = False
    if not able:
        pytest.skip("this machine allows no network namespace")


def triage(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ALONE, sys.executable, "-m", "triage", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_classifying_needs_no_network() -> None:
    line = json.dumps({"id": 1, "channel": "email", "body": "Please quote two rooftop units."})
    done = triage("classify", "-", stdin=line)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["label"]


def test_transcribing_needs_no_network() -> None:
    calls: Path = fixtures_folder() / "calls"
    done = triage("transcribe", "--json", str(next(calls.glob("wrong-number-pizza.*av"))))
    assert done.returncode == 0, done.stderr
    assert "pepperoni" in json.loads(done.stdout)["text"].lower()
