"""Call detail records: found by id, by recording, or by number and time, while the file grows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from triage.errors import Configuration, Permanent
from triage.intake.calls.cdr import CdrFile, Looked
from triage.intake.calls.reader import CallReader, Known
from triage.settings import Cdr, Settings
from triage.types import Call

FOLDER = Path(__file__).parents[2] / "fixtures" / "telephony"
ZONE = "America/New_York"
START = datetime(2026, 3, 2, 15, 15, tzinfo=UTC)
NAME = "q-600-6145550142-20260302-101500-1772464500.77.wav"
COLUMNS = {
    "id": "Call ID", "start": "Started", "caller": "From", "dialled": "To", "direction": "Way",
    "agent": "Agent", "duration": "Seconds", "consent": "Recording allowed",
}  # fmt: skip
ROW = (
    '"","{src}","600","ext-queues","{src}","PJSIP/t-1","PJSIP/202-1","Queue","","{start}",'
    '"{start}","{start}",{seconds},1,"ANSWERED","DOCUMENTATION","{id}",""\n'
)


def row(number: int, *, src: str = "", start: datetime = START, seconds: int = 60) -> str:
    local = start.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S")
    return ROW.format(
        src=src or f"614555{number:04}", start=local, seconds=seconds, id=f"1700000000.{number}"
    )


def opened(path: Path, index: Path | None = None, **changes: Any) -> CdrFile:
    cdr = Cdr.model_validate({"path": path} | changes)
    return CdrFile(cdr, ZONE, "US", index, "sources.pbx.cdr")


def agent(looked: Looked) -> str:
    return looked.told.call.agent if looked.told else "nobody"


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return Path(shutil.copy(FOLDER / "Master.csv", tmp_path / "Master.csv"))


def test_master_csv_by_unique_id_takes_the_row_in_which_somebody_answered(master: Path) -> None:
    found = opened(master).find(Call(id="1772464500.77"), "any.wav").told
    assert found is not None
    call = found.call
    assert (call.caller, call.caller_name, call.dialled) == ("+16145550142", "Ann Lee", "600")
    assert (call.agent, call.duration_s, call.direction) == ("202", 180.0, None)
    assert call.started_at == START
    assert found.source == "cdr:Master.csv"


def test_master_csv_with_every_choice_of_last_columns(tmp_path: Path) -> None:
    base = (FOLDER / "Master.csv").read_text(encoding="utf-8").splitlines()[1]
    bare = base.removesuffix(',"1772464500.77",""')
    path = tmp_path / "Master.csv"
    for last, group in (
        (',"1772464500.77"', ""),
        (',"1772464500.77","note"', ""),
        (',"1772464500.77","","peer","1772464499.1",7', "1772464499.1"),
        (',"1772464500.77","peer","1772464499.1",7', "1772464499.1"),
    ):
        path.write_text(f"{bare}{last}\n", encoding="utf-8")
        found = opened(path).find(Call(id="1772464500.77"), "x.wav").told
        assert found is not None, last
        assert found.call.group == group
    path.write_text(f"{bare}\n{bare},a note\n", encoding="utf-8")
    caller = Call(caller="+16145550142", started_at=START)
    assert agent(opened(path).find(caller, "x.wav")) == "202"


def test_freepbx_by_the_name_of_the_recording_converted_or_not(tmp_path: Path) -> None:
    records = opened(FOLDER / "freepbx.csv", format="freepbx")
    for name in (NAME, NAME.replace(".wav", ".mp3")):
        found = records.find(Call(), name).told
        assert found is not None
        assert (found.call.dialled, found.call.direction) == ("+16145550100", "inbound")
        assert (found.call.group, found.call.id) == ("1772464500.77", "1772464500.78")


def test_any_csv_by_named_columns_and_by_number_and_time() -> None:
    records = opened(FOLDER / "calls.csv", format="csv", columns=COLUMNS)
    call = Call(caller="+16145550142", started_at=START + timedelta(seconds=9))
    found = records.find(call, "x.wav").told
    assert found is not None
    assert (found.call.id, found.call.agent, found.call.direction) == ("c-2", "Marcus", "inbound")
    assert (found.call.consent, found.call.duration_s) == (True, 180.0)
    outgoing = Call(dialled="+16145550143", started_at=START + timedelta(hours=1, minutes=15))
    assert agent(records.find(outgoing, "x.wav")) == "Gina"


def test_columns_by_number_need_no_header(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("c-1,Ann\nc-2,Bob\n", encoding="utf-8")
    records = opened(path, format="csv", columns={"id": 1, "agent": 2})
    assert agent(records.find(Call(id="c-1"), "x.wav")) == "Ann"


@pytest.mark.parametrize(("seconds", "found"), [(20, "202"), (21, "nobody"), (-20, "202")])
def test_a_number_counts_only_near_the_time(master: Path, seconds: int, found: str) -> None:
    call = Call(caller="+16145550142", started_at=START + timedelta(seconds=seconds))
    assert agent(opened(master).find(call, "x.wav")) == found


def test_the_nearest_call_is_taken_and_none_of_two_as_near(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    rows = [row(1, src="6145550142", seconds=5), row(2, src="6145550142", seconds=7)]
    later = row(3, src="6145550142", start=START + timedelta(seconds=10), seconds=9)
    path.write_text(rows[0] + later, encoding="utf-8")
    call = Call(caller="+16145550142", started_at=START + timedelta(seconds=2))
    found = opened(path).find(call, "x.wav").told
    assert found is not None
    assert found.call.id == "1700000000.1"
    path.write_text("".join(rows), encoding="utf-8")
    looked = opened(path).find(call, "x.wav")
    assert looked.told is None
    assert looked.sought == ("recording x.wav, +16145550142 within 20 s of 2026-03-02 10:15:02")


def test_another_number_with_the_same_ending_is_another_caller(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1, src="2125550142"), encoding="utf-8")
    call = Call(caller="+16145550142", started_at=START)
    assert opened(path).find(call, "x.wav").told is None


def test_rows_that_are_appended_are_found_and_half_a_row_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1), encoding="utf-8")
    records = opened(path, tmp_path / "index" / "pbx.db")
    assert agent(records.find(Call(id="1700000000.2"), "x.wav")) == "nobody"
    second = row(2)
    with path.open("a", encoding="utf-8") as file:
        file.write(second[:50])
        file.flush()
        assert agent(records.find(Call(id="1700000000.2"), "x.wav")) == "nobody"
        file.write(second[50:])
        file.flush()
        assert agent(records.find(Call(id="1700000000.2"), "x.wav")) == "202"
    assert agent(records.find(Call(id="1700000000.1"), "x.wav")) == "202"


@pytest.mark.parametrize("change", ["rotated", "rewritten", "shorter"])
def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "Master.csv"
    path.write_text(row(1) + row(2), encoding="utf-8")
    records = opened(path, tmp_path / "pbx.db")
    assert agent(records.find(Call(id="1700000000.2"), "x.wav")) == "202"
    if change == "rotated":
        path.rename(tmp_path / "Master.csv.1")
    content = {"rotated": row(7), "rewritten": row(8) + row(7) + row(9), "shorter": row(7)}[change]
    path.write_text(content, encoding="utf-8")
    assert agent(records.find(Call(id="1700000000.7"), "x.wav")) == "202"
    assert agent(records.find(Call(id="1700000000.2"), "x.wav")) == "nobody"


def test_the_index_outlives_the_worker_and_its_loss(tmp_path: Path) -> None:
    path, index = tmp_path / "Master.csv", tmp_path / "pbx.db"
    path.write_text("".join(row(n) for n in range(100)), encoding="utf-8")
    first = opened(path, index)
    first.find(Call(id="1700000000.5"), "x.wav")
    first.close()
    places = sqlite3.connect(index).execute("SELECT COUNT(*) FROM places").fetchone()[0]
    assert places == 200
    again = opened(path, index)
    assert agent(again.find(Call(id="1700000000.99"), "x.wav")) == "202"
    again.close()
    index.write_bytes(b"no database at all" * 1000)
    damaged = opened(path, index)
    with pytest.raises(Permanent, match="damaged"):
        damaged.find(Call(id="1700000000.5"), "x.wav")
    assert agent(damaged.find(Call(id="1700000000.5"), "x.wav")) == "202"


def test_a_lookup_reads_next_to_nothing_of_a_large_file(tmp_path: Path) -> None:
    path, index = tmp_path / "Master.csv", tmp_path / "pbx.db"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(row(n) for n in range(20_000))
    opened(path, index).find(Call(id="1700000000.1"), "x.wav")
    size = path.stat().st_size
    records = opened(path, index)
    before = _read_bytes()
    for number in (1, 10_000, 19_999):
        assert agent(records.find(Call(id=f"1700000000.{number}"), "x.wav")) == "202"
    assert _read_bytes() - before < size / 5


def _read_bytes() -> int:
    """Bytes that this process has read, from files or their cache."""
    return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe\x00garbage,\n",
        b'"a quote that nobody closed,\n',
        b"\n\n,,,\n",
        b"x" * 200_000 + b"\n",
        b'"","","","","","","","","","not a time","","",x,y,"","","",""\n',
    ],
)
def test_a_broken_row_costs_only_itself(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "Master.csv"
    after = "".join(row(n) for n in range(2, 40))
    path.write_bytes(row(1).encode() + junk + after.encode())
    records = opened(path)
    for number in (1, 2, 39):
        assert agent(records.find(Call(id=f"1700000000.{number}"), "x.wav")) == "202"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"format": "csv", "columns": {"id": "Id"}},
            "has no column 'Id'; its first line has Call ID",
        ),
        ({"format": "freepbx"}, "has no columns src and dst in its first line; it has Call ID"),
    ],
)
def test_a_file_that_is_not_what_the_settings_say(changes: Any, complaint: str) -> None:
    with pytest.raises(Permanent, match=complaint):
        opened(FOLDER / "calls.csv", **changes).find(Call(id="c-1"), "x.wav")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"format": "csv"}, "cdr.columns is missing"),
        ({"columns": {"id": 1}}, "cdr.columns is for format = 'csv'"),
        ({"timezone": "Mars/Olympus"}, "is no time zone"),
    ],
)
def test_settings_that_cannot_be(changes: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Cdr.model_validate({"path": "x.csv"} | changes)


Read = Callable[..., Known]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def known(path: Path, name: str = NAME, sidecar: str = "", **cdr: Any) -> Known:
        source = {
            "kind": "recordings", "name": "pbx", "path": tmp_path, "timezone": ZONE,
            "cdr": {"path": path} | cdr,
        }  # fmt: skip
        settings = Settings.model_validate({"sources": [source]})
        return CallReader(settings, tmp_path / "cdr").of("pbx").read(name, sidecar)

    return known


def test_name_and_record_are_joined(read: Read, master: Path, tmp_path: Path) -> None:
    known = read(master)
    assert known.call.sources == ("cdr:Master.csv", "name:freepbx")
    assert (known.call.agent, known.call.direction) == ("202", "inbound")
    assert (known.missing, known.problems) == ("", ())
    assert (tmp_path / "cdr" / "pbx.db").exists()


def test_a_missing_row_is_said_and_costs_nothing_else(read: Read, master: Path) -> None:
    name = "external-201-6145550199-20260302-101500-1772464500.99.wav"
    known = read(master, name, wait=30)
    assert known.call.caller == "+16145550199"
    assert known.wait == 30
    sought = f"id 1772464500.99, recording {name}, +16145550199 within 20 s of 2026-03-02 10:15:00"
    assert known.problems == (f"{master} has no row of this call; looked for {sought}",)


def test_a_file_that_is_not_there_is_said_and_costs_nothing_else(
    read: Read, tmp_path: Path
) -> None:
    known = read(tmp_path / "gone.csv")
    assert known.call.caller == "+16145550142"
    assert known.problems == (
        f"{tmp_path / 'gone.csv'} cannot be read (sources.pbx.cdr.path): No such file or directory",
    )
    assert known.wait > 0


def test_a_template_that_is_none_is_a_matter_of_settings(tmp_path: Path) -> None:
    source = {"kind": "recordings", "name": "pbx", "path": tmp_path, "names": "{caler}"}
    with pytest.raises(
        Configuration, match=r"sources\.pbx\.names: '\{caler\}', character 1: no field"
    ):
        CallReader(Settings.model_validate({"sources": [source]}))
