"""The same for recordings wherever they are: a folder, a real SFTP server, a real S3 server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.proxy import Proxy
from tests.support.recordings import (
    SETTLE,
    SOUND,
    Copied,
    LocalPlace,
    Place,
    S3Place,
    SftpPlace,
    opened,
)
from tests.support.s3gate import S3Gate
from tests.support.s3server import S3Server
from tests.support.sftpserver import SftpServer, keygen
from triage.engines.watchers import Watchers
from triage.errors import Configuration, Transient
from triage.pipeline.ingest import SourceMemory
from triage.settings import Limits
from triage.sources.recordings.source import Recordings
from triage.store import tables
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import RawItem, SourceRef

KINDS = [
    "local",
    pytest.param("sftp", marks=pytest.mark.server("sftp")),
    pytest.param("s3", marks=pytest.mark.server("s3")),
]
FAR = KINDS[1:]


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place; the kind is the test's parameter."""
    if request.param == "local":
        return LocalPlace(tmp_path / "calls")
    if request.param == "sftp":
        return SftpPlace(tmp_path / "calls", request.getfixturevalue("sftp"))
    return S3Place(tmp_path, request.getfixturevalue("s3"))


everywhere = pytest.mark.parametrize("place", KINDS, indirect=True)
far_away = pytest.mark.parametrize("place", FAR, indirect=True)


@everywhere
def test_recordings_are_taken_whole_with_their_sidecars_and_once(place: Place) -> None:
    place.write("2026/11/22/a.wav", SOUND * 200_000)
    place.write("2026/11/22/a.json", b'{"caller": "+1 614 555 0100"}')
    place.write("2026/11/22/b.MP3", b"sound")
    place.write("2026/11/22/b.MP3.json", b'"full"')
    place.write("2026/11/22/b.json", b'"stem"')
    place.write("top/empty.wav", b"")
    place.write("readme.txt")
    place.write(".part.wav")
    memory, source = Copied(), opened(place)
    items = {item.ref.key: item for item in memory.take(source)}
    assert {key: item.content for key, item in items.items()} == {
        "2026/11/22/a.wav": SOUND * 200_000,
        "2026/11/22/b.MP3": b"sound",
        "top/empty.wav": b"",
    }
    assert items["2026/11/22/a.wav"].sidecar == '{"caller": "+1 614 555 0100"}'
    assert items["2026/11/22/b.MP3"].sidecar == '"full"'
    assert {item.ref.kind for item in items.values()} == {"recordings"}
    assert abs(items["top/empty.wav"].received_at.timestamp() - time.time()) < 60
    assert memory.take(source) == []
    assert memory.take(opened(place)) == []  # after a restart
    place.write("2026/11/23/c.wav")
    assert memory.contents(source) == {"2026/11/23/c.wav": SOUND}


@everywhere
def test_a_file_that_still_grows_is_left_alone(place: Place) -> None:
    memory, source = Copied(), opened(place, settle_seconds=0.8)
    place.write("call.wav", b"1")
    place.write("other.wav")
    with growing(place, "call.wav") as length:
        time.sleep(0.2)
        assert set(memory.contents(source)) <= {"other.wav"}
        assert set(memory.contents(source)) <= {"other.wav"}
    found = memory.contents(source) | memory.contents(source)
    assert found["call.wav"] == b"1" * length()


@everywhere
def test_a_recording_that_is_replaced_is_read_again(place: Place) -> None:
    memory, source = Copied(), opened(place)
    place.write("a.wav", b"first")
    place.write("b.wav")
    assert len(memory.contents(source)) == 2
    time.sleep(1.1)  # SFTP and S3 tell times in seconds
    place.write("a.wav", b"again")
    assert memory.contents(source) == {"a.wav": b"again"}
    assert memory.contents(source) == {}


