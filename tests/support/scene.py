"""A believable week of a small business, made of the shipped fixtures by the real steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from classifiers.labels import LABELS, Label
from tests.support import stored
from tests.support.leads import Desk
from triage.delivery.client import HttpClient
from triage.demo.fixtures import fixtures_folder
from triage.intake.call import read_call
from triage.intake.mail import parse_mail
from triage.pipeline.dispatch import Dispatch
from triage.settings import Limits, Settings
from triage.store.arrivals import Arrival
from triage.store.records import Work
from triage.store.repository import Repository
from triage.transcripts.peaks import measure
from triage.types import (
    Channel,
    RawItem,
    Segment,
    SourceRef,
    Speaker,
    TimedWord,
    Transcript,
    Verdict,
)

_MAILS: dict[str, tuple[Label, float]] = {
    "lead-facility-rfp": ("lead", 0.97),
    "lead-outlook-html-only": ("lead", 0.94),
    "support-billed-twice": ("support", 0.91),
    "lead-form-colon-lines": ("lead", 0.96),
    "solicitation-seo-agency": ("solicitation", 0.95),
    "lead-homeowner-one-liner": ("lead", 0.88),
    "job-technician-application": ("job_applicant", 0.98),
    "lead-assistant-for-boss": ("lead", 0.93),
    "internal-it-notice": ("internal", 0.99),
    "misdial-apartment-tenant": ("misdial", 0.9),
    "lead-researching-next-year": ("lead", 0.81),
    "irrelevant-newsletter": ("irrelevant", 0.97),
    "lead-law-firm-disclaimer": ("lead", 0.9),
    "irrelevant-out-of-office": ("irrelevant", 0.99),
    "job-summer-internship": ("job_applicant", 0.94),
    "lead-customer-second-unit": ("lead", 0.89),
    "irrelevant-student-question": ("irrelevant", 0.49),
}
_CALLS: dict[str, tuple[Label, float]] = {
    "facility-manager-office-park.wav": ("lead", 0.96),
    "church-mini-split-quotes.wav": ("lead", 0.3),
    "no-heat-after-install.flac": ("support", 0.93),
    "wrong-number-pizza.wav": ("misdial", 0.97),
}


@dataclass(frozen=True)
class Scene:
    """The ids of the inquiries, by the name of the fixture."""

    ids: dict[str, str]


def play(repository: Repository, settings: Settings) -> Scene:
    """Let it all arrive and be decided; what can be delivered is."""
    desk, ids = Desk(repository, settings), {}
    now = datetime.now(UTC).replace(microsecond=0)
    folder = fixtures_folder()
    calls = iter(_CALLS.items())
    at = now - timedelta(minutes=6)
    for number, (name, said) in enumerate(_MAILS.items()):
        path = folder / "mail" / f"{name}.eml"
        ids[name] = _mail(desk, path, at, *said)
        at -= timedelta(minutes=37 + 53 * number)
        if number % 4 == 0 and (call := next(calls, None)):
            ids[Path(call[0]).stem] = _call(desk, folder / "calls" / call[0], at, *call[1])
            at -= timedelta(minutes=21)
    _broken(repository, now - timedelta(hours=30))
    repository.polls.succeeded("inquiries", 3, timedelta(minutes=1))
    repository.polls.succeeded("calls", 1, timedelta(minutes=1))
    repository.polls.failed(
        "old-pbx", 4, "connection refused by pbx.brightwater.example", timedelta(minutes=8)
    )
    _deliver(repository, settings)
    return Scene(ids)


def _mail(desk: Desk, path: Path, at: datetime, label: Label, share: float) -> str:
    content = path.read_bytes()
    work = _received(desk.repository, path.name, content, at, "email")
    inquiry = parse_mail(content, inquiry_id=work.id, ref=work.ref, received_at=at, limits=Limits())
    assert desk.repository.worklist.parsed(work, inquiry)
    return _decided(desk, work.id, label, share)


def _call(desk: Desk, path: Path, at: datetime, label: Label, share: float) -> str:
    repository, worklist = desk.repository, desk.repository.worklist
    work = _received(repository, path.name, path.read_bytes(), at, "call")
    peaks = measure(path, Limits())
    sidecar = json.loads(path.with_suffix(".json").read_text()) | {"started_at": at.isoformat()}
    inquiry = read_call(
        inquiry_id=work.id, ref=work.ref, received_at=at, sidecar=json.dumps(sidecar),
        duration_s=peaks.duration_s,
    )  # fmt: skip
    assert worklist.parsed(work, inquiry)
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    heard = spoken(expected["transcript"], peaks.duration_s)
    assert worklist.transcribed(stored.current(repository, work.id), heard)
    return _decided(desk, work.id, label, share)


def spoken(turns: list[dict[str, str]], seconds: float) -> Transcript:
    """What was said, spread over the recording by its length."""
    total = sum(len(turn["text"]) + 12 for turn in turns)
    segments, at = [], 0.0
    for turn in turns:
        length = seconds * (len(turn["text"]) + 12) / total
        speech = length * 0.94
        each = speech / max(1, len(turn["text"]))
        words, place = [], 0
        for word in turn["text"].split():
            start = turn["text"].index(word, place)
            place = start + len(word)
            words.append(TimedWord(at + start * each, at + place * each, word))
        side = cast("Speaker", turn["speaker"])
        segments.append(
            Segment(round(at, 2), round(at + speech, 2), side, turn["text"], 0.93,
                    channel=int(side == "caller"), words=tuple(words))
        )  # fmt: skip
        at += length
    return Transcript(tuple(segments), "en", "faster-whisper", "base", seconds)


def _received(
    repository: Repository, name: str, content: bytes, at: datetime, channel: Channel
) -> Work:
    digest, size = repository.blobs.put(content)
    email = channel == "email"
    ref = SourceRef("inquiries" if email else "calls", "maildir" if email else "recordings", name)
    raw = RawItem(ref, at, digest, size, "message/rfc822" if email else "audio/wav")
    arrival = Arrival(raw, channel, f"{channel}:{name}", campaign="" if email else "google-ads")
    (inquiry_id,) = repository.arrivals.receive([arrival])
    return stored.current(repository, inquiry_id)


def _decided(desk: Desk, inquiry_id: str, label: Label, share: float) -> str:
    repository = desk.repository
    others = [name for name in LABELS if name != label]
    weights = {name: 1 / (3 + 4 * place) for place, name in enumerate(others)}
    rest = (1 - share) / sum(weights.values())
    scores = {label: share} | {name: weight * rest for name, weight in weights.items()}
    second = max(score for name, score in scores.items() if name != label)
    verdict = Verdict(label, scores, share - second, abstained=share < 0.5, model="default@1")
    assert repository.worklist.classified(stored.current(repository, inquiry_id), verdict)
    desk.steps.qualify(stored.current(repository, inquiry_id))
    desk.steps.settle(stored.current(repository, inquiry_id))
    return inquiry_id


def _broken(repository: Repository, at: datetime) -> None:
    for name, why in (
        ("scan-0042.wav", "scan-0042.wav is no recording in a known format"),
        ("newsletter", "the mail has 612 parts; 500 are read at most"),
    ):
        channel: Channel = "call" if name.endswith("wav") else "email"
        work = _received(repository, name, b"broken " + name.encode(), at, channel)
        repository.worklist.quarantined(work, why)


def _deliver(repository: Repository, settings: Settings) -> None:
    client = HttpClient()
    dispatch = Dispatch(settings, repository, client)
    for destination in settings.destinations:
        attempts = map(dispatch.attempt, repository.outbox.due(destination.name, 50))
        dispatch.store([tried for tried in attempts if tried is not None])
    client.close()
