"""The model learns from what people confirmed: trained beside the worker, compared with the one
that decides, promoted and taken back.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from classifiers.errors import ClassifierError
from triage.errors import Usage
from triage.pipeline.active import Active, Chosen, before
from triage.settings import Settings, child_environment
from triage.store import records
from triage.store.audit import Actor
from triage.store.models import Model, Switch, Training, Why
from triage.store.repository import Repository

log = structlog.get_logger(__name__)

TRAININGS: Final = "trainings"
ENDED: Final = "its process ended without a word; it can be started again"
_ALL: Final = 100_000
_ENDING: Final = 10.0  # seconds
_KINDS: Final = 2
_LEARNED: Final = frozenset({"done", "refused"})
_TOLD: Final = {"business", "store", "classifier", "taxonomy", "decision", "calls", "learning"}


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """What a training would learn from now. `labels` counts by label (own labels by their names),
    `people` by who said so; `new` were said since the last training began (`last`). `why` is empty
    where it is enough, else says what is missing.
    """

    items: int
    labels: Mapping[str, int]
    people: Mapping[str, int]
    new: int
    last: datetime | None
    why: str

    @property
    def enough(self) -> bool:
        """Whether a training can be started."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Seen:
    """What an inquiry is, and what becomes of it. `confidence` is its label's probability."""

    label: str
    outcome: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Changed:
    """An inquiry that a candidate would label or decide otherwise than the model that decides now.

    `said`: the label that a person gave it; empty where nobody did.
    """

    id: str
    received_at: datetime
    sender: str
    subject: str
    before: Seen
    after: Seen
    said: str = ""


class Learning:
    """What people do with models. `by` is a name, or the account it is audited under."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self.settings = settings
        self.repository = repository
        self.chosen = Active(settings, repository)

    def models(self) -> list[Model]:
        """All known models, the newest first."""
        self.active()
        return self.repository.models.known()

    def active(self) -> Model:
        """The model that decides now."""
        name = self.chosen.chosen().model.name_version
        found = self.repository.models.get(name)
        assert found is not None  # noqa: S101 - it was chosen
        return found

    def switches(self, limit: int = 50) -> list[Switch]:
        """From which model to which, the newest first."""
        return self.repository.models.switches(limit)

    def trainings(self, limit: int = 50) -> list[Training]:
        """Trainings, the newest first. One whose process ended without a word has failed."""
        self._tidy()
        return self.repository.trainings.listed(limit)

    def training(self, training_id: str) -> Training | None:
        """One training, as it is now."""
        self._tidy()
        return self.repository.trainings.get(training_id)

    def preview(self) -> SnapshotSummary:
        """What a training would learn from now, and whether that is enough."""
        last = next((one for one in self.trainings() if one.state in _LEARNED), None)
        since = last.started_at if last else None
        said = list(self.repository.confirmations.all())
        labels = Counter(one.own or one.label for one in said)
        least = self.settings.learning.least
        why = ""
        if len(said) < least:
            why = f"{len(said)} labels are confirmed; a training needs {least} (learning.least)"
        elif len(labels) < _KINDS:
            why = f"all that is confirmed is {next(iter(labels))}; another label is needed to learn"
        return SnapshotSummary(
            len(said),
            dict(labels.most_common()),
            dict(Counter(one.by for one in said).most_common()),
            sum(since is None or one.at > since for one in said),
            since,
            why,
        )

    def start(self, by: str | Actor) -> str:
        """Train in a process of its own; returns the training's id at once.

        Raises `Usage` where one is running or too few labels are confirmed.
        """
        if why := self.preview().why:
            raise Usage(why)
        self._wait_for_the_last()
        with _alone(self.repository.folder / TRAININGS) as lock:
            if lock is None:
                raise Usage("a training is running; wait for it, or cancel it")
            self.repository.trainings.abandoned(ENDED)  # whatever was open has no process
            training_id = records.new_id("trn")
            self.repository.trainings.begin(training_id, _actor(by))
            process = _started(self.settings, lock)
        threading.Thread(
            target=_followed, args=[process, self._asked(training_id)], daemon=True
        ).start()
        return training_id

    def start_if_due(self, by: str | Actor) -> str | None:
        """`start`, where enough was confirmed since the last training; its id, or None."""
        found = self.preview()
        if not found.enough or found.new < self.settings.learning.least_new:
            log.info("no training is due", confirmed=found.items, new=found.new, why=found.why)
            return None
        return self.start(by)

    def cancel(self, training_id: str, by: str | Actor) -> None:
        """End a training that is under way. Raises `Usage` where it is not."""
        if not self.repository.trainings.cancelled(training_id, _actor(by)):
            raise Usage(f"{training_id} is not under way")

    def promote(
        self, name_version: str, by: str | Actor, note: str = "", *, force: bool = False
    ) -> Switch:
        """Let a model decide, in every worker, from its next batch on.

        Raises `Usage` where the gate refused it or never saw it, unless that is forced, and always
        where its folder is not intact or there is no such model.
        """
        now = self.chosen.chosen()
        model = self._whole(name_version)
        if model.name_version == now.model.name_version and not now.instead_of:
            raise Usage(f"{name_version} decides already")
        if not force and (why := _refused(model, now.model)):
            raise Usage(why)
        return self._switch(now, model, "forced" if force else "promoted", by, note)

    def rollback(self, by: str | Actor, note: str = "") -> Switch:
        """Let the model before decide again. Raises `Usage` where there is none that is intact."""
        now = self.chosen.chosen()
        line = before(self.repository.models.switches(_ALL))
        name = now.instead_of or now.model.name_version
        if len(line) < _KINDS:
            raise Usage("no model decided before this one; there is nothing to go back to")
        place = len(line) - 1 - line[::-1].index(name)
        return self._switch(now, self._whole(line[place - 1]), "rolled back", by, note)

    def add(self, folder: Path, by: str | Actor) -> Model:
        """Take in a model that was trained elsewhere; the gate has yet to see it.

        Raises `Usage` where it is not intact, or its name is taken.
        """
        self.chosen.chosen()
        name, sha256 = self.chosen.registry.take_in(folder)
        model = Model(name, records.now(), "imported", sha256, None, "candidate")
        if self.repository.models.add(model):
            self.repository.audit.note(_actor(by), "model imported", name, {"sha256": sha256})
        found = self.repository.models.get(name)
        if found is None or found.sha256 != sha256:
            raise Usage(f"{name} is known already, and is another model; rename the new one")
        return found

    def measure(self, name_version: str) -> Model:
        """Compare a model with the one that decides, on what is confirmed now; takes a while.

        Raises `Usage` where it is not intact, or decides itself.
        """
        from triage.pipeline.lesson import Lesson  # noqa: PLC0415 - it knows of this

        model = self._whole(name_version)
        if name_version == self.active().name_version:
            raise Usage(f"{name_version} decides; it is what others are compared with")
        try:
            Lesson(self.settings, self.repository, "").measure(model)
        except ClassifierError as error:
            raise Usage(str(error)) from error
        return self._whole(name_version)

    def shadow(self, name_version: str, limit: int = 500) -> list[Changed]:
        """Which of the inquiries that were settled last (`limit` of them) another model would label
        or decide otherwise, both reading them now. Raises `Usage` where it cannot be loaded.
        """
        from triage.pipeline.shadow import Shadow  # noqa: PLC0415 - it knows of `Changed`

        now, other = self.chosen.chosen(), self._whole(name_version)
        shadow = Shadow(self.settings, self.repository)
        return shadow.run(now.folder, self.chosen.registry.intact(other), limit)

    def _whole(self, name_version: str) -> Model:
        """A model that is intact. Raises `Usage` for others."""
        model = self.repository.models.get(name_version)
        if model is None:
            raise Usage(f"no model is named {name_version!r}; see `triage models list`")
        try:
            self.chosen.registry.intact(model)
        except Usage:
            self.repository.models.damaged(name_version)
            raise
        if model.state == "damaged":
            decided = name_version in self.repository.models.decided()
            self.repository.models.repaired(name_version, "retired" if decided else "candidate")
        return model

    def _switch(self, now: Chosen, to: Model, why: Why, by: str | Actor, note: str) -> Switch:
        registry = self.chosen.registry
        if now.model.origin in {"shipped", "configured"}:
            # An update may replace it where it is; going back must find it as it was.
            registry.take_in(now.folder)
        from_ = now.instead_of or now.model.name_version
        done = self.repository.models.switched(
            now.switch, from_, to.name_version, why, _actor(by), note
        )
        if done is None:
            raise Usage("somebody else switched models at the same time; look again")
        log.info("model switched", model=to.name_version, before=from_, why=why, by=done.by)
        return done

    def _wait_for_the_last(self) -> None:
        """A process that was cancelled needs a moment to end."""
        deadline = time.monotonic() + _ENDING
        while time.monotonic() < deadline and not self.repository.trainings.is_open():
            with _alone(self.repository.folder / TRAININGS) as lock:
                if lock is not None:
                    return
            time.sleep(0.1)

    def _tidy(self) -> None:
        """What is open without a process has failed."""
        if not self.repository.trainings.is_open():
            return
        with _alone(self.repository.folder / TRAININGS) as lock:
            if lock is not None:
                self.repository.trainings.abandoned(ENDED)

    def _asked(self, training_id: str) -> bytes:
        """What the process is told; no secret but the database's is among it."""
        settings = self.settings.model_copy(
            update={
                "store": self.settings.store.model_copy(
                    update={"data_dir": self.repository.folder.absolute()}
                )
            }
        )
        told = settings.model_dump(mode="json", include=_TOLD)
        return json.dumps({"training": training_id, "settings": told}).encode() + b"\n"


