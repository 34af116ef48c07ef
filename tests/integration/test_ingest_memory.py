"""Memory is bounded whatever the mail is: measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.mails import mail
from tests.support.mailserver import MailServer
from triage.settings import Limits

pytestmark = pytest.mark.server("dovecot")

_WORKER = """
import json, re, sys
from triage.pipeline.ingest import ingest
from triage.pipeline.stages import Step
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.sources.build import build_source
from triage.store.repository import Repository

settings = Settings.model_validate(json.loads(sys.argv[1]))
repository = Repository(settings.store)
repository.database.upgrade()
steps = Steps(settings, repository, None, None, Rulebook(settings.rules, settings.business))
ingest(build_source(settings.sources[0], settings.limits), "", repository)
for work in repository.worklist.due("email", 10):
    steps.run(Step.PARSE, [work])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
stages = sorted(repository.worklist.get(line.id).stage for line in repository.archive.listed())
print(json.dumps({"stages": stages, "peak_mb": int(peak[1]) / 1000}))
"""


def test_mails_at_the_limit_fit_into_400_mb(tmp_path: Path) -> None:
    limit = Limits().mail_bytes
    file = (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n'
        "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    line = "QUJD" * 19 + "\r\n"
    most = (limit - 1000) // len(line)
    contents = [
        mail("text", ("word " * 15 + "w\r\n") * most),
        mail("file", "").removesuffix(b"\r\n") + (file + line * most + "--b--\r\n").encode(),
        mail("too large", line * (most + 1000)),
    ]
    with MailServer() as server:
        for content in contents:
            server.deliver("big", content)
        settings = {
            "store": {"data_dir": str(tmp_path / "data")},
            "sources": [
                {
                    "name": "inbox",
                    "kind": "imap",
                    "host": server.host,
                    "port": server.port,
                    "security": "none",
                    "username": "big",
                    "password": server.password,
                }
            ],
        }
        done = subprocess.run(
            [sys.executable, "-c", _WORKER, json.dumps(settings)],
            cwd=Path(__file__).parents[2],
            check=True,
            stdout=subprocess.PIPE,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["stages"] == ["parsed", "parsed", "quarantined"]
    assert found["peak_mb"] < 400
