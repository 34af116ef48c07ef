from __future__ import annotations

import hashlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

import triage.sources.imap.fetching
import triage.sources.imap.mailbox
from tests.support.certificates import self_signed
from tests.support.mails import large_mail, mail
from tests.support.mailserver import Mailbox, MailServer
from triage.demo.dovecot import free_port
from triage.errors import Configuration, Transient
from triage.pipeline.ingest import SourceMemory, ingest
from triage.settings import ImapSource, Limits
from triage.sources.base import Batch
from triage.sources.build import build_source
from triage.store.repository import Repository
from triage.types import FolderCursor, Stage

pytestmark = pytest.mark.server("dovecot")

LIMITS = Limits()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage.sources.imap.mailbox, "_PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(triage.sources.imap.fetching, "_GRACE", 0.0)


def poll(settings: ImapSource, repository: Repository, limits: Limits = LIMITS) -> int:
    """Take in what is new; returns how many inquiries came of it."""
    return len(ingest(build_source(settings, limits), "", repository).fresh)


def stored(repository: Repository) -> list[bytes]:
    """The bytes of every inquiry that is not quarantined."""
    works = [repository.worklist.get(line.id) for line in repository.archive.listed(limit=10_000)]
    return [
        repository.blobs.read(work.sha256)
        for work in works
        if work and work.stage is not Stage.QUARANTINED
    ]


def cursor(repository: Repository, folder: str = "INBOX") -> FolderCursor:
    found = repository.arrivals.cursor("inbox", folder)
    assert found is not None
    return found


def test_mails_arrive_whole_and_in_order(mailbox: Mailbox, repository: Repository) -> None:
    mails = [mail(f"inquiry {number}", "é\r\n" * number) for number in range(7)]
    for content in mails:
        mailbox.append(content)
    batches = list(
        build_source(mailbox.settings(batch=3), LIMITS).poll(SourceMemory(repository, "inbox"))
    )
    contents = [item.content for batch in batches for item in batch.items]
    assert contents == mails
    assert [len(batch.items) for batch in batches] == [0, 3, 3, 1]
    assert [batch.cursor.last_uid for batch in batches if batch.cursor] == [0, 3, 6, 7]


def test_the_reference_is_folder_uidvalidity_and_uid(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("one"))
    poll(mailbox.settings(campaign="spring"), repository)
    (line,) = repository.archive.listed()
    assert line.key == f"INBOX/{cursor(repository).uidvalidity}/1"
    assert line.channel == "email"


