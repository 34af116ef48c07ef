"""`triage backfill`, `inquiries release` and `inquiries retry`, on a real mailbox."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support.leads import desk
from tests.support.mails import large_mail, mail
from tests.support.mailserver import Mailbox
from triage.cli.app import app
from triage.errors import Usage
from triage.pipeline.backfill import Backfill
from triage.pipeline.ingest import ingest
from triage.settings import Limits, MaildirSource
from triage.sources.base import Span
from triage.sources.build import build_source
from triage.store.repository import Repository
from triage.types import Party, Stage

PRESENT = datetime.now(UTC)
LONG_AGO = Span(datetime(2000, 1, 1, tzinfo=UTC), PRESENT + timedelta(days=1))


@pytest.fixture
def folder(tmp_path: Path, mailbox: Mailbox) -> Path:
    """A folder with settings for the mailbox, which has old mail in two folders."""
    for number, days in enumerate((900, 500, 40, 1)):
        mailbox.append(mail(f"inbox {number}"), when=PRESENT - timedelta(days=days))
    for number, days in enumerate((800, 20)):
        mailbox.append(mail(f"sent {number}"), "Archive", when=PRESENT - timedelta(days=days))
    source = {
        "name": "inbox",
        "kind": "imap",
        "host": mailbox.server.host,
        "port": mailbox.server.port,
        "security": "none",
        "username": mailbox.user,
        "password": mailbox.server.password,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in source.items()]
    target = '[[destinations]]\nname = "crm"\nurl = "http://127.0.0.1:1/"\nallow_private = true'
    (tmp_path / "triage.toml").write_text(
        "\n".join(['[store]\ndata_dir = "data"', "[[sources]]", *lines, "%s", target])
    )
    configure(tmp_path)
    return tmp_path


def configure(folder: Path, more: str = "") -> None:
    """Write settings, with more lines for the source or after it."""
    path, template = folder / "triage.toml", folder / "template"
    if not template.exists():
        template.write_text(path.read_text())
    path.write_text(template.read_text().replace("%s", more))


def run(folder: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(app, ["-q", "-s", str(folder / "triage.toml"), *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.server("dovecot")
def test_a_backfill_is_shown_first_then_done_and_doubles_nothing(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    flags = mailbox.flags()
    arguments = ("backfill", "inbox", "--since", "2000-01-01", "--json")
    # Before the first poll all of it is coming.
    (plan,) = answers(run(folder, *arguments, "--dry-run"))
    assert plan["missing"] == 0
    assert sum(month["coming"] for month in plan["months"]) == 4

    since = f"{PRESENT - timedelta(days=100):%Y-%m-%d}"
    configure(folder, f"since = {since}")
    both = (*arguments, "--folder", "INBOX", "--folder", "Archive")
    (plan,) = answers(run(folder, *both, "--dry-run"))
    assert (plan["missing"], plan["done"]) == (4, None)
    assert sum(month["items"] for month in plan["months"]) == 6
    assert [month["folder"] for month in plan["months"]][:2] == ["INBOX", "Archive"]
    assert all(month["size"] > 0 for month in plan["months"])
    assert repository.archive.listed() == []

    (done,) = answers(run(folder, *both))
    assert done["done"] == {"total": 4, "read": 4, "fresh": 4, "refused": 0, "gone": 0}
    rows = sorted(repository.archive.listed(), key=lambda row: row.created_at)
    assert [row.received_at for row in rows[:2]] == sorted(row.received_at for row in rows[:2])
    assert all(row.held.startswith("it was brought in by a backfill on ") for row in rows)
    works = [repository.worklist.get(row.id) for row in rows]
    assert all(work and work.backlog for work in works)
    (again,) = answers(run(folder, *both))
    assert again["missing"] == 0
    assert len(repository.archive.listed()) == 4
    assert mailbox.flags() == flags
    said = run(folder, "backfill", "inbox", "--since", "2000-01-01").stdout
    assert "2 items are coming: the worker reads them by itself" in said


@pytest.mark.server("dovecot")
def test_a_backfill_that_is_broken_off_goes_on(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    settings = mailbox.settings(since=PRESENT.date(), backlog_batch=1)
    ingest(build_source(settings, Limits()), "", repository)
    assert repository.archive.listed() == []
    first = Backfill(build_source(settings, Limits()), "", repository)
    survey = first.survey(LONG_AGO)
    assert len(survey.missing) == 4
    assert next(iter(first.read(survey))).fresh == 1  # and whoever read it is killed
    second = Backfill(build_source(settings, Limits()), "", repository)
    left = second.survey(LONG_AGO)
    assert len(left.missing) == 3
    # What was listed before it came in another way is known by where it lies.
    assert list(second.read(survey, forward=True))[-1].fresh == 3
    held = [row.held for row in repository.archive.listed()]
    assert (len(held), sum(map(bool, held))) == (4, 1)


@pytest.mark.server("dovecot")
def test_what_the_worker_has_still_to_read_is_left_to_it(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    settings = mailbox.settings()
    ingest(build_source(settings, Limits()), "", repository)
    mailbox.append(mail("just now"))
    survey = Backfill(build_source(settings, Limits()), "", repository).survey(LONG_AGO)
    assert survey.missing == ()
    assert sum(tally.coming for tally in survey.tallies.values()) == 1
    assert sum(tally.known for tally in survey.tallies.values()) == 4


@pytest.mark.server("dovecot")
def test_since_leaves_old_mail_alone_and_what_comes_is_read(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    settings = mailbox.settings(since=(PRESENT - timedelta(days=100)).date())
    source = build_source(settings, Limits())
    assert len(ingest(source, "", repository).fresh) == 2
    mailbox.append(mail("much older, copied here"), when=PRESENT - timedelta(days=700))
    assert ingest(source, "", repository).seen == 0
    cursor = repository.arrivals.cursor("inbox", "INBOX")
    assert cursor is not None
    assert cursor.last_uid == 5
    mailbox.append(mail("new"))
    mailbox.change_uidvalidity()
    assert len(ingest(source, "", repository).fresh) == 1


@pytest.mark.server("dovecot")
def test_wrong_sources_folders_and_days_are_named(folder: Path, repository: Repository) -> None:
    with pytest.raises(Usage, match="no source is named 'box'; there are inbox"):
        run(folder, "backfill", "box", "--since", "2000-01-01")
    with pytest.raises(Usage, match="has no folder 'Sent'; there are Archive, INBOX"):
        run(folder, "backfill", "inbox", "--since", "2000-01-01", "--folder", "Sent")
    with pytest.raises(Usage, match="--since must be before --until"):
        run(folder, "backfill", "inbox", "--since", "2001-01-01", "--until", "2000-01-01")


@pytest.mark.server("dovecot")
def test_held_leads_are_released_by_day_and_by_name(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    crm = desk(repository)
    held = "it came before"
    lead, other = crm.settled("one", held=held), crm.settled("two", held=held)
    crm.settled("junk", "spam", held=held, sender=Party("Bob", "bob@elsewhere.example"))
    release = ("inquiries", "release", "--json")
    assert run(folder, *release, "--since", "2026-03-02").stdout == ""
    assert len(answers(run(folder, *release, "--all", "--dry-run"))) == 2
    assert crm.events() == []
    (done,) = answers(run(folder, *release, lead[:-1]))
    assert (done["id"], done["outcome"]) == (lead, "forward")
    assert done["events"] == ["lead.qualified to crm"]
    (done,) = answers(run(folder, *release, "--since", "2026-03-01", "--until", "2026-03-01"))
    assert done["id"] == other
    said = run(folder, "inquiries", "list", "--held").stdout
    assert "file, held" in said
    assert lead not in said
    with pytest.raises(Usage, match="name the inquiries to release"):
        run(folder, "inquiries", "release")


@pytest.mark.server("dovecot")
def test_a_mail_that_was_too_large_is_read_again_once_the_limit_allows_it(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    large = large_mail("large", 20_000)
    mailbox.append(large)
    small = Limits(mail_bytes=10_000)
    assert len(ingest(build_source(mailbox.settings(), small), "spring", repository).fresh) == 5
    (row,) = repository.archive.listed(stage=Stage.QUARANTINED)
    configure(folder, "[limits]\nmail_bytes = 10000")
    (plan,) = answers(run(folder, "inquiries", "retry", "--all", "--dry-run", "--json"))
    assert (plan["id"], plan["result"]) == (row.id, "read again from its source")
    refused = run(folder, "inquiries", "retry", "--all", "--json")
    assert refused.exit_code == 1
    assert "0.0 MB, larger than the limit" in answers(refused)[0]["result"]
    # Another client renumbers the folder, and the worker sees the mail in its new place.
    mailbox.change_uidvalidity()
    ingest(build_source(mailbox.settings(), small), "spring", repository)
    configure(folder)
    retried = run(folder, "inquiries", "retry", "--reason", "LARGER than", "--json")
    assert (retried.exit_code, answers(retried)[0]["good"]) == (0, True)
    work = repository.worklist.get(row.id)
    assert work is not None
    assert (work.stage, work.error, work.size) == (Stage.RECEIVED, "", len(large))
    assert repository.blobs.read(work.sha256) == large
    ingest(build_source(mailbox.settings(), Limits()), "spring", repository)
    assert len(repository.archive.listed()) == 5
    events = [entry.event for entry in repository.archive.history(row.id)]
    assert events == ["received", "quarantined", "fetched again"]


@pytest.mark.server("dovecot")
def test_a_mail_that_is_gone_or_came_another_way_is_said(
    folder: Path, mailbox: Mailbox, repository: Repository
) -> None:
    large = large_mail("large", 20_000)
    mailbox.append(large)
    mailbox.append(large_mail("gone", 20_000))
    small = mailbox.settings()
    ingest(build_source(small, Limits(mail_bytes=10_000)), "", repository)
    rows = {row.key[-1]: row.id for row in repository.archive.listed(stage=Stage.QUARANTINED)}
    mailbox.delete(6)
    other = MaildirSource(kind="maildir", name="files", path=folder / "mails")
    other.path.mkdir()
    (other.path / "same.eml").write_bytes(large)
    os.utime(other.path / "same.eml", (1_600_000_000, 1_600_000_000))
    (fresh,) = ingest(build_source(other, Limits()), "", repository).fresh
    results = {r["id"]: r for r in answers(run(folder, "inquiries", "retry", "--all", "--json"))}
    assert results[rows["5"]]["result"] == "came in another way meanwhile"
    assert results[rows["6"]]["result"] == "it is no longer where it was seen"
    assert repository.worklist.get(rows["5"]) is None
    assert len(repository.arrivals.places(fresh)) == 2
    assert [entry.event for entry in repository.archive.history(fresh)] == ["received", "joined"]


def test_a_file_that_can_be_read_after_all_replaces_what_was_refused(
    repository: Repository, tmp_path: Path
) -> None:
    source = MaildirSource(kind="maildir", name="files", path=tmp_path)
    (tmp_path / "cur").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.large").write_bytes(large_mail("large", 20_000))
    assert len(ingest(build_source(source, Limits(mail_bytes=10_000)), "", repository).fresh) == 1
    (row,) = repository.archive.listed(stage=Stage.QUARANTINED)
    assert ingest(build_source(source, Limits()), "", repository).fresh == (row.id,)
    (only,) = repository.archive.listed()
    assert (only.id, only.stage) == (row.id, Stage.RECEIVED)


def test_a_backfill_reads_files_that_since_passed_over(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "2020").mkdir()
    for name in ("a.eml", "2020/b.eml"):
        (tmp_path / name).write_bytes(mail(name))
        os.utime(tmp_path / name, (1_600_000_000, 1_600_000_000))
    settings = MaildirSource(kind="maildir", name="files", path=tmp_path, since=PRESENT.date())
    source = build_source(settings, Limits())
    assert ingest(source, "", repository).seen == 0
    past = Backfill(source, "", repository)
    assert len(past.survey(LONG_AGO, ["2020"]).missing) == 1
    assert list(past.read(past.survey(LONG_AGO)))[-1].fresh == 2
    assert past.survey(LONG_AGO).missing == ()
    with pytest.raises(Usage, match="has no folder '2021'"):
        past.survey(LONG_AGO, ["2021"])
