from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.mails import large_mail, mail
from tests.support.memory import Remembered
from tests.support.users import as_ordinary_user
from triage.errors import Configuration
from triage.settings import Limits, MaildirSource
from triage.sources.build import build_source
from triage.sources.maildir import MaildirFolder


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that any user may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="triage-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def source(root: Path, limits: Limits | None = None) -> MaildirFolder:
    settings = MaildirSource(name="files", kind="maildir", path=root)
    built = build_source(settings, limits or Limits())
    assert isinstance(built, MaildirFolder)
    return built


def write(path: Path, content: bytes, age: float = 100.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def maildir(root: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True, exist_ok=True)


def keys(items: object) -> list[str]:
    return [item.ref.key for item in items]  # type: ignore[attr-defined]


def test_a_maildir_is_read_with_its_subfolders(root: Path) -> None:
    maildir(root)
    maildir(root / ".Sales.Web")
    write(root / "cur/1.a.host:2,S", mail("read"), age=30)
    write(root / "new/2.b.host", mail("new"), age=20)
    write(root / "tmp/3.c.host", mail("still delivered"), age=10)
    write(root / ".Sales.Web/cur/4.d.host:2,", mail("below"), age=5)
    write(root / "dovecot-uidlist", b"3 V1 N4")
    items = Remembered().take(source(root))
    assert keys(items) == ["1.a.host", "2.b.host", ".Sales.Web/4.d.host"]
    assert [item.content for item in items] == [
        root / "cur/1.a.host:2,S",
        root / "new/2.b.host",
        root / ".Sales.Web/cur/4.d.host:2,",
    ]
    assert {(i.channel, i.media_type, i.ref.kind, i.ref.revision) for i in items} == {
        ("email", "message/rfc822", "maildir", "")
    }


def test_a_mail_that_is_read_and_flagged_stays_the_same(root: Path) -> None:
    maildir(root)
    memory = Remembered()
    first = write(root / "new/1.a.host,S=12", mail("one"))
    assert len(memory.take(source(root))) == 1
    read = first.rename(root / "cur/1.a.host,S=12:2,S")
    assert memory.take(source(root)) == []
    read.rename(root / "cur/1.a.host,S=12:2,FRS")
    assert memory.take(source(root)) == []


def test_eml_files_are_found_below_the_folder(root: Path) -> None:
    write(root / "b.eml", mail("b"), age=50)
    write(root / "2026/03/A.EML", mail("a"), age=60)
    write(root / "notes.txt", b"no mail")
    write(root / ".hidden.eml", mail("hidden"))
    write(root / ".trash/c.eml", mail("thrown away"))
    items = Remembered().take(source(root))
    assert keys(items) == ["2026/03/A.EML", "b.eml"]
    status = (root / "b.eml").stat()
    assert items[1].ref.revision == f"{status.st_size}-{status.st_mtime_ns}"
    assert items[1].received_at.timestamp() == pytest.approx(status.st_mtime)


def test_an_eml_file_written_anew_is_a_new_item(root: Path) -> None:
    memory = Remembered()
    path = write(root / "a.eml", mail("first"))
    assert len(memory.take(source(root))) == 1
    assert memory.take(source(root)) == []
    write(path, mail("second"), age=50)
    assert len(memory.take(source(root))) == 1


def test_an_eml_file_that_is_being_written_waits(root: Path) -> None:
    folder, memory = source(root), Remembered()
    path = write(root / "a.eml", mail("half")[:20], age=0)
    assert memory.take(folder) == []
    write(path, mail("whole"), age=5)  # grown since the last look, whatever its time says
    assert memory.take(folder) == []
    assert keys(memory.take(folder)) == ["a.eml"]


def test_a_mail_over_the_limit_is_refused_with_its_header(root: Path) -> None:
    memory = Remembered()
    write(root / "a.eml", large_mail("large", 5_000_000), age=20)
    write(root / "b.eml", mail("small"), age=10)
    first, second = memory.take(source(root, Limits(mail_bytes=2_000_000)))
    assert first.refused.startswith(
        "the mail is 5.0 MB, larger than the limit of 2 MB (limits.mail_bytes)"
    )
    assert first.content == mail("large", "")
    assert not second.refused
    # It is said once, and the mail is taken in when the limit is raised.
    assert memory.take(source(root, Limits(mail_bytes=2_000_000))) == []
    (raised,) = memory.take(source(root))
    assert (raised.content, raised.refused) == (root / "a.eml", "")


def test_a_header_without_end_is_bounded(root: Path) -> None:
    write(root / "a.eml", b"X: " + b"y" * 300_000)
    (item,) = Remembered().take(source(root, Limits(mail_bytes=1000)))
    assert isinstance(item.content, bytes)
    assert len(item.content) == 64 * 1024


def test_a_file_that_may_not_be_read_costs_itself(root: Path) -> None:
    memory = Remembered()
    closed = write(root / "a.eml", mail("secret"), age=20)
    closed.chmod(0)
    write(root / "b.eml", mail("open"), age=10)
    with as_ordinary_user():
        first, second = memory.take(source(root))
        assert (first.refused, first.content) == (
            "the file a.eml cannot be read: Permission denied",
            b"",
        )
        assert second.refused == ""
        assert memory.take(source(root)) == []
    closed.chmod(0o644)
    with as_ordinary_user():
        assert [item.refused for item in memory.take(source(root))] == [""]


def test_a_folder_that_may_not_be_listed_is_reported_at_the_end(root: Path) -> None:
    memory = Remembered()
    write(root / "closed/a.eml", mail("a"))
    write(root / "b.eml", mail("b"))
    (root / "closed").chmod(0)
    with as_ordinary_user():
        polled = source(root).poll(memory)
        taken = keys(memory.take_in([next(polled)]))
        with pytest.raises(Configuration, match=r"cannot list .*closed: Permission denied"):
            next(polled)
    (root / "closed").chmod(0o755)
    assert taken == ["b.eml"]


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/a.eml", mail("not chosen"))
    (root / "link.eml").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    (root / "broken.eml").symlink_to("nowhere")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.eml")
    assert Remembered().take(source(root)) == []


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    write(root / "a.eml", mail("a"))
    link = tmp_path / "link"
    link.symlink_to(root)
    assert keys(Remembered().take(source(link))) == ["a.eml"]


def test_names_need_not_be_text(root: Path) -> None:
    name = b"caf\xe9 \xf0\x9f\x93\xa7.eml"
    path = Path(os.fsdecode(os.fsencode(root) + b"/" + name))
    write(path, mail("odd name"))
    (item,) = Remembered().take(source(root))
    assert item.ref.key == "caf\\xe9 📧.eml"
    assert item.content == path
    item.ref.key.encode()  # a database takes it


def test_a_very_long_path_still_has_a_key(root: Path) -> None:
    path = root.joinpath(*["d" * 200] * 10, "a.eml")
    write(path, mail("deep"))
    write(path.with_name("b.eml"), mail("deep too"))
    found = keys(Remembered().take(source(root)))
    assert len(set(found)) == 2
    assert all(len(key) <= 600 for key in found)


def test_a_missing_root_is_a_matter_of_settings(root: Path) -> None:
    with pytest.raises(Configuration, match=r"there is no folder .*/gone"):
        Remembered().take(source(root / "gone"))
    with pytest.raises(Configuration, match="no folder"):
        source(root / "gone").check()


def test_a_root_that_may_not_be_read_is_a_matter_of_rights(root: Path) -> None:
    (root / "closed").mkdir(mode=0)
    with as_ordinary_user(), pytest.raises(Configuration, match="cannot read"):
        Remembered().take(source(root / "closed"))


def test_mails_that_vanish_or_move_meanwhile_are_passed_over(root: Path) -> None:
    maildir(root)
    for number in range(120):
        write(root / f"new/{number}.a.host", mail(str(number)), age=1000 - number)
    memory = Remembered()
    polled = source(root).poll(memory)
    assert len(memory.take_in([next(polled)])) == 50
    (root / "new/60.a.host").unlink()
    (root / "new/61.a.host").rename(root / "cur/61.a.host:2,S")
    assert len(memory.take_in(polled)) == 68
    assert keys(memory.take(source(root))) == ["61.a.host"]


def test_only_new_files_are_opened(root: Path) -> None:
    for number in range(1000):
        write(root / f"{number:04}.eml", mail(str(number)), age=2000 - number)
    memory = Remembered()
    assert keys(memory.take(source(root))) == [f"{number:04}.eml" for number in range(1000)]
    assert memory.asked == [400] * 5  # two revisions for each of 200
    assert memory.take(source(root)) == []


def test_check_counts(root: Path) -> None:
    write(root / "a.eml", mail("a"))
    assert source(root).check() == f"1 mail files in {root}"
