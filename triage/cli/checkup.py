"""What `triage doctor` looks at. Secrets are used, never shown."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from triage.cli.deliveries import described
from triage.delivery.guard import reach
from triage.delivery.webhook import sign
from triage.errors import Configuration, TriageError
from triage.pipeline.active import Active, Chosen
from triage.settings import Destination, Settings, Source
from triage.sources.base import Sampled
from triage.sources.base import Source as Reader
from triage.sources.build import build_source
from triage.store.destinations import Condition
from triage.store.repository import Repository
from triage.transcripts.weights import locate
from triage.wiring import load_calls, load_classifier, load_rulebook, open_repository

_SIGNING = "whsec_"  # other secrets are passwords and tokens, except a webhook's


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `state`: ok, warning or failed."""

    what: str
    state: str
    detail: str


def checks(settings: Settings) -> Iterator[Check]:
    """Look at everything the worker needs, one after the other; changes nothing but creates the
    data folder.
    """
    yield _check("data folder", lambda: _data_folder(settings))
    yield _check("database", lambda: _database(settings))
    yield _classifier(settings)
    yield from _rules(settings)
    yield from _calls(settings)
    yield _check("speech weights", lambda: _weights(settings))
    yield from _sources(settings)
    conditions = _conditions(settings)
    for destination in settings.destinations:
        yield _destination(destination, conditions.get(destination.name))
    if not settings.destinations:
        yield Check("destinations", "warning", "none: leads stay here; see [[destinations]]")


def _conditions(settings: Settings) -> dict[str, Condition]:
    """What the worker learned about destinations; nothing where there is no database yet."""
    try:
        with open_repository(settings) as repository:
            return repository.destinations.conditions()
    except TriageError:  # the check of the database says it
        return {}


def _destination(destination: Destination, condition: Condition | None) -> Check:
    what = f"destination {destination.name}"
    if condition is not None:
        state = "failed" if condition.is_stopped else "warning"
        return Check(what, state, described(condition))
    return _check(what, _Reach(destination))