def _refused(model: Model, now: Model) -> str:
    """Why a model may not decide; empty where it may."""
    figures = model.figures
    if not figures:
        return f"{model.name_version} was never compared with the model that decides"
    if not figures["passed"]:
        return f"{model.name_version} is refused: {'; '.join(figures['reasons'])}"
    if figures["against"] != now.name_version:
        return (
            f"{model.name_version} was compared with {figures['against']}, but {now.name_version} "
            "decides now; train again, so that they are compared"
        )
    return ""


def _actor(by: str | Actor) -> Actor:
    return by if isinstance(by, Actor) else Actor("", by)


@contextmanager
def _alone(folder: Path) -> Iterator[int | None]:
    """Hold the lock of trainings while the block lasts; None where a training has it.

    A process that was given it has it until it ends, however it ends.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield handle
    finally:
        os.close(handle)


def _started(settings: Settings, lock: int) -> subprocess.Popen[bytes]:
    """The process that trains. It ends with its input, so with this one at the latest."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    threads = str(settings.learning.threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "triage.pipeline.lesson"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=child_environment({"PYTHONPATH": path, **limits}),
        pass_fds=[lock],
        start_new_session=True,  # Ctrl-C is for whoever waits, and ends its input
    )


def _followed(process: subprocess.Popen[bytes], asked: bytes) -> None:
    """Tell the process what to do, and wait until it has."""
    assert process.stdin is not None  # noqa: S101 - a pipe
    with suppress(OSError):  # it is gone already
        process.stdin.write(asked)
        process.stdin.flush()
    process.wait()
    with suppress(OSError):
        process.stdin.close()
