"""IDLE against a real server: told at once, and a watch that is lost is opened again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.mails import mail
from tests.support.mailserver import Mailbox
from tests.support.proxy import Proxy
from triage.engines.watchers import Watchers
from triage.settings import ImapSource, Limits
from triage.sources.base import Watchable
from triage.sources.build import build_source

pytestmark = pytest.mark.server("dovecot")


class Heard:
    """What the watchers told."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, source: str) -> None:
        with self._changed:
            self.sources.append(source)
            self._changed.notify_all()

    def more_than(self, number: int, seconds: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.sources) > number, seconds)


@contextmanager
def watching(heard: Heard, *sources: ImapSource) -> Iterator[Watchers]:
    watchers = Watchers(heard)
    built = [build_source(source, Limits()) for source in sources]
    watches = [
        (source.name, watch)
        for source in built
        if isinstance(source, Watchable)
        for watch in source.watches()
    ]
    watchers.start(watches)
    try:
        until(lambda: watchers.listening == len(watches))
        heard.more_than(len(watches) - 1)  # each tells once when it begins
        yield watchers
    finally:
        watchers.stop()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_an_arrival_is_told_at_once(mailbox: Mailbox) -> None:
    heard = Heard()
    with watching(heard, mailbox.settings()):
        before = len(heard.sources)
        began = time.monotonic()
        mailbox.append(mail("now"))
        assert heard.more_than(before)
        assert time.monotonic() - began < 2


def test_every_folder_is_watched_by_few_threads(mailbox: Mailbox) -> None:
    heard = Heard()
    folders = ("INBOX", "Sales", "Web", "Old", "Archive")
    for folder in folders:
        mailbox.append(mail("first"), folder)
    threads = threading.active_count()
    with watching(heard, mailbox.settings(folders=folders)) as watchers:
        assert watchers.listening == 5
        assert threading.active_count() <= threads + 5  # one that waits, four that open
        before = len(heard.sources)
        mailbox.append(mail("there"), "Old")
        assert heard.more_than(before)


def test_a_connection_that_is_cut_is_opened_again(mailbox: Mailbox) -> None:
    heard = Heard()
    with (
        Proxy(mailbox.server.host, mailbox.server.port) as proxy,
        watching(heard, mailbox.settings(port=proxy.port)) as watchers,
    ):
        before = len(heard.sources)
        proxy.cut()
        assert heard.more_than(before)  # watching again, which is news in itself
        until(lambda: watchers.listening == 1)
        before = len(heard.sources)
        mailbox.append(mail("after the cut"))
        assert heard.more_than(before)


def test_a_connection_that_fell_silent_is_found_out(mailbox: Mailbox) -> None:
    heard = Heard()
    with (
        Proxy(mailbox.server.host, mailbox.server.port) as proxy,
        watching(heard, mailbox.settings(port=proxy.port, idle_renew=0.3, timeout=0.5)) as watchers,
    ):
        proxy.silent.set()
        until(lambda: watchers.listening == 0)
        proxy.silent.clear()
        until(lambda: watchers.listening == 1)
        before = len(heard.sources)
        mailbox.append(mail("after the silence"))
        assert heard.more_than(before)


def test_idle_is_renewed_and_then_still_tells(mailbox: Mailbox) -> None:
    heard = Heard()
    with watching(heard, mailbox.settings(idle_renew=0.2)) as watchers:
        time.sleep(1)
        assert watchers.listening == 1
        before = len(heard.sources)
        assert before >= 3
        mailbox.append(mail("later"))
        assert heard.more_than(before)


def test_a_server_that_is_restarted_is_watched_again(mailbox: Mailbox) -> None:
    heard = Heard()
    with watching(heard, mailbox.settings()) as watchers:
        mailbox.server.kill_sessions()
        until(lambda: watchers.listening == 0)
        until(lambda: watchers.listening == 1)


def test_watching_changes_nothing(mailbox: Mailbox) -> None:
    mailbox.deliver(mail("new"))
    before = mailbox.flags()
    with watching(Heard(), mailbox.settings()):
        pass
    assert mailbox.flags() == before


def test_idle_can_be_switched_off(mailbox: Mailbox) -> None:
    source = build_source(mailbox.settings(idle=False), Limits())
    assert isinstance(source, Watchable)
    assert source.watches() == []
