"""How many leads a second reach an endpoint, alone and beside one that is slow.

    python benchmarks/deliver.py [LEADS]      default: 1000, three times

The embedded engine on SQLite, 4 tries under way at a time. `bare client`: the same signed posts
from 4 threads without outbox, order, breaker or history; ratios are to it. Endpoints are
processes of their own; the slow one answers after half a second.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import socketserver
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from triage.delivery.client import HttpClient
from triage.delivery.webhook import WebhookAdapter, new_secret
from triage.settings import Settings
from triage.store import outbox
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState, RawItem, SourceRef
from triage.wiring import open_worker

_SLOW = 0.5  # seconds
_ROUNDS = 3
_NOW = datetime.now(UTC)
_BODY = json.dumps({"type": "lead.qualified", "data": {"text": "word " * 600}})  # 3 kB


class _Answering(socketserver.StreamRequestHandler):
    """HTTP/1.1 with keep-alive, as little of it as the client needs."""

    wait = 0.0

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self) -> None:
        while self.rfile.readline():
            length = 0
            while (line := self.rfile.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            self.rfile.read(length)
            time.sleep(self.wait)
            self.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


def _serve(wait: float, told: Connection) -> None:
    handler = type("Handler", (_Answering,), {"wait": wait})
    with _Server(("127.0.0.1", 0), handler) as server:
        told.send(server.server_address[1])
        server.serve_forever()


@contextmanager
def endpoint(wait: float = 0.0) -> Iterator[str]:
    """The URL of an endpoint that answers 204 after so many seconds."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(wait, there))
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/"
    finally:
        process.terminate()
        process.join()


def settings(folder: Path, urls: dict[str, str]) -> Settings:
    """A worker with these destinations and no sources."""
    secret = new_secret()
    targets = [
        {"name": name, "url": url, "secret": secret, "allow_private": True}
        for name, url in urls.items()
    ]
    return Settings.model_validate({"store": {"data_dir": folder}, "destinations": targets})


def fill(repository: Repository, leads: int, slow: int) -> None:
    """Leads in the outbox: all for `fast`, the first `slow` of them for `slow` too.

    Their inquiries count as refused, so that the worker has nothing else to do with them.
    """
    arrivals = []
    for number in range(leads):
        ref = SourceRef("inbox", "imap", f"INBOX/1/{number}")
        raw = RawItem(ref, _NOW, f"{number:064d}", 1, "message/rfc822")
        arrivals.append(Arrival(raw, "email", f"mail:{number}", refused="for the benchmark"))
    ids = repository.arrivals.receive(arrivals)
    events = [event(number, ids[number], "fast") for number in range(leads)]
    events += [event(leads + number, ids[number], "slow") for number in range(slow)]
    with repository.database.write() as connection:
        outbox.add(connection, events)


def event(number: int, inquiry_id: str, destination: str) -> Delivery:
    """One that is due."""
    return Delivery(
        id=f"msg_{number}",
        inquiry_id=inquiry_id,
        destination=destination,
        event="lead.qualified",
        body=_BODY,
        attempts=0,
        state=DeliveryState.PENDING,
        created_at=_NOW,
        next_at=_NOW,
    )


def through_the_engine(urls: dict[str, str], leads: int, slow: int) -> float:
    """Leads a second that `fast` accepted, from the start of the worker to the last."""
    with tempfile.TemporaryDirectory() as folder:
        found = settings(Path(folder), urls)
        repository = Repository(found.store)
        repository.database.upgrade()
        fill(repository, leads, slow)
        with open_worker(found) as worker:
            started = time.monotonic()
            worker.engine.start()
            counts = repository.outbox.counts_by_destination
            while counts()["fast"].get(DeliveryState.ACCEPTED, 0) < leads:
                time.sleep(0.05)
            elapsed = time.monotonic() - started
        repository.close()
    return leads / elapsed


def bare(url: str, leads: int) -> float:
    """Posts a second by the client alone, in 4 threads."""
    target = settings(Path(), {"fast": url}).destinations[0]
    events = [event(number, "inq_1", "fast") for number in range(leads)]
    adapter = WebhookAdapter()
    with closing(HttpClient()) as client, ThreadPoolExecutor(4) as pool:
        started = time.monotonic()
        answers = list(pool.map(lambda lead: adapter.send(lead, target, client), events))
        elapsed = time.monotonic() - started
    assert all(answer.accepted for answer in answers)
    return leads / elapsed


def show(rows: Sequence[tuple[str, float]]) -> None:
    print(f"{'way':<34} {'leads/s':>8} {'ratio':>6}")
    for name, rate in rows:
        print(f"{name:<34} {rate:8.0f} {rate / rows[0][1]:6.2f}")


def main() -> None:
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with endpoint() as fast, endpoint(_SLOW) as slow:
        ways: dict[str, Callable[[], float]] = {
            "bare client": lambda: bare(fast, leads),
            "engine": lambda: through_the_engine({"fast": fast}, leads, 0),
            "engine, a slow destination beside": lambda: through_the_engine(
                {"fast": fast, "slow": slow}, leads, leads
            ),
        }
        # In turns, and the best of each: what else the machine does disturbs all alike.
        rounds = [{name: way() for name, way in ways.items()} for _ in range(_ROUNDS)]
    show([(name, max(found[name] for found in rounds)) for name in ways])


if __name__ == "__main__":
    main()
