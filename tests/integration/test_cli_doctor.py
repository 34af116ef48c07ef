"""`triage doctor` on stores of recordings: real servers, and what it says of their troubles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.recordings import S3Place, SftpPlace
from tests.support.s3server import S3Server
from tests.support.sftpserver import SftpServer
from triage.cli import checkup
from triage.cli.checkup import Check
from triage.settings import Settings

NAME = "2026/03/02/external-201-6145550142-20260302-101500-1772446500.77.wav"
KNOWN = (
    f"{NAME}: inbound, from +16145550142, to 201, agent 201, began 2026-03-02 10:15:00 UTC, "
    "id 1772446500.77 (name:freepbx)"
)


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def found(place: SftpPlace | S3Place, tmp_path: Path, **changes: Any) -> dict[str, Check]:
    """What the doctor says of the sources."""
    settings = Settings(
        store={"data_dir": tmp_path / "data"},  # type: ignore[arg-type]
        sources=(place.settings(**changes),),
    )
    return {check.what: check for check in checkup._sources(settings)}


@pytest.mark.server("sftp")
def test_an_sftp_server_is_reached_known_and_read(sftp: SftpServer, tmp_path: Path) -> None:
    place = SftpPlace(tmp_path / "calls", sftp)
    place.write(NAME)
    good = found(place, tmp_path)
    assert good["source calls"].state == "ok"
    assert good["source calls"].detail.startswith(f"1 recordings in sftp://127.0.0.1:{sftp.port}")
    assert "; host key SHA256:" in good["source calls"].detail
    assert good["a recording of calls"] == Check("a recording of calls", "ok", KNOWN)
    wrong = ("SHA256:" + "A" * 43,)
    stranger = found(place, tmp_path, known_hosts=None, host_keys=wrong)
    assert set(stranger) == {"source calls"}
    assert stranger["source calls"].state == "failed"
    assert "host key" in stranger["source calls"].detail
    nowhere = found(place, tmp_path, path="/nowhere/at/all")["source calls"]
    assert nowhere.state == "failed"
    assert "there is no folder /nowhere/at/all" in nowhere.detail
    away = found(place, tmp_path, port=1, timeout=2)["source calls"]
    assert away.state == "failed"
    assert "127.0.0.1:1" in away.detail


@pytest.mark.server("s3")
def test_a_bucket_is_reached_and_read(s3: S3Server, tmp_path: Path) -> None:
    place = S3Place(tmp_path, s3)
    place.write(NAME)
    good = found(place, tmp_path)
    assert good["source calls"].state == "ok"
    assert good["source calls"].detail == (
        f"1 recordings in s3://{place.bucket}/; at http://127.0.0.1:{s3.port}"
    )
    assert good["a recording of calls"].detail == KNOWN
    missing = found(place, tmp_path, bucket="no-such-bucket")["source calls"]
    assert (missing.state, "correct bucket" in missing.detail) == ("failed", True)
    (tmp_path / "wrong").write_text("not-the-secret")
    refused = found(place, tmp_path, secret_key_file=tmp_path / "wrong")["source calls"]
    assert (refused.state, "keys are not accepted" in refused.detail) == ("failed", True)
    assert "not-the-secret" not in refused.detail


@pytest.mark.server("s3")
def test_a_name_that_fits_nothing_is_said(s3: S3Server, tmp_path: Path) -> None:
    place = S3Place(tmp_path, s3)
    place.write("call.wav")
    unknown = found(place, tmp_path)["a recording of calls"]
    assert (unknown.state, unknown.detail) == (
        "ok", "call.wav: its name says nothing that is understood"
    )  # fmt: skip
    misfit = found(place, tmp_path, layout="freepbx")["a recording of calls"]
    assert (misfit.state, "fits no template" in misfit.detail) == ("warning", True)


def test_settings_of_calls_and_of_recordings_by_mail_are_told(tmp_path: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (tmp_path / part).mkdir()
    settings = Settings.model_validate(
        {
            "store": {"data_dir": tmp_path / "data"},
            "calls": {"require_consent": True, "skip": ["outbound"]},
            "transcription": {"attachments": False},
            "sources": [{"kind": "maildir", "name": "inbox", "path": tmp_path}],
        }
    )
    [calls] = checkup._calls(settings)
    assert calls.detail == "consent: required; directions that are not read: outbound"
    by_mail = {check.what: check for check in checkup._sources(settings)}["recordings by mail"]
    assert by_mail.detail == "not heard (transcription.attachments)"
