"""Stored inquiries whose mix changes raise an alarm, once, that ends when they are as before."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import structlog
from structlog.testing import capture_logs
from typer.testing import CliRunner

from classifiers.labels import Label
from tests.support import stored
from tests.support.console import served
from tests.support.past import NOW, Past, items
from triage.cli.app import app
from triage.metrics import REGISTRY
from triage.pipeline.drifting import Drifting
from triage.settings import Settings
from triage.store import records
from triage.store.accounts import Reach, Role
from triage.store.repository import Repository

SOURCES = [{"kind": "maildir", "name": "sales", "path": "mail"}]


def drifting(repository: Repository) -> Drifting:
    return Drifting(
        Settings.model_validate({"sources": SOURCES, "drift": {"least": 25}}), repository
    )


def gauge(measure: str) -> float | None:
    return REGISTRY.get_sample_value("triage_drift", {"source": "sales", "measure": measure})


def test_a_changed_mix_is_told_once_and_ends(any_repository: Repository) -> None:
    look = drifting(any_repository)
    past = Past(any_repository, look.settings)
    chosen = items("calibration-s", "email")[:80]
    for number, item in enumerate(chosen[:50]):
        label: Label = item.label or "lead"
        past.settle(item, stored.verdict(label), NOW - timedelta(days=8 + number / 4))
    for number, item in enumerate(chosen[50:80]):
        label = item.label or "lead"
        at = NOW - timedelta(days=6.5 * number / 30)
        past.settle(item, stored.verdict(label), at)
    assert look.look(NOW) == []
    assert gauge("labels") == 0

    for number, item in enumerate(items("calibration-t", "email")[:30]):
        at = NOW - timedelta(days=2 * number / 30)
        past.settle(item, stored.verdict("spam"), at)
    with capture_logs() as told:
        first, *_ = look.look(NOW)
    assert (first.source, first.measure, first.label) == ("sales", "labels", "spam")
    assert "of mails from 'sales' are spam" in first.text
    assert "since" in first.text
    assert any(each["event"] == "what arrives has changed" for each in told)
    assert gauge("labels") == 1
    with capture_logs() as again:
        look.look(NOW)
    assert not [each for each in again if each["log_level"] == "warning"]
    stored_alarms = any_repository.drifts.alarms()
    assert stored_alarms[0].began_at <= records.now()
    assert {alarm.key for alarm in stored_alarms} == {alarm.key for alarm in look.look(NOW)}

    gone = Drifting(Settings(), any_repository)  # a source that is gone raises no alarm
    assert gone.look(NOW) == any_repository.drifts.alarms() == []
    assert look.look(NOW)
    later = NOW + timedelta(days=60)  # by then there is too little to say anything
    assert look.look(later) == []
    assert any_repository.drifts.alarms() == []
    assert any_repository.drifts.alarms(ended=True)[0].ended_at is not None
    assert gauge("labels") == 0


def test_what_people_said_later_counts_for_nothing(repository: Repository) -> None:
    look = drifting(repository)
    past = Past(repository, look.settings)
    item = items("calibration-s", "email")[0]
    name = past.settle(item, stored.verdict("support"), NOW - timedelta(hours=1))
    past.say(name, "spam")
    (window,) = look.windows(NOW)
    assert [piece.label for piece in window.recent] == ["support"]
    assert repository.archive.verdict(name) is not None


def test_the_command_and_the_api_say_it(tmp_path: Path, repository: Repository) -> None:
    file = tmp_path / "triage.toml"
    file.write_text(
        '[store]\ndata_dir = "data"\n[[sources]]\nkind = "maildir"\nname = "sales"\npath = "m"\n'
        "[drift]\nleast = 20\n",
        encoding="utf-8",
    )
    quiet = CliRunner().invoke(app, ["-s", str(file), "models", "drift", "--json"])
    assert (quiet.exit_code, quiet.stdout) == (0, "")
    past, moment = Past(repository, Settings()), records.now()
    for number, item in enumerate(items("calibration-s", "email")[:50]):
        days = 1 + number / 10 if number < 25 else 10 + number / 5
        label: Label = "spam" if number < 25 else "support"
        past.settle(item, stored.verdict(label), moment - timedelta(days=days))
    loud = CliRunner().invoke(app, ["-s", str(file), "-q", "models", "drift", "--json"])
    assert loud.exit_code == 1
    rows = [json.loads(line) for line in loud.stdout.splitlines()]
    assert {"labels"} == {row["measure"] for row in rows}
    structlog.reset_defaults()
    with served(repository, sources=SOURCES) as console:
        with console.program(Role.VIEWER, "read") as program:
            told = program.get("/api/models/drift").json()
            assert {row["text"] for row in told} == {row["text"] for row in rows}
        far = Reach(sources=("elsewhere",))
        with console.signed_in(Role.VIEWER, "far", far) as visitor:
            assert rows[0]["text"] not in visitor.get("/sources").text
