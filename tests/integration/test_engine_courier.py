"""The courier and real endpoints: fairness, order, bounds, breakers, and how it stops."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import structlog

from tests.support import stored
from triage.delivery.client import HttpClient
from triage.delivery.webhook import new_secret
from triage.engines.courier import Courier
from triage.pipeline.dispatch import Dispatch
from triage.settings import Settings
from triage.store import outbox
from triage.store.repository import Repository
from triage.types import Delivery, DeliveryState


class Desk:
    """An endpoint that answers as told and remembers what came, in which order."""

    def __init__(self) -> None:
        self.status: Callable[[str], int] = lambda _id: 204
        self.wait = 0.0
        self.headers: dict[str, str] = {}
        self.ids: list[str] = []
        self.under_way = self.most = 0
        self._lock = threading.Lock()
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                with desk._lock:
                    desk.under_way += 1
                    desk.most = max(desk.most, desk.under_way)
                    desk.ids.append(self.headers["webhook-id"])
                time.sleep(desk.wait)
                with desk._lock:
                    desk.under_way -= 1
                self.send_response(desk.status(self.headers["webhook-id"]))
                for name, value in desk.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


Build = Callable[..., Courier]


@pytest.fixture
def desks() -> Iterator[Callable[[], Desk]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Desk()))


@pytest.fixture
def build(repository: Repository) -> Iterator[Build]:
    with ExitStack() as stack:

        def make(
            desks: dict[str, Desk], *, more: dict[str, Any] | None = None, **rules: Any
        ) -> Courier:
            settings = Settings.model_validate(
                {
                    "destinations": [
                        {
                            "name": name, "url": desk.url, "secret": new_secret(), "timeout": 5,
                            "allow_private": True, **(more or {}),
                        }
                        for name, desk in desks.items()
                    ],
                    "delivery": {"schedule": [0.05] * 50, "jitter": 0} | rules,
                }
            )  # fmt: skip
            client = HttpClient()
            courier = Courier(Dispatch(settings, repository, client))
            stack.callback(client.close)
            stack.callback(courier.close)
            return courier

        yield make


def put(repository: Repository, destination: str, count: int, each: int = 1) -> list[str]:
    """Ids of inquiries with `each` events in the outbox."""
    ids = []
    for number in range(count):
        work = stored.received(repository, f"{destination} {number}")
        events = [
            replace(stored.delivery(work, destination), id=f"msg_{destination}_{number}_{position}")
            for position in range(each)
        ]
        with repository.database.write() as connection:
            outbox.add(connection, events)
        ids.append(work.id)
    return ids


def row(repository: Repository, name: str) -> Delivery:
    (found,) = [d for d in repository.outbox.listed(limit=1000) if d.id == name]
    return found


def until(condition: Callable[[], bool], courier: Courier, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        courier.sweep()
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.02)


def test_one_that_hangs_does_not_slow_the_other(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    slow, fast = desks(), desks()
    slow.wait = 1.0
    put(repository, "slow", 20)
    put(repository, "fast", 20)
    courier = build({"slow": slow, "fast": fast})
    until(lambda: len(fast.ids) == 20, courier)
    assert len(slow.ids) < 20


def test_no_more_than_allowed_are_under_way(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    general, own = desks(), desks()
    general.wait = own.wait = 0.05
    put(repository, "general", 25)
    courier = build({"general": general}, workers=3)
    until(lambda: repository.outbox.counts_by_destination()["general"].get(
        DeliveryState.ACCEPTED) == 25, courier)  # fmt: skip
    assert general.most == 3
    put(repository, "own", 5)
    courier = build({"own": own}, more={"workers": 1}, workers=3)
    until(lambda: len(own.ids) == 5, courier)
    assert own.most == 1


def test_order_is_kept_for_each_inquiry_whatever_fails(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk, tries = desks(), defaultdict[str, int](int)

    def moody(name: str) -> int:
        tries[name] += 1
        return 204 if (tries[name] + len(name) + hash(name)) % 3 == 0 else 400

    desk.status = moody
    put(repository, "crm", 10, each=4)
    courier = build({"crm": desk})
    until(lambda: repository.outbox.open_count() == 0, courier)
    accepted = {d.id: d.accepted_at for d in repository.outbox.listed(limit=1000)}
    for number in range(10):
        times = [accepted[f"msg_crm_{number}_{position}"] for position in range(4)]
        assert None not in times
        assert times == sorted(times)  # type: ignore[type-var]
        first = [desk.ids.index(f"msg_crm_{number}_{position}") for position in range(4)]
        assert first == sorted(first)
    assert set(tries) == set(accepted)


def test_410_stops_the_destination_and_says_so_until_it_is_enabled(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk, other = desks(), desks()
    desk.status = lambda _id: 410
    put(repository, "crm", 30)
    put(repository, "other", 3)
    with structlog.testing.capture_logs() as logs:
        courier = build({"crm": desk, "other": other}, workers=1)
        until(lambda: "crm" in repository.destinations.conditions(), courier)
        until(lambda: len(other.ids) == 3, courier)
        asked = len(desk.ids)
        for _ in range(5):
            courier.sweep()
        courier.wait(5)
    assert any(entry["event"] == "destination stopped" for entry in logs)
    assert repository.destinations.conditions()["crm"].is_stopped
    assert len(desk.ids) == asked <= 2
    counts = repository.outbox.counts_by_destination()["crm"]
    assert counts == {DeliveryState.PENDING: 30}  # nothing is lost

    # A worker that starts anew knows it too.
    again = build({"crm": desk})
    again.sweep()
    again.wait(5)
    assert len(desk.ids) == asked

    desk.status = lambda _id: 204
    repository.destinations.enable("crm")
    until(lambda: len(set(desk.ids)) == 30, again)


def test_a_destination_that_fails_is_left_alone_and_asked_with_one(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk = desks()
    desk.status = lambda _id: 503
    put(repository, "crm", 40)
    courier = build(
        {"crm": desk}, workers=2, breaker_after=4, breaker_pause=0.5, breaker_longest=0.5
    )
    until(lambda: "crm" in repository.destinations.conditions(), courier)
    courier.wait(5)
    during = len(desk.ids)
    assert 4 <= during <= 6  # not forty
    assert repository.destinations.conditions()["crm"].failures >= 4
    untouched = [d for d in repository.outbox.listed(limit=100) if d.attempts == 0]
    assert len(untouched) >= 34
    time.sleep(0.6)
    desk.most = 0
    courier.sweep()
    courier.wait(5)
    assert (len(desk.ids), desk.most) == (during + 1, 1)
    desk.status = lambda _id: 204
    until(lambda: repository.outbox.open_count() == 0, courier)
    assert repository.destinations.conditions() == {}


def test_retry_after_holds_for_everything_that_waits(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk = desks()
    desk.status = lambda _id: 429
    desk.headers = {"retry-after": "2"}
    put(repository, "crm", 10)
    courier = build({"crm": desk}, workers=1)
    until(lambda: bool(desk.ids), courier)
    began = time.monotonic()
    courier.wait(5)
    desk.status, desk.headers = (lambda _id: 204), {}
    until(lambda: len(desk.ids) > 1, courier)
    assert time.monotonic() - began > 1.5
    until(lambda: repository.outbox.open_count() == 0, courier)


def test_stopping_finishes_what_is_under_way_and_begins_nothing(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk = desks()
    desk.wait = 0.4
    put(repository, "crm", 20)
    courier = build({"crm": desk}, workers=2)
    until(lambda: desk.under_way == 2, courier)
    courier.close()
    assert len(desk.ids) <= 4
    counts = repository.outbox.counts_by_destination()["crm"]
    assert counts[DeliveryState.ACCEPTED] == len(desk.ids)
    courier.sweep()
    assert repository.outbox.counts_by_destination()["crm"] == counts


def test_a_destination_that_is_gone_from_the_settings_keeps_what_waits_for_it(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    put(repository, "gone", 1)
    courier = build({"crm": desks()})
    courier.sweep()
    courier.wait(10)
    waiting = row(repository, "msg_gone_0_0")
    assert (waiting.state, waiting.attempts) == (DeliveryState.PENDING, 0)
    assert "no longer in the settings" in waiting.last_error


def test_an_adapter_that_breaks_costs_tries_and_ends_as_a_dead_letter(
    repository: Repository, desks: Callable[[], Desk], build: Build
) -> None:
    desk = desks()
    put(repository, "crm", 1)
    token = {"kind": "slack"}  # its events are no JSON of ours: `data` is missing
    courier = build({"crm": desk}, more=token, schedule=[0.01])
    with structlog.testing.capture_logs():
        until(lambda: row(repository, "msg_crm_0_0").state is DeliveryState.DEAD, courier)
    dead = row(repository, "msg_crm_0_0")
    assert (dead.attempts, dead.last_error) == (2, "unexpected KeyError")
    assert len(repository.outbox.attempts(dead.id)) == 2
