"""`triage models` as people and programs call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.models import COOLER, variant
from triage.cli.app import app
from triage.errors import Usage
from triage.pipeline.learning import Learning
from triage.settings import Settings
from triage.store.repository import Repository


@pytest.fixture
def file(repository: Repository, tmp_path: Path) -> Path:
    settings = tmp_path / "triage.toml"
    settings.write_text(f'[store]\ndata_dir = "{repository.folder}"\n')
    return settings


def models(file: Path, *words: str) -> Result:
    return CliRunner().invoke(
        app, ["--quiet", "--settings", str(file), "models", *words], catch_exceptions=True
    )


def test_models_are_listed_shown_switched_and_taken_back(
    file: Path, repository: Repository, tmp_path: Path
) -> None:
    (shipped,) = [json.loads(line) for line in models(file, "list", "--json").output.splitlines()]
    assert shipped["state"] == "active"
    learning = Learning(Settings(), repository)
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    refused = models(file, "promote", "cooler@1")
    assert isinstance(refused.exception, Usage)
    assert "never compared" in str(refused.exception)
    told = json.loads(models(file, "promote", "cooler@1", "--force", "--json").output)
    assert (told["to"], told["why"], told["by"]) == ("cooler@1", "forced", "command line")
    assert "cooler@1\tactive" in models(file, "list").output
    shown = models(file, "show", "cooler@1").output
    assert "cooler@1: active, imported" in shown
    assert f"forced {shipped['name_version']} → cooler@1 by command line" in shown
    assert "rolled back" in models(file, "rollback", "--note", "no good").output
    assert learning.active().name_version == shipped["name_version"]


def test_what_is_missing_for_a_training_is_said(file: Path) -> None:
    assert models(file, "trainings").exit_code == 0
    found = models(file, "train")
    assert isinstance(found.exception, Usage)
    assert "0 labels are confirmed; a training needs 60" in str(found.exception)
    assert "no model is named" in str(models(file, "show", "nothing@1").exception)
