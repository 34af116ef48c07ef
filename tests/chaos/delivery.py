"""Leads to an endpoint that does everything wrong, from a worker that is killed again and again.

    python -m tests.chaos.delivery [--leads 2000] [--kills 20] [--seed 20261122]

The leads wait for their decision when the worker finds them, so that outbox rows are written while
it is killed; some are relabelled later, and some of those back. The judge is what the endpoint
wrote down: for each lead exactly the expected events, in order, each under one id.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import stored
from tests.support.endpoints import ChaosEndpoint
from triage.delivery.webhook import new_secret
from triage.errors import Transient
from triage.pipeline.corrections import Corrections
from triage.settings import Settings, load
from triage.store.repository import Repository
from triage.types import Stage
from triage.wiring import open_worker

TIMEOUT = 1.0  # seconds the worker waits for an answer
_SETTINGS = """\
[store]
data_dir = "var"

[[destinations]]
name = "crm"
url = "{url}"
secret = "{secret}"
timeout = {timeout}
allow_private = true

[delivery]
schedule = [{waits}]
workers = 8
breaker_pause = 0.2
breaker_longest = 1

[people]
window = 0

[engine]
sweep_every = 0.2
attempts = 1000
retry_base = 0.2
retry_max = 1
"""
Tell = Callable[[str], None]


@dataclass
class Tally:
    """What the endpoint's ledger says about what was put in."""

    leads: int = 0
    settled: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every lead arrived as it should, and nothing else did."""
        return self.settled == self.leads and not self.problems

    def __str__(self) -> str:
        return (
            f"ledger: {self.leads} in, {self.settled} settled, {self.lost} lost, "
            f"{self.doubled} doubled"
        )


class Chaos:
    """One run in a folder of its own."""

    def __init__(self, folder: Path, leads: int, kills: int, seed: int, tell: Tell) -> None:
        self._chance = random.Random(seed)
        self._folder = folder
        self._leads, self._kills, self._tell = leads, kills, tell
        self._path = folder / "triage.toml"
        self._log = folder / "worker.log"
        self.expected: dict[str, list[str]] = {}

    def run(self) -> Tally:
        """All of it; takes as long as it takes."""
        secret, ledger = new_secret(), self._folder / "endpoint.jsonl"
        with ChaosEndpoint(secret, ledger, self._chance, TIMEOUT * 1.5) as endpoint:
            waits = ", ".join(["0.4"] * 500)
            self._path.write_text(
                _SETTINGS.format(url=endpoint.url, secret=secret, timeout=TIMEOUT, waits=waits)
            )
            settings = load(self._path)
            repository = Repository(settings.store)
            try:
                repository.database.upgrade()
                self._lives(repository, settings, endpoint)
            finally:
                repository.close()
        return self._judge(endpoint)

    def _lives(self, repository: Repository, settings: Settings, endpoint: ChaosEndpoint) -> None:
        each = -(-self._leads // (self._kills + 1))
        began = time.monotonic()
        for number in range(self._kills):
            worker = self._start()
            if number % 3:  # each third kill may come while the worker still starts
                self._await_ready(worker)
            self._bring(repository, min(each, self._leads - len(self.expected)))
            self._correct(repository, settings)
            time.sleep(self._chance.uniform(0.0, 1.5))
            if worker.poll() is not None:
                raise RuntimeError(f"the worker ended by itself:\n{self._log.read_text()[-3000:]}")
            worker.kill()
            worker.wait()
            self._tell(
                f"{time.monotonic() - began:5.0f} s  kill {number + 1}: {len(self.expected)} in, "
                f"{len(endpoint.accepted)} events accepted"
            )
        self._bring(repository, self._leads - len(self.expected))
        worker = self._start()
        try:
            self._correct(repository, settings)
            time.sleep(2)
            endpoint.hostile = False
            self._finish(repository, 60 + self._leads / 10)
        finally:
            worker.send_signal(signal.SIGTERM)
            code = worker.wait(timeout=60)
        if code:
            raise RuntimeError(f"the worker ended with {code} when it was asked to stop")
        self._tell(f"{time.monotonic() - began:5.0f} s  faults: {dict(endpoint.faults)}")
        self._tell(f"repeats under the same id: {endpoint.repeats}")

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.delivery", "worker", str(self._path)],
                stdout=log,
                stderr=log,
            )

    def _await_ready(self, worker: subprocess.Popen[bytes]) -> None:
        before = self._log.read_text().count("chaos: ready")
        deadline = time.monotonic() + 120
        while self._log.read_text().count("chaos: ready") == before:
            if worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no worker:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.05)

    def _bring(self, repository: Repository, number: int) -> None:
        """Leads that wait for their decision."""
        for _ in range(number):
            work = stored.brought_to(repository, Stage.QUALIFIED, f"lead {len(self.expected)}")
            self.expected[work.id] = ["lead.qualified"]

    def _correct(self, repository: Repository, settings: Settings) -> None:
        """People relabel some leads that were told, and some of those back."""
        corrections = Corrections(settings, repository)
        some = self._chance.sample(sorted(self.expected), len(self.expected) // 20)
        for inquiry_id in some:
            work = repository.worklist.get(inquiry_id)
            if work is None or work.stage is not Stage.SETTLED:
                continue
            is_lead = self.expected[inquiry_id][-1] == "lead.qualified"
            label, event = ("spam", "lead.retracted") if is_lead else ("lead", "lead.qualified")
            try:
                corrections.relabel(inquiry_id, label, by="chaos")
            except Transient:  # the database is busy: nothing was written
                continue
            self.expected[inquiry_id].append(event)

    def _finish(self, repository: Repository, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not repository.worklist.open_count() and not repository.outbox.open_count():
                return
            time.sleep(0.3)
        self._tell(f"not finished after {seconds:.0f} s: {repository.outbox.counts()}")

    def _judge(self, endpoint: ChaosEndpoint) -> Tally:
        """From the endpoint's ledger alone: the first time that each id was accepted, in order."""
        arrived: dict[str, list[tuple[str, str, str]]] = {}
        for message_id, event in endpoint.accepted.items():
            data = event["data"]
            entry = (event["type"], message_id, data.get("refers_to") or "")
            arrived.setdefault(data["inquiry_id"], []).append(entry)
        tally = Tally(leads=len(self.expected))
        for inquiry_id, expected in self.expected.items():
            found = arrived.pop(inquiry_id, [])
            missing = Counter(expected) - Counter(kind for kind, _, _ in found)
            extra = Counter(kind for kind, _, _ in found) - Counter(expected)
            tally.lost += bool(missing)
            tally.doubled += bool(extra)
            ordered = [kind for kind, _, _ in found] == expected and _refer(found)
            tally.disordered += not (ordered or missing or extra)
            tally.settled += ordered
            if not ordered:
                tally.problems.append(f"{inquiry_id}: expected {expected}, arrived {found}")
        tally.problems += [f"{inquiry_id}: never put in" for inquiry_id in arrived]
        tally.problems += [f"refused: {problem}" for problem in endpoint.refused]
        return tally


def _refer(found: Sequence[tuple[str, str, str]]) -> bool:
    """Whether each retraction names the lead that was told before it."""
    last = ""
    for kind, message_id, refers_to in found:
        if kind == "lead.retracted" and refers_to != last:
            return False
        last = message_id
    return True


def work(path: Path) -> None:
    """A worker, without the model: the leads are classified already."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open_worker(load(path)) as worker:
        worker.engine.start()
        print("chaos: ready", flush=True)
        stop.wait()


def main() -> int:
    """The command."""
    if sys.argv[1:2] == ["worker"]:
        work(Path(sys.argv[2]))
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--leads", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261122)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="triage-chaos-") as folder:
        tally = Chaos(Path(folder), asked.leads, asked.kills, asked.seed, _say).run()
    for problem in tally.problems[:20]:
        _say(problem)
    _say(f"out of order: {tally.disordered}")
    _say(str(tally))
    return 0 if tally.good else 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
