"""Mails in five folders, with all that happens to mailboxes, and a worker that dies.

    python -m tests.chaos.mail [--mails 5000] [--rounds 40] [--seed 20261122]

Meanwhile the server is killed and comes back, its sessions die, connections are cut in the middle
of what they carry, folders are numbered anew, and another client moves, copies, deletes and reads.
The judge is what was put in: every mail that existed long enough is one inquiry or quarantined
item, none is two, and no flag is set that the other client did not set.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from imaplib import IMAP4
from pathlib import Path
from typing import Any

from tests.support.mailserver import Mailbox, MailServer
from tests.support.proxy import Proxy
from triage.errors import Transient
from triage.settings import load
from triage.store.repository import Repository
from triage.wiring import open_worker

FOLDERS = ("INBOX", "Sales", "Web", "Service", "Old")
# The block list settles them, so that the run is about mailboxes and not about the model.
_SETTINGS = """\
[store]
data_dir = "var"

[rules]
block = ["sender.example"]

[[sources]]
kind = "imap"
name = "inquiries"
host = "127.0.0.1"
port = {port}
security = "none"
username = "inquiries"
password = "{password}"
folders = ["INBOX", "Sales", "Web", "Service", "Old"]
poll_every = 1
timeout = 3
batch = 20
idle_renew = 5

[engine]
sweep_every = 0.2
attempts = 1000
retry_base = 0.2
retry_max = 1
"""
_NUMBER = re.compile(rb"X-Number: (\d+)")
Tell = Callable[[str], None]


@dataclass
class Tally:
    """What became of what was put in."""

    mails: int = 0
    settled: int = 0
    lost: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or changed."""
        return self.settled == self.mails and not self.problems

    def __str__(self) -> str:
        return (
            f"ledger: {self.mails} in, {self.settled} settled, {self.lost} lost, "
            f"{self.doubled} doubled"
        )


