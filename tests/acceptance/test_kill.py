"""A worker that is killed at random moments, many times, loses nothing and doubles nothing."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.endpoints import HostileEndpoint
from tests.support.workers import settings_text
from triage.delivery.webhook import new_secret
from triage.demo.dovecot import Dovecot
from triage.demo.fixtures import fixtures_folder
from triage.errors import Transient
from triage.settings import Store
from triage.store.repository import Repository
from triage.types import DeliveryState, Outcome, Stage

KILLS, MAILS, CALLS = 30, 60, 6
SEED = 20261122


@pytest.mark.server("dovecot")
@pytest.mark.timeout(900)
def test_thirty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    secret = new_secret()
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    mails, calls = shipped_mails(), shipped_calls()
    with (
        Dovecot() as server,
        HostileEndpoint(secret, tmp_path / "ledger.jsonl", chance) as endpoint,
    ):
        settings = tmp_path / "triage.toml"
        settings.write_text(settings_text(server, recordings, endpoint.url, secret))
        arrivals = spread(mails, calls, recordings, server)
        patience, settled = 8.0, 0
        for number in range(KILLS):
            process = start(settings, tmp_path / "worker.log")
            for arrive in arrivals[number::KILLS]:
                arrive()
            if number % 3:  # each third kill may come while the worker still starts
                await_start(tmp_path / "worker.log", process)
            time.sleep(chance.uniform(0.0, patience))
            assert process.poll() is None, (tmp_path / "worker.log").read_text()[-2000:]
            process.kill()
            process.wait()
            before, settled = settled, settled_now(tmp_path)
            if settled == before:  # a slow machine: let the next one live longer, but not all
                patience = min(24.0, patience * 1.2)
        endpoint.hostile = False
        assert settled, "no kill came while a worker worked"
        process = start(settings, tmp_path / "worker.log")
        await_start(tmp_path / "worker.log", process)  # from here on it ends well when asked to
        repository = Repository(Store(data_dir=tmp_path / "var"))
        try:
            finish(repository, MAILS + CALLS, seconds=300)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        judge(repository, endpoint, mails, server)
        repository.close()


def settled_now(folder: Path) -> int:
    repository = Repository(Store(data_dir=folder / "var"))
    try:
        return repository.archive.counts()[Stage.SETTLED]
    except Transient:  # killed before it had made its tables
        return 0
    finally:
        repository.close()


def judge(
    repository: Repository, endpoint: HostileEndpoint, mails: list[bytes], server: Dovecot
) -> None:
    """Compare what came in, what is stored, and what the endpoint wrote down."""
    rows = repository.archive.listed(limit=1000)
    works = [repository.worklist.get(row.id) for row in rows]
    assert len(rows) == MAILS + CALLS
    assert {row.stage for row in rows} == {Stage.SETTLED}
    digests = Counter(work.sha256 for work in works if work and work.channel == "email")
    assert digests == Counter(hashlib.sha256(mail).hexdigest() for mail in mails)
    assert sum(row.channel == "call" for row in rows) == CALLS

    leads = {row.id for row in rows if row.outcome == Outcome.FORWARD}
    assert leads, "no lead among the fixtures: the test would show nothing"
    accepted = Counter(event["data"]["inquiry_id"] for event in endpoint.accepted.values())
    assert accepted == Counter(leads)  # each lead under exactly one id
    deliveries = repository.outbox.listed(limit=1000)
    assert {delivery.id for delivery in deliveries} == set(endpoint.accepted)
    assert {delivery.state for delivery in deliveries} == {DeliveryState.ACCEPTED}
    assert not endpoint.refused, "a signature did not fit"
    assert endpoint.repeats or endpoint.outages, "the endpoint was never hostile"
    # Dovecot keeps flags in the file name behind ":2,"; a mail nobody opened has none.
    home = server.root / "mail" / "inquiries"
    names = [path.name for part in ("new", "cur") for path in (home / part).iterdir()]
    assert len(names) == MAILS
    assert all(not name.partition(":2,")[2] for name in names), "a flag was changed"


def shipped_mails() -> list[bytes]:
    """Sixty different mails: the shipped ones, then some again as if sent a second time."""
    shipped = [path.read_bytes() for path in sorted((fixtures_folder() / "mail").glob("*.eml"))]
    again = [b"Cc: once-more@example.org\r\n" + mail for mail in shipped]
    # A server shows every mail with the line ends of the protocol, whatever is in its file.
    return [re.sub(rb"\r?\n", b"\r\n", mail) for mail in [*shipped, *again][:MAILS]]


def shipped_calls() -> list[Path]:
    """The shortest of the shipped recordings, so that the kills hit every stage of a call."""
    from triage.demo.play import shipped_recordings

    return sorted(shipped_recordings(fixtures_folder()), key=lambda path: path.stat().st_size)[
        :CALLS
    ]


def spread(mails: list[bytes], calls: list[Path], recordings: Path, server: Dovecot) -> list:  # type: ignore[type-arg]
    """What arrives, as actions, in an order that mixes mails and calls."""
    actions = [lambda mail=mail: server.deliver("inquiries", mail) for mail in mails]
    for number, call in enumerate(calls):
        actions.insert(number * 10, lambda call=call: shutil.copyfile(call, recordings / call.name))
    return actions


def start(settings: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "triage", "--settings", str(settings), "run"],
            stdout=file,
            stderr=file,
        )


def await_start(
    log: Path, process: subprocess.Popen[bytes], says: str = "polling 2 sources"
) -> None:
    """Until this worker says that it polls; a loaded machine takes its time to get there."""
    before = log.read_text().count(says)
    deadline = time.monotonic() + 60
    while log.read_text().count(says) == before:
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, "the worker did not start"
        time.sleep(0.05)


def finish(repository: Repository, total: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        counts = repository.archive.counts()
        settled = counts[Stage.SETTLED] + counts[Stage.QUARANTINED]
        if settled == total and not repository.outbox.open_count():
            return
        time.sleep(0.5)
    raise AssertionError(f"not finished after {seconds} s: {counts}")
