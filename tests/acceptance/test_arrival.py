"""A mail is on its way as soon as the server tells of it; benchmarks/arrival.py has the seconds."""

from __future__ import annotations

import random
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.test_kill import await_start, start
from tests.support.mailserver import Mailbox, MailServer
from triage.delivery.webhook import new_secret
from triage.demo.dovecot import free_port
from triage.demo.endpoint import Endpoint
from triage.demo.fixtures import fixtures_folder
from triage.settings import Store
from triage.store.repository import Repository

MAILS = 8
_SETTINGS = """\
[store]
data_dir = "var"

[[sources]]
kind = "imap"
name = "inquiries"
host = "127.0.0.1"
port = {port}
security = "none"
username = "inquiries"
password = "{password}"
poll_every = 600

[[destinations]]
name = "sales"
url = "{url}"
secret = "{secret}"
allow_private = true
events = ["inquiry.classified"]

[metrics]
listen = "127.0.0.1:{metrics}"
"""


@pytest.mark.server("dovecot")
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_mail_is_at_the_endpoint_long_before_the_next_poll(tmp_path: Path) -> None:
    secret, chance, metrics = new_secret(), random.Random(5), free_port()
    with MailServer() as server, Endpoint(secret, tmp_path / "ledger.jsonl") as endpoint:
        mailbox = Mailbox(server, "inquiries")
        settings = tmp_path / "triage.toml"
        settings.write_text(
            _SETTINGS.format(
                port=server.port,
                password=server.password,
                url=endpoint.url,
                secret=secret,
                metrics=metrics,
            )
        )
        process = start(settings, tmp_path / "worker.log")
        try:
            await_start(tmp_path / "worker.log", process, "polling 1 sources")
            await_idle(tmp_path / "worker.log")
            shipped = sorted((fixtures_folder() / "mail").glob("*.eml"))[:MAILS]
            for path in shipped:
                arrive(mailbox, endpoint, path.read_bytes(), chance)
            page = urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics").read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    assert "triage_watches 1.0" in page
    count = f'triage_since_arrival_seconds_count{{channel="email",milestone="settled"}} {MAILS}'
    assert count in page
    repository = Repository(Store(data_dir=tmp_path / "var"))
    for times in repository.timings.newest():
        steps = times.since_arrival()
        assert list(steps) == ["fetched", "classified", "settled", "delivered"]
        assert list(steps.values()) == sorted(steps.values())
    repository.close()


def arrive(mailbox: Mailbox, endpoint: Endpoint, content: bytes, chance: random.Random) -> None:
    """Append a mail and wait for it, a tenth of the time to the next poll at most."""
    time.sleep(chance.uniform(0.0, 1.0))
    before = len(endpoint.accepted)
    mailbox.append(content)
    began = time.monotonic()
    while len(endpoint.accepted) == before:
        assert time.monotonic() - began < 60, "it never came"
        time.sleep(0.005)


def await_idle(log: Path) -> None:
    deadline = time.monotonic() + 60
    while '"event": "watching"' not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.05)
