"""One training, in a process of its own: what people confirmed becomes a model, which is compared
with the one that decides.

`python -m triage.pipeline.lesson` reads one line of JSON (`training`, `settings`), and then only
waits for its input to end: with whoever started it, it ends too. It runs at a low priority.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from classifiers import artifact, own
from classifiers.bound import choose_floor, upper_bound
from classifiers.calibration import LEAD, Floats, Ints
from classifiers.errors import ClassifierError, TrainingError
from classifiers.labels import LABELS
from classifiers.model import Classifier
from classifiers.verdict import Verdict
from triage.errors import TriageError
from triage.pipeline import gate
from triage.pipeline.active import Active
from triage.pipeline.learning import TRAININGS, Learning
from triage.pipeline.prior import earlier_legs
from triage.pipeline.reading import read
from triage.settings import OwnLabel, Settings
from triage.store import records
from triage.store.audit import Actor
from triage.store.confirmed import Confirmed
from triage.store.models import Model, State
from triage.store.repository import Repository
from triage.telemetry import configure
from triage.training import replay
from triage.training.snapshot import Learned, Snapshot, divide, trained_on, without_rare

if TYPE_CHECKING:
    from classifiers.finetuning import Progress

log = structlog.get_logger(__name__)

NAME: Final = "learned"
BY_ITSELF: Final = Actor("", "learning")
_KEPT: Final = 3
_EVERY: Final = 0.5  # seconds between notes of progress
_GONE: Final = 3
_NICE: Final = 10  # the worker goes first; on a busy machine a training still gets on
_NEEDED: Final = 299
"""Groups of held-out leads without which no floor can be shown to be safe, even if none is lost."""


class Lesson:
    """From confirmed labels to a model and its figures."""

    def __init__(self, settings: Settings, repository: Repository, training_id: str) -> None:
        self.settings = settings
        self.repository = repository
        self.id = training_id
        self.folder = repository.folder / TRAININGS / training_id
        self.active = Active(settings, repository)
        self._began = time.monotonic()
        self._noted = 0.0

    def run(self) -> str:
        """Learn, and say how it ended; whatever goes wrong is kept with the training. Returns the
        model that passed, or nothing.
        """
        trainings = self.repository.trainings
        try:
            name, figures = self._learn()
        except TrainingError as error:
            trainings.ended(self.id, "refused", str(error))
            return ""
        except (TriageError, ClassifierError) as error:
            trainings.ended(self.id, "failed", str(error))
            return ""
        except Exception as error:
            log.exception("a training failed", training=self.id)
            trainings.ended(self.id, "failed", f"{type(error).__name__}: {error}")
            return ""
        passed = bool(figures["passed"])
        self._note("done", 1.0, seconds_left=0.0)
        why = "; ".join(figures["reasons"])
        ended = trainings.ended(self.id, "done" if passed else "refused", why, name)
        return name if passed and ended else ""  # what was cancelled meanwhile decides nothing

    def _learn(self) -> tuple[str, Mapping[str, Any]]:
        self._note("snapshot", 0.0)
        champion = self.active.chosen()
        seen = self._seen(champion.model)
        snapshot = self._snapshot(seen)
        self._note("training", 0.1)
        folder = self._adapt(snapshot)
        self._note("measuring", 0.8)
        self._spare(folder)
        self._bound(folder, snapshot)
        name, sha256 = self.active.registry.take_in(folder)
        shutil.rmtree(folder)
        model = Model(name, records.now(), "trained", sha256, self.id, "candidate")
        self.repository.models.add(model)
        exam = gate.Exam.of(snapshot, seen, replay.drawn("dev", replay.CHECKED))
        figures = self._judged(exam, champion.folder, model)
        self._write(result=self._result(name) | {"figures": figures})
        return name, figures

    def measure(self, model: Model) -> Mapping[str, Any]:
        """Compare a model that is there already with the one that decides, on what is confirmed
        now. Raises `Usage` where it is not intact.
        """
        champion = self.active.chosen()
        seen = self._seen(champion.model) | self._seen(model)
        exam = gate.Exam.of(self._gathered(seen), seen, replay.drawn("dev", replay.CHECKED))
        return self._judged(exam, champion.folder, model)

    def _judged(self, exam: gate.Exam, champion: Path, model: Model) -> Mapping[str, Any]:
        figures = gate.judge(
            exam,
            self._load(champion).classify,
            self._load(self.active.registry.intact(model)).classify,
            self.settings,
        )
        state: State = "candidate" if figures["passed"] else "refused"
        self.repository.models.measured(model.name_version, state, figures)
        self._forget_refused()
        return figures

    def _forget_refused(self) -> None:
        """Keep the folders of the last models that were refused; of others only their figures.

        One that ever decided is kept: going back may need it.
        """
        decided = self.repository.models.decided()
        refused = [
            model.name_version
            for model in self.repository.models.known()
            if model.state == "refused"
            and model.training is not None
            and model.name_version not in decided
        ]
        for name in refused[_KEPT:]:
            shutil.rmtree(self.active.registry.place(name), ignore_errors=True)

    def _result(self, name: str) -> dict[str, Any]:
        manifest = artifact.read_manifest(self.active.registry.place(name))
        method, why = own.method_for(sum(manifest.corpus["items"]["train"].values()))
        bound = artifact.plain(manifest.bound) if manifest.bound else None
        return {
            "model": name,
            "method": method,
            "why": why,
            "replayed": manifest.training.get("replayed", 0),
            "filed_below": manifest.abstain.lead,
            "bound": bound,
        }

    def _seen(self, champion: Model) -> frozenset[str]:
        """What the model that decides was trained on."""
        if champion.training is None:
            return frozenset()
        return trained_on(self.repository.folder / TRAININGS / champion.training)

    def _snapshot(self, seen: frozenset[str]) -> Snapshot:
        snapshot = self._gathered(seen)
        sha256 = snapshot.write(self.folder)
        self._write(snapshot=snapshot.summary(sha256))
        return snapshot

    def _gathered(self, seen: frozenset[str]) -> Snapshot:
        """What is confirmed now, divided; what is held out stays so from now on."""
        found = [
            learned
            for said in self.repository.confirmations.all()
            if (learned := composed(self.settings, self.repository, said))
        ]
        snapshot = divide(found, self.settings.learning.hold_out, seen, records.now())
        kept = [line.learned.said.inquiry_id for line in snapshot.of("held-out")]
        self.repository.confirmations.hold_out(kept)
        return snapshot

    def _adapt(self, snapshot: Snapshot) -> Path:
        """A model folder, from what is to be learned."""
        lines = snapshot.of("train")
        items = without_rare([line.item for line in lines], own.LEAST_OWN)
        plan = own.Plan(
            start=self.active.artifact,
            name=NAME,
            version=f"{snapshot.taken_at:%Y%m%d}-{self.id[-8:]}",
            threads=self.settings.learning.threads,
            progress=self._step,
            groups=snapshot.groups(lines),
            replay=replay.drawn("train", min(replay.MOST, replay.TIMES * len(items))),
            cautious=True,
            lenient=True,
        )
        return own.adapt_items(items, self.folder / "model", plan).folder

    def _spare(self, folder: Path) -> None:
        """File no more leads of other businesses unseen than the level allows.

        A business confirms too few leads to choose a floor by. Chosen by these alone, it had models
        file a lead of somebody else's that the one before kept, for which they were refused.
        """
        items = replay.leads("calibration")
        if not items:
            return
        model = self._load(folder)
        said = model.classify([item.example for item in items])
        rule = model.manifest.abstain
        found = choose_floor(_rows(said), np.full(len(items), LEAD))
        artifact.rewrite(folder, abstain=replace(rule, lead=min(rule.lead, found.floor)))

    def _bound(self, folder: Path, snapshot: Snapshot) -> None:
        """Show how many leads may get lost, where enough of them are held out to show it."""
        lines = [line for line in snapshot.of("held-out") if line.item.label == "lead"]
        groups = snapshot.groups(lines)
        if len(set(groups.tolist())) < _NEEDED:
            return
        model = self._load(folder)
        said = model.classify([line.item.example for line in lines])
        leads = weakest(_rows(said), groups)
        found = choose_floor(leads, np.full(len(leads), LEAD))
        if not found.holds:
            return
        rule = model.manifest.abstain
        floor = min(rule.lead, found.floor)
        filed = int(((leads.argmax(axis=1) != LEAD) & (leads[:, LEAD] < floor)).sum())
        bound = replace(found, floor=floor, filed=filed, upper=upper_bound(filed, len(leads)))
        artifact.rewrite(folder, bound=bound, abstain=replace(rule, lead=floor))

    def _load(self, folder: Path) -> Classifier:
        chosen = self.settings.classifier
        return Classifier.load(
            folder,
            batch=chosen.batch,
            threads=self.settings.learning.threads,
            runtime=chosen.runtime,
        )

    def _step(self, at: Progress) -> None:
        """A step of fine-tuning."""
        if time.monotonic() - self._noted >= _EVERY:
            share, more = stepped(at)
            self._note("training", share, **more)

    def _note(self, phase: str, share: float, **more: Any) -> None:
        self._noted = time.monotonic()
        seconds = round(self._noted - self._began, 1)
        self._write(
            progress={"phase": phase, "share": round(share, 4), "seconds": seconds}
            | {"seconds_left": None}
            | more
        )

    def _write(self, **values: Mapping[str, Any]) -> None:
        if not self.repository.trainings.going(self.id, **values):
            leave()


def stepped(at: Progress) -> tuple[float, dict[str, Any]]:
    """How far a training is (0 to 1) while its network is fine-tuned, and what to show of that."""
    done = ((at.epoch - 1) * at.steps + at.step) / max(1, at.epochs * at.steps)
    left = at.seconds * (1 - done) / done if done else None
    shown: dict[str, Any] = {
        "epoch": at.epoch,
        "epochs": at.epochs,
        "step": at.step,
        "steps": at.steps,
        "loss": round(at.loss, 4),
        # What follows takes about a sixth as long.
        "seconds_left": round(left + at.seconds / done / 6, 1) if left is not None else None,
    }
    return 0.1 + 0.7 * done, shown


def composed(settings: Settings, repository: Repository, said: Confirmed) -> Learned | None:
    """A confirmed label with what the classifier reads; None where it reads nothing."""
    inquiry = repository.archive.content(said.inquiry_id)
    if inquiry is None:
        return None
    transcript = repository.archive.transcript(said.inquiry_id)
    profile = settings.business.profile
    earlier = earlier_legs(inquiry, repository)
    reading = read(inquiry, transcript, profile, calls=settings.calls, before=earlier)
    if reading.settled or not (reading.example.text.strip() or reading.example.subject.strip()):
        return None
    author = inquiry.author
    named = as_named_today(said, settings.taxonomy)
    return Learned(named, reading.example, (author.email or author.phone).strip().lower())


def as_named_today(said: Confirmed, taxonomy: Mapping[str, OwnLabel]) -> Confirmed:
    """A confirmed label with what an own label stands for now, or without one that was given up.

    One name under two of the nine could not be learned.
    """
    if not said.own:
        return said
    own = taxonomy.get(said.own)
    return replace(said, label=own.base) if own else replace(said, own="")


def weakest(leads: Floats, groups: Ints) -> Floats:
    """Of each group of leads (items, labels) the row that is filed first, if any of them is.

    Leads of one sender or conversation stand and fall together, so that the bound, which is for
    independent ones, counts a group once.
    """
    # What the model calls a lead is never filed, however improbable.
    order = np.lexsort((leads[:, LEAD], leads.argmax(axis=1) == LEAD, groups))
    _, first = np.unique(groups[order], return_index=True)
    found: Floats = leads[order[first]]
    return found


def _rows(said: Sequence[Verdict]) -> Any:
    return np.array([[verdict.scores[label] for label in LABELS] for verdict in said])


def leave() -> None:
    """End at once: whoever asked for it is gone, or wants no more of it."""
    sys.stderr.flush()
    os._exit(_GONE)


def _watch(gone: Callable[[], bool], learned: threading.Event) -> None:
    """End this process where nobody waits for it any more, unless it has `learned`."""
    threading.Thread(target=_until_input_ends, args=[learned], daemon=True).start()
    threading.Thread(target=_until, args=[gone], daemon=True).start()


def _until_input_ends(learned: threading.Event) -> None:
    while os.read(0, 1 << 12):
        pass
    # Whoever waits for a training may go as soon as its row says that it is done.
    if not learned.is_set():
        leave()


def _until(gone: Callable[[], bool]) -> None:
    while True:
        time.sleep(1.0)
        try:
            if gone():
                leave()
        except TriageError:  # the database is away for a moment
            continue


def _request() -> dict[str, Any]:
    """The first line of the input, read without anything that would keep more of it."""
    line = bytearray()
    while not line.endswith(b"\n"):
        block = os.read(0, 1 << 16)
        if not block:
            leave()
        line += block
    found: dict[str, Any] = json.loads(line)
    return found


def teach(
    settings: Settings,
    repository: Repository,
    training_id: str,
    learned: threading.Event | None = None,
) -> None:
    """Train, and let what passed decide at once where the settings say so.

    `learned` is set in between: what follows takes seconds, and is not to be broken off.
    """
    name = Lesson(settings, repository, training_id).run()
    if learned:
        learned.set()
    if name and settings.learning.promote == "auto":
        Learning(settings, repository).promote(name, BY_ITSELF, f"passed in {training_id}")


def main() -> None:
    """Train as the first line of the input says."""
    os.nice(_NICE)
    asked = _request()
    configure()
    settings = Settings.model_validate(asked["settings"])
    repository = Repository(settings.store)
    training_id = str(asked["training"])
    learned = threading.Event()

    def over() -> bool:
        """Whether others ended it; only this process says `done` or `refused`, and goes on."""
        found = repository.trainings.get(training_id)
        return found is None or found.state in {"cancelled", "failed"}

    _watch(over, learned)
    teach(settings, repository, training_id, learned)
    repository.close()


if __name__ == "__main__":
    main()
