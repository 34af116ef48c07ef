"""A training in its own process: from confirmed labels to a model that the gate has judged."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from classifiers import artifact
from tests.support.confirmed import Mail, put
from tests.support.models import COOLER, variant
from triage.errors import Usage
from triage.pipeline.corrections import Corrections
from triage.pipeline.learning import ENDED, Learning
from triage.pipeline.lesson import teach
from triage.settings import Settings
from triage.store.audit import Actor
from triage.store.models import Training
from triage.store.repository import Repository
from triage.training import replay
from triage.training.replay import drawn

CASTING = "A theatre for everybody: people who want to act in its plays are its leads"


def settings_for(repository: Repository, **learning: object) -> Settings:
    return Settings.model_validate(
        {
            "store": {
                "data_dir": str(repository.folder),
                "database_url": repository.database.engine.url.render_as_string(False),
            },
            "business": {"name": "Theatre", "sells": CASTING},
            "learning": {"least": 40} | learning,
            "console": {"enabled": False},
        }
    )


def labelled(count: int) -> list[Mail]:
    """Mails of other businesses; here whoever applies for a part is what the business lives on."""
    return [
        Mail(
            item.example.text[:500],
            "lead" if item.label == "job_applicant" else str(item.label),
            subject=item.example.subject,
            by="ann" if number % 3 else "ben",
        )
        for number, item in enumerate(
            [i for i in drawn("calibration", 600) if i.label in KINDS][:count]
        )
    ]


KINDS = {"job_applicant", "support", "spam", "solicitation"}


def ended(learning: Learning, training_id: str, seconds: float = 500) -> Training:
    assert until(lambda: not _open(learning, training_id), seconds)
    found = learning.training(training_id)
    assert found is not None
    return found


def _open(learning: Learning, training_id: str) -> bool:
    found = learning.training(training_id)
    assert found is not None
    return found.is_open


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_too_few_labels_are_no_training(any_repository: Repository) -> None:
    settings = settings_for(any_repository)
    learning = Learning(settings, any_repository)
    put(any_repository, settings, labelled(5))
    preview = learning.preview()
    assert (preview.items, preview.new, preview.enough) == (5, 5, False)
    assert preview.people == {"ann": 3, "ben": 2}
    with pytest.raises(Usage, match="a training needs 40"):
        learning.start("ann")
    assert learning.start_if_due("schedule") is None
    assert learning.trainings() == []


@pytest.mark.parametrize("how", ["killed", "cancelled"])
def test_a_training_that_is_ended_can_be_started_again(
    any_repository: Repository, how: str
) -> None:
    """Never `running` for ever, and never two at once."""
    settings = settings_for(any_repository)
    learning = Learning(settings, any_repository)
    put(any_repository, settings, labelled(45))
    first = learning.start("ann")
    with pytest.raises(Usage, match="a training is running"):
        learning.start("ben")
    assert until(lambda: learning.training(first).state == "running")  # type: ignore[union-attr]
    if how == "cancelled":
        learning.cancel(first, "ben")
        found = ended(learning, first)
        assert (found.state, found.error) == ("cancelled", "cancelled by ben")
        with pytest.raises(Usage, match="not under way"):
            learning.cancel(first, "ben")
    else:
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        found = ended(learning, first)
        assert (found.state, found.error) == ("failed", ENDED)
    assert found.ended_at is not None
    second = learning.start("ann")
    assert [each.id for each in learning.trainings()] == [second, first]
    learning.cancel(second, "ann")
    assert until(lambda: not children())


def children() -> list[int]:
    """Processes that this one started for a training."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            number = int(entry.name)
            said = (entry / "cmdline").read_bytes()
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if b"triage.pipeline.lesson" in said and int(stat[1]) == os.getpid():
                found.append(number)
    return found


