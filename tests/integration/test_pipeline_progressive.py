"""Long calls through the real steps: one stops after its opening, a lead is read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from classifiers.bound import FilingBound
from classifiers.model import Classifier
from classifiers.opening import SETTLING, OpeningRule
from tests.support import stored
from triage import metrics
from triage.demo.fixtures import fixtures_folder
from triage.pipeline.stages import next_step
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Limits, Settings, Transcription
from triage.store.arrivals import Arrival
from triage.store.records import Work, now
from triage.store.repository import Repository
from triage.transcripts.host import TranscriberHost
from triage.transcripts.messages import WHOLE, Part
from triage.types import Outcome, RawItem, SourceRef, Stage, Transcript
from triage.wiring import open_corrections

CALLS = fixtures_folder() / "long-calls"
STUDENT, LEAD = "irrelevant-student-dissertation", "lead-clinic-cleaning"
# One look, and thresholds that these two are far from: the path is tested here, not the model.
RULE = OpeningRule(
    looks=(20.0,),
    settling=SETTLING,
    confidence=0.5,
    bound=FilingBound(0.2, 400, 0, 0.0075),
    calls=250,
    mails=150,
    agreement=0.99,
    stopped=0.6,
    model="m@1",
    weights="",
    corpus="",
)


@dataclass
class Ear:
    """A real transcriber that keeps which parts it was asked for."""

    host: TranscriberHost
    parts: list[Part] = field(default_factory=list)

    def transcribe(self, path: Path, part: Part = WHOLE) -> Transcript:
        self.parts.append(part)
        return self.host.transcribe(path, part)

    def probe(self, path: Path) -> Any:
        return self.host.probe(path)

    def silence(self, path: Path, out: Path, seconds: Any) -> None:
        self.host.silence(path, out, seconds)


@pytest.fixture(scope="module")
def host() -> Iterator[TranscriberHost]:
    with TranscriberHost(Transcription(language="en"), Limits()) as host:
        yield host


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(threads=1)


@dataclass
class Worker:
    """The steps over a store, and one call in it."""

    repository: Repository
    steps: Steps
    ear: Ear
    id: str

    @property
    def work(self) -> Work:
        return stored.current(self.repository, self.id)

    def step(self) -> Stage:
        work = self.work
        step = next_step(work)
        assert step is not None
        self.steps.run(step, [work])
        return self.work.stage

    def until(self, stage: Stage) -> None:
        for _ in range(12):
            if self.step() is stage:
                return
        raise AssertionError(f"{self.work.stage}: {self.work.error}")

    def events(self) -> list[str]:
        return [entry.event for entry in self.repository.archive.history(self.id)]


def worker(
    repository: Repository, host: TranscriberHost, classifier: Classifier, name: str, **set_: Any
) -> Worker:
    expected = json.loads((CALLS / f"{name}.expected.json").read_text(encoding="utf-8"))
    settings = Settings.model_validate(
        {
            "business": {"name": expected["business"]},
            "transcription": {"progressive": True, "audit_share": 0.0} | set_,
            "store": {"data_dir": repository.blobs.root.parent},
        }
    )
    sha256, size = repository.blobs.put(CALLS / f"{name}.opus")
    raw = RawItem(SourceRef("calls", "recordings", name), now(), sha256, size, "audio/opus")
    (inquiry,) = repository.arrivals.receive([Arrival(raw, "call", f"call:{name}")])
    ear = Ear(host)
    steps = Steps(
        settings,
        repository,
        ear,  # type: ignore[arg-type] # what steps ask of a transcriber
        lambda: classifier,
        Rulebook(settings.rules, settings.business),
        opening=lambda: RULE,
    )
    return Worker(repository, steps, ear, inquiry)


def test_a_call_that_is_no_lead_is_settled_on_its_opening(
    any_repository: Repository, host: TranscriberHost, classifier: Classifier
) -> None:
    desk = worker(any_repository, host, classifier, STUDENT)
    desk.until(Stage.SETTLED)
    (part,) = desk.ear.parts
    assert part.opening_s == 22.0
    heard = any_repository.archive.transcript(desk.id)
    decision = any_repository.archive.decision(desk.id)
    assert heard is not None
    assert decision is not None
    assert heard.partial
    assert heard.read_s is not None
    assert 17.9 <= heard.read_s <= 22.1
    assert heard.segments[-1].end <= heard.read_s + 0.3
    assert decision.outcome is Outcome.FILE
    assert f"settled on the first {heard.read_s:.0f} s of {heard.duration_s:.0f}" in decision.reason
    assert "reading on" not in desk.events()

    corrections = open_corrections(desk.steps.settings, any_repository)
    corrections.relabel(desk.id, "lead", by="ann")
    better = any_repository.archive.transcript(desk.id)
    assert better is not None
    assert not better.partial, "what a person calls a lead is read whole first"


def test_a_lead_is_read_whole_and_nothing_twice_though_the_worker_is_killed(
    any_repository: Repository, classifier: Classifier
) -> None:
    with TranscriberHost(Transcription(language="en"), Limits()) as killed:
        desk = worker(any_repository, killed, classifier, LEAD)
        desk.until(Stage.TRANSCRIBED)
    asked = desk.work
    opening = any_repository.archive.transcript(desk.id)
    assert opening is not None
    assert opening.partial
    assert desk.step() is Stage.PARSED, "it goes back for the rest"
    desk.steps.classify([asked])  # as a worker would that did not know of the move
    assert desk.events().count("reading on") == 1
    assert desk.work.attempts == 0
    with TranscriberHost(Transcription(language="en"), Limits()) as fresh:
        desk.ear.host = fresh
        desk.until(Stage.QUALIFIED)
    first, rest = desk.ear.parts
    assert (first.opening_s, rest.opening_s) == (22.0, None)
    assert rest.from_s == opening.read_s
    whole = any_repository.archive.transcript(desk.id)
    verdict = any_repository.archive.verdict(desk.id)
    assert whole is not None
    assert verdict is not None
    assert verdict.label == "lead"
    assert not whole.partial
    assert whole.segments[: len(opening.segments)] == opening.segments
    assert [s.start for s in whole.segments] == sorted(s.start for s in whole.segments)
    assert whole.segments[-1].end > whole.duration_s - 6.0
    assert "Wednesday" in whole.text


def test_an_audited_call_is_read_whole_and_counted(
    repository: Repository, host: TranscriberHost, classifier: Classifier
) -> None:
    desk = worker(repository, host, classifier, STUDENT, audit_share=1.0)
    before = counted()
    desk.until(Stage.CLASSIFIED)
    heard = repository.archive.transcript(desk.id)
    assert heard is not None
    assert not heard.partial
    (audit,) = (e for e in repository.archive.history(desk.id) if e.event == "opening audited")
    assert audit.detail["agrees"] is True
    assert counted() == before + 1


def counted() -> float:
    name, labels = "triage_opening_audits_total", {"agrees": "yes", "lead": "no"}
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0
