"""The console in a real browser: what people do there, and whether everybody can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support import stored
from tests.support.browser import chromium, violations
from tests.support.console import PASSWORD, Served, served
from tests.support.shop import SETTINGS, Shop, fill
from triage.settings import Store
from triage.store.accounts import Role
from triage.store.repository import Repository

pytestmark = pytest.mark.server("chromium")

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WAYS = [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("console")))
    repository.database.upgrade()
    with served(repository, **SETTINGS) as found:
        yield found
    repository.close()


@pytest.fixture(scope="module")
def shop(console: Served) -> Shop:
    return fill(console.repository)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser; whatever the console forbids or a script stumbles over fails the test."""
    # Without transitions: a colour that is still changing has no contrast to measure.
    context = browser.new_context(reduced_motion="reduce")
    troubles: list[str] = []
    context.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    yield context
    context.close()
    assert not troubles


@pytest.fixture
def admin(console: Served, context: BrowserContext) -> Page:
    """A page of somebody who may everything."""
    with console.signed_in(Role.ADMIN, "ann") as visitor:
        secret = visitor.cookies["triage-session"]
    context.add_cookies([{"name": "triage-session", "value": secret, "url": console.url}])
    page = context.new_page()
    page.goto(console.url)
    return page


def test_setting_up_signing_out_and_in(
    tmp_path: Path, browser: Browser, context: BrowserContext
) -> None:
    repository = Repository(Store(data_dir=tmp_path))
    repository.database.upgrade()
    with served(repository) as console:
        page = context.new_page()
        page.goto(console.set_up_url)
        assert violations(page) == []
        page.get_by_label("Name").fill("Ann")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="No inquiries yet")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        assert violations(page) == []
        page.get_by_label("Name").fill("ann")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    repository.close()


@pytest.mark.parametrize(
    "path",
    [
        "/inquiries", "/inquiries?label=lead", "/inquiries?label=nothing", "{lead}", "{call}",
        "{attack}", "/deliveries", "/quarantine", "/sources", "/settings", "/users", "{user}",
        "/audit", "/account", "/nowhere",
    ],
)  # fmt: skip
def test_everybody_can_use_every_page(console: Served, shop: Shop, admin: Page, path: str) -> None:
    where = path.format(
        lead=f"/inquiries/{shop.lead}",
        call=f"/inquiries/{shop.call}",
        attack=f"/inquiries/{shop.attack}",
        user=f"/users/{console.user(Role.ADMIN, 'ann').id}",
    )
    if path == "/nowhere":
        admin.on("console", lambda _: None)
        admin.set_content(admin.request.get(f"{console.url}{where}").text())
    else:
        admin.goto(f"{console.url}{where}")
    if path == "{call}":
        admin.wait_for_selector(".wave .pin")
    look(admin)


def test_everybody_can_say_what_words_are(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.lead}")
    for each in admin.locator(".fix summary").all():
        each.click()
    admin.get_by_role("button", name="Choose words").click()
    expect(admin.locator("#picker")).to_be_visible()
    admin.locator("#picker summary").click()
    look(admin)


def look(admin: Page) -> None:
    """Nobody is kept out, in any light and on any screen."""
    for scheme, size in WAYS:
        admin.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        admin.set_viewport_size(size)  # type: ignore[arg-type]
        assert violations(admin) == [], f"{scheme}, {size['width']} pixels wide"
        wide = admin.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], "the page scrolls sideways"


def test_what_arrives_appears_without_reloading(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries")
    expect(admin.locator(".line")).to_have_count(17)
    admin.locator(".line").nth(2).focus()
    held = admin.evaluate("document.activeElement.id")
    stored.received(console.repository, "a new one")
    expect(admin.locator(".line")).to_have_count(18, timeout=10_000)
    assert admin.evaluate("document.activeElement.id") == held, "the focus was lost"


def test_a_call_is_played_from_the_words_that_state_the_budget(
    console: Served, shop: Shop, admin: Page
) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.call}")
    now = "document.getElementById('audio').currentTime"
    admin.wait_for_function("document.getElementById('audio').readyState >= 1")
    admin.get_by_role("button", name="Play budget from 0:03").click()
    admin.wait_for_function(f"{now} >= 3.9 && {now} < 8")
    expect(admin.locator(".transcript li[aria-current]")).to_contain_text("two furnaces")
    admin.get_by_role("button", name="Play from 0:05").focus()
    admin.keyboard.press("Enter")
    admin.wait_for_function(f"{now} >= 5")
    expect(admin.locator(".transcript li[aria-current]")).to_contain_text("Thank you")