def test_reading_changes_no_flag(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.deliver(mail("new"))
    mailbox.deliver(mail("also new"))
    mailbox.append(mail("read"), flags=[rb"\Seen"])
    mailbox.append(mail("answered and tagged"), flags=[rb"\Answered", b"customer"])
    mailbox.append(large_mail("too large", 20_000))
    before = mailbox.flags()
    # The two that were delivered are recent, and must still be for the next mail client.
    assert sum(rb"\Recent" in flags for flags in before.values()) >= 2
    assert poll(mailbox.settings(), repository, Limits(mail_bytes=10_000)) == 5
    assert mailbox.flags() == before


def test_only_what_came_since_is_read(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.append(mail("first"))
    source = build_source(mailbox.settings(), LIMITS)
    assert ingest(source, "", repository).seen == 1
    # `UID 2:*` answers with UID 1 while there is no 2.
    assert ingest(source, "", repository).seen == 0
    mailbox.append(mail("second"))
    mailbox.append(mail("third"))
    assert ingest(source, "", repository).seen == 2
    assert cursor(repository).last_uid == 3


def test_an_empty_folder_is_no_problem(mailbox: Mailbox, repository: Repository) -> None:
    assert poll(mailbox.settings(), repository) == 0
    assert cursor(repository).last_uid == 0
    mailbox.append(mail("the first ever"))
    assert poll(mailbox.settings(), repository) == 1


def test_a_new_uidvalidity_doubles_and_loses_nothing(
    mailbox: Mailbox, repository: Repository
) -> None:
    mails = [mail(f"inquiry {number}") for number in range(5)]
    for content in mails:
        mailbox.append(content)
    source = build_source(mailbox.settings(), LIMITS)
    ingest(source, "", repository)
    before = cursor(repository)
    mailbox.change_uidvalidity()
    late = mail("came after the renumbering")
    mailbox.append(late)
    result = ingest(source, "", repository)
    assert cursor(repository).uidvalidity != before.uidvalidity
    assert (result.seen, len(result.fresh)) == (6, 1)
    assert sorted(stored(repository)) == sorted([*mails, late])


def test_a_renumbering_between_two_batches_loses_nothing(
    mailbox: Mailbox, repository: Repository
) -> None:
    mails = [mail(f"inquiry {number}") for number in range(6)]
    for content in mails:
        mailbox.append(content)
    source = build_source(mailbox.settings(batch=2), LIMITS)
    memory = SourceMemory(repository, "inbox")
    polled = source.poll(memory)
    for batch in islice(polled, 2):
        _take_in(batch, repository)
    before = cursor(repository)
    mailbox.change_uidvalidity()
    _take_in_all(polled, repository)  # Dovecot ends the session; it is opened again
    assert cursor(repository).uidvalidity != before.uidvalidity
    assert cursor(repository).last_uid == 6
    assert sorted(stored(repository)) == sorted(mails)


def test_the_same_mail_in_two_folders_is_one_inquiry(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("both"))
    mailbox.append(mail("both"), "Sales/Web")
    mailbox.append(mail("only there"), "Sales/Web")
    settings = mailbox.settings(folders=("INBOX", "Sales/Web"))
    assert poll(settings, repository) == 2
    assert cursor(repository, "Sales/Web").last_uid == 2


def test_folder_names_may_have_any_letters(mailbox: Mailbox, repository: Repository) -> None:
    folder = 'Anfragen "größer" & 日本'
    mailbox.append(mail("there"), folder)
    assert poll(mailbox.settings(folders=(folder,)), repository) == 1
    (line,) = repository.archive.listed()
    assert line.key.startswith(f"{folder}/")


def test_a_missing_folder_is_named_after_the_others_were_read(
    mailbox: Mailbox, repository: Repository
) -> None:
    mailbox.append(mail("last"), "Sales")
    mailbox.append(mail("first"))
    settings = mailbox.settings(folders=("Sale", "INBOX", "Sales"))
    with pytest.raises(Configuration, match=r"'Sale'.*are: INBOX, Sales\."):
        poll(settings, repository)
    assert len(stored(repository)) == 2
    with pytest.raises(Configuration, match="'Sale'"):
        build_source(settings, LIMITS).check()


def test_a_mail_over_the_limit_is_not_downloaded(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.append(mail("before"))
    mailbox.append(large_mail("a film", 60_000_000))
    mailbox.append(mail("after"))
    source = build_source(mailbox.settings(), LIMITS)
    items = [
        item for batch in source.poll(SourceMemory(repository, "inbox")) for item in batch.items
    ]
    assert [bool(item.refused) for item in items] == [False, True, False]
    refused = items[1]
    assert refused.refused.startswith(
        "the mail is 60.0 MB, larger than the limit of 40 MB (limits.mail_bytes)"
    )
    assert "'INBOX' (UID 2)" in refused.refused
    assert refused.content == mail("a film", "")

    ingest(source, "", repository)
    quarantined = repository.archive.listed(stage=Stage.QUARANTINED)
    assert [line.error for line in quarantined] == [refused.refused]
    assert len(stored(repository)) == 2
    # Seen again, it stays one.
    mailbox.change_uidvalidity()
    assert poll(mailbox.settings(), repository) == 0


def test_batches_are_bounded_in_bytes(mailbox: Mailbox, repository: Repository) -> None:
    for number in range(5):
        mailbox.append(large_mail(f"large {number}", 12_000_000))
    source = build_source(mailbox.settings(), LIMITS)
    batches = list(source.poll(SourceMemory(repository, "inbox")))
    assert [len(batch.items) for batch in batches] == [0, 2, 2, 1]
    assert [batch.cursor.last_uid for batch in batches if batch.cursor] == [0, 2, 4, 5]


def test_mails_deleted_meanwhile_are_passed_over(mailbox: Mailbox, repository: Repository) -> None:
    mails = [mail(f"inquiry {number}") for number in range(6)]
    for content in mails:
        mailbox.append(content)
    polled = build_source(mailbox.settings(batch=2), LIMITS).poll(SourceMemory(repository, "inbox"))
    batches = list(islice(polled, 2))
    for uid in (3, 5, 6):
        mailbox.delete(uid)
    batches.extend(polled)
    contents = [item.content for batch in batches for item in batch.items]
    assert contents == [mails[0], mails[1], mails[3]]
    assert not any(item.refused for batch in batches for item in batch.items)
    assert batches[-1].cursor is not None
    assert batches[-1].cursor.last_uid == 6


def test_dates_of_arrival_are_the_servers_in_utc(mailbox: Mailbox, repository: Repository) -> None:
    arrived = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    mailbox.append(mail("dated"), when=arrived)
    mailbox.append(mail("from the future"), when=datetime(2090, 1, 1, tzinfo=UTC))
    mailbox.append(mail("from before mail"), when=datetime(1971, 1, 1, tzinfo=UTC))
    poll(mailbox.settings(), repository)
    by_uid = {line.key.rpartition("/")[2]: line.received_at for line in repository.archive.listed()}
    assert by_uid["1"] == arrived
    for uid in ("2", "3"):
        assert abs(by_uid[uid] - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_wrong_password_says_what_to_do(mailbox: Mailbox, repository: Repository) -> None:
    settings = mailbox.settings(password="not-this-one")
    with pytest.raises(Configuration, match="refused the login of 'user-") as caught:
        poll(settings, repository)
    assert "`username` and the password" in str(caught.value)
    assert "not-this-one" not in str(caught.value)


def test_a_password_may_have_any_letters(mailbox: Mailbox, repository: Repository) -> None:
    # The server's own passwords are plain words: what can be shown is that it is asked at all.
    with pytest.raises(Configuration, match="refused the login"):
        poll(mailbox.settings(password='pä "ß" \\ {3}'), repository)


def test_a_server_that_is_away_is_tried_again(repository: Repository) -> None:
    settings = ImapSource.model_validate(
        {
            "name": "inbox",
            "kind": "imap",
            "host": "127.0.0.1",
            "port": free_port(),
            "security": "none",
            "username": "somebody",
            "password": "x",
        }
    )
    with pytest.raises(Transient, match="cannot connect"):
        poll(settings, repository)


def test_a_server_that_says_nothing_is_tried_again(
    mailbox: Mailbox, repository: Repository
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = mailbox.settings(port=silent.getsockname()[1], timeout=0.3)
        with pytest.raises(Transient, match="timed out"):
            poll(settings, repository)


def test_a_server_that_speaks_something_else_is_reported(
    mailbox: Mailbox, repository: Repository
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            connection.sendall(b"220 mail.example.org ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(Transient, match=r"cannot connect.*220 mail"):
            poll(mailbox.settings(port=other.getsockname()[1]), repository)
        thread.join()


def test_tls_needs_a_certificate_that_is_trusted(
    mailbox: Mailbox, repository: Repository, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    mailbox.append(mail("over TLS"))
    changes = {"security": "tls", "port": mailbox.server.tls_port}
    stranger, _ = self_signed(tmp_path, "stranger")
    for ca_file in (None, stranger):
        with pytest.raises(Configuration, match=r"certificate is not trusted.*`ca_file`"):
            poll(mailbox.settings(**changes, ca_file=ca_file), repository)
    with pytest.raises(Configuration, match="cannot use ca_file"):
        poll(mailbox.settings(**changes, ca_file=tmp_path / "missing.pem"), repository)
    assert repository.archive.listed() == []
    assert poll(mailbox.settings(**changes, ca_file=certificate[0]), repository) == 1


def test_starttls_is_verified_too(
    mailbox: Mailbox, repository: Repository, certificate: tuple[Path, Path]
) -> None:
    mailbox.append(mail("over STARTTLS"))
    with pytest.raises(Configuration, match="certificate is not trusted"):
        poll(mailbox.settings(security="starttls"), repository)
    assert poll(mailbox.settings(security="starttls", ca_file=certificate[0]), repository) == 1


def test_starttls_is_never_given_up_silently(repository: Repository) -> None:
    with MailServer() as plain:
        settings = Mailbox(plain, "somebody").settings(security="starttls")
        with pytest.raises(Configuration, match="offers no STARTTLS"):
            poll(settings, repository)


def test_tls_to_a_plain_port_is_explained(mailbox: Mailbox, repository: Repository) -> None:
    with pytest.raises(Configuration, match="does `security` fit the port"):
        poll(mailbox.settings(security="tls"), repository)


def test_check_counts_and_changes_nothing(mailbox: Mailbox) -> None:
    mailbox.deliver(mail("one"))
    mailbox.deliver(mail("two"))
    before = mailbox.flags()
    text = build_source(mailbox.settings(), LIMITS).check()
    assert text == f"127.0.0.1:{mailbox.server.port}, INBOX: 2 mails"
    assert mailbox.flags() == before


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(
    certificate: tuple[Path, Path], repository: Repository
) -> None:
    with MailServer(certificate) as server:
        mailbox = Mailbox(server, "somebody")
        mails = [mail(f"inquiry {number}") for number in range(30)]
        for content in mails:
            mailbox.deliver(content)
        source = build_source(mailbox.settings(batch=4), LIMITS)
        polled = source.poll(SourceMemory(repository, "inbox"))
        for batch in islice(polled, 4):
            _take_in(batch, repository)
        server.kill()
        with pytest.raises(Transient):
            _take_in_all(polled, repository)
        with pytest.raises(Transient):
            ingest(source, "", repository)
        assert len(stored(repository)) == 12
        server.start()
        result = ingest(source, "", repository)
        assert len(result.fresh) == 18
        assert sorted(stored(repository)) == sorted(mails)


def test_a_session_that_dies_is_resumed(mailbox: Mailbox, repository: Repository) -> None:
    mails = [mail(f"inquiry {number}") for number in range(10)]
    for content in mails:
        mailbox.append(content)
    source = build_source(mailbox.settings(batch=3), LIMITS)
    polled = source.poll(SourceMemory(repository, "inbox"))
    for batch in islice(polled, 2):
        _take_in(batch, repository)
    mailbox.server.kill_sessions()
    _take_in_all(polled, repository)
    assert sorted(stored(repository)) == sorted(mails)


def test_a_mail_that_the_server_cannot_give_costs_itself(
    mailbox: Mailbox, repository: Repository
) -> None:
    mails = [mail(f"inquiry {number}") for number in range(6)]
    files = [mailbox.deliver(content) for content in mails]
    for file in (files[2], files[3]):
        _make_unreadable(file)
    source = build_source(mailbox.settings(), LIMITS)  # as a worker has it, for many polls
    for _ in range(20):  # by chance it is the other unreadable mail that it tries the server by
        with suppress(Transient):
            ingest(source, "", repository)
            break
    refused = repository.archive.listed(stage=Stage.QUARANTINED)
    assert [line.key.rpartition("/")[2] for line in reversed(refused)] == ["3", "4"]
    reason = r"in folder 'INBOX' \(UID 3\) cannot be fetched: the connection broke \d+ times"
    assert re.search(reason, refused[1].error)
    assert sorted(stored(repository)) == sorted(mails[:2] + mails[4:])


def test_a_server_that_gives_nothing_is_not_blamed_on_its_mails(
    mailbox: Mailbox, repository: Repository
) -> None:
    files = [mailbox.deliver(mail(f"inquiry {number}")) for number in range(3)]
    for file in files:
        _make_unreadable(file)
    source = build_source(mailbox.settings(), LIMITS)
    for _ in range(2):
        with pytest.raises(Transient):
            ingest(source, "", repository)
    assert repository.archive.listed() == []
    for file in files:
        file.chmod(0o644)
    assert len(ingest(source, "", repository).fresh) == 3


def _make_unreadable(file: Path) -> None:
    """Dovecot ends a session that asks for such a mail."""
    file.chmod(0)
    if os.geteuid() == 0:
        os.chown(file, 0, 0)


def _take_in(batch: Batch, repository: Repository) -> None:
    class One:
        name = "inbox"

        def poll(self, memory: object) -> Iterator[Batch]:
            return iter([batch])

        def check(self) -> str:
            return ""

    ingest(One(), "", repository)


def _take_in_all(batches: Iterator[Batch], repository: Repository) -> None:
    for batch in batches:
        _take_in(batch, repository)


def test_a_backlog_is_read_oldest_first_and_what_arrives_goes_first(
    mailbox: Mailbox, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage.sources.imap.mailbox, "_BACKLOG", 5)
    monkeypatch.setattr(triage.sources.imap.mailbox, "_LOOK_EVERY", 0.0)
    folders = ("INBOX", "Sales")
    for number in range(6):
        mailbox.append(mail(f"old {number}"))
        mailbox.append(mail(f"old sale {number}"), "Sales")
    source = build_source(mailbox.settings(folders=folders, backlog_batch=2), LIMITS)
    seen: list[tuple[str, bool]] = []
    late = mail("arrived meanwhile")
    for batch in source.poll(SourceMemory(repository, "inbox")):
        _take_in(batch, repository)
        seen += [(str(item.ref.key), batch.backlog) for item in batch.items]
        if len(seen) == 4:
            mailbox.append(late)
    where = [(key.split("/")[0], int(key.split("/")[2])) for key, backlog in seen if backlog]
    assert [uid for folder, uid in where if folder == "INBOX"] == [1, 2, 3, 4, 5, 6]
    assert [uid for folder, uid in where if folder == "Sales"] == [1, 2, 3, 4, 5, 6]
    live = [number for number, (_, backlog) in enumerate(seen) if not backlog]
    assert live == [4], seen
    assert not cursor(repository).has_backlog
    assert cursor(repository).last_uid == 7
    assert ingest(source, "", repository).seen == 0
    works = repository.worklist.due("email", 100, backlog=False)
    assert [work.sha256 for work in works] == [hashlib.sha256(late).hexdigest()]
    assert len(repository.worklist.due("email", 100, backlog=True)) == 12


def test_a_backlog_that_was_interrupted_is_taken_up_again(
    mailbox: Mailbox, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage.sources.imap.mailbox, "_BACKLOG", 5)
    mails = [mail(f"old {number}") for number in range(9)]
    for content in mails:
        mailbox.append(content)
    settings = mailbox.settings(backlog_batch=2)
    polled = build_source(settings, LIMITS).poll(SourceMemory(repository, "inbox"))
    for batch in islice(polled, 4):
        _take_in(batch, repository)
    polled.close()  # type: ignore[attr-defined]
    assert cursor(repository).has_backlog
    assert 0 < len(stored(repository)) < 9
    mailbox.delete(8)
    poll(settings, repository)
    assert sorted(stored(repository)) == sorted(mails[:7] + mails[8:])


def test_a_folder_that_was_renamed_is_read_on(mailbox: Mailbox, repository: Repository) -> None:
    mailbox.append(mail("before"), "Sales")
    settings = mailbox.settings(folders=("Sales",))
    assert poll(settings, repository) == 1
    with mailbox.client() as client:
        client.create_folder("Other")
        client.rename_folder("Sales", "Leads")
    mailbox.append(mail("after"), "Leads")
    assert poll(settings, repository) == 1
    # Once the settings are corrected the folder is read anew, and everything in it is known.
    assert poll(mailbox.settings(folders=("Leads",)), repository) == 0


def test_moved_and_copied_mails_are_one_inquiry(mailbox: Mailbox, repository: Repository) -> None:
    settings = mailbox.settings(folders=("INBOX", "Sales"))
    mailbox.append(mail("moved"))
    mailbox.append(mail("copied"))
    mailbox.append(mail("there"), "Sales")
    assert poll(settings, repository) == 3
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.move([1], "Sales")
        client.copy([2], "Sales")
    assert poll(settings, repository) == 0
    assert len(stored(repository)) == 3