class Chaos:
    """One run in a folder of its own."""

    def __init__(self, folder: Path, mails: int, rounds: int, seed: int, tell: Tell) -> None:
        self._chance = random.Random(seed)
        self._folder = folder
        self._mails, self._rounds, self._tell = mails, rounds, tell
        self._path = folder / "triage.toml"
        self._log = folder / "worker.log"
        self._put = 0
        self._flagged: set[int] = set()
        self._gone_early: set[int] = set()
        self._numbers: dict[str, int] = {}
        self.faults: Counter[str] = Counter()

    def run(self) -> Tally:
        """All of it; takes as long as it takes."""
        with MailServer() as server, Proxy(server.host, server.port) as proxy:
            self._path.write_text(
                _SETTINGS.format(port=proxy.port, password=server.password), encoding="utf-8"
            )
            mailbox = Mailbox(server, "inquiries")
            with mailbox.client() as client:
                for folder in FOLDERS[1:]:
                    client.create_folder(folder)
            repository = Repository(load(self._path).store)
            try:
                repository.database.upgrade()
                self._lives(mailbox, proxy, repository)
                return self._judge(mailbox, repository)
            finally:
                repository.close()

    def _lives(self, mailbox: Mailbox, proxy: Proxy, repository: Repository) -> None:
        began = time.monotonic()
        worker = self._start()
        try:
            for number in range(self._rounds):
                self._deposit(mailbox, -(-self._mails // self._rounds))
                self._meddle(mailbox, repository)
                worker = self._break(mailbox, proxy, worker)
                # Some faults come on top of others, most while the worker is at work again.
                time.sleep(self._chance.choice((0.3, 3.0, 5.0, 7.0)))
                self._tell(
                    f"{time.monotonic() - began:5.0f} s  round {number + 1}: {self._put} in, "
                    f"{sum(repository.archive.counts().values())} taken in"
                )
            proxy.cut_after.clear()
            self._finish(repository, 90 + self._mails / 10)
        finally:
            worker.send_signal(signal.SIGTERM)
            code = worker.wait(timeout=120)
        if code:
            raise RuntimeError(f"the worker ended with {code}:\n{self._log.read_text()[-3000:]}")
        self._tell(f"{time.monotonic() - began:5.0f} s  faults: {dict(self.faults)}")
        self._tell(f"connections cut in the middle: {proxy.cuts}")

    def _deposit(self, mailbox: Mailbox, number: int) -> None:
        for _ in range(min(number, self._mails - self._put)):
            self._put += 1
            content = self._mail(self._put)
            folders = self._chance.sample(FOLDERS, 2 if self._put % 25 == 0 else 1)
            for folder in folders:  # the same mail, by two ways
                way = f"Received: from a by {folder}; {time.time_ns()}\r\n".encode()
                mailbox.deliver(way + content, folder)

    def _mail(self, number: int) -> bytes:
        """Mails as they come: with ids, without, and with one that others have too."""
        ids = [f"<{number}@sender.example>"] * 8 + ["<always@sender.example>", ""]
        message_id = ids[number % 10]
        lines = [
            f"X-Number: {number}",
            f"From: Somebody <somebody-{number % 40}@sender.example>",
            "To: sales@example.com",
            f"Subject: Inquiry {number}",
            "Date: Sun, 01 Mar 2026 12:00:00 +0000",
            *([f"Message-ID: {message_id}"] if message_id else []),
        ]
        size = self._chance.choice((200, 2_000, 20_000, 100_000 if number % 50 == 0 else 1_000))
        body = f"Inquiry {number}: please call me back.\r\n" + "text of a mail\r\n" * (size // 16)
        content = "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode()
        return content + self._chance.randbytes(300) if number % 60 == 0 else content

    def _meddle(self, mailbox: Mailbox, repository: Repository) -> None:
        """What another mail client does."""
        known = self._taken(repository).keys()
        try:
            with mailbox.client() as client:
                for _ in range(4):
                    self._meddle_with(client, known)
        except (IMAP4.error, OSError):
            self.faults["the other client failed"] += 1

    def _meddle_with(self, client: Any, known: Collection[int]) -> None:
        folder, other = self._chance.sample(FOLDERS, 2)
        client.select_folder(folder)
        uids = client.search("ALL")
        for uid in self._chance.sample(uids, min(len(uids), 5)):
            fetched = client.fetch([uid], ["BODY.PEEK[HEADER.FIELDS (X-NUMBER)]"])
            found = _NUMBER.search(str(fetched.get(uid, "")).encode())
            if not found:
                continue
            number = int(found[1])
            match self._chance.choice(("move", "copy", "read", "read", "delete")):
                case "move":
                    client.move([uid], other)
                case "copy":
                    client.copy([uid], other)
                case "read":
                    self._flagged.add(number)
                    client.add_flags([uid], [rb"\Seen"])
                case "delete":
                    # Nobody can read what is gone before it was seen: that is no loss.
                    if number not in known:
                        self._gone_early.add(number)
                    client.delete_messages([uid])
                    client.expunge([uid])
                    self._flagged.add(number)  # an interrupted deletion leaves a flag
            self.faults["meddled"] += 1

    def _break(
        self, mailbox: Mailbox, proxy: Proxy, worker: subprocess.Popen[bytes]
    ) -> subprocess.Popen[bytes]:
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended by itself:\n{self._log.read_text()[-3000:]}")
        fault = self._chance.choice(
            ("kill the server", "kill sessions", "cut", "cut", "number anew", "kill the worker")
        )
        self.faults[fault] += 1
        match fault:
            case "kill the server":
                mailbox.server.kill()
                time.sleep(self._chance.uniform(0.0, 1.0))
                mailbox.server.start()
            case "kill sessions":
                mailbox.server.kill_sessions()
            case "cut":
                proxy.cut_after.extend(self._chance.randint(500, 60_000) for _ in range(8))
                proxy.cut()
            case "number anew":
                mailbox.change_uidvalidity(self._chance.choice(FOLDERS))
            case "kill the worker":
                worker.kill()
                worker.wait()
                return self._start()
        return worker

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.mail", "worker", str(self._path)],
                stdout=log,
                stderr=log,
            )

    def _finish(self, repository: Repository, seconds: float) -> None:
        """Until everything that must be there is, and nothing is left to do; then a little more,
        for what should not come.
        """
        deadline = time.monotonic() + seconds
        wanted = set(range(1, self._put + 1)) - self._gone_early
        while time.monotonic() < deadline:
            if not repository.worklist.open_count() and wanted <= self._taken(repository).keys():
                time.sleep(5)
                return
            time.sleep(1)
        self._tell(f"not finished after {seconds:.0f} s: {repository.archive.counts()}")

    def _taken(self, repository: Repository) -> Counter[int]:
        return Counter(self._number_of(repository, sha256) for sha256 in _stored(repository))

    def _number_of(self, repository: Repository, sha256: str) -> int:
        if sha256 not in self._numbers:
            with repository.blobs.path(sha256).open("rb") as file:
                found = _NUMBER.search(file.read(500))
            self._numbers[sha256] = int(found[1]) if found else -1
        return self._numbers[sha256]

    def _judge(self, mailbox: Mailbox, repository: Repository) -> Tally:
        taken = self._taken(repository)
        tally = Tally(mails=self._put)
        open_now = repository.worklist.open_count()
        for number in range(1, self._put + 1):
            found = taken.pop(number, 0)
            missing = not found and number not in self._gone_early
            tally.lost += missing
            tally.doubled += found > 1
            tally.settled += not missing and found <= 1
            if missing or found > 1:
                tally.problems.append(f"mail {number} is {found} inquiries")
        tally.problems += [f"{count} items that nobody put in: {n}" for n, count in taken.items()]
        if open_now:
            tally.problems.append(f"{open_now} inquiries are not settled")
        for folder in FOLDERS:
            tally.problems += self._changed(mailbox, folder)
        return tally

    def _changed(self, mailbox: Mailbox, folder: str) -> list[str]:
        """Flags that the other client did not set."""
        with mailbox.client() as client:
            client.select_folder(folder, readonly=True)
            uids = client.search("ALL")
            answers = client.fetch(uids, ["FLAGS", "BODY.PEEK[HEADER.FIELDS (X-NUMBER)]"])
        problems = []
        for uid, answer in answers.items():
            found = _NUMBER.search(str(answer).encode())
            flags = set(answer[b"FLAGS"]) - {rb"\Recent"}
            if flags and (found is None or int(found[1]) not in self._flagged):
                problems.append(f"{folder} UID {uid}: flags {flags}")
        return problems


def _stored(repository: Repository) -> list[str]:
    """The sha256 of every inquiry and quarantined item."""
    try:
        with repository.database.read() as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT sha256 FROM inquiries")]
    except Transient:
        return []


def work(path: Path) -> None:
    """A worker as `triage run` starts it."""
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
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=20261122)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="triage-chaos-") as folder:
        tally = Chaos(Path(folder), asked.mails, asked.rounds, asked.seed, _say).run()
    for problem in tally.problems[:20]:
        _say(problem)
    _say(str(tally))
    return 0 if tally.good else 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
