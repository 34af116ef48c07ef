"""Voicemails by mail, from a mailbox or a folder to the endpoint, with real recognition."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import stored
from tests.support.mailserver import Mailbox
from triage.cli.dossier import show
from triage.delivery.webhook import new_secret
from triage.demo.endpoint import Endpoint
from triage.pipeline.discretion import Discretion
from triage.pipeline.exports import Exports
from triage.pipeline.ingest import ingest
from triage.pipeline.stages import Lane, Step, lane, next_step
from triage.pipeline.steps import Steps
from triage.rules.rulebook import Rulebook
from triage.settings import Limits, Settings, Store
from triage.sources.build import build_source
from triage.store.dossier import Dossier, collect
from triage.store.repository import Repository
from triage.transcripts.host import TranscriberHost
from triage.types import Inquiry, Outcome, Stage
from triage.wiring import open_worker, silencer

BUSINESS = {
    "name": "Brightwater Heating & Cooling",
    "sells": "Installs, repairs and maintains heating, air conditioning and ventilation",
    "domains": ["brightwater.example"],
    "places": ["Columbus, Ohio"],
}
MAILS = Path(__file__).parents[2] / "fixtures" / "voicemail"


def folder_of(root: Path, *names: str) -> Path:
    """A maildir with these mails."""
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True)
    for name in names:
        (root / "new" / name).write_bytes((MAILS / f"{name}.eml").read_bytes())
    return root


def settings(root: Path, store: Store | None = None, **sections: Any) -> Settings:
    return Settings.model_validate(
        {
            "store": store or {"data_dir": root / "data"},
            "business": BUSINESS,
            "sources": [{"kind": "maildir", "name": "inbox", "path": root / "mails"}],
            "engine": {"sweep_every": 0.1, "retry_base": 0.05},
        }
        | sections
    )


def content(repository: Repository, inquiry_id: str) -> Inquiry:
    found = repository.archive.content(inquiry_id)
    assert found
    return found


def worked(chosen: Settings) -> dict[str, tuple[Dossier, dict[str, Any] | None]]:
    """What became of every mail, by its name, and its vCon."""
    with open_worker(chosen) as worker:
        worker.engine.poll("inbox")
        assert worker.engine.drain(240)
        rows = worker.repository.archive.listed(limit=100)
        told = Discretion.of(chosen)
        exports = Exports(chosen, worker.repository, told, silencer(chosen))
        return {
            Path(row.key).name.partition(":")[0]: (
                collect(worker.repository, row.id),
                exports.exported(row.id, original=True),
            )
            for row in rows
        }


@pytest.fixture(scope="module")
def heard(
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, tuple[Dossier, dict[str, Any] | None]]:
    """One worker's run over a folder with voicemails and with mails of people."""
    root = tmp_path_factory.mktemp("voicemails")
    names = (
        "asterisk", "broken-recording", "google-voice", "none-broken", "none-jingle", "none-memo"
    )  # fmt: skip
    folder_of(root / "mails", *names)
    secret = new_secret()
    with Endpoint(secret, root / "ledger.jsonl") as endpoint:
        destination = {"name": "sales", "url": endpoint.url, "secret": secret}
        found = worked(settings(root, destinations=[destination | {"allow_private": True}]))
        told = {event["data"]["inquiry_id"]: event for event in endpoint.accepted.values()}
    assert set(found) == set(names)
    return {
        name: (dossier, told.get(dossier.work.id) and told[dossier.work.id]["data"] | {"vcon": v})
        for name, (dossier, v) in found.items()
    }


