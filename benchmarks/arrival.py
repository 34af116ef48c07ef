"""How soon a mail is at the endpoint: told by the server (IDLE), and polled, one after the other.

    python benchmarks/arrival.py [--mails N] [--poll SECONDS]      default: 25 mails, every 10 s

A worker with the shipped model, a real Dovecot and an endpoint, all on this machine, with nothing
else to do. Seconds from APPEND until the endpoint has the event; of each way the median and the
95th percentile, and how many times sooner the first is.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from imapclient import IMAPClient

from triage.delivery.webhook import new_secret
from triage.demo.dovecot import Dovecot
from triage.demo.endpoint import Endpoint
from triage.demo.fixtures import fixtures_folder

WARMING = 2  # mails that load the model
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
idle = {idle}
poll_every = {poll}

[[destinations]]
name = "sales"
url = "{url}"
secret = "{secret}"
allow_private = true
events = ["inquiry.classified"]
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--mails", type=int, default=25)
    options.add_argument("--poll", type=float, default=10.0)
    chosen = options.parse_args()
    mails = sorted((fixtures_folder() / "mail").glob("*.eml"))[: chosen.mails + WARMING]
    told = measured(mails, idle=True, poll=600.0)
    polled = measured(mails, idle=False, poll=chosen.poll)
    print(f"{'way':<22} {'mails':>5} {'median s':>9} {'p95 s':>7}")
    for name, took in (("told by the server", told), (f"a poll every {chosen.poll:g} s", polled)):
        print(f"{name:<22} {len(took):>5} {share(took, 0.5):>9.2f} {share(took, 0.95):>7.2f}")
    print(f"sooner by a factor of {share(polled, 0.5) / share(told, 0.5):.1f} (median)")


def measured(mails: Sequence[Path], *, idle: bool, poll: float) -> list[float]:
    """Seconds from APPEND to receipt of every mail after the first ones."""
    secret = new_secret()
    with (
        tempfile.TemporaryDirectory() as folder,
        Dovecot() as server,
        Endpoint(secret, Path(folder) / "ledger.jsonl") as endpoint,
        IMAPClient(server.host, port=server.port, ssl=False) as client,
    ):
        client.login("inquiries", server.password)
        settings, log = Path(folder) / "triage.toml", Path(folder) / "worker.log"
        settings.write_text(
            _SETTINGS.format(
                port=server.port,
                password=server.password,
                idle=str(idle).lower(),
                poll=poll,
                url=endpoint.url,
                secret=secret,
            )
        )
        with log.open("wb") as file:
            worker = subprocess.Popen(
                [sys.executable, "-m", "triage", "--settings", str(settings), "run"],
                stdout=file,
                stderr=file,
            )
        try:
            await_line(log, '"event": "watching"' if idle else "polling 1 sources")
            chance = Random(5)
            return [arrival(client, endpoint, path, chance) for path in mails][WARMING:]
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=60)


def arrival(client: IMAPClient, endpoint: Endpoint, path: Path, chance: Random) -> float:
    """Seconds from APPEND to receipt of one mail."""
    time.sleep(chance.uniform(0.0, 1.0))
    before, began = len(endpoint.accepted), time.monotonic()
    client.append("INBOX", path.read_bytes())
    while len(endpoint.accepted) == before:
        if time.monotonic() - began > 120:
            raise SystemExit(f"{path.name} did not come within two minutes")
        time.sleep(0.005)
    return time.monotonic() - began


def await_line(log: Path, says: str) -> None:
    """Until the worker says so."""
    deadline = time.monotonic() + 60
    while says not in log.read_text():
        if time.monotonic() > deadline:
            raise SystemExit(f"the worker did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def share(took: Sequence[float], part: float) -> float:
    """That quantile."""
    return sorted(took)[round(part * (len(took) - 1))]


if __name__ == "__main__":
    main()
