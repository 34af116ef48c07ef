from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.users import as_ordinary_user
from triage.errors import Configuration, Permanent, Transient
from triage.store.blobs import BlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def files(blobs: BlobStore) -> list[Path]:
    return [path for path in blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"mail\r\n", os.urandom(3_000_001)])
def test_content_comes_back(blobs: BlobStore, content: bytes) -> None:
    sha256, size = blobs.put(content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert size == len(content)
    assert blobs.read(sha256) == content
    assert blobs.path(sha256) == blobs.root / sha256[:2] / sha256[2:4] / sha256


def test_a_file_is_copied_not_moved(blobs: BlobStore, tmp_path: Path) -> None:
    original = tmp_path / "call.wav"
    original.write_bytes(b"sound" * 500_000)
    sha256, size = blobs.put(original)
    assert size == 2_500_000
    assert original.read_bytes() == blobs.read(sha256)
    original.write_bytes(b"changed later")
    assert len(blobs.read(sha256)) == 2_500_000


def test_equal_content_is_stored_once(blobs: BlobStore) -> None:
    assert blobs.put(b"twice") == blobs.put(b"twice")
    assert len(files(blobs)) == 1


def test_many_writers_of_one_content_leave_one_whole_file(blobs: BlobStore) -> None:
    content = os.urandom(500_000)
    threads = [threading.Thread(target=blobs.put, args=(content,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (only,) = files(blobs)
    assert only.read_bytes() == content


def test_a_damaged_copy_is_found_out_and_healed_by_storing_again(blobs: BlobStore) -> None:
    sha256, _ = blobs.put(b"the truth")
    blobs.path(sha256).write_bytes(b"the troth")
    with pytest.raises(Permanent, match="damaged"):
        blobs.read(sha256)
    blobs.put(b"the truth")
    assert blobs.read(sha256) == b"the truth"


def test_a_missing_copy_is_said_to_be_missing(blobs: BlobStore) -> None:
    blobs.put(b"another")
    with pytest.raises(Permanent, match="missing"):
        blobs.read("0" * 64)


def test_a_store_that_is_gone_is_not_the_items_fault(blobs: BlobStore) -> None:
    with pytest.raises(Configuration, match="mounted"):
        blobs.read("0" * 64)


def test_a_writer_that_is_killed_leaves_no_half_blob(blobs: BlobStore, tmp_path: Path) -> None:
    pipe = tmp_path / "slow.wav"
    os.mkfifo(pipe)
    code = (
        "import sys; from pathlib import Path; from triage.store.blobs import BlobStore; "
        "BlobStore(Path(sys.argv[1])).put(Path(sys.argv[2]))"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, blobs.root, pipe])
    with pipe.open("wb", buffering=0) as feed:  # waits until the writer reads
        feed.write(b"half of a recording")
        deadline = time.monotonic() + 10
        while not blobs.root.exists() or not files(blobs):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        writer.kill()
        writer.wait()
    (left,) = files(blobs)
    assert left.name.startswith(".incoming-")
    # What was left is removed once nobody can be writing it any more.
    old = time.time() - 100_000
    os.utime(left, (old, old))
    BlobStore(blobs.root).put(b"later")
    assert not left.exists()


def test_a_store_that_cannot_be_written_is_passing_trouble(tmp_path: Path) -> None:
    in_the_way = tmp_path / "blobs"
    in_the_way.write_text("a file")
    with pytest.raises(Transient, match="blob store"):
        BlobStore(in_the_way).put(b"content")


def test_a_file_that_cannot_be_read_is_its_own_trouble(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="cannot read"):
        blobs.put(tmp_path)  # a folder opens, and fails when it is read
    with pytest.raises(FileNotFoundError):
        blobs.put(tmp_path / "gone")
    assert files(blobs) == []


def test_only_the_worker_can_read_what_is_stored(blobs: BlobStore) -> None:
    sha256, _ = blobs.put(b"private")
    assert blobs.path(sha256).stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        with as_ordinary_user(), pytest.raises(PermissionError):
            (blobs.root / sha256[:2] / sha256[2:4] / sha256).read_bytes()


def test_many_are_stored_together(blobs: BlobStore) -> None:
    contents = [f"mail {number}\r\n".encode() for number in range(20)]
    stored = blobs.put_all([*contents, contents[0]])
    assert [blobs.read(sha256) for sha256, _ in stored] == [*contents, contents[0]]
    assert stored == blobs.put_all([*contents, contents[0]])
    assert len(files(blobs)) == 20
    assert blobs.put_all([]) == []


def test_a_damaged_copy_is_healed_among_many(blobs: BlobStore) -> None:
    contents = [f"mail {number}".encode() for number in range(5)]
    stored = blobs.put_all(contents)
    blobs.path(stored[2][0]).write_bytes(b"rotten")
    blobs.put_all(contents)
    assert blobs.read(stored[2][0]) == contents[2]


def test_a_disk_that_refuses_many_is_transient(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file where the folder should be")
    with pytest.raises(Transient, match="blob store"):
        BlobStore(tmp_path / "blobs").put_all([b"1", b"2", b"3", b"4"])
