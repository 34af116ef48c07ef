"""The clerk: what is brought while it writes is written together, and nothing is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from triage.delivery.answer import Answer
from triage.engines.clerk import Clerk
from triage.errors import Transient
from triage.pipeline.dispatch import Tried
from triage.store import records
from triage.store.outbox import Attempt, Settlement
from triage.types import Delivery, DeliveryState


def tried(name: str) -> Tried:
    moment = records.now()
    delivery = Delivery(
        id=name, inquiry_id="inq", destination="crm", event="lead.qualified", body="{}",
        attempts=0, state=DeliveryState.PENDING, created_at=moment,
    )  # fmt: skip
    settlement = Settlement(delivery, Attempt(moment, 0.1, 204, ""), DeliveryState.ACCEPTED)
    return Tried(settlement, Answer(True, 204, "", 0.1))


class Book:
    """A store that can be held up and that refuses what it is told to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.pages: list[list[str]] = []
        self.refused: dict[str, Exception] = {}
        self.ends: dict[str, bool] = {}

    def store(self, tries: Sequence[Tried]) -> None:
        self.open.wait(10)
        names = [each.delivery.id for each in tries]
        self.pages.append(names)
        for name in names:
            if name in self.refused:
                raise self.refused[name]

    def bring(self, clerk: Clerk, *names: str) -> None:
        for name in names:
            clerk.take(tried(name), lambda good, name=name: self.ends.update({name: good}))  # type: ignore[misc]


def test_what_comes_while_it_writes_is_written_together() -> None:
    book = Book()
    clerk = Clerk(book.store)
    book.bring(clerk, "a", "b", "c", "d", "e")
    assert book.ends == {}
    book.open.set()
    clerk.close()
    assert [name for page in book.pages for name in page] == ["a", "b", "c", "d", "e"]
    assert len(book.pages) <= 2
    assert book.ends == dict.fromkeys("abcde", True)


def test_one_that_cannot_be_stored_costs_no_other() -> None:
    book = Book()
    clerk = Clerk(book.store)
    book.refused["c"] = ValueError("bad")
    with structlog.testing.capture_logs() as logs:
        book.bring(clerk, "a", "b", "c", "d")
        book.open.set()
        clerk.close()
    assert book.ends == {"a": True, "b": True, "c": False, "d": True}
    assert [entry["delivery"] for entry in logs] == ["c"]


def test_a_database_that_is_away_is_not_asked_for_each() -> None:
    book = Book()
    clerk = Clerk(book.store)
    book.refused = dict.fromkeys("abcd", Transient("away"))
    with structlog.testing.capture_logs():
        book.bring(clerk, "a", "b", "c", "d")
        book.open.set()
        clerk.close()
    assert book.ends == dict.fromkeys("abcd", False)
    assert len(book.pages) <= 2


def test_whoever_brings_too_much_waits() -> None:
    book = Book()
    clerk = Clerk(book.store)
    names = [str(number) for number in range(40)]
    thread = threading.Thread(target=book.bring, args=(clerk, *names))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()  # a crash now repeats few
    book.open.set()
    thread.join(10)
    clerk.close()
    assert book.ends == dict.fromkeys(names, True)
