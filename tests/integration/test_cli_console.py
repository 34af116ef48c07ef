"""A way back into the console, as somebody makes it who is locked out of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.console import served
from triage.settings import Store
from triage.store.accounts import Role
from triage.store.repository import Repository


def triage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "triage", *arguments],
        capture_output=True, text=True, timeout=120, check=False, cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": path},
    )  # fmt: skip


def test_the_last_administrator_finds_back_by_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "triage.toml").write_text(
        '[store]\ndata_dir = "data"\n[console]\npublic_url = "https://triage.example.com/"\n'
    )
    repository = Repository(Store(data_dir=tmp_path / "data"))
    repository.database.upgrade()
    with served(repository) as console:
        console.user(Role.ADMIN, "root")
        unknown = triage(tmp_path, "console", "reset-password", "rot")
        assert (unknown.returncode, unknown.stdout) == (2, "")
        assert "no user 'rot'; there are root" in unknown.stderr
        made = triage(tmp_path, "console", "reset-password", "Root")
        assert made.returncode == 0, made.stderr
        where, _, code = made.stdout.strip().partition("?code=")
        assert where == "https://triage.example.com/reset"
        assert "once" in made.stderr
        with console.visitor() as visitor:
            form = {"code": code, "password": "another long one", "repeated": "another long one"}
            assert visitor.post("/reset", data=form).status_code == 303
            assert visitor.get("/users").status_code == 200
    logged = [(entry.action, entry.address) for entry in repository.audit.listed()[:3]]
    assert logged[2] == ("way back made", "command line")
    repository.close()