def _check(what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(what, "ok", look())
    except Exception as error:  # noqa: BLE001 - one check never ends the others
        known = isinstance(error, TriageError)
        return Check(what, "failed", str(error) if known else f"{type(error).__name__}: {error}")


def _data_folder(settings: Settings) -> str:
    folder = settings.store.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    except OSError as error:
        raise Configuration(f"{folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise Configuration(f"{folder} is not writable for this user")
    if free < 1e9:
        raise Configuration(f"{folder}: only {free / 1e6:.0f} MB free")
    return f"{folder}, {free / 1e9:.0f} GB free"


def _database(settings: Settings) -> str:
    repository = Repository(settings.store)
    try:
        current, needed = repository.database.revisions()
        if current is None:
            return "empty; `triage run` or `triage db upgrade` creates the tables"
        repository.require_current()
        counts = repository.worklist.open_count()
    finally:
        repository.close()
    kind = "SQLite" if repository.database.is_sqlite else "PostgreSQL"
    return f"{kind}, revision {needed}, {counts} inquiries in work"


def _classifier(settings: Settings) -> Check:
    """The model that decides, loaded; a warning where it stands in for a damaged one."""
    try:
        chosen = _deciding(settings)
        named = settings.classifier
        if chosen is not None:
            named = named.model_copy(update={"artifact": str(chosen.folder)})
        started = time.monotonic()
        classifier = load_classifier(named)
    except TriageError as error:
        return Check("classifier", "failed", str(error))
    seconds = time.monotonic() - started
    told = f"{classifier.name_version} on {classifier.runtime}, loaded in {seconds:.1f} s"
    if chosen is not None and chosen.instead_of:
        missing = f"{chosen.instead_of} should decide and is damaged; restore its folder"
        return Check("classifier", "warning", f"{missing}. Until then {told}")
    return Check("classifier", "ok", told)


def _deciding(settings: Settings) -> Chosen | None:
    """The model that decides; None where there is no database yet, so that the settings say it."""
    repository = Repository(settings.store)
    try:
        current, needed = repository.database.revisions()
        return Active(settings, repository).chosen() if current == needed else None
    finally:
        repository.close()


def _rules(settings: Settings) -> Iterator[Check]:
    """The lists, and each file of known contacts with the rows that were left out."""
    try:
        rulebook = load_rulebook(settings)
    except TriageError as error:
        yield Check("rules", "failed", str(error))
        return
    lists = settings.rules
    yield Check("rules", "ok", f"{len(lists.allow)} allowed, {len(lists.block)} blocked")
    for contacts in rulebook.known:
        count, problems = contacts.summary
        detail = f"{contacts.path}: {count} contacts"
        if problems:
            detail += f", {len(problems)} rows left out: {'; '.join(problems[:3])}"
        yield Check(f"known {contacts.kind}s", "warning" if problems else "ok", detail)


def _calls(settings: Settings) -> Iterator[Check]:
    """The templates for names of recordings, and the call detail records."""
    try:
        calls = load_calls(settings)
    except TriageError as error:
        yield Check("calls", "failed", str(error))
        return
    rules = settings.calls
    consent = "required" if rules.require_consent else "not asked for, a refusal counts"
    skipped = ", ".join(rules.skip) or "none"
    yield Check("calls", "ok", f"consent: {consent}; directions that are not read: {skipped}")
    for name, records in calls.records().items():
        yield _check(f"call records of {name}", records.check)


def _weights(settings: Settings) -> str:
    weights = locate(settings.transcription.model)
    if settings.transcription.lead_model:
        locate(settings.transcription.lead_model)
    return f"{settings.transcription.engine} with {settings.transcription.model} ({weights.folder})"


def _sources(settings: Settings) -> Iterator[Check]:
    """Whether each source can be read, and what the name of a recording there says."""
    if not settings.sources:
        yield Check("sources", "warning", "none: nothing will come in; see [[sources]]")
    for source in settings.sources:
        if source.enabled:
            opened: list[Reader] = []
            yield _check(f"source {source.name}", partial(_source, source, settings, opened))
            if opened and isinstance(opened[0], Sampled) and opened[0].sample:
                yield _explained(source.name, opened[0].sample, settings)
    if any(source.enabled and source.kind in {"imap", "maildir"} for source in settings.sources):
        most = settings.limits.mail_recordings
        heard = settings.transcription.attachments
        said = f"heard, {most} of a mail at most; voicemails are calls" if heard else "not heard"
        yield Check("recordings by mail", "ok", f"{said} (transcription.attachments)")


def _source(source: Source, settings: Settings, opened: list[Reader]) -> str:
    built = build_source(source, settings.limits, settings.store.data_dir)
    found = built.check()
    opened.append(built)
    return found


def _explained(name: str, key: str, settings: Settings) -> Check:
    """What is known of a call from its recording's name alone."""
    what = f"a recording of {name}"
    try:
        said = load_calls(settings).of(name).named(key)
    except TriageError as error:  # the check of the calls says it too
        return Check(what, "failed", str(error))
    call = said.call
    facts = {
        "": call.direction or "",
        "from": call.caller or call.caller_name,
        "to": call.dialled,
        "agent": call.agent,
        "began": f"{call.started_at:%Y-%m-%d %H:%M:%S} UTC" if call.started_at else "",
        "id": call.id,
    }
    told = ", ".join(f"{name} {value}".strip() for name, value in facts.items() if value)
    if said.problems:
        return Check(what, "warning", f"{key}: {said.problems[0]}")
    if not told:
        return Check(what, "ok", f"{key}: its name says nothing that is understood")
    return Check(what, "ok", f"{key}: {told} ({said.source})")


@dataclass(frozen=True, slots=True)
class _Reach:
    """Whether an endpoint can be connected to; nothing is sent to it."""

    destination: Destination

    def __call__(self) -> str:
        signs = ""
        target = self.destination
        if target.kind == "webhook" or target.token.startswith(_SIGNING):
            for secret in self.destination.signing_secrets:
                sign(secret, "msg_check", datetime.now(UTC), "{}")
            signs = "; the secret can sign"
        url = urlsplit(target.url)
        host = url.hostname or target.host
        if not host:
            return f"{target.kind}, not asked"
        usual = {"tls": 465, "starttls": 587, "none": 25}[target.security] if target.host else 443
        port = url.port or target.port or (80 if url.scheme == "http" else usual)
        reach(host, port, allow_private=self.destination.allow_private, timeout=5)
        return f"{host}:{port} answers{signs}"