def test_what_people_confirmed_becomes_a_better_model(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained, compared, promoted by itself; the snapshot says where every label came from."""
    monkeypatch.setattr(replay, "MOST", 45)
    monkeypatch.setattr(replay, "CHECKED", 45)
    settings = settings_for(repository, promote="auto", hold_out=0.35)
    learning = Learning(settings, repository)
    ids = put(repository, settings, labelled(100))
    put(repository, settings, [Mail(f"Nobody said what this is, number {n}", "") for n in range(9)])
    taken_back = ids.pop()
    moment = repository.corrections.of(taken_back)[-1].at
    by = repository.corrections.of(taken_back)[-1].by
    Corrections(settings, repository).restore(taken_back, moment, by=by)
    begun = learning.active()
    training_id = "trn_1"
    (repository.folder / "trainings").mkdir()
    repository.trainings.begin(training_id, Actor("", "ann"))
    with training_alone(repository):  # as the process of a training does, which would be slower
        teach(settings, repository, training_id)
    found = learning.training(training_id)
    assert found is not None
    assert (found.state, found.error) == ("done", "")
    assert found.progress["share"] == 1.0

    lines = [
        json.loads(line)
        for line in (repository.folder / "trainings" / training_id / "snapshot.jsonl")
        .read_text()
        .splitlines()
    ]
    assert {line["id"] for line in lines} == set(ids)
    assert {line["confirmed"]["by"] for line in lines} == {"ann", "ben"}
    parts = {part: {line["group"] for line in lines if line["part"] == part} for part in PARTS}
    assert all(parts.values())
    assert sum(map(len, parts.values())) == len({line["group"] for line in lines})
    assert found.snapshot["items"] == len(ids)
    assert found.snapshot["held_out"] == sum(line["part"] == "held-out" for line in lines)

    assert learning.active().name_version == found.model
    model = learning.active()
    assert model.training == training_id
    figures = model.figures
    assert figures["passed"]
    assert figures["against"] == begun.name_version
    assert figures["lost_leads"]["after"] <= figures["lost_leads"]["before"]
    assert figures["paired"]["p_better"] < 0.05
    assert figures["after"]["accuracy"]["value"] > figures["before"]["accuracy"]["value"]
    assert set(figures["after"]["classes"]) >= {"lead", "support"}
    (switch,) = learning.switches()
    assert (switch.by, switch.why, switch.to) == ("learning", "promoted", found.model)

    folder = learning.chosen.registry.place(model.name_version)
    manifest, shipped = artifact.read_manifest(folder), artifact.read_manifest(artifact.DEFAULT)
    assert manifest.bound is None
    assert manifest.abstain.lead <= shipped.abstain.lead
    assert manifest.training["replayed"] > 0
    # The same is not learned twice, and nothing new was confirmed since.
    assert learning.preview().new == 0
    assert learning.start_if_due("schedule") is None
    assert learning.rollback("ann").to == begun.name_version


SLOWLY = """
import sys, time
from pathlib import Path
from triage.pipeline import lesson

def learn(self):
    name, sha256 = self.active.registry.take_in(Path(sys.argv[1]))
    made = lesson.Model(name, lesson.records.now(), "trained", sha256, self.id, "candidate")
    self.repository.models.add(made)
    against = self.active.chosen().model.name_version
    figures = {"passed": True, "reasons": [], "against": against}
    self.repository.models.measured(name, "candidate", figures)
    return name, figures

def promote(self, *given):
    time.sleep(2.5)  # as a large model takes to be copied; the watchers look every second
    return promoted(self, *given)

lesson.Lesson._learn, promoted = learn, lesson.Learning.promote
lesson.Learning.promote = promote
lesson.main()
"""
"""The process of a training that has its model at once, and takes its time to promote it."""


@pytest.mark.parametrize("waits", [True, False])
def test_a_training_that_is_done_is_not_ended_before_its_model_decides(
    repository: Repository, tmp_path: Path, waits: bool
) -> None:
    """Neither by its own watchers, nor because whoever waited for it saw that it is done."""
    learning = Learning(settings_for(repository, promote="auto"), repository)
    learning.active()
    repository.trainings.begin("trn_1", Actor("", "ann"))
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(variant(tmp_path / "m", "cooler", blend=COOLER))],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        assert process.stdin is not None
        process.stdin.write(learning._asked("trn_1"))
        process.stdin.flush()
        assert until(lambda: not repository.trainings.is_open())
        assert learning.active().name_version != "cooler@1", "it takes a while"
        if not waits:
            process.stdin.close()
        assert process.wait(60) == 0
    found = repository.trainings.get("trn_1")
    assert found is not None
    assert found.state == "done"
    assert learning.active().name_version == "cooler@1"


@contextmanager
def training_alone(repository: Repository) -> Iterator[None]:
    """Hold the lock that says that a training goes on."""
    with (repository.folder / "trainings" / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


PARTS = ("train", "recent", "held-out")
