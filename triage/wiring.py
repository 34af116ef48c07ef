"""Builds a worker from settings: the one place where the parts are put together."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from classifiers.errors import ClassifierError, EngineError
from classifiers.model import Classifier
from classifiers.opening import OpeningRule
from classifiers.opening import read as read_opening
from classifiers.tag_artifact import outdated, present
from classifiers.tag_model import Tagger
from triage import metrics
from triage.delivery.client import HttpClient
from triage.engines.embedded import EmbeddedEngine
from triage.engines.listener import listening
from triage.errors import Configuration, TriageError, Usage
from triage.intake.calls.reader import CallReader
from triage.pipeline import silencing
from triage.pipeline.active import Active, Chosen
from triage.pipeline.backfill import Backfill
from triage.pipeline.corrections import Corrections
from triage.pipeline.discretion import Discretion
from triage.pipeline.dispatch import Dispatch
from triage.pipeline.exports import Exports
from triage.pipeline.hearing import Hearing
from triage.pipeline.learning import Learning
from triage.pipeline.remembering import Remembering
from triage.pipeline.replay import Replay
from triage.pipeline.reviewing import Reviewing
from triage.pipeline.silencing import Silencer
from triage.pipeline.steps import Steps
from triage.pipeline.waveforms import Measure, Waveforms
from triage.redaction.speech import Seconds
from triage.review.queue import Queue
from triage.rules.rulebook import Rulebook
from triage.settings import Classifier as ClassifierSettings
from triage.settings import Settings
from triage.settings import Source as SourceSettings
from triage.signals.contact import FREE_MAIL
from triage.sources.base import Source
from triage.sources.build import build_source
from triage.store.repository import Repository
from triage.transcripts.engine import Peaks
from triage.transcripts.host import TranscriberHost
from triage.transcripts.messages import Part
from triage.types import Transcript

if TYPE_CHECKING:
    from triage.web.server import Address

log = structlog.get_logger(__name__)


def load_classifier(settings: ClassifierSettings) -> Classifier:
    """The model the settings name. Raises `Configuration` where it is missing or not intact."""
    try:
        return Classifier.load(
            settings.artifact,
            batch=settings.batch,
            threads=settings.threads,
            runtime=settings.runtime,
        )
    except EngineError as error:
        raise Configuration(f"classifier.runtime {settings.runtime!r}: {error}") from error
    except ClassifierError as error:
        raise Configuration(f"classifier.artifact {settings.artifact!r}: {error}") from error


def load_tagger(settings: ClassifierSettings) -> Tagger:
    """The tagger of the model the settings name; the shipped one where that has labels only, or a
    tagger of an older format, which is logged.

    Raises `Configuration` where it is not intact.
    """
    artifact = settings.artifact if present(settings.artifact) else "default"
    if outdated(artifact):
        remedy = "train it again with `triage train --only signals`"
        log.warning("an older tagger is not used", artifact=str(artifact), remedy=remedy)
        artifact = "default"
    try:
        return Tagger.load(artifact, threads=settings.threads, runtime=settings.runtime)
    except EngineError as error:
        raise Configuration(f"classifier.runtime {settings.runtime!r}: {error}") from error
    except ClassifierError as error:
        raise Configuration(f"classifier.artifact {artifact!r}: {error}") from error


def load_opening(settings: ClassifierSettings) -> OpeningRule | None:
    """When the opening of a call is enough; None where the model has no such rule.

    Raises `Configuration` where it is not intact, or was chosen for another model.
    """
    try:
        return read_opening(settings.artifact)
    except ClassifierError as error:
        raise Configuration(f"classifier.artifact {settings.artifact!r}: {error}") from error


def load_rulebook(settings: Settings) -> Rulebook:
    """The rules before the model. Raises `Configuration` for a wrong entry or a missing file."""
    return Rulebook(settings.rules, settings.business, FREE_MAIL)


def load_calls(settings: Settings) -> CallReader:
    """What recordings say beside their sound. Raises `Configuration` for a wrong template."""
    return CallReader(settings, settings.store.data_dir / "cdr")


class ActiveClassifier:
    """The model that decides now: loaded when the first text needs it, whichever thread comes
    first, and replaced between two batches when somebody switches models, in whichever process.
    """

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self._settings = settings.classifier
        self._active = Active(settings, repository)
        self._lock = threading.RLock()
        self._chosen: Chosen | None = None
        self._rule: OpeningRule | None = None
        self._model: Classifier | None = None

    def __call__(self) -> Classifier:
        """The loaded model; whoever has it may finish with it, whatever is switched meanwhile."""
        model = self._model
        if model is not None:
            return model
        with self._lock:
            if self._model is None:
                self._take(self._newest(), load=True)
            assert self._model is not None  # noqa: S101 - just loaded
            return self._model

    def opening(self) -> OpeningRule | None:
        """When the opening of a call is enough for this model; None where it has no such rule."""
        with self._lock:
            if self._chosen is None:
                self._take(self._newest(), load=False)
            return self._rule

    @contextmanager
    def watching(self, every: float = 1.0) -> Iterator[None]:
        """Look for switches (`every` so many seconds) while the block lasts."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(every):
                self.look()

        thread = threading.Thread(target=watch, name="models", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def look(self) -> None:
        """Follow a switch, if there was one. What decides goes on until the other is loaded."""
        now = self._chosen
        if now is None:
            return
        try:
            if self._active.last_switch() != now.switch:
                self._take(self._newest(), load=self._model is not None)
        except TriageError as error:
            log.warning("cannot follow a switch of models", problem=str(error))

    def _newest(self) -> Chosen:
        chosen = self._active.chosen()
        if chosen.instead_of:
            log.error(
                "the model that should decide is damaged; see `triage models list`",
                damaged=chosen.instead_of,
                decides=chosen.model.name_version,
            )
        return chosen

    def _take(self, chosen: Chosen, *, load: bool) -> None:
        rule = load_opening(_at(self._settings, chosen.folder))
        model = load_classifier(_at(self._settings, chosen.folder)) if load else None
        with self._lock:
            before, self._chosen, self._rule = self._chosen, chosen, rule
            # Whoever loaded one meanwhile, on the way to the same switch, gets the newer one.
            self._model = model
        if before is not None:
            log.info("another model decides", model=chosen.model.name_version,
                     before=before.model.name_version)  # fmt: skip


def _at(settings: ClassifierSettings, folder: Path) -> ClassifierSettings:
    return settings.model_copy(update={"artifact": str(folder)})


class LazyTagger:
    """Loads the tagger when the first lead needs it, once, whichever thread comes first."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()

    def __call__(self) -> Tagger:
        """The loaded tagger."""
        with self._lock:
            return self._tagger

    @cached_property
    def _tagger(self) -> Tagger:
        return load_tagger(self._settings)


@dataclass(frozen=True)
class Worker:
    """An engine with everything it runs on."""

    engine: EmbeddedEngine
    repository: Repository
    sources: dict[str, Source]
    classifier: ActiveClassifier
    tagger: LazyTagger


@contextmanager
def open_repository(settings: Settings) -> Iterator[Repository]:
    """The store, for commands that only look or make one change. Raises `Configuration` if old."""
    repository = Repository(settings.store)
    try:
        repository.require_current()
        yield repository
    finally:
        repository.close()


def transcribe_again(settings: Settings, repository: Repository, inquiry_id: str) -> Transcript:
    """A fresh transcript of a stored recording, by the settings of now. `Usage` for mails."""
    work = repository.worklist.get(inquiry_id)
    if work is None or work.channel != "call":
        raise Usage(f"{inquiry_id} is no call; there is nothing to transcribe")
    inquiry = repository.archive.content(inquiry_id)
    if inquiry and inquiry.call and inquiry.call.withheld:
        raise Usage(
            f"{inquiry_id} may not be transcribed ({inquiry.call.withheld}); see [calls] in the "
            "settings, and what its sidecar and record say"
        )
    with TranscriberHost(settings.transcription, settings.limits) as host:
        if inquiry is None or inquiry.voicemail is None:
            better = Part(model=settings.transcription.lead_model)
            heard = host.transcribe(repository.blobs.path(work.sha256), better)
            silencing.again(repository, work, heard, Discretion.of(settings), host.silence)
            return heard
        transcript = Hearing(settings, repository.blobs, host.transcribe).again(inquiry)
    if transcript is None:
        raise Usage(f"{inquiry_id} is a voicemail whose mail brought no recording")
    return transcript


@contextmanager
def open_exports(settings: Settings, *, unredacted: bool = False) -> Iterator[Exports]:
    """What gives inquiries out, masked as the settings say unless that is asked for."""
    with open_repository(settings) as repository:
        discretion = Discretion() if unredacted else Discretion.of(settings)
        yield Exports(settings, repository, discretion, silencer(settings))


def silencer(settings: Settings) -> Silencer:
    """Makes silent copies of recordings, in a process that is started for each."""

    def silence(path: Path, out: Path, seconds: Seconds) -> None:
        with TranscriberHost(settings.transcription, settings.limits) as host:
            host.silence(path, out, seconds)

    return silence


@contextmanager
def open_backfill(settings: Settings, name: str) -> Iterator[Backfill]:
    """The past of a source, for a command beside a running worker. Raises `Usage` for a name that
    nothing has.
    """
    with open_repository(settings) as repository:
        source = find_source(settings, name)
        yield Backfill(_built(settings, source), source.campaign, repository)


def open_replay(settings: Settings, repository: Repository) -> Replay:
    """What takes quarantined inquiries up again."""
    campaigns = {source.name: source.campaign for source in settings.sources}
    return Replay(repository, lambda name: _built(settings, find_source(settings, name)), campaigns)


def open_reviewing(settings: Settings, repository: Repository) -> Reviewing:
    """What reviewers do, over an open store."""
    return Reviewing(Queue(settings.review, repository), open_corrections(settings, repository))


@contextmanager
def open_learning(settings: Settings) -> Iterator[Learning]:
    """What is done with models, for commands beside a running worker."""
    with open_repository(settings) as repository:
        yield Learning(settings, repository)


def open_corrections(
    settings: Settings, repository: Repository, tagger: LazyTagger | None = None
) -> Corrections:
    """What acts on a person's word, over an open store: a call that was settled on its opening and
    is a lead after all is transcribed whole first. `tagger`: the worker's, where there is one.
    """
    whole = partial(transcribe_again, settings, repository)
    return Corrections(settings, repository, tagger or LazyTagger(settings.classifier), whole)


def find_source(settings: Settings, name: str) -> SourceSettings:
    """The settings of a source. Raises `Usage` for a name that nothing has."""
    for source in settings.sources:
        if source.name == name:
            return source
    names = ", ".join(source.name for source in settings.sources)
    raise Usage(f"no source is named {name!r}; there are {names or 'none'}")


def _built(settings: Settings, source: SourceSettings) -> Source:
    return build_source(source, settings.limits, settings.store.data_dir)


@contextmanager
def open_worker(settings: Settings) -> Iterator[Worker]:
    """A worker that owns its data folder; upgrades the tables first.

    Raises `Configuration` where another worker runs on the same folder.
    """
    with ExitStack() as stack:
        stack.enter_context(_only_worker(settings.store.data_dir))
        rulebook = load_rulebook(settings)
        calls = load_calls(settings)
        stack.callback(calls.close)
        repository = Repository(settings.store)
        stack.callback(repository.close)
        if not stack.enter_context(repository.database.alone()):
            raise Configuration(
                "another worker runs on this database (store.database_url); one is enough"
            )
        repository.database.upgrade()
        transcriber = stack.enter_context(TranscriberHost(settings.transcription, settings.limits))
        client = HttpClient()
        stack.callback(client.close)
        sources = {
            source.name: _built(settings, source) for source in settings.sources if source.enabled
        }
        classifier = ActiveClassifier(settings, repository)
        tagger = LazyTagger(settings.classifier)
        classifier.opening()  # says now what is wrong with the model
        stack.enter_context(classifier.watching())
        engine = EmbeddedEngine(
            settings,
            repository,
            sources,
            Steps(
                settings,
                repository,
                transcriber,
                classifier,
                rulebook,
                calls,
                tagger,
                opening=classifier.opening,
                memory=Remembering(settings, repository),
            ),
            Dispatch(settings, repository, client),
            Learning(settings, repository),
        )
        stack.enter_context(listening(settings, repository))
        stack.enter_context(metrics.served(settings.metrics))
        stack.callback(engine.stop)
        yield Worker(engine, repository, sources, classifier, tagger)


def peaks(settings: Settings) -> Measure:
    """Measures how loud recordings are, in a process that is started for each."""

    def measure(path: Path) -> Peaks:
        with TranscriberHost(settings.transcription, settings.limits) as host:
            return host.peaks(path)

    return measure


@contextmanager
def open_console(
    settings: Settings, repository: Repository, worker: Worker | None = None
) -> Iterator[Address]:
    """The web console, while the block lasts. `worker`: the one it runs beside, whose models it
    uses.

    Raises `Configuration` where it cannot listen.
    """
    from triage.web.desk import Desk  # noqa: PLC0415 - heavy
    from triage.web.oidc import Provider  # noqa: PLC0415 - heavy
    from triage.web.server import serving  # noqa: PLC0415 - heavy

    oidc = settings.console.oidc
    with ExitStack() as stack:
        if worker:
            classifier, tagger = worker.classifier, worker.tagger
        else:
            classifier = ActiveClassifier(settings, repository)
            stack.enter_context(classifier.watching())
            tagger = LazyTagger(settings.classifier)
        desk = Desk(
            settings,
            repository,
            open_corrections(settings, repository, tagger),
            open_replay(settings, repository),
            Exports(settings, repository, Discretion.of(settings), silencer(settings)),
            classifier,
            cache(partial(load_rulebook, settings)),
            Learning(settings, repository),
            Waveforms(repository, Discretion.of(settings), peaks(settings)),
            Provider(oidc, HttpClient()) if oidc else None,
        )
        yield stack.enter_context(serving(desk))


@contextmanager
def worker_console(settings: Settings, worker: Worker) -> Iterator[Address | None]:
    """The console beside a worker; None where the settings have none.

    A console that cannot listen is reported and stops nothing: leads come first.
    """
    with ExitStack() as stack:
        address = None
        if settings.console.enabled:
            try:
                address = stack.enter_context(open_console(settings, worker.repository, worker))
            except Configuration as error:
                log.warning("there is no console", error=str(error))
        yield address


@contextmanager
def _only_worker(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock. The kernel lets go of it when the process ends, however it ends."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails are nobody else's
        handle = os.open(data_dir / "worker.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Configuration(f"store.data_dir {data_dir}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise Configuration(
                f"another worker (process {holder}) runs on {data_dir}; it polls by itself. "
                "Stop it first, or give this one its own store.data_dir"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
