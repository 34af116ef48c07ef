"""A real worker with its console: what comes by IMAP is reviewed, sent and taken back; a call is
heard from the words that matter.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.test_kill import await_start, start
from tests.support.browser import chromium
from tests.support.console import PASSWORD
from tests.support.mailserver import Mailbox, MailServer
from tests.support.workers import settings_text
from triage.delivery.webhook import new_secret
from triage.demo.dovecot import free_port
from triage.demo.endpoint import Endpoint
from triage.demo.fixtures import fixtures_folder

pytestmark = [pytest.mark.server("chromium"), pytest.mark.server("dovecot")]

_DOUBTFUL = (
    b"From: Pat Moreau <pat@postbox.example>\r\nTo: inquiries@brightwater.example\r\n"
    b"Subject: Question\r\nDate: Mon, 2 Mar 2026 09:12:00 +0000\r\nMessage-ID: <q1@postbox.example>"
    b"\r\n\r\nHi, are you the ones who did the boiler at St. Mark's? Somebody told me to ask you "
    b"about ours. Pat\r\n"
)
_CALL = fixtures_folder() / "calls" / "customer-adds-second-zone.opus"
_WAIT = 60_000  # milliseconds: a loaded machine takes its time to transcribe


@dataclass
class Shop:
    """A worker and everything around it."""

    page: Page
    mailbox: Mailbox
    endpoint: Endpoint
    calls: Path

    def types(self) -> list[str]:
        """The events that the endpoint accepted, in order."""
        return [event["type"] for event in self.endpoint.accepted.values()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("worker")
    calls, log, secret = folder / "calls", folder / "worker.log", new_secret()
    calls.mkdir()
    with MailServer() as server, Endpoint(secret, folder / "ledger.jsonl") as endpoint:
        console = f'[console]\nlisten = "127.0.0.1:{free_port()}"\n'
        text = settings_text(server, calls, endpoint.url, secret)
        settings = folder / "triage.toml"
        settings.write_text(text.replace("[console]\nenabled = false\n", console))
        process = start(settings, log)
        try:
            await_start(log, process)
            with chromium() as browser:
                page = browser.new_page()
                page.set_default_timeout(_WAIT)
                set_up(page, log)
                yield Shop(page, Mailbox(server, "inquiries"), endpoint, calls)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    assert not endpoint.refused, "a signature did not fit"


def set_up(page: Page, log: Path) -> None:
    """Become the first administrator, by the address that the worker prints."""
    found = re.search(r"http://\S+/set-up\?code=[\w-]+", log.read_text())
    assert found, log.read_text()[-2000:]
    page.goto(found[0])
    page.get_by_label("Name").fill("Ann")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No inquiries yet")).to_be_visible()


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.mark.timeout(240)
def test_a_doubtful_mail_is_reviewed_with_one_key_and_taken_back_with_another(shop: Shop) -> None:
    page = shop.page
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    shop.mailbox.deliver(_DOUBTFUL)
    expect(page.locator("#queue .item")).to_contain_text("boiler at St. Mark's", timeout=_WAIT)
    assert shop.types() == []
    page.keyboard.press("l")
    until(lambda: shop.types() == ["lead.qualified"])
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator("#queue .item")).to_contain_text("boiler at St. Mark's")
    until(lambda: shop.types() == ["lead.qualified", "lead.retracted"])
    first, second = shop.endpoint.accepted.items()
    assert second[1]["data"]["refers_to"] == first[0]


@pytest.mark.timeout(240)
def test_a_call_is_played_from_the_sentence_that_states_the_budget(shop: Shop) -> None:
    page, before = shop.page, len(shop.types())
    (shop.calls / _CALL.name).write_bytes(_CALL.read_bytes())
    page.get_by_role("link", name="Inbox").click()
    line = page.locator(".line", has=page.get_by_role("img", name="call"))
    expect(line).to_contain_text("forwarded", timeout=3 * _WAIT)
    line.click()
    row = page.locator(".signals > div").filter(has=page.get_by_text("budget", exact=True))
    quote = row.locator("a").first.inner_text().strip("“”")
    assert re.search("twelve thousand|12,?000", quote), quote
    sentence = page.locator(".transcript > li", has=page.locator("mark[title=budget]")).first
    start, end = (float(sentence.get_attribute(f"data-{end}") or -1) for end in ("start", "end"))
    row.get_by_role("button", name="Play budget").first.click()
    page.wait_for_function(
        """([start, end]) => {
          const audio = document.getElementById('audio');
          const shown = document.querySelector('.transcript > li[aria-current]');
          return !audio.paused && audio.currentTime > start && audio.currentTime < end
            && Number(shown?.dataset.start) === start;
        }""",
        arg=[start, end],
    )
    expect(sentence).to_contain_text(quote)
    expect(page.locator(".lane")).to_have_count(2, timeout=_WAIT)
    expect(page.get_by_role("slider")).to_be_attached()
    until(lambda: "lead.qualified" in shop.types()[before:])
