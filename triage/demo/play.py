"""The demo: a shipped mailbox and shipped recordings through a real worker, to a real endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from classifiers.labels import SIGNALS
from triage.delivery.webhook import new_secret
from triage.demo.dovecot import Dovecot
from triage.demo.endpoint import Endpoint
from triage.demo.fixtures import fixtures_folder
from triage.errors import TriageError
from triage.intake.fingerprint import fingerprint
from triage.settings import Settings, load
from triage.store.records import Listed
from triage.store.repository import Repository
from triage.types import DeliveryState, Outcome, Stage
from triage.wiring import Worker, open_worker

TIME_LIMIT = 900.0  # seconds

_SETTINGS = """\
# Written by `triage demo`. Look around with
#   triage -s {folder}/triage.toml inquiries list
[business]
name = "Brightwater Heating & Cooling"
sells = "Installs, repairs and maintains heating, air conditioning and ventilation for homes, \
offices and light industry"
domains = ["brightwater.example"]
places = ["Columbus, Ohio"]

[ideal_customer]
industries = ["offices", "property management", "restaurants", "light industry", "homes"]
regions = ["Columbus", "Ohio"]
products = ["air conditioning", "heating", "furnace", "heat pump", "ventilation", "maintenance"]

[store]
data_dir = "data"

[transcription]
workers = 2

{mailbox}

[[sources]]
kind = "recordings"
name = "calls"
path = {calls}
settle_seconds = 0
forward_past_days = 100000

[[destinations]]
name = "sales"
url = "{url}"
secret_file = "secret"
allow_private = true

[delivery]
schedule = [1, 2, 5, 10, 30]
"""
_IMAP = """\
[[sources]]
kind = "imap"
name = "inquiries"
host = "127.0.0.1"
port = {port}
security = "none"
username = "inquiries"
password = "{password}"
poll_every = 5"""
_MAILDIR = """\
[[sources]]
kind = "maildir"
name = "inquiries"
path = {mails}
forward_past_days = 100000"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table at the end."""

    inquiry: str
    channel: str
    label: str
    confidence: float | None
    signals: str
    outcome: str
    delivered_s: float | None
    expected: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How the demo went: what the endpoint's own ledger says against what was decided."""

    rows: list[Row]
    leads: int
    accepted: int
    doubled: int
    refused: int
    unfinished: int

    @property
    def good(self) -> bool:
        """Every lead arrived exactly once, correctly signed, and nothing was left over."""
        wrong = self.doubled or self.refused or self.unfinished
        return not wrong and self.accepted == self.leads


class Told(Protocol):
    """Hears how far the demo is."""

    def __call__(self, done: int, text: str = "") -> None:
        """`done` inquiries are settled; `text` says what came last."""


class Stageplay:
    """Everything the demo runs on; enter it to start the servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fixtures = fixtures_folder()
        self.mails = sorted((self.fixtures / "mail").glob("*.eml"))
        self.calls = shipped_recordings(self.fixtures)

    @contextmanager
    def open(self) -> Iterator[tuple[Settings, Endpoint, str]]:
        """Start endpoint and mail server; yields settings, endpoint and where the mail is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "secret"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(new_secret(), encoding="utf-8")
        with (
            Endpoint(
                secret.read_text(encoding="utf-8"), self.folder / "endpoint.jsonl"
            ) as endpoint,
            ExitStack() as stack,
        ):
            mailbox, where = self._mailbox(stack)
            yield self._settings(mailbox, endpoint), endpoint, where

    def _mailbox(self, stack: ExitStack) -> tuple[str, str]:
        """The mail source's settings, and where the mail is: a real server if one starts."""
        try:
            server = stack.enter_context(Dovecot())
        except TriageError as error:
            reason = str(error).splitlines()[0]
            mailbox = _MAILDIR.format(mails=_toml(self.fixtures / "mail"))
            return mailbox, f"their folder, without a mail server ({reason})"
        for mail in self.mails:
            server.deliver("inquiries", mail.read_bytes())
        mailbox = _IMAP.format(port=server.port, password=server.password)
        return mailbox, f"a Dovecot on port {server.port}"

    def _settings(self, mailbox: str, endpoint: Endpoint) -> Settings:
        path = self.folder / "triage.toml"
        text = _SETTINGS.format(
            folder=self.folder,
            mailbox=mailbox,
            calls=_toml(self.fixtures / "calls"),
            url=endpoint.url,
        )
        path.write_text(text, encoding="utf-8")
        return load(path)

    @property
    def total(self) -> int:
        """How many items there are to triage."""
        return len(self.mails) + len(self.calls)


