from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.memory import Remembered
from triage.errors import Configuration, Usage
from triage.settings import Limits, RecordingsSource
from triage.sources.base import Span
from triage.sources.build import build_source
from triage.sources.recordings.source import Recordings

SOUND = b"RIFF\x24\0\0\0WAVE not really sound"


def source(root: Path, limits: Limits | None = None, **changes: object) -> Recordings:
    settings = RecordingsSource.model_validate(
        {"name": "calls", "kind": "recordings", "path": root} | changes
    )
    built = build_source(settings, limits or Limits())
    assert isinstance(built, Recordings)
    return built


def write(path: Path, content: bytes = SOUND, age: float = 100.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def keys(items: object) -> list[str]:
    return [item.ref.key for item in items]  # type: ignore[attr-defined]


def test_recordings_are_found_by_pattern_those_of_a_folder_oldest_first(tmp_path: Path) -> None:
    write(tmp_path / "b.wav", age=10)
    write(tmp_path / "2026/11/A.WAV", age=20)
    write(tmp_path / "c.Mp3", age=5)
    write(tmp_path / "readme.txt")
    write(tmp_path / "b.expected.json", b"{}")
    write(tmp_path / ".part.wav")
    write(tmp_path / ".cache/d.wav")
    items = Remembered().take(source(tmp_path))
    assert keys(items) == ["b.wav", "c.Mp3", "2026/11/A.WAV"]
    status = (tmp_path / "b.wav").stat()
    second = items[0]
    assert second.ref.revision == f"{status.st_size}-{status.st_mtime_ns}"
    assert second.received_at.timestamp() == pytest.approx(status.st_mtime)
    assert second.content == tmp_path / "b.wav"
    assert (second.channel, second.ref.kind) == ("call", "recordings")
    assert second.media_type in {"audio/x-wav", "audio/wav", "audio/vnd.wave"}


def test_own_patterns_replace_the_usual_ones(tmp_path: Path) -> None:
    write(tmp_path / "in-1.wav")
    write(tmp_path / "out-1.wav")
    assert keys(Remembered().take(source(tmp_path, patterns=("IN-*.wav",)))) == ["in-1.wav"]


def test_a_recording_is_taken_once(tmp_path: Path) -> None:
    memory, folder = Remembered(), source(tmp_path, settle_seconds=0.1)
    path = write(tmp_path / "a.wav")
    assert len(memory.take(folder)) == 1
    assert memory.take(folder) == []
    write(path, SOUND + b" and more", age=50)
    assert len(memory.take(folder)) == 1
    assert memory.take(folder) == []


def test_a_file_that_still_grows_is_left_alone(tmp_path: Path) -> None:
    memory, folder = Remembered(), source(tmp_path, settle_seconds=6)  # longer than a poll waits
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        for _ in range(4):
            file.write(SOUND)
            file.flush()
            assert memory.take(folder) == []
    moment = time.time() - 10
    os.utime(path, (moment, moment))
    assert memory.take(folder) == []  # it changed since the last look
    (item,) = memory.take(folder)
    assert isinstance(item.content, Path)
    assert item.content.read_bytes() == SOUND * 4


def test_an_upload_that_stalled_longer_than_its_time_says_is_noticed(tmp_path: Path) -> None:
    memory, folder = Remembered(), source(tmp_path, settle_seconds=20)
    path = write(tmp_path / "a.wav", age=1)
    assert memory.take(folder) == []
    write(path, SOUND * 2, age=60)  # a copy that keeps the time of the original
    assert memory.take(folder) == []
    assert len(memory.take(folder)) == 1


def test_a_time_in_the_future_does_not_hold_a_file_back_for_ever(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", age=-86_400)
    assert Remembered().take(source(tmp_path, settle_seconds=60)) == []
    time.sleep(0.05)
    assert len(Remembered().take(source(tmp_path, settle_seconds=0.02))) == 1


@pytest.mark.parametrize("name", ["a.json", "a.wav.json"])
def test_a_sidecar_comes_with_its_recording(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / name, b'\xef\xbb\xbf{"caller": "+1 555 0100"}')
    (item,) = Remembered().take(source(tmp_path))
    assert item.sidecar == '{"caller": "+1 555 0100"}'


def test_the_sidecar_of_the_full_name_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / "a.json", b'"stem"')
    write(tmp_path / "a.wav.json", b'"full"')
    (item,) = Remembered().take(source(tmp_path))
    assert item.sidecar == '"full"'


def test_a_recording_waits_for_a_sidecar_that_is_being_written(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    write(tmp_path / "a.json", b'{"half', age=0)
    write(tmp_path / "b.wav")
    assert keys(Remembered().take(source(tmp_path, settle_seconds=10))) == ["b.wav"]


def test_a_sidecar_is_bounded_and_stays_text(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", age=20)
    write(tmp_path / "a.json", b"x" * 1_000_001)
    write(tmp_path / "b.wav", age=10)
    write(tmp_path / "b.json", b'{"a": "\0\xff"}')
    first, second = Remembered().take(source(tmp_path))
    assert first.sidecar == ""
    assert second.sidecar == '{"a": "\N{REPLACEMENT CHARACTER}"}'


def test_a_recording_over_the_limit_is_refused_and_taken_once_the_limit_is_raised(
    tmp_path: Path,
) -> None:
    memory = Remembered()
    write(tmp_path / "a.wav", SOUND * 100_000)
    limited = Limits(recording_bytes=1_000_000)
    (item,) = memory.take(source(tmp_path, limited))
    assert item.content == b""
    assert item.refused.startswith(
        "the recording is 2.9 MB, larger than the limit of 1 MB (limits.recording_bytes)"
    )
    assert memory.take(source(tmp_path, limited)) == []
    assert [item.refused for item in memory.take(source(tmp_path))] == [""]


def test_an_empty_file_is_shown_for_intake_to_judge(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", b"")
    (item,) = Remembered().take(source(tmp_path))
    assert item.refused == ""


def test_links_and_pipes_are_not_recordings(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.wav")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.wav").symlink_to(outside)
    os.mkfifo(root / "b.wav")
    assert Remembered().take(source(root)) == []


def test_a_missing_folder_is_a_matter_of_settings(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="no folder"):
        Remembered().take(source(tmp_path / "gone"))


def test_a_recording_that_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    for number in range(25):
        write(tmp_path / f"{number:02}.wav", age=100 - number)
    memory = Remembered()
    polled = source(tmp_path).poll(memory)
    memory.take_in([next(polled)])
    (tmp_path / "22.wav").unlink()
    assert keys(memory.take_in(polled)) == ["20.wav", "21.wav", "23.wav", "24.wav"]


def test_check_counts(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    assert source(tmp_path).check() == f"1 recordings in {tmp_path}"


def test_what_was_recorded_before_since_is_left_to_a_backfill(tmp_path: Path) -> None:
    day = 24 * 3600.0
    write(tmp_path / "2025/old.wav", age=40 * day)
    write(tmp_path / "new.wav", age=day)
    since = datetime.now(UTC).date() - timedelta(days=10)
    folder = source(tmp_path, since=since)
    assert keys(Remembered().take(folder)) == ["new.wav"]
    past = Span(datetime.now(UTC) - timedelta(days=100), datetime.now(UTC))
    found = {entry.ref.key: entry for entry in folder.entries(past, (), Remembered())}
    assert {key: entry.coming for key, entry in found.items()} == {
        "2025/old.wav": False,
        "new.wav": True,
    }
    assert [entry.ref.key for entry in folder.entries(past, ("2025/",), Remembered())] == [
        "2025/old.wav"
    ]
    recent = Span(datetime.now(UTC) - timedelta(days=20), datetime.now(UTC))
    assert [entry.ref.key for entry in folder.entries(recent, (), Remembered())] == ["new.wav"]
    with pytest.raises(Usage, match="2024"):
        list(folder.entries(past, ("2024",), Remembered()))


def test_recordings_are_read_by_their_keys_whatever_their_names_are(tmp_path: Path) -> None:
    long = "/".join(["x" * 200] * 4) + "/c.wav"
    for name in ("a.wav", "b.wav", long):
        write(tmp_path / name)
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")
    write(odd)
    past = Span(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC))
    folder = source(tmp_path)
    listed = [entry.ref.key for entry in folder.entries(past, (), Remembered())]
    assert len(listed) == 4
    wanted = [key for key in listed if key != "a.wav"]
    batches = list(folder.retrieve([*wanted, "gone.wav"]))
    assert keys(item for batch in batches for item in batch.items) == wanted
    assert all(batch.backlog for batch in batches)
