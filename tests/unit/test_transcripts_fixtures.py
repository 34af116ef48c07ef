from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.labels import LABELS, SIGNALS
from triage.settings import Limits, RecordingsSource
from triage.transcripts import audio
from triage.types import Outcome

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
SCRIPTS = sorted((CALLS / "scripts").glob("*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def recordings() -> list[Path]:
    source = RecordingsSource(kind="recordings", name="calls", path=CALLS)
    return sorted(path for pattern in source.patterns for path in CALLS.glob(pattern))


def test_every_recording_has_a_script_and_an_expectation() -> None:
    names = {path.stem for path in recordings()}

    assert len(names) == len(recordings()) >= 14
    assert names == {path.stem for path in SCRIPTS}
    assert names == {
        path.name.removesuffix(".expected.json") for path in CALLS.glob("*.expected.json")
    }
    assert sum(not (CALLS / f"{name}.json").exists() for name in names) == 2


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_expectations_follow_from_the_script(script: Path) -> None:
    made, expected = read(script), read(CALLS / f"{script.stem}.expected.json")
    known = made["layout"] == "stereo"
    outcomes = (
        expected["outcome"] if isinstance(expected["outcome"], list) else [expected["outcome"]]
    )

    assert expected["label"] in LABELS
    assert set(outcomes) <= {str(outcome) for outcome in Outcome}
    assert set(expected["signals"]) <= set(SIGNALS)
    assert expected["transcript"] == [
        {"speaker": turn["side"] if known else "unknown", "text": turn["text"]}
        for turn in made["turns"]
        if turn["text"]
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_recordings_are_what_the_script_says(script: Path) -> None:
    made = read(script)

    info = audio.probe(CALLS / made["file"], Limits())

    assert info.channels == (1 if made["layout"] == "mono" else 2)
    assert 15 < info.duration_s < 120
    assert not info.warnings


def test_the_set_is_small() -> None:
    assert sum(path.stat().st_size for path in recordings()) < 12_000_000
    assert sum(audio.probe(path, Limits()).duration_s for path in recordings()) < 13 * 60