def shipped_recordings(fixtures: Path) -> list[Path]:
    """The recordings among the fixtures: what has its expected outcome beside it."""
    return sorted(
        path
        for path in (fixtures / "calls").iterdir()
        if path.suffix != ".json" and path.with_suffix(".expected.json").exists()
    )


def play(stage: Stageplay, told: Told) -> Ending:
    """Run the demo in `folder`; repeatable, with nothing doubled."""
    with stage.open() as (settings, endpoint, where):
        told(0, f"{len(stage.mails)} mails in {where}, {len(stage.calls)} recordings")
        with open_worker(settings) as worker:
            worker.engine.start()
            _watch(worker, stage.total, told)
            rows = _rows(worker.repository, stage)
        leads = sum(row.outcome == Outcome.FORWARD for row in rows)
        ids = [event["data"]["inquiry_id"] for event in endpoint.accepted.values()]
        return Ending(
            rows=rows,
            leads=leads,
            accepted=len(set(ids)),
            doubled=len(ids) - len(set(ids)),
            refused=len(endpoint.refused),
            unfinished=stage.total - sum(row.done for row in rows),
        )


def _watch(worker: Worker, total: int, told: Told) -> None:
    """Wait until everything is settled and delivered, telling what was settled last."""
    deadline = time.monotonic() + TIME_LIMIT
    while time.monotonic() < deadline:
        counts = worker.repository.archive.counts()
        done = counts[Stage.SETTLED] + counts[Stage.QUARANTINED]
        told(done, _latest(worker.repository))
        pending = worker.repository.outbox.counts()[DeliveryState.PENDING]
        if done >= total and not pending:
            return
        time.sleep(0.3)


def _latest(repository: Repository) -> str:
    settled = [row for row in repository.archive.listed(limit=500) if row.settled_at]
    if not settled:
        return "loading the models"
    last = max(settled, key=lambda row: row.settled_at or row.created_at)
    return f"{last.channel}: {last.label}, {last.outcome}"


def _rows(repository: Repository, stage: Stageplay) -> list[Row]:
    expected = {
        **{path.name: path for path in stage.calls},
        **{path.stem: path for path in stage.mails},
    }
    found = repository.archive.listed(limit=10_000)
    by_name = _names(repository, found, stage)
    rows = [_row(repository, row, by_name[row.id], expected.get(by_name[row.id])) for row in found]
    order = list(Outcome)
    return sorted(
        rows,
        key=lambda row: (
            order.index(Outcome(row.outcome)) if row.outcome in list(Outcome) else 9,
            row.channel,
            row.inquiry,
        ),
    )


def _names(repository: Repository, found: Sequence[Listed], stage: Stageplay) -> dict[str, str]:
    """Inquiry id to the fixture's name; mails are known by their content."""
    mails = {fingerprint(path.read_bytes()): path.stem for path in stage.mails}
    names = {}
    for row in found:
        work = repository.worklist.get(row.id)
        name = Path(row.key).name
        if work and row.channel == "email":
            name = mails.get(fingerprint(repository.blobs.read(work.sha256)), name)
        names[row.id] = name
    return names


def _row(repository: Repository, row: Listed, name: str, fixture: Path | None) -> Row:
    qualification = repository.archive.qualification(row.id)
    stated = qualification.signals if qualification and row.label == "lead" else {}
    signals = ", ".join(
        f"{signal}: {stated[signal].value}" for signal in SIGNALS if signal in stated
    )
    delivered = None
    for delivery in repository.outbox.listed(inquiry_id=row.id):
        if delivery.accepted_at:
            delivered = (delivery.accepted_at - row.created_at).total_seconds()
    outcome = row.outcome or row.stage
    return Row(
        inquiry=name,
        channel=row.channel,
        label=row.label or "",
        confidence=row.confidence,
        signals=signals,
        outcome=outcome,
        delivered_s=delivered,
        expected=_as_expected(fixture, row.label, outcome),
        done=row.stage in {Stage.SETTLED, Stage.QUARANTINED},
    )


def _as_expected(fixture: Path | None, label: str | None, outcome: str) -> bool:
    """Whether label and outcome are those written beside the fixture."""
    if fixture is None:
        return False
    wanted = json.loads(fixture.with_suffix(".expected.json").read_text(encoding="utf-8"))
    outcomes = wanted["outcome"] if isinstance(wanted["outcome"], list) else [wanted["outcome"]]
    return wanted["label"] == label and outcome in outcomes


def _toml(path: Path) -> str:
    return json.dumps(str(path))