@everywhere
def test_a_recording_waits_for_its_sidecar_but_not_for_ever(place: Place) -> None:
    memory, source = Copied(), opened(place, sidecar_wait=1800)
    place.write("with.wav")
    place.write("without.wav")
    assert memory.take(source) == []
    place.write("with.json", b"{}")
    assert [item.sidecar for item in memory.take(source)] == ["{}"]
    assert memory.take(source) == []
    time.sleep(1.1)
    assert memory.contents(opened(place, sidecar_wait=1)) == {"without.wav": SOUND}


@everywhere
def test_sidecars_have_the_names_that_are_configured(place: Place) -> None:
    place.write("a.wav")
    place.write("a_metadata.csv", b"caller,+1")
    place.write("b.json", b"{}")
    source = opened(place, sidecars=["{stem}_metadata.csv"], patterns=["*"])
    found = {item.ref.key: item.sidecar for item in Copied().take(source)}
    assert found == {"a.wav": "caller,+1", "b.json": ""}


@everywhere
def test_a_recording_over_the_limit_is_refused_once_and_never_fetched(place: Place) -> None:
    place.write("large.wav", b"x" * 100_001)
    place.write("small.wav", b"x" * 100_000)
    memory, source = Copied(), opened(place, Limits(recording_bytes=100_000))
    refused = {item.ref.key: bool(item.refused) for item in memory.take(source)}
    assert refused == {"large.wav": True, "small.wav": False}
    assert memory.take(source) == []
    assert memory.contents(opened(place)) == {"large.wav": b"x" * 100_001}


@everywhere
def test_what_is_gone_before_it_is_read_is_passed_over(place: Place) -> None:
    for number in range(25):
        place.write(f"{number:02}.wav")
    memory = Copied()
    polled = opened(place).poll(memory)
    memory.take_in([next(polled)])
    taken = {key for key, _ in memory.all()}
    gone = next(name for n in range(25) if (name := f"{n:02}.wav") not in taken)
    place.remove(gone)
    memory.take_in(polled)
    assert {key for key, _ in memory.all()} == {f"{n:02}.wav" for n in range(25)} - {gone}


@everywhere
def test_worthless_credentials_are_said_and_their_renewal_is_enough(place: Place) -> None:
    memory, source = Copied(), opened(place)
    place.write("a.wav")
    assert memory.contents(source) == {"a.wav": SOUND}
    place.lock()
    try:
        with pytest.raises(Configuration) as said:
            memory.take(source)
    finally:
        place.unlock()
    if not isinstance(place, LocalPlace) or isinstance(place, SftpPlace):
        assert "expired" in str(said.value)
        assert "goes on by itself" in str(said.value)
    assert "source 'calls'" in str(said.value)
    place.write("b.wav")
    assert memory.contents(source) == {"b.wav": SOUND}


@far_away
def test_a_server_that_dies_while_a_recording_is_read_costs_no_half_recording(
    place: SftpPlace | S3Place,
) -> None:
    whole = {f"{name}.wav": SOUND * 100_000 + name.encode() for name in "abcd"}
    for path, content in whole.items():
        place.write(path, content)
    memory = Copied()
    found: dict[str, bytes] = {}
    with Proxy("127.0.0.1", place.port) as proxy:
        place.port = proxy.port
        source = opened(place)
        assert "4 recordings" in source.check()
        source = opened(place)
        proxy.cut_after.extend([5_000_000, 1_500_000])  # in the second recording, in the first
        for _ in range(2):
            with pytest.raises(Transient, match="source 'calls'"):
                until_the_end(source, memory, found)
            assert found.items() <= whole.items()
        assert proxy.cuts == 2
        assert found  # what came before the end was kept
        found |= memory.contents(source)
    assert found == whole


@far_away
def test_one_recording_that_ends_every_session_keeps_no_other(
    place: SftpPlace | S3Place,
) -> None:
    place.write("a.wav", SOUND * 100_000)
    for name in "bcd":
        place.write(f"{name}.wav")
    memory = Copied()
    found: dict[str, bytes] = {}
    with Proxy("127.0.0.1", place.port) as proxy:
        place.port = proxy.port
        source = opened(place)
        for _ in range(2):
            proxy.cut_after.extend([200_000] * 9)  # enough for all but a.wav
            with pytest.raises(Transient):
                until_the_end(source, memory, found)
        assert set(found) == {"b.wav", "c.wav", "d.wav"}


