from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from triage.errors import Transient
from triage.pipeline.ingest import identity, ingest
from triage.sources.base import Batch, Fetched, Memory
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import FolderCursor, RawItem, SourceKind, SourceRef, Stage

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def item(
    key: str, content: bytes | Path = b"mail", *, kind: SourceKind = "imap", refused: str = ""
) -> Fetched:
    channel = "call" if kind == "recordings" else "email"
    ref = SourceRef("inbox", kind, key)
    return Fetched(ref, channel, NOW, "message/rfc822", content, refused=refused)  # type: ignore[arg-type]


class Scripted:
    """A source that shows these batches, and breaks where it is given an error."""

    name = "inbox"

    def __init__(self, *script: Batch | Exception) -> None:
        self._script = script

    def poll(self, memory: Memory) -> Iterator[Batch]:
        assert memory.cursor("nowhere") is None
        for part in self._script:
            if isinstance(part, Exception):
                raise part
            yield part

    def check(self) -> str:
        return ""


def test_what_came_before_an_error_is_safe(repository: Repository) -> None:
    arrived: list[int] = []
    first = Batch((item("1", b"a"), item("2", b"b")), FolderCursor("INBOX", "1", 2))
    source = Scripted(first, Transient("connection lost"), Batch((item("3", b"c"),)))
    with pytest.raises(Transient):
        ingest(source, "spring", repository, arrived=lambda: arrived.append(1))
    assert {line.key for line in repository.archive.listed()} == {"1", "2"}
    assert arrived == [1]
    assert repository.arrivals.cursor("inbox", "INBOX") == first.cursor


def test_a_poll_that_is_to_stop_ends_after_a_batch(repository: Repository) -> None:
    batches = [Batch((item(str(number), b"%d" % number),)) for number in range(3)]
    result = ingest(Scripted(*batches), "", repository, stopping=lambda: True)
    assert len(result.fresh) == 1
    assert len(ingest(Scripted(*batches), "", repository).fresh) == 2


def test_an_empty_batch_moves_the_cursor(repository: Repository) -> None:
    cursor = FolderCursor("INBOX", "9", 0)
    assert ingest(Scripted(Batch((), cursor)), "", repository).seen == 0
    assert repository.arrivals.cursor("inbox", "INBOX") == cursor


def test_a_file_that_is_gone_is_passed_over(repository: Repository, tmp_path: Path) -> None:
    batch = Batch((item("1", tmp_path / "gone"), item("2", b"here")))
    result = ingest(Scripted(batch), "", repository)
    assert (result.seen, len(result.fresh)) == (1, 1)


def test_a_file_whose_bytes_cannot_be_read_is_quarantined(
    repository: Repository, tmp_path: Path
) -> None:
    # Opening works, reading fails, as on a disk with a bad sector.
    batch = Batch((item("1", Path("/proc/self/mem")), item("2", b"here"), item("3", tmp_path)))
    assert len(ingest(Scripted(batch), "", repository).fresh) == 3
    quarantined = repository.archive.listed(stage=Stage.QUARANTINED)
    assert {line.key for line in quarantined} == {"1", "3"}
    assert all("cannot read" in line.error for line in quarantined)


def raw(key: str, sha256: str, *, kind: SourceKind = "imap", size: int = 4) -> RawItem:
    return RawItem(SourceRef("inbox", kind, key, "r"), NOW, sha256, size, "")


def test_a_mail_is_its_bytes_wherever_it_lies() -> None:
    assert identity(raw("INBOX/1/1", "a")) == identity(raw("Sales/2/9", "a", kind="maildir"))
    assert identity(raw("INBOX/1/1", "a")) != identity(raw("INBOX/1/1", "b"))


def test_a_mail_is_one_inquiry_whatever_its_line_ends(
    repository: Repository, tmp_path: Path
) -> None:
    wire = b"From: a@x.example\r\n\r\nhello\r\n"
    file = tmp_path / "mail.eml"
    file.write_bytes(wire.replace(b"\r\n", b"\n"))
    first = ingest(Scripted(Batch((item("INBOX/1/1", wire),))), "", repository)
    second = ingest(Scripted(Batch((item("mail.eml", file, kind="maildir"),))), "", repository)
    assert (len(first.fresh), len(second.fresh)) == (1, 0)
    assert len(repository.archive.listed()) == 1
    assert repository.arrivals.known("inbox", [("mail.eml", "")]) == {("mail.eml", "")}


def test_a_mail_that_an_earlier_version_took_in_is_known(repository: Repository) -> None:
    lines = b"From: a@x.example\n\nhello\n"
    sha256 = hashlib.sha256(lines).hexdigest()
    before = Arrival(raw("old.eml", sha256, kind="maildir"), "email", f"mail:{sha256}")
    assert len(repository.arrivals.receive([before])) == 1
    moved = ingest(Scripted(Batch((item("new.eml", lines, kind="maildir"),))), "", repository)
    assert moved.fresh == ()
    assert len(repository.archive.listed()) == 1


def test_a_recording_is_its_bytes_at_its_place() -> None:
    first = raw("a.wav", "a", kind="recordings")
    assert identity(first) != identity(raw("b.wav", "a", kind="recordings"))
    assert identity(first) != identity(raw("a.wav", "b", kind="recordings"))
    touched = RawItem(SourceRef("inbox", "recordings", "a.wav", "s"), NOW, "a", 4, "")
    assert identity(first) == identity(touched)


def test_refused_items_without_content_are_not_one() -> None:
    empty = identity(raw("INBOX/1/1", "e", size=0), refused=True)
    assert empty != identity(raw("INBOX/1/2", "e", size=0), refused=True)
    assert empty != identity(raw("INBOX/1/1", "e", size=0))
    # With a header the same mail is known again after a UIDVALIDITY change.
    header = identity(raw("INBOX/1/1", "h"), refused=True)
    assert header == identity(raw("INBOX/2/8", "h"), refused=True)
    assert header != identity(raw("INBOX/2/8", "h"))


def test_every_identity_fits_its_column() -> None:
    longest = [
        identity(raw("k" * 4000, "f" * 64, kind=kind, size=size), refused=refused)
        for kind in ("imap", "recordings")
        for size in (0, 1)
        for refused in (True, False)
    ]
    assert max(map(len, longest)) <= 80


def test_nothing_is_stored_when_the_blob_store_cannot_write(
    repository: Repository, tmp_path: Path
) -> None:
    blobs = repository.blobs.root
    blobs.parent.mkdir(exist_ok=True)
    blobs.write_text("in the way")
    cursor = FolderCursor("INBOX", "1", 1)
    with pytest.raises(Transient, match="blob store"):
        ingest(Scripted(Batch((item("1"),), cursor)), "", repository)
    assert repository.arrivals.cursor("inbox", "INBOX") is None
    blobs.unlink()
    assert len(ingest(Scripted(Batch((item("1"),), cursor)), "", repository).fresh) == 1
