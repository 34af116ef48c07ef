"""Taking in a mailbox: fetched, parsed and stored, beside the loop that a user would write.

    python benchmarks/ingest.py [--mails 20000] [--far 300] [--rounds 1]

A real Dovecot with so many mails: the everyday ones of the fixtures and generated ones, in plain
text, in HTML, and with attachments (images and archives; neither side opens documents here). All of
them have been read once before, so that no side pays for a cold disk.

`ours`: `triage.pipeline.ingest` and the parse step, as the worker runs them: raw copies synced in
the blob store, sightings, cursor, conversations, parsed inquiries. `loop`: imapclient one by one,
mail-parser, one INSERT with its commit each, into SQLite as Python opens it: like ours, what is
committed survives a power cut. Each runs in a process of its own, in turns. Afar is 20 ms each way
through a proxy; of the loop, whose rate does not depend on the number there, only `--far` mails are
read.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import mailparser
from imapclient import IMAPClient

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.mailserver import Mailbox, MailServer  # noqa: E402 - not installed
from tests.support.proxy import Proxy  # noqa: E402
from triage import telemetry  # noqa: E402
from triage.pipeline.ingest import ingest  # noqa: E402
from triage.pipeline.stages import Step  # noqa: E402
from triage.pipeline.steps import Steps  # noqa: E402
from triage.settings import Settings  # noqa: E402
from triage.sources.build import build_source  # noqa: E402
from triage.store.repository import Repository  # noqa: E402
from triage.types import Stage  # noqa: E402
from triage.wiring import load_rulebook  # noqa: E402

DELAY = 0.020  # seconds each way
REQUIRED = {"near": 1.5, "far": 15.0}
_WORDS = (
    "please", "could", "you", "send", "us", "an", "offer", "for", "the", "new", "office",
    "building", "we", "are", "looking", "at", "by", "the", "end", "of", "next", "month",
    "our", "current", "contract", "ends", "soon", "and", "the", "team", "grew", "a", "lot",
    "since", "then", "thank", "you", "kind", "regards", "quote", "invoice", "delivery",
    "windows", "cleaning", "heating", "seats", "price", "date", "meeting", "call", "phone",
)  # fmt: skip


def mails(number: int) -> Iterator[bytes]:
    """The mix: of eight, three fixtures, two short texts, two in HTML, one with attachments."""
    chance = random.Random(20_000)
    known = [path.read_bytes() for path in sorted((ROOT / "fixtures/mail").glob("*.eml"))]
    for index in range(number):
        kind = index % 8
        if kind < 3:
            yield _varied(known[(index // 8 * 3 + kind) % len(known)], index)
        else:
            yield bytes(_generated(index, kind, chance))


def _varied(raw: bytes, index: int) -> bytes:
    """The mail as somebody else might have sent it: another conversation, by other people."""
    head, blank, body = raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n")
    head = re.sub(rb"<([^<>\s]+@)", rb"<%d.\1" % index, head)
    head = re.sub(rb"(?im)^(subject:.*?)(\r?)$", rb"\1 %d\2" % index, head)
    return head + blank + body


def _generated(index: int, kind: int, chance: random.Random) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f"Ann Example {index % 900} <ann{index % 900}@customer{index % 300}.example>"
    mail["To"] = "Sales <sales@example.com>"
    mail["Subject"] = " ".join(chance.choices(_WORDS, k=5)) + f" {index}"
    mail["Date"] = "Mon, 02 Mar 2026 09:00:00 +0000"
    mail["Message-ID"] = f"<{index}@customer.example>"
    for _ in range(4):
        mail["Received"] = "from a.example by b.example with ESMTPS; Mon, 02 Mar 2026 09:00:01"
    text = "\n\n".join(
        " ".join(chance.choices(_WORDS, k=chance.choice((20, 40, 80)))) for _ in range(4)
    )
    mail.set_content(
        f"Hello,\n\n{text}\n\nKind regards\nAnn Example\n+1 202 555 01{index % 100:02}"
    )
    if kind in {5, 6, 7}:
        rows = "".join(f"<p style='margin:0'>{block}</p>" for block in text.split("\n\n"))
        mail.add_alternative(f"<html><body><div>Hello,</div>{rows}</body></html>", subtype="html")
    if kind == 7:
        sizes = (8_000, 30_000, 120_000, 400_000 if index % 80 == 7 else 20_000)
        for place, size in enumerate(chance.sample(sizes, 2)):
            mail.add_attachment(
                chance.randbytes(size), "image", "jpeg", filename=f"photo-{place}.jpg"
            )
        mail.add_attachment(chance.randbytes(5_000), "application", "zip", filename="more.zip")
    return mail


def ours(port: int, password: str, folder: Path, number: int) -> dict[str, float]:
    """One poll of the mailbox, with the parse step beside it as in the worker."""
    source = {
        "kind": "imap", "name": "inbox", "host": "127.0.0.1", "port": port, "security": "none",
        "username": "bench", "password": password,
    }  # fmt: skip
    settings = Settings.model_validate(
        {"store": {"data_dir": folder / "ours"}, "sources": [source], "limits": {"documents": 0}}
    )
    repository = Repository(settings.store)
    repository.database.upgrade()
    none: Any = None
    steps = Steps(settings, repository, none, none, load_rulebook(settings))
    mailbox = build_source(settings.sources[0], settings.limits, settings.store.data_dir)
    pool = ThreadPoolExecutor(settings.engine.workers)
    done = threading.Event()
    began = time.perf_counter()

    def fetch() -> None:
        try:
            ingest(mailbox, "", repository)
        finally:
            done.set()

    thread = threading.Thread(target=fetch)
    thread.start()
    while True:
        last = done.is_set()
        works = repository.worklist.due("email", 256)
        works = [work for work in works if work.stage is Stage.RECEIVED]
        if not works and last:
            break
        groups = [works[start : start + 32] for start in range(0, len(works), 32)]
        list(pool.map(partial(steps.run, Step.PARSE), groups))
        if not works:
            time.sleep(0.01)
    memory = sum(_peak(process) for process in _family())
    pool.shutdown()
    steps.parser.close()
    thread.join()
    seconds = time.perf_counter() - began
    counts = repository.archive.counts()
    assert sum(counts.values()) == number
    repository.close()
    return {"seconds": seconds, "rss_mb": memory}


def loop(port: int, password: str, folder: Path, number: int) -> dict[str, float]:
    """What a user would write."""
    database = sqlite3.connect(folder / "loop.sqlite")
    database.execute(
        "CREATE TABLE IF NOT EXISTS mails (uid INTEGER PRIMARY KEY, message_id TEXT, sender TEXT, "
        "recipients TEXT, subject TEXT, date TEXT, text TEXT, attachments TEXT, raw BLOB)"
    )
    began = time.perf_counter()
    client = IMAPClient("127.0.0.1", port, ssl=False)
    client.login("bench", password)
    client.select_folder("INBOX", readonly=True)
    for uid in client.search("ALL")[:number]:
        raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
        mail = mailparser.parse_from_bytes(raw)
        names = [(part["filename"], part["mail_content_type"]) for part in mail.attachments]
        with database:
            database.execute(
                "INSERT INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    uid, mail.message_id, json.dumps(mail.from_), json.dumps(mail.to),
                    mail.subject, str(mail.date), "\n".join(mail.text_plain or mail.text_html),
                    json.dumps(names), raw,
                ),
            )  # fmt: skip
    seconds = time.perf_counter() - began
    client.logout()
    (stored,) = database.execute("SELECT count(*) FROM mails").fetchone()
    assert stored == number
    return {"seconds": seconds, "rss_mb": _peak(os.getpid())}


def _family() -> list[int]:
    """This process and its children."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [os.getpid(), *(int(name) for path in tasks for name in path.read_text().split())]


