from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from triage.pipeline.silence import longest_pause, silences
from triage.settings import Settings
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import RawItem, SourceRef

NOW = datetime.now(UTC)


def arrived(repository: Repository, *ages_h: float) -> None:
    """Mails that arrived so many hours ago."""
    repository.arrivals.receive(
        [
            Arrival(
                RawItem(
                    SourceRef("inbox", "imap", f"INBOX/1/{number}"),
                    NOW - timedelta(hours=age),
                    f"{number:064}",
                    1,
                    "message/rfc822",
                ),
                "email",
                f"mail:{number}",
            )
            for number, age in enumerate(ages_h)
        ]
    )


def settings(**changes: object) -> Settings:
    source = {"kind": "maildir", "name": "inbox", "path": "mails"} | changes
    return Settings.model_validate({"sources": [source]})


def test_a_mailbox_that_always_had_mail_and_has_none_is_reported(repository: Repository) -> None:
    arrived(repository, *(30 + hour for hour in range(25)))
    (found,) = silences(settings(), repository)
    assert found.source == "inbox"
    assert found.usual == timedelta(hours=1)
    assert found.since == NOW - timedelta(hours=30)


def test_a_pause_that_is_usual_is_none(repository: Repository) -> None:
    arrived(repository, 30, 50, *(51 + hour for hour in range(25)))  # 20 hours, once
    assert silences(settings(), repository) == []


def test_a_short_pause_in_a_busy_mailbox_is_none(repository: Repository) -> None:
    arrived(repository, *(5 + hour / 60 for hour in range(25)))
    assert silences(settings(), repository) == []


def test_too_few_mails_tell_nothing_unless_a_bound_is_set(repository: Repository) -> None:
    arrived(repository, 30, 31)
    assert silences(settings(), repository) == []
    assert len(silences(settings(silent_after=24 * 3600), repository)) == 1
    assert silences(settings(silent_after=48 * 3600), repository) == []


def test_the_alarm_can_be_switched_off(repository: Repository) -> None:
    arrived(repository, *(30 + hour for hour in range(25)))
    assert silences(settings(silent_after=0), repository) == []
    assert silences(settings(enabled=False), repository) == []


def test_the_longest_pause_needs_enough_arrivals() -> None:
    assert longest_pause([NOW] * 19) is None
    assert longest_pause([NOW - timedelta(hours=3)] + [NOW] * 19) == timedelta(hours=3)


def test_a_mailbox_to_which_nothing_ever_came_is_silent_once_a_bound_is_set(
    repository: Repository,
) -> None:
    repository.arrivals.begin("inbox", "INBOX")
    assert silences(settings(), repository) == []
    assert silences(settings(silent_after=3600), repository) == []
    time.sleep(0.02)
    assert len(silences(settings(silent_after=0.01), repository)) == 1


def test_a_mailbox_whose_mails_another_one_showed_first_is_not_silent(
    repository: Repository,
) -> None:
    raw = RawItem(SourceRef("first", "imap", "INBOX/1/1"), NOW, "0" * 64, 1, "message/rfc822")
    here = replace(raw, ref=SourceRef("inbox", "imap", "INBOX/1/1"))
    for item in (raw, here):
        repository.arrivals.receive([Arrival(item, "email", "mail:0")])
    repository.arrivals.begin("inbox", "INBOX")
    time.sleep(0.02)
    assert silences(settings(silent_after=3600), repository) == []
    assert repository.polls.arrivals("inbox", 10) == [NOW]
