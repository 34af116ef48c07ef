"""The embedded engine in trouble: failing sources, poison items, slow polls, absent endpoints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classifiers.baseline import Baseline
from classifiers.dataset import labels_of, read_items
from classifiers.verdict import Example, Verdict
from triage.delivery.client import HttpClient
from triage.demo.fixtures import corpus_folder
from triage.engines.embedded import EmbeddedEngine
from triage.errors import Transient
from triage.pipeline.dispatch import Dispatch
from triage.pipeline.ingest import ingest
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Settings, Store
from triage.sources.base import Batch, Fetched, Memory, Source
from triage.store.repository import Repository
from triage.transcripts.host import TranscriberHost
from triage.types import SourceRef, Stage

MAIL = (
    "From: Jo <jo{n}@example.org>\r\nTo: sales@brightwater.example\r\nSubject: furnace {n}\r\n"
    "Message-ID: <{n}@example.org>\r\n\r\nPlease quote a new furnace for our office. {text}\r\n"
)


class Mails:
    """A source with some mails, of which each is shown once."""

    def __init__(self, name: str, texts: Sequence[str]) -> None:
        self.name = name
        self._texts = texts

    def check(self) -> str:
        return "fine"

    def poll(self, memory: Memory) -> Iterator[Batch]:
        for number, text in enumerate(self._texts):
            key = f"{self.name}/{number}"
            if memory.known([(key, "")]):
                continue
            raw = MAIL.format(n=key, text=text).encode()
            ref = SourceRef(self.name, "maildir", key)
            yield Batch((Fetched(ref, "email", datetime.now(UTC), "message/rfc822", raw),))


class Broken(Mails):
    """A source that always fails."""

    def poll(self, memory: Memory) -> Iterator[Batch]:
        raise Transient("the server is away")
        yield


class Slow(Mails):
    """A source whose poll takes longer than the time between polls."""

    def __init__(self, name: str) -> None:
        super().__init__(name, [])
        self.lock = threading.Lock()
        self.polls = self.overlaps = 0

    def poll(self, memory: Memory) -> Iterator[Batch]:
        if not self.lock.acquire(blocking=False):
            self.overlaps += 1
            return
        self.polls += 1
        time.sleep(0.3)
        self.lock.release()
        yield Batch(())


class Touchy:
    """The real baseline, which cannot stand one word."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        if any("POISON" in example.text for example in examples):
            raise RuntimeError("cannot stand this word")
        return self._baseline.classify(examples)


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    items = read_items(next(corpus_folder().glob("dev-*.jsonl")))
    return Baseline.fit([item.example for item in items], labels_of(items))


Build = Callable[..., tuple[EmbeddedEngine, Repository]]


@pytest.fixture
def build(tmp_path: Path, baseline: Baseline, empty_store: Store) -> Iterator[Build]:
    with ExitStack() as stack:

        def make(
            sources: Sequence[Source], poll_every: float = 0.1, **more: object
        ) -> tuple[EmbeddedEngine, Repository]:
            settings = Settings.model_validate(
                {
                    "store": empty_store,
                    "sources": [
                        {
                            "kind": "maildir",
                            "name": source.name,
                            "path": tmp_path,
                            "poll_every": poll_every,
                        }
                        for source in sources
                    ],
                    "engine": {
                        "sweep_every": 0.1, "retry_base": 0.05, "retry_max": 0.2, "attempts": 3,
                    },
                    "decision": {"forward_score": 0, "lead_floor": 0},
                }
                | more
            )  # fmt: skip
            repository = Repository(settings.store)
            repository.database.upgrade()
            host = TranscriberHost(settings.transcription, settings.limits)
            client = HttpClient()
            engine = EmbeddedEngine(
                settings,
                repository,
                {source.name: source for source in sources},
                Steps(
                    settings,
                    repository,
                    host,
                    lambda: Touchy(baseline),  # type: ignore[arg-type,return-value]
                    Rulebook(settings.rules, settings.business),
                ),
                Dispatch(settings, repository, client),
            )
            for close in (repository.close, client.close, host.close, engine.stop):
                stack.callback(close)
            return engine, repository

        yield make


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "took too long"
        time.sleep(0.05)


def test_a_source_that_fails_is_reported_and_backs_off_while_others_go_on(build: Build) -> None:
    engine, repository = build([Broken("broken", []), Mails("good", ["one", "two", "three"])])
    engine.start()
    until(lambda: repository.archive.counts()[Stage.SETTLED] == 3)
    until(lambda: (repository.polls.state("broken") or 0) and
          repository.polls.state("broken").failures >= 2)  # type: ignore[union-attr]  # fmt: skip
    state = repository.polls.state("broken")
    assert state is not None
    assert state.error == "the server is away"
    assert state.last_success_at is None
    assert (state.next_at - state.last_poll_at).total_seconds() >= 0.1 * 2 ** (state.failures - 1)
    good = repository.polls.state("good")
    assert good is not None
    assert good.failures == 0