def _peak(process: int) -> float:
    """The most memory that a process had resident, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(peak) / 1000


def child(arguments: argparse.Namespace) -> None:
    """One measurement, in a process of its own."""
    telemetry.configure(quiet=True)
    logging.disable(logging.CRITICAL)
    run = {"ours": ours, "loop": loop}[arguments.side]
    found = run(arguments.port, os.environ["BENCH_PASSWORD"], arguments.folder, arguments.mails)
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    found["cpu_ms"] = seconds / arguments.mails * 1000
    print(json.dumps(found))


def measured(side: str, server: MailServer, port: int, number: int) -> tuple[float, float, float]:
    """Mails a second, peak resident memory in MB, and milliseconds of CPU time a mail."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--side", side, "--port", str(port)]
        done = subprocess.run(
            [*command, "--folder", folder, "--mails", str(number)],
            check=True,
            stdout=subprocess.PIPE,
            env=os.environ
            | {"BENCH_PASSWORD": server.password, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
    found = json.loads(done.stdout)
    return number / found["seconds"], found["rss_mb"], found["cpu_ms"]


def filled(server: MailServer, number: int) -> int:
    """A mailbox with the mix, read once; returns its size in bytes."""
    size = 0
    for content in mails(number):
        server.deliver("bench", content)
        size += len(content)
    with Mailbox(server, "bench").client() as client:
        client.select_folder("INBOX")
        for start in range(1, number + 1, 200):
            client.fetch(range(start, start + 200), ["RFC822.SIZE", "INTERNALDATE", "BODY.PEEK[]"])
    return size


def main(arguments: argparse.Namespace) -> None:
    with MailServer() as server, Proxy(server.host, server.port, DELAY) as proxy:
        size = filled(server, arguments.mails)
        print(f"{arguments.mails} mails, {size / 1e6:.0f} MB")
        places = {"near": ("loopback", server.port), "far": ("40 ms round trip", proxy.port)}
        print(
            f"{'':<18}{'ours/s':>8}{'loop/s':>8}{'ratio':>8}{'required':>10}{'RSS MB':>9}"
            f"{'CPU ms a mail':>16}"
        )
        for place, (name, port) in places.items():
            few = min(arguments.far, arguments.mails) if place == "far" else arguments.mails
            rounds = []
            for _ in range(arguments.rounds):
                theirs = measured("loop", server, port, few)
                own = measured("ours", server, port, arguments.mails)
                rounds.append((own[0] / theirs[0], own, theirs))
            ratio, own, theirs = sorted(rounds)[len(rounds) // 2]
            memory = max(found[1][1] for found in rounds)
            print(
                f"{name:<18}{own[0]:>8.0f}{theirs[0]:>8.0f}{ratio:>8.2f}{REQUIRED[place]:>10}"
                f"{memory:>9.0f}{own[2]:>9.2f} : {theirs[2]:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--far", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--side", choices=("ours", "loop"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.side:
        child(given)
    else:
        main(given)