def test_the_picture_of_a_call_is_a_slider_in_step_with_it(
    console: Served, shop: Shop, admin: Page
) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.call}")
    slider = admin.get_by_role("slider", name="Place in the recording")
    expect(slider).to_have_attribute("aria-valuetext", "0:00 of 0:08")
    expect(admin.locator(".lane")).to_have_count(1)
    now = "document.querySelector('audio').currentTime"
    slider.focus()
    admin.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0:05 of 0:08")
    assert admin.evaluate(now) == 5
    expect(admin.locator(".transcript li[aria-current]")).to_contain_text("Thank you")
    expect(admin.locator(".speech.now")).to_have_count(1)
    played = admin.locator(".played").get_attribute("width")
    assert abs(float(played or 0) - 625) < 1
    admin.keyboard.press("Home")
    assert admin.evaluate(now) == 0
    box = slider.bounding_box()
    assert box
    admin.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(admin.evaluate(now) - 4) < 0.1
    admin.locator(".pin").click()
    admin.wait_for_function(f"{now} >= 3.9 && {now} < 6 && !document.querySelector('audio').paused")
    slider.focus()
    admin.keyboard.press("Space")
    admin.wait_for_function("document.querySelector('audio').paused")


def test_selected_words_become_a_signal(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.lead}")
    expect(admin.locator("#picker")).to_be_hidden()
    select(admin, "next week", "text")
    expect(admin.locator("#chosen")).to_have_text("next week")
    admin.get_by_role("button", name="timeline", exact=False).first.click()
    expect(admin.get_by_role("status").first).to_contain_text("Noted")
    found = console.repository.archive.qualification(shop.lead)
    assert found
    assert found.signals["timeline"].evidence[0].quote == "next week"
    expect(admin.locator("#h-signals")).to_be_in_viewport()
    row = admin.locator(".signals > div", has_text="timeline")
    expect(row).to_contain_text("said by ann")
    row.locator("summary").click()
    row.get_by_role("button", name="Take back").click()
    expect(admin.locator(".signals")).not_to_contain_text("said by ann")
    budget = admin.locator(".signals > div", has_text="budget")
    budget.locator("summary").click()
    budget.get_by_label("Value of budget").fill("$28,000")
    budget.get_by_role("button", name="Save").click()
    expect(admin.locator(".signals > div", has_text="budget")).to_contain_text("USD 28000")
    expect(admin.locator(".history")).to_contain_text("signal corrected")


def select(page: Page, quote: str, field: str) -> None:
    """Select words as a mouse does."""
    page.evaluate(
        """([quote, field]) => {
          for (const element of document.querySelectorAll(`[data-field=${field}]`)) {
            const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
              const start = node.data.indexOf(quote);
              if (start < 0) continue;
              getSelection().setBaseAndExtent(node, start, node, start + quote.length);
              return;
            }
          }
          throw new Error(`no ${quote}`);
        }""",
        [quote, field],
    )


def test_evidence_leads_to_its_place_in_the_text(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.lead}")
    admin.get_by_role("link", name="“$25,000”").click()
    expect(admin.locator("mark:target")).to_have_text("$25,000")


def test_one_click_labels_and_says_so(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries/{shop.form}")
    admin.get_by_role("button", name="support").click()
    expect(admin.get_by_role("status").first).to_contain_text("Labelled")
    assert console.repository.corrections.of(shop.form)[-1].by == "ann"


def test_the_keyboard_skips_the_menu(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries")
    admin.keyboard.press("Tab")
    expect(admin.get_by_role("link", name="Skip to the content")).to_be_focused()
    admin.keyboard.press("Enter")
    assert admin.evaluate("document.activeElement.id") == "main"


def test_back_after_a_filter_shows_the_list_again(console: Served, shop: Shop, admin: Page) -> None:
    admin.goto(f"{console.url}/inquiries")
    admin.get_by_text("Filters").click()
    admin.get_by_label("Channel").select_option("call")
    admin.get_by_role("button", name="Show").click()
    expect(admin.locator(".line")).to_have_count(1)
    admin.locator(".line").click()
    expect(admin.get_by_role("heading", level=1)).to_contain_text("Call from")
    admin.go_back()
    expect(admin.locator(".line")).to_have_count(1)
    admin.go_back()
    assert admin.locator(".line").count() > 10