@far_away
def test_a_server_that_is_away_is_waited_for(place: Place) -> None:
    memory, source = Copied(), opened(place, timeout=2)
    place.write("a.wav")
    place.stop()
    try:
        with pytest.raises(Transient, match="source 'calls'"):
            memory.take(source)
        with pytest.raises(Transient):
            source.check()
    finally:
        place.start()
    assert memory.contents(source) == {"a.wav": SOUND}


@everywhere
def test_names_of_all_kinds_are_kept(place: Place) -> None:
    names = ["Anruf für Müller.wav", "\N{TELEPHONE RECEIVER} 100% #1?&=+.wav", "a'b\".wav"]
    for name in names:
        place.write(f"Büro 1/{name}")
    memory, source = Copied(), opened(place)
    assert set(memory.contents(source)) == {f"Büro 1/{name}" for name in names}
    assert memory.contents(source) == {}


@everywhere
def test_what_came_late_to_an_old_folder_is_found(place: Place) -> None:
    for day in range(12):
        place.write(f"2026/{day:02}/call.wav")
    if isinstance(place, LocalPlace):
        place.rest()
    memory = Copied()
    assert len(memory.take(opened(place))) == 12
    source = opened(place, sweep_files=3)
    for _ in range(3):
        assert memory.take(source) == []
    place.write("2026/03/late.wav", b"late")
    found: dict[str, bytes] = {}
    for _ in range(5):
        found |= memory.contents(source)
    assert found == {"2026/03/late.wav": b"late"}


@pytest.mark.server("sftp")
@pytest.mark.parametrize("place", KINDS[:2], indirect=True)
def test_a_rewrite_that_no_folder_tells_of_is_found_by_the_sweep(place: LocalPlace) -> None:
    place.write("2026/a.wav", b"first")
    place.rest()
    memory = Copied()
    source = opened(place, sweep_every=4)
    assert len(memory.take(source)) == 1
    assert memory.take(source) == []  # by now the folder is known to be at rest
    times = (place.root / "2026").stat()
    place.grow("2026/a.wav", b"first and more")
    assert (place.root / "2026").stat().st_mtime_ns == times.st_mtime_ns
    assert memory.take(source) == []
    time.sleep(4)
    assert memory.contents(source) == {"2026/a.wav": b"first and more"}


@pytest.mark.server("sftp")
@pytest.mark.parametrize("place", KINDS[:2], indirect=True)
def test_folders_at_rest_are_not_listed_even_after_a_restart(place: LocalPlace) -> None:
    for day in range(5):
        place.write(f"2026/{day:02}/call.wav")
    place.rest()
    memory = Copied()
    assert len(memory.take(opened(place))) == 5
    source = opened(place, sweep_files=1)
    memory.take(source)  # a sweep begins, somewhere
    memory.asked.clear()
    memory.take(source)
    assert sum(memory.asked) <= 1  # of a file of the sweep
    place.write("2026/03/new.wav")
    assert memory.contents(source) == {"2026/03/new.wav": SOUND}


def until_the_end(source: Recordings, memory: Copied, found: dict[str, bytes]) -> None:
    """Take in what a poll shows until it ends, well or not."""
    for batch in source.poll(memory):
        found |= {item.ref.key: bytes(item.content) for item in memory.take_in([batch])}  # type: ignore[arg-type]


@contextmanager
def growing(place: Place, path: str) -> Iterator[Callable[[], int]]:
    """The file grows until the end of the block; the result tells how long it is then."""
    stop, length = threading.Event(), [1]

    def write() -> None:
        while not stop.wait(0.15):
            length[0] += 1
            place.grow(path, b"1" * length[0])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield lambda: length[0]
    finally:
        stop.set()
        thread.join()


