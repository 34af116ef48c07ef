"""`triage recordings explain`: what is known about a recording, before anything is triaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage.cli import checkup
from triage.cli.app import app
from triage.errors import Configuration, Usage
from triage.settings import load

FOLDER = Path(__file__).parents[2] / "fixtures" / "telephony"
NAME = "q-600-6145550142-20260302-101500-1772464500.77.wav"
SETTINGS = """
[[sources]]
kind = "recordings"
name = "pbx"
path = "calls"
timezone = "America/New_York"

[sources.cdr]
path = "Master.csv"
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "triage.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "calls").mkdir()
    shutil.copy(FOLDER / "Master.csv", tmp_path)
    return tmp_path


def explain(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["recordings", "explain", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_name_sidecar_and_record_stand_beside_each_other(office: Path) -> None:
    (office / "calls" / f"{NAME}.json").write_text('{"consent": "no"}', encoding="utf-8")
    code, shown = explain(f"calls/{NAME}")
    lines = shown.splitlines()
    assert code == 0
    assert lines[0] == NAME
    assert lines[1] == "field\tname:freepbx\tsidecar\tcdr:Master.csv\ttogether"
    assert "caller\t6145550142\t\t6145550142\t+16145550142" in lines
    assert "agent\t\t\t202\t202" in lines
    assert "consent\t\tno\t\tno" in lines
    assert lines[-1] == "not transcribed: no-consent (settings: [calls])"


def test_json_for_programs(office: Path) -> None:
    code, shown = explain("--json", NAME)
    said = json.loads(shown)
    assert code == 0
    assert (said["file"], said["source"], said["problems"]) == (NAME, "pbx", [])
    assert said["call"]["started_at"] == "2026-03-02T15:15:00+00:00"
    assert [told["by"] for told in said["told"]] == ["name:freepbx", "cdr:Master.csv"]


def test_a_template_is_tried_before_it_is_set(office: Path) -> None:
    code, shown = explain("--name", "{agent}_{caller}.wav", "ann_6145550142.wav")
    assert "caller\t6145550142\t+16145550142" in shown
    assert code == 1  # it has no record
    code, shown = explain("--name", "{agent}_{caller}.wav", "ann.wav")
    assert "'ann.wav' fits, then _ is expected, and there is ''" in shown
    with pytest.raises(Configuration, match="no field 'agnt'"):
        explain("--name", "{agnt}_{caller}.wav", "ann.wav")


def test_without_settings_known_layouts_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert explain(NAME)[0] == 0
    code, shown = explain("note.wav")
    assert code == 0
    assert "nothing is known about this call" in shown
    assert "3cx: '[{name}]_" in shown
    with pytest.raises(Usage, match="no source of recordings is named 'x'; there are none"):
        explain("--source", "x", "note.wav")


def test_the_doctor_looks_at_templates_and_records(office: Path) -> None:
    def found() -> dict[str, tuple[str, str]]:
        settings = load(office / "triage.toml")
        return {check.what: (check.state, check.detail) for check in checkup._calls(settings)}

    assert found()["call records of pbx"][0] == "ok"
    (office / "Master.csv").unlink()
    state, detail = found()["call records of pbx"]
    assert state == "failed"
    assert "cannot be read (sources.pbx.cdr.path): No such file" in detail
    text = SETTINGS.replace("timezone =", 'names = "{caler}"\ntimezone =')
    (office / "triage.toml").write_text(text, encoding="utf-8")
    state, detail = found()["calls"]
    assert (state, "no field 'caler'" in detail) == ("failed", True)
