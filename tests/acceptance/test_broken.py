"""Broken input costs one item each, with a reason for people; everything else goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from triage.demo.fixtures import fixtures_folder
from triage.settings import Store
from triage.store.repository import Repository
from triage.types import Stage

SETTINGS = """\
[store]
data_dir = "var"
[[sources]]
kind = "maildir"
name = "mails"
path = "mails"
[[sources]]
kind = "recordings"
name = "calls"
path = "calls"
settle_seconds = 0
"""


@pytest.mark.timeout(300)
def test_each_broken_item_is_quarantined_and_the_run_goes_on(tmp_path: Path) -> None:
    mails, calls = tmp_path / "mails", tmp_path / "calls"
    mails.mkdir()
    calls.mkdir()
    wanted = {}
    for expected in sorted((fixtures_folder() / "broken").glob("*.expected.json")):
        stem = expected.name.removesuffix(".expected.json")
        item = next(path for path in expected.parent.glob(f"{stem}.*") if path != expected)
        shutil.copyfile(item, (mails if item.suffix == ".eml" else calls) / item.name)
        wanted[item.name] = json.loads(expected.read_text())["reason_contains"]
    (mails / "huge.eml").write_bytes(huge_mail())
    wanted["huge.eml"] = "limit"
    good = sorted((fixtures_folder() / "mail").glob("*.eml"))[:3]
    for mail in good:
        shutil.copyfile(mail, mails / mail.name)
    age(mails)
    (tmp_path / "triage.toml").write_text(SETTINGS)

    done = subprocess.run(
        [sys.executable, "-m", "triage", "-s", str(tmp_path / "triage.toml"), "poll"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    repository = Repository(Store(data_dir=tmp_path / "var"))
    rows = repository.archive.listed(limit=100)
    repository.close()
    reasons = {Path(row.key).name: row.error for row in rows if row.stage is Stage.QUARANTINED}
    assert reasons.keys() == wanted.keys()
    for name, part in wanted.items():
        assert part.lower() in reasons[name].lower(), (name, reasons[name])
        assert "Traceback" not in reasons[name]
        assert "unexpected" not in reasons[name], reasons[name]
    settled = {Path(row.key).name for row in rows if row.stage is Stage.SETTLED}
    assert settled == {mail.name for mail in good}


def huge_mail() -> bytes:
    """A mail of 60 MB, most of it an attachment."""
    head = (
        b"From: Dora <dora@example.org>\r\nTo: inquiries@brightwater.example\r\n"
        b"Subject: plans\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head + b"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n" * 970_000


def age(folder: Path) -> None:
    """Make files look as if they had been complete for a while."""
    import os
    import time

    for path in folder.iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))