MANY = 50_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 50,000 recordings, one a day that is not over yet among the folders."""
    root = tmp_path_factory.mktemp("many")
    for key in keys_of_many():
        path = root / key
        if path.name == "call-000.wav":
            path.parent.mkdir(parents=True)
        path.touch()
    LocalPlace(root).rest()
    (root / "2026/49").touch()
    return root


@pytest.fixture(scope="module")
def s3_with_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3-many"))
    server.load("many", keys_of_many())
    with server:
        yield server


def keys_of_many() -> Iterator[str]:
    return (
        f"2026/{day:02}/call-{number:03}.wav" for day in range(50) for number in range(MANY // 50)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_poll_of_50000_recordings_that_finds_nothing_new_takes_seconds(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, repository: Repository
) -> None:
    place: LocalPlace | SftpPlace | S3Place
    if kind == "s3":
        place = S3Place(tmp_path, request.getfixturevalue("s3_with_many"), bucket="many")
    elif kind == "sftp":
        place = SftpPlace(request.getfixturevalue("many"), request.getfixturevalue("sftp"))
    else:
        place = LocalPlace(request.getfixturevalue("many"))
    memory = SourceMemory(repository, "calls")
    sighted(repository, place)
    # The window of a bucket is small here: the test's server takes a millisecond for each key.
    source = opened(place, **({"sweep_files": 500} if kind == "s3" else {}))
    assert shown(source, memory, repository) == []  # the first look of the process
    began = time.monotonic()
    assert shown(source, memory, repository) == []
    assert time.monotonic() - began < 10
    place.write("2026/49/new.wav", b"new")
    assert shown(source, memory, repository) == ["2026/49/new.wav"]
    place.remove("2026/49/new.wav")


def shown(source: Recordings, memory: SourceMemory, repository: Repository) -> list[str]:
    """The keys that a poll shows; how far it came is kept."""
    keys: list[str] = []
    for batch in source.poll(memory):
        keys += [item.ref.key for item in batch.items]
        repository.arrivals.receive([], source.name, batch.cursor)
    return keys


def sighted(repository: Repository, place: LocalPlace | S3Place) -> None:
    """As if all of the many had been taken in before."""
    ref = SourceRef("calls", "recordings", "first.wav", "1")
    raw = RawItem(ref, datetime.now(UTC), "0" * 64, 0, "audio/wav")
    (inquiry,) = repository.arrivals.receive([Arrival(raw, "call", "call:many")])
    common = {"inquiry_id": inquiry, "source": "calls", "seen_at": datetime.now(UTC)}
    rows = [common | {"key": key, "revision": revision(place, key)} for key in keys_of_many()]
    with repository.database.write() as connection:
        connection.execute(repository.database.insert(tables.sightings), rows)


def revision(place: LocalPlace | S3Place, key: str) -> str:
    """How an empty recording is told apart from other versions of it."""
    if isinstance(place, S3Place):
        return f"0-{place.server.tag(key)}"
    changed = (place.root / key).stat().st_mtime_ns
    return f"0-{changed // 10**9 * 10**9 if isinstance(place, SftpPlace) else changed}"


@pytest.mark.server("sftp")
def test_a_host_key_that_is_not_the_expected_one_ends_it_before_anything_is_said(
    sftp: SftpServer, tmp_path: Path
) -> None:
    place = SftpPlace(tmp_path / "calls", sftp)
    place.write("a.wav")
    other = tmp_path / "other"
    keygen(other)
    wrong = tmp_path / "known_hosts"
    wrong.write_text(f"[127.0.0.1]:{place.port} {other.with_suffix('.pub').read_text()}")
    unknown = tmp_path / "empty"
    unknown.touch()
    for changes in (
        {"known_hosts": wrong},
        {"known_hosts": unknown},
        {"known_hosts": None, "host_keys": ("SHA256:" + "A" * 43,)},
    ):
        source = opened(place, **changes)
        with pytest.raises(Configuration) as said:
            Copied().take(source)
        assert sftp.fingerprint() in str(said.value)
        assert "ask its administrator" in str(said.value)
        with pytest.raises(Configuration):
            source.check()
    pinned = opened(place, known_hosts=None, host_keys=(sftp.fingerprint(),))
    assert Copied().contents(pinned) == {"a.wav": SOUND}
    assert sftp.fingerprint() in pinned.check()


@pytest.mark.server("sftp")
def test_what_a_key_needs_is_said(sftp: SftpServer, tmp_path: Path) -> None:
    place = SftpPlace(tmp_path / "calls", sftp)
    locked = tmp_path / "locked"
    keygen(locked, "a passphrase")
    for changes, words in (
        ({"private_key_file": tmp_path / "none"}, "private_key_file"),
        ({"private_key_file": locked}, "passphrase_file"),
        ({"known_hosts": tmp_path / "none"}, "known_hosts"),
        ({"path": str(tmp_path / "none")}, "correct `path`"),
    ):
        with pytest.raises(Configuration, match=words):
            opened(place, **changes).check()


@pytest.mark.server("sftp")
@pytest.mark.parametrize("place", KINDS[:2], indirect=True)
def test_a_name_that_is_no_text_costs_nothing(place: LocalPlace) -> None:
    (place.root / os.fsdecode(b"M\xfcller")).mkdir()
    (place.root / os.fsdecode(b"M\xfcller/\xe4.wav")).write_bytes(b"1")
    place.write("b.wav")
    memory, source = Copied(), opened(place)
    assert memory.contents(source) == {"M\\xfcller/\\xe4.wav": b"1", "b.wav": SOUND}
    assert memory.contents(source) == {}


@pytest.mark.server("sftp")
@pytest.mark.parametrize("place", KINDS[:2], indirect=True)
def test_links_are_not_followed(place: LocalPlace, tmp_path: Path) -> None:
    (tmp_path / "outside.wav").write_bytes(SOUND)
    (place.root / "a.wav").symlink_to(tmp_path / "outside.wav")
    (place.root / "up").symlink_to(tmp_path)
    os.mkfifo(place.root / "b.wav")
    assert Copied().take(opened(place)) == []


@pytest.mark.server("s3")
def test_what_comes_to_a_large_bucket_is_seen_soon_where_it_is_likely(
    s3: S3Server, tmp_path: Path
) -> None:
    place = S3Place(tmp_path, s3)
    for day in range(10, 22):
        place.write(f"site/2026/11/{day}/x-1.wav")
    memory = Copied()
    assert len(memory.take(opened(place))) == 12
    source = opened(place, sweep_files=4)  # of 12: good guesses find more
    memory.take(source)
    place.write("site/2026/11/21/a-earlier-name.wav", b"today")
    place.write("site/2026/12/01/x.wav", b"next month")
    assert memory.contents(source) == {
        "site/2026/11/21/a-earlier-name.wav": b"today",
        "site/2026/12/01/x.wav": b"next month",
    }


@pytest.mark.server("s3")
def test_an_upload_that_is_not_finished_is_not_seen(s3: S3Server, tmp_path: Path) -> None:
    place = S3Place(tmp_path, s3)
    client, where = s3.client(), {"Bucket": place.bucket, "Key": "2026/a.wav"}
    upload = client.create_multipart_upload(**where)["UploadId"]
    part = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=SOUND)
    memory, source = Copied(), opened(place)
    assert memory.take(source) == []
    client.complete_multipart_upload(
        **where,
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert memory.contents(source) == {"2026/a.wav": SOUND}


@pytest.mark.server("s3")
def test_what_a_bucket_needs_is_said(s3: S3Server, tmp_path: Path) -> None:
    place = S3Place(tmp_path, s3)
    nowhere = tmp_path / "nowhere"
    for changes, words in (
        ({"bucket": "no-such-bucket"}, "correct bucket"),
        ({"secret_key_file": nowhere}, "cannot read secret file"),
        ({"access_key": "", "secret_key_file": None, "profile": "none"}, "profile"),
    ):
        with pytest.raises(Configuration, match=words):
            opened(place, **changes).check()


@pytest.mark.server("s3")
def test_only_what_is_below_the_prefix_is_read(s3: S3Server, tmp_path: Path) -> None:
    place = S3Place(tmp_path, s3)
    for path in ("calls/a.wav", "calls-old/b.wav", "c.wav"):
        place.write(path)
    assert set(Copied().contents(opened(place, prefix="calls/"))) == {"a.wav"}


def _quiet(told: threading.Event) -> None:
    """Wait until the last file's events have all come, which takes longer where much goes on."""
    for _ in range(20):
        told.clear()
        if not told.wait(0.3):
            return
    raise AssertionError("the watch goes on telling, though nothing happens")


