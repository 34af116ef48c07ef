"""`triage mailbox`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.mails import mail
from tests.support.mailserver import Mailbox, MailServer
from tests.support.tokens import TokenServer
from triage.cli.app import app
from triage.errors import Usage
from triage.store.repository import Repository

SETTINGS = """\
[store]
data_dir = "data"

[[sources]]
kind = "imap"
name = "sales"
host = "127.0.0.1"
port = {port}
security = "none"
username = "sales"

[sources.oauth]
provider = "custom"
flow = "device"
client_id = "triage"
token_url = "{url}/token"
device_url = "{url}/device"
"""


def run(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["--settings", str(folder / "triage.toml"), *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.server("dovecot")
def test_a_mailbox_is_authorised_and_listed(tmp_path: Path, repository: Repository) -> None:
    with (
        TokenServer() as tokens,
        MailServer(introspection=f"{tokens.url}/introspect") as server,
    ):
        Mailbox(server, "sales").append(mail("one"))
        tokens.approved = "sales"
        (tmp_path / "triage.toml").write_text(SETTINGS.format(port=server.port, url=tokens.url))
        said = run(tmp_path, "mailbox", "authorise", "sales").stdout
        assert "WXYZ-1234" in said
        assert "sales is authorised" in said
        assert "INBOX: 1 mails" in said
    (line,) = run(tmp_path, "mailbox", "list", "--json").stdout.splitlines()
    assert json.loads(line) == {
        "source": "sales",
        "kind": "imap",
        "enabled": True,
        "read_at": None,
        "last_item_at": None,
        "failures": 0,
        "silent": False,
        "held_leads": 0,
        "error": "",
    }
    assert "sales" in run(tmp_path, "mailbox", "list").stdout


def test_a_mailbox_that_nobody_knows_is_named(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "triage.toml").write_text(SETTINGS.format(port=1, url="http://127.0.0.1:1"))
    with pytest.raises(Usage, match="no mailbox is named 'seals'; there are sales"):
        run(tmp_path, "mailbox", "authorise", "seals")
