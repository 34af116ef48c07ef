"""Whatever strangers write is text, and signing in at a provider works, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect
from sqlalchemy import update

from tests.support import oidc, stored
from tests.support.browser import chromium, violations
from tests.support.console import NOBODY, served
from tests.support.shop import SETTINGS
from triage.settings import Store
from triage.store import tables
from triage.store.accounts import Role
from triage.store.audit import Actor
from triage.store.repository import Repository
from triage.types import (
    Attachment,
    Channel,
    Decision,
    Evidence,
    Form,
    Outcome,
    Party,
    Segment,
    Signal,
    Transcript,
)

pytestmark = pytest.mark.server("chromium")

EVIL = (
    "</textarea></title></select></option>\"'><script>window.hit=1</script>"
    "<img src=x onerror=window.hit=2><svg onload=window.hit=3>"
    "<a href=javascript:window.hit=4>x</a>{{7*7}}${7*7}"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    repository = Repository(Store(data_dir=tmp_path))
    repository.database.upgrade()
    yield repository
    repository.close()


@pytest.fixture(params=[False, True], ids=["with the policy", "without it"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page; without the policy of the console, what a template lets through would run."""
    context: BrowserContext = browser.new_context(bypass_csp=request.param)
    page = context.new_page()
    troubles: list[str] = []
    page.on("dialog", lambda dialog: _dismissed(dialog, troubles))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not [said for said in troubles if "404" not in said]


def _dismissed(dialog: Dialog, troubles: list[str]) -> None:
    troubles.append(dialog.message)
    dialog.dismiss()


def hostile(repository: Repository) -> list[str]:
    """A mail and a call that hold nothing but an attack, wherever a stranger or a model writes."""
    ids = []
    channels: tuple[Channel, ...] = ("email", "call")
    for channel in channels:
        work = stored.received(repository, channel, channel=channel)
        quoted = Evidence(EVIL, 0, len(EVIL))
        mail = replace(
            stored.inquiry(work), sender=Party(EVIL, "eve@example.org", EVIL),
            recipients=(Party(EVIL, EVIL),), subject=EVIL, text=EVIL if channel == "email" else "",
            quoted=EVIL, signature=EVIL, disclaimer=EVIL, forwarded=EVIL, spare=EVIL,
            attachments=(Attachment(EVIL, EVIL, 1, EVIL),), headers={"subject": EVIL},
            metadata={EVIL: EVIL}, attribution={EVIL: EVIL}, campaign=EVIL, warnings=(EVIL,),
            form=Form("lines", EVIL, ((EVIL, EVIL),), Party(EVIL, "eve@example.org")),
        )  # fmt: skip
        assert repository.worklist.parsed(work, mail)
        if channel == "call":
            said = Segment(0.0, 1.0, "caller", EVIL, 0.4, flags=("low-confidence",))
            heard = Transcript((said,), "en", EVIL, EVIL, 1.0)
            assert repository.worklist.transcribed(stored.current(repository, work.id), heard)
        current = stored.current(repository, work.id)
        assert repository.worklist.classified(current, replace(stored.verdict(), model=EVIL))
        signal = Signal("company_size", EVIL, 1, (quoted,))
        found = replace(stored.qualification(), signals={"company_size": signal})
        assert repository.worklist.qualified(stored.current(repository, work.id), found)
        current = stored.current(repository, work.id)
        sent = replace(stored.delivery(current), last_error=EVIL)
        decided = Decision(Outcome.REVIEW, EVIL)
        assert repository.worklist.settled(current, decided, [sent])
        ids.append(work.id)
    with repository.database.write() as connection:
        connection.execute(update(tables.inquiries).values(campaign=EVIL, error=EVIL, key=EVIL))
    (broken,) = repository.arrivals.receive([stored.arrival("broken", refused=EVIL)])
    repository.polls.failed("inbox", 1, EVIL, timedelta(minutes=5))
    return [*ids, broken]


def test_nothing_that_a_stranger_wrote_runs(repository: Repository, page: Page) -> None:
    ids = hostile(repository)
    with served(repository, **SETTINGS) as console:
        user = console.user(Role.ADMIN, EVIL[:80])
        repository.tokens.create(user, EVIL, ["read"], None, by=NOBODY)
        repository.audit.note(Actor(user.id, EVIL, EVIL), EVIL[:60], EVIL, {EVIL: EVIL})
        actor = Actor(user.id, user.name, EVIL)
        secret = repository.sessions.open(actor, EVIL, timedelta(hours=1))
        page.context.add_cookies([{"name": "triage-session", "value": secret, "url": console.url}])
        paths = ["/inquiries", "/review", "/deliveries", "/quarantine", "/sources", "/settings",
                 "/users", f"/users/{user.id}", "/audit", "/account", "/review/figures",
                 "/bulk?sender=eve@example.org&label=spam"]  # fmt: skip
        asked = [f"/inquiries?{name}={EVIL.replace('&', '%26')}"
                 for name in ("words", "label", "campaign")]  # fmt: skip
        shown = 0
        for path in [*paths, *(f"/inquiries/{name}" for name in ids), *asked]:
            page.goto(f"{console.url}{path}")
            for control in page.locator("summary").all():
                if control.is_visible():  # what asks about selected words comes with a selection
                    control.click()
            page.wait_for_timeout(30)
            assert page.evaluate("() => window.hit") is None, path
            foreign = page.locator("main img[src=x], main svg[onload], a[href^=javascript]")
            assert foreign.count() == 0, path
            shown += page.locator("main").inner_text().count("<script>window.hit=1</script>")
        assert shown > 20, "it was not shown at all"


@pytest.mark.server("oidc")
def test_signing_in_at_a_provider(repository: Repository, browser: Browser) -> None:
    accounts = {"ann": {"email": "ann@example.org", "email_verified": True,
                        "groups": ["triage-admins"]}}  # fmt: skip
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    with (
        oidc.provider(accounts) as issuer,
        served(repository, console={"oidc": oidc.settings(issuer)}) as console,
    ):
        console.user(Role.ADMIN, "root")
        page.goto(f"{console.url}/users")
        assert violations(page) == []
        page.get_by_role("link", name="Sign in at Example Works").click()
        page.get_by_placeholder("Enter any login").fill("ann")
        page.get_by_placeholder("and password").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{console.url}/users")
        expect(page.get_by_role("heading", name="Users", exact=True)).to_be_visible()
        page.goto(f"{console.url}/account")
        assert violations(page) == []
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(page.get_by_text("You are signed out here.")).to_be_visible()
        assert violations(page) == []
        code = repository.resets.create("root", by=NOBODY)
        page.goto(f"{console.url}/reset?code={code}")
        assert violations(page) == []
        page.get_by_label("New password", exact=True).fill("another long one")
        page.get_by_label("New password again").fill("another long one")
        page.get_by_role("button", name="Set it and sign in").click()
        expect(page.get_by_role("link", name="root")).to_be_visible()
    context.close()