def test_a_voicemail_is_a_call_that_came_by_mail(
    heard: Mapping[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    dossier, lead = heard["asterisk"]
    assert (dossier.work.channel, dossier.work.ref.kind) == ("call", "maildir")
    assert dossier.work.stage is Stage.SETTLED
    assert "make" in dossier.transcript.text
    assert "install one by next Friday" in dossier.transcript.text
    assert str(dossier.inquiry.sender) == "FERRARA DOMINIC <+16145550184>"
    assert dossier.inquiry.duration_s == dossier.transcript.duration_s
    assert dossier.inquiry.duration_s == pytest.approx(19.7, abs=0.2)
    assert dossier.decision.outcome is Outcome.FORWARD
    assert lead["channel"] == "call"
    assert lead["from"]["phone"] == "+16145550184"
    assert lead["text"] == dossier.transcript.text
    assert lead["voicemail"] == {
        "system": "asterisk",
        "mailbox": "201",
        "mailed_by": "Office PBX <pbx@brightwater.example>",
        "heard_by_system": None,
    }
    [dialog] = lead["vcon"]["dialog"]
    assert (dialog["type"], dialog["application"]) == ("recording", "voicemail by mail")
    assert (dialog["filename"], dialog["mediatype"]) == ("msg0002.WAV", "audio/x-wav")
    assert dialog["body"].startswith("UklGR")  # RIFF
    assert [part["filename"] for part in lead["vcon"]["attachments"]] == ["original.eml"]
    show(dossier)
    assert "voicemail   by mail from Office PBX" in capsys.readouterr().out


def test_a_recording_that_a_person_attached_is_part_of_their_mail(heard: Mapping[str, Any]) -> None:
    dossier, _ = heard["none-memo"]
    assert (dossier.work.channel, dossier.transcript) == ("email", None)
    assert dossier.inquiry.sender.email == "priya.raman@oakridge.example"
    [memo] = dossier.inquiry.attachments
    assert "install one by next Friday" in memo.text
    assert dossier.inquiry.body.endswith(f"[Attached recording New Recording 4.m4a]\n{memo.text}")
    assert "Friday" not in dossier.inquiry.text


def test_music_in_a_signature_adds_nothing(heard: Mapping[str, Any]) -> None:
    dossier, _ = heard["none-jingle"]
    assert dossier.inquiry.attachments[0].text == ""
    assert "Attached recording" not in dossier.inquiry.body
    assert dossier.verdict.label == "lead"


def test_what_cannot_be_heard_costs_nothing_but_a_warning(heard: Mapping[str, Any]) -> None:
    dossier, _ = heard["none-broken"]
    assert dossier.verdict.label == "lead"
    assert dossier.decision.outcome is not Outcome.REVIEW
    [warning] = dossier.inquiry.warnings
    assert re.match(r"attachment memo\.m4a: it could not be heard: .+ is no recording", warning)
    # Of a voicemail there is what the telephone system heard; somebody looks at it.
    for name in ("broken-recording", "google-voice"):
        dossier, _ = heard[name]
        assert (dossier.work.channel, dossier.transcript) == ("call", None)
        assert "make" in dossier.inquiry.text
        assert dossier.decision.outcome is Outcome.REVIEW
        assert "its recording was not heard" in dossier.decision.reason


def test_recordings_by_mail_can_be_switched_off(tmp_path: Path) -> None:
    folder_of(tmp_path / "mails", "asterisk", "none-memo")
    chosen = settings(tmp_path, transcription={"attachments": False})
    for dossier, _ in worked(chosen).values():
        assert (dossier.work.channel, dossier.work.recordings) == ("email", 0)
        assert "heard" not in [entry.event for entry in dossier.history]


def test_every_move_is_made_once_on_every_database(empty_store: Store, tmp_path: Path) -> None:
    """Parsed twice and heard twice, as where a worker died before it knew of its own success."""
    folder_of(tmp_path / "mails", "broken-recording", "none-broken", "exchange")
    consent = {"require_consent": True}  # nothing has to be transcribed
    chosen = settings(tmp_path, empty_store, calls=consent)
    repository = Repository(chosen.store)
    repository.database.upgrade()
    rulebook = Rulebook(chosen.rules, chosen.business)
    with TranscriberHost(chosen.transcription, chosen.limits) as transcriber:
        steps = Steps(chosen, repository, transcriber, lambda: pytest.fail("no text"), rulebook)
        ingest(build_source(chosen.sources[0], Limits()), "", repository)
        works = repository.worklist.due("email", 10)
        for _ in range(2):
            steps.run(Step.PARSE, works)
        parsed = [stored.current(repository, work.id) for work in works]
        assert sorted((w.channel, w.recordings) for w in parsed) == [
            ("call", 1), ("call", 1), ("email", 1),
        ]  # fmt: skip
        for work in parsed:
            assert next_step(work) is Step.TRANSCRIBE
            assert lane(Step.TRANSCRIBE, work) is Lane.SPEECH
            for recording in content(repository, work.id).recordings:
                assert repository.blobs.path(recording.sha256).exists()
            for _ in range(2):
                steps.run(Step.TRANSCRIBE, [work])
    for work in parsed:
        assert stored.current(repository, work.id).stage is Stage.TRANSCRIBED
        events = [entry.event for entry in repository.archive.history(work.id)]
        assert events.count("parsed") == 1
        assert events.count("heard") + events.count("not transcribed") == 1
    repository.close()


_WORKER = """
[business]
name = "Brightwater Heating & Cooling"
sells = "Installs, repairs and maintains heating, air conditioning and ventilation"
domains = ["brightwater.example"]
places = ["Columbus, Ohio"]

[store]
data_dir = "var"

[transcription]
language = "en"

[engine]
sweep_every = 0.2
retry_base = 0.2

[[sources]]
kind = "imap"
name = "inbox"
host = "{host}"
port = {port}
security = "none"
username = "{user}"
password = "{password}"
poll_every = 0.5

[sources.write_back.forward]
keyword = "Lead"

[[destinations]]
name = "sales"
url = "{url}"
secret = "{secret}"
allow_private = true
"""


@pytest.mark.server("dovecot")
def test_a_worker_that_is_killed_before_it_has_heard_a_voicemail_loses_nothing(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    """Mailed to two boxes of one server, read once, told once, and marked in both folders."""
    raw = (MAILS / "asterisk.eml").read_bytes()
    mailbox.append(raw)
    server, secret = mailbox.server, new_secret()
    with Endpoint(secret, tmp_path / "ledger.jsonl") as endpoint:
        file = tmp_path / "triage.toml"
        file.write_text(
            _WORKER.format(
                host=server.host, port=server.port, user=mailbox.user, password=server.password,
                url=endpoint.url, secret=secret,
            )
        )  # fmt: skip
        first = start(file)
        try:
            repository = awaited(lambda: opened(tmp_path), "the tables")
            at = awaited(lambda: beyond_parsing(repository), "a parsed mail")
        finally:
            first.kill()
            first.wait(timeout=10)
        assert at is Stage.PARSED, "the kill came too late"
        mailbox.append(raw)  # the other box of the same system, while nobody looked
        second = start(file)
        try:
            awaited(lambda: endpoint.accepted, "the lead")
            awaited(lambda: all(b"Lead" in f for f in mailbox.flags().values()), "the marks")
        finally:
            second.send_signal(signal.SIGTERM)
            second.wait(timeout=60)
        [row] = repository.archive.listed()
        assert (row.channel, row.sender) == ("call", "FERRARA DOMINIC <+16145550184>")
        assert len(repository.arrivals.places(row.id)) == 2
        [event] = endpoint.accepted.values()
        assert "next Friday" in event["data"]["text"]
        repository.close()


def start(file: Path) -> subprocess.Popen[bytes]:
    with (file.parent / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "triage", "--settings", str(file), "run"],
            cwd=Path(__file__).parents[2],
            stdout=log,
            stderr=log,
        )


def opened(root: Path) -> Repository | None:
    if not (root / "var" / "triage.db").exists():
        return None
    repository = Repository(Store(data_dir=root / "var"))
    try:
        repository.require_current()
    except Exception:  # noqa: BLE001 - being made
        repository.close()
        return None
    return repository


def beyond_parsing(repository: Repository) -> Stage | None:
    stages = [row.stage for row in repository.archive.listed()]
    return stages[0] if stages and stages[0] is not Stage.RECEIVED else None


def awaited(look: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found