def test_the_system_tells_what_arrives_in_a_folder(tmp_path: Path) -> None:
    place = LocalPlace(tmp_path / "calls")
    place.write("2026/a.wav")
    source = opened(place)
    (watch,) = source.watches()
    told = threading.Event()
    watchers = Watchers(lambda name: told.set() if name == "calls" else None)
    watchers.start([("calls", watch)])
    try:
        assert told.wait(5)  # what came before nobody told of
        for path in ("2026/b.wav", "2027/c.wav"):
            _quiet(told)
            place.write(path)
            assert told.wait(3), path
        memory = Copied()
        assert set(memory.contents(source)) == {"2026/a.wav", "2026/b.wav", "2027/c.wav"}
        time.sleep(0.3)
        told.clear()
        memory.take(source)  # reading is no news
        time.sleep(0.3)
        assert not told.is_set()
    finally:
        watchers.stop()


def test_a_folder_that_is_replaced_is_watched_anew(tmp_path: Path) -> None:
    place = LocalPlace(tmp_path / "calls")
    (watch,) = opened(place).watches()
    assert watch.open()
    try:
        assert not watch.renew()
        place.lock()
        LocalPlace(place.root)
        with pytest.raises(Transient):
            watch.renew()
        watch.abandon()
        assert watch.open()
        place.write("a.wav")
        time.sleep(0.3)
        assert watch.look()
    finally:
        watch.close()


