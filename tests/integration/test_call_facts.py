"""What is known about a call decides, in the worker: who may be heard, and who called."""

from __future__ import annotations

import json
import shutil
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from triage.errors import Usage
from triage.pipeline.corrections import Corrections
from triage.settings import Limits, Settings
from triage.store.dossier import Dossier, collect
from triage.transcripts.audio import decode
from triage.types import Call, Outcome, Stage
from triage.wiring import Worker, open_worker, transcribe_again

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
SILENCE = CALLS / "silence.wav"
INBOUND = "external-201-6145550142-20260302-101500-1772446500.77.wav"
OUTBOUND = "out-6145550143-201-20260302-113010-1772451010.90.wav"
ROW = (
    '"","6145550142","201","ext-local","""Ann Lee"" <6145550142>","PJSIP/t-1","PJSIP/202-1",'
    '"Dial","","2026-03-02 10:15:00","2026-03-02 10:15:05","2026-03-02 10:16:00",60,55,'
    '"ANSWERED","DOCUMENTATION","1772446500.77",""\n'
)


class Office:
    """A folder of recordings, and the settings of a worker on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls = root / "calls"
        self.calls.mkdir()

    def record(self, name: str, **sidecar: Any) -> None:
        recording = self.calls / name
        shutil.copyfile(SILENCE, recording)
        if sidecar:
            recording.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")

    def settings(
        self, calls: dict[str, Any] | None = None, deaf: bool = False, **source: Any
    ) -> Settings:
        """`deaf`: there are no weights, so that whatever is to be transcribed fails."""
        return Settings.model_validate(
            {
                "store": {"data_dir": self.root / "data"},
                "calls": calls or {},
                "transcription": {"model": str(self.root / "none")} if deaf else {},
                "engine": {"sweep_every": 0.1, "retry_base": 0.05},
                "sources": [
                    {"kind": "recordings", "name": "pbx", "path": self.calls, "settle_seconds": 0}
                    | source
                ],
            }
        )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def dossiers(worker: Worker) -> dict[str, Dossier]:
    """Everything that came in, by the name of its file."""
    rows = worker.repository.archive.listed(limit=100)
    return {row.key: collect(worker.repository, row.id) for row in rows}


def polled(settings: Settings) -> Iterator[tuple[Worker, dict[str, Dossier]]]:
    with open_worker(settings) as worker:
        worker.engine.poll("pbx")
        worker.engine.poll("pbx")  # a file is taken once it has not changed since the last look
        worker.engine.drain(60)
        yield worker, dossiers(worker)


def call_of(dossier: Dossier) -> Call:
    assert dossier.inquiry is not None
    assert dossier.inquiry.call is not None
    return dossier.inquiry.call


def test_nobody_hears_a_call_without_consent_or_one_that_is_not_read(office: Office) -> None:
    office.record(INBOUND, consent=False)
    office.record(OUTBOUND)
    office.record("internal-202-201-20260302-121500-1772453700.110.wav")
    office.record("external-201-6145550177-20260302-130000-1772456400.120.wav", consent=True)
    settings = office.settings({"skip": ["outbound", "internal"]}, deaf=True)
    for worker, found in polled(settings):
        refused, outbound, internal, agreed = (
            found[name] for name in sorted(found, key=lambda name: name.split("-")[-1])
        )
        for dossier in (refused, outbound, internal):
            assert dossier.work.stage is Stage.SETTLED
            assert dossier.transcript is None
            assert "not transcribed" in [entry.event for entry in dossier.history]
        assert refused.decision
        assert outbound.decision
        assert internal.decision
        assert refused.decision.outcome is Outcome.REVIEW
        assert refused.decision.reason == (
            "irrelevant by rule no-consent, not transcribed: there is no consent to the recording, "
            "but somebody may call back"
        )
        assert outbound.decision.outcome is internal.decision.outcome is Outcome.FILE
        assert outbound.decision.reason == (
            "internal by rule outbound-call, not transcribed: "
            "outbound calls are not read (calls.skip)"
        )
        # This one is to be heard, which is impossible here: the others were not tried at all.
        assert agreed.work.stage is Stage.PARSED
        assert "weights" in agreed.work.error or "model" in agreed.work.error
        with pytest.raises(Usage, match=r"may not be transcribed \(no-consent\)"):
            transcribe_again(settings, worker.repository, refused.work.id)
        # Nothing is lost: a person may know better.
        corrected = Corrections(settings, worker.repository).relabel(refused.work.id, "lead")
        assert corrected.decision.reason.startswith("lead, said by a person")


def test_a_call_waits_for_its_record_and_is_triaged_with_what_is_known(
    office: Office,
) -> None:
    office.record(INBOUND)
    office.record("external-201-6145550199-20260302-140000-1772460000.130.wav")
    office.record("odd.wav")
    (office.calls / "odd.json").write_text('{"caller": ', encoding="utf-8")
    office.record("RE0123456789abcdef0123456789abcdef.wav")
    (office.calls / "RE0123456789abcdef0123456789abcdef.wav_metadata.json").write_text(
        json.dumps({"account_sid": "AC1", "call_sid": "CA1", "from": "+16145550142"}),
        encoding="utf-8",
    )
    records = office.root / "Master.csv"
    records.write_text("", encoding="utf-8")
    settings = office.settings(cdr={"path": records, "wait": 3})
    with open_worker(settings) as worker:
        worker.engine.poll("pbx")
        worker.engine.poll("pbx")
        worker.engine.drain(1)
        waiting = dossiers(worker)[INBOUND].work
        assert (waiting.stage, waiting.attempts) == (Stage.RECEIVED, 0)
        assert waiting.error.startswith(f"{records} has no row of this call; looked for id 177244")
        with records.open("a", encoding="utf-8") as file:
            file.write(ROW)
        deadline = time.monotonic() + 60
        while worker.repository.worklist.open_count() and time.monotonic() < deadline:
            worker.engine.drain(1)
            time.sleep(0.2)
        found = dossiers(worker)
    call = call_of(found[INBOUND])
    assert (call.caller, call.caller_name, call.agent) == ("+16145550142", "Ann Lee", "202")
    assert found[INBOUND].inquiry is not None
    assert str(found[INBOUND].inquiry.sender) == "Ann Lee <+16145550142>"
    assert found[INBOUND].transcript is not None
    late = found["external-201-6145550199-20260302-140000-1772460000.130.wav"]
    assert late.work.stage is Stage.SETTLED
    assert late.inquiry is not None
    assert "has no row of this call" in late.inquiry.warnings[0]
    assert call_of(late).caller == "+16145550199"
    assert {dossier.work.stage for dossier in found.values()} == {Stage.SETTLED}
    odd = found["odd.wav"].inquiry
    assert odd is not None
    assert any("is not JSON" in warning for warning in odd.warnings)
    assert call_of(found["RE0123456789abcdef0123456789abcdef.wav"]).id == "CA1"


def cut(target: Path, start: float, end: float) -> None:
    """Some seconds of a voicemail as a recording of their own."""
    sound = decode(CALLS / "voicemail-restaurant-cooler.wav", Limits()).samples[0]
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((sound[int(start * 16_000) : int(end * 16_000)] * 32_767).astype("<i2"))


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_refusal_holds_for_the_leg_that_states_it(office: Office, refused_first: bool) -> None:
    """What was said in that leg is read with no other."""
    legs = {"name": (8.0, 12.0, False), "wish": (12.1, 18.0, True)}
    for minute, name in enumerate(sorted(legs, reverse=not refused_first)):
        start, end, consent = legs[name]
        cut(office.calls / f"{name}.wav", start, end)
        facts = {"consent": consent, "started_at": f"2026-03-02T10:1{minute}:00Z", "call": "c1"}
        (office.calls / f"{name}.json").write_text(json.dumps(facts), encoding="utf-8")
    settings = office.settings({"require_consent": True}, sidecar={"group": "call"})
    for worker, found in polled(settings):
        refused, agreed = found["name.wav"], found["wish.wav"]
        assert {member.inquiry_id for member in refused.conversation} == {
            refused.work.id, agreed.work.id,
        }  # fmt: skip
        assert (call_of(refused).withheld, call_of(agreed).withheld) == ("no-consent", None)
        assert refused.transcript is None
        assert agreed.transcript is not None
        assert "next Friday" in agreed.transcript.text
        steps = worker.engine._lanes._steps
        assert "next Friday" in steps._reading(agreed.work).example.text
        for leg in (refused, agreed):
            read = steps._reading(leg.work).example.text
            assert "Ferra" not in read
        assert refused.verdict
        assert refused.verdict.model == "rule:no-consent@1"