def test_polls_of_one_source_never_overlap(build: Build) -> None:
    slow = Slow("slow")
    engine, _ = build([slow])
    engine.start()
    until(lambda: slow.polls >= 4)
    engine.stop()
    assert slow.overlaps == 0


def test_one_poison_item_costs_itself_not_its_batch(build: Build) -> None:
    engine, repository = build([Mails("box", ["a", "b", "POISON", "c", "d"])])
    engine.poll("box")
    until(lambda: engine.drain(1) and repository.archive.counts()[Stage.QUARANTINED] == 1)
    counts = repository.archive.counts()
    assert (counts[Stage.SETTLED], counts[Stage.QUARANTINED]) == (4, 1)
    bad = repository.archive.listed(stage=Stage.QUARANTINED)[0]
    assert "gave up after 3 tries" in bad.error
    assert "cannot stand this word" in bad.error
    kinds = [entry.event for entry in repository.archive.history(bad.id)]
    assert kinds == ["received", "parsed", "quarantined"]

    # Taken up again it goes on from where it stopped, and ends where it ended.
    assert repository.worklist.requeue(bad.id)
    work = repository.worklist.get(bad.id)
    assert work is not None
    assert work.stage is Stage.PARSED
    until(lambda: engine.drain(1) and repository.archive.counts()[Stage.QUARANTINED] == 1)


def test_a_lead_for_an_endpoint_that_is_away_waits_and_then_is_visibly_dead(build: Build) -> None:
    items = read_items(next(corpus_folder().glob("dev-*.jsonl")))
    leads = [i.example.text for i in items if i.label == "lead" and i.example.channel == "email"]
    engine, repository = build(
        [Mails("box", leads[:1])],
        destinations=[
            {
                "name": "crm",
                "url": "http://127.0.0.1:1/",
                "secret": "whsec_c2VjcmV0c2VjcmV0",
                "allow_private": True,
            }
        ],
        delivery={"schedule": [0.1, 0.1], "jitter": 0},
        decision={"forward_score": 0, "lead_floor": 0, "review_below": 0},
    )
    engine.poll("box")
    engine.drain(20)
    assert repository.archive.listed()[0].outcome == "forward"
    until(lambda: engine.drain(1) and repository.outbox.open_count() == 0)
    delivery = repository.outbox.listed()[0]
    assert delivery.state == "dead"
    assert delivery.attempts == 3
    assert delivery.last_error
    assert len(repository.outbox.attempts(delivery.id)) == 3
    assert repository.outbox.revive(delivery.id)
    assert repository.outbox.due("crm", 10)[0].id == delivery.id  # the same id as ever


class Growing(Mails):
    """A source that gets a mail for each text added, and is polled for a while."""

    def __init__(self, name: str, pause: float = 0.0) -> None:
        super().__init__(name, [])
        self.texts: list[str] = []
        self._texts = self.texts
        self._pause = pause

    def poll(self, memory: Memory) -> Iterator[Batch]:
        batches = list(super().poll(memory))
        time.sleep(self._pause)
        yield from batches


def test_news_makes_the_next_poll_come_at_once(build: Build) -> None:
    box = Growing("box")
    engine, repository = build([box], poll_every=600)
    engine.start()
    until(lambda: repository.polls.state("box") is not None)
    box.texts.append("one")
    engine.news("box")
    until(lambda: repository.archive.counts()[Stage.SETTLED] == 1)


def test_news_during_a_poll_makes_another(build: Build) -> None:
    box = Growing("box", pause=0.5)
    engine, repository = build([box], poll_every=600)
    engine.start()
    time.sleep(0.2)  # the first poll has looked, and still goes on
    box.texts.append("one")
    for _ in range(5):
        engine.news("box")
    until(lambda: repository.archive.counts()[Stage.SETTLED] == 1)


class Old(Mails):
    """A source with a backlog."""

    def poll(self, memory: Memory) -> Iterator[Batch]:
        for batch in super().poll(memory):
            yield Batch(batch.items, backlog=True)


def test_what_arrives_goes_before_what_waited_long(build: Build) -> None:
    old, now = Old("old", [f"old {n}" for n in range(120)]), Mails("now", ["new"])
    engine, repository = build([old, now], poll_every=600)
    ingest(old, "", repository)
    ingest(now, "", repository)
    (new,) = (line.id for line in repository.archive.listed(limit=200) if line.source == "now")
    engine.drain(60)
    settled = repository.archive.listed(limit=200)
    assert {line.stage for line in settled} == {Stage.SETTLED}
    order = [line.id for line in sorted(settled, key=lambda line: str(line.settled_at))]
    assert order.index(new) < 60