@pytest.mark.server("s3")
def test_a_session_token_that_ends_in_mid_run_costs_no_recording(
    s3: S3Server, tmp_path: Path
) -> None:
    """First nobody has renewed it when it ends, then somebody has."""
    place = S3Place(tmp_path, s3)
    file = tmp_path / "token"
    file.write_text("first")
    place.write("a.wav", SOUND)
    with S3Gate(s3) as gate:
        memory = Copied()
        source = opened(place, endpoint=gate.url, session_token_file=file)
        assert memory.contents(source) == {"a.wav": SOUND}
        names = {f"{number:02}.wav" for number in range(25)}
        for name in sorted(names):
            place.write(name, SOUND + name.encode())
        gate.following, gate.left = "second", 120
        with pytest.raises(Configuration) as said:
            memory.take(source)
        assert "keys are not accepted" in str(said.value)
        assert "the source goes on by itself" in str(said.value)
        assert len(memory.all()) < len(names)
        file.write_text("second")
        memory.take(source)
        assert {key for key, _ in memory.all()} == names | {"a.wav"}
        # Renewed in time: the poll that meets the end goes on with what the file holds by then.
        more = {f"more-{number:02}.wav" for number in range(25)}
        for name in sorted(more):
            place.write(name, SOUND + name.encode())
        time.sleep(SETTLE)
        polled = source.poll(memory)
        memory.take_in([next(polled)])
        assert not more <= {key for key, _ in memory.all()}
        file.write_text("third")
        gate.token, refused = "third", gate.refused
        memory.take_in(polled)
        assert 0 < gate.refused - refused <= 2  # a HEAD, of whose answer the library asks again
        assert {key for key, _ in memory.all()} == names | more | {"a.wav"}
        assert len(memory.all()) == len(names | more) + 1
