"""The review queue in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, violations
from tests.support.console import Served, served
from tests.support.leads import BUSINESS, WELL_STATED, Desk, data
from tests.support.queues import settle, unsure
from tests.support.scene import play
from triage.settings import Destination
from triage.store.accounts import Role
from triage.store.repository import Repository

pytestmark = pytest.mark.server("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def console(repository: Repository) -> Iterator[Served]:
    crm = Destination(name="crm", url="http://127.0.0.1:1/")
    review = {"audit_share": 0.0}
    with served(repository, business=BUSINESS, destinations=(crm,), review=review) as found:
        yield found


@pytest.fixture
def page(console: Served, browser: Browser) -> Iterator[Page]:
    """A reviewer's page, with whatever goes wrong in it."""
    with console.signed_in(Role.REVIEWER, "ann") as ann:
        secret = ann.cookies["triage-session"]
    context = browser.new_context()
    context.add_cookies([{"name": "triage-session", "value": secret, "url": console.url}])
    found = context.new_page()
    found.set_default_timeout(20_000)
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield found
    context.close()
    assert faults == []


def crm_of(console: Served) -> Desk:
    return Desk(console.repository, console.desk.settings)


def current(page: Page) -> str:
    return page.locator("#queue .item").get_attribute("data-id") or ""


def press(page: Page, key: str) -> str:
    """Say something about the inquiry on the screen; returns its id once another one is there."""
    before = current(page)
    page.keyboard.press(key)
    page.wait_for_function(
        "id => document.querySelector('#queue .item')?.dataset.id !== id", arg=before
    )
    return before


def test_thirty_are_relabelled_with_one_key_each(console: Served, page: Page) -> None:
    crm = crm_of(console)
    names = {settle(crm, f"m{n}", unsure("spam", 0.2 + n / 100)) for n in range(30)}
    page.goto(f"{console.url}/review")
    keys = {"l": "lead", "s": "spam", "u": "support", "r": "irrelevant", "a": "job_applicant"}
    wanted: dict[str, str] = {}
    for number in range(30):
        key = list(keys)[number % len(keys)]
        page.wait_for_selector("#queue .item")
        wanted[press(page, key)] = keys[key]
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#waiting")).to_have_text("0")
    assert set(wanted) == names
    said = {item: console.repository.corrections.of(item) for item in names}
    assert {item: [one.label for one in all_] for item, all_ in said.items()} == {
        item: [label] for item, label in wanted.items()
    }


def test_undo_skip_back_and_note(console: Served, page: Page) -> None:
    crm = crm_of(console)
    lead = settle(crm, "lead", unsure("lead", 0.6), WELL_STATED)
    for number in range(2):
        settle(crm, f"m{number}", unsure("spam", 0.4))
    page.goto(f"{console.url}/review")
    page.wait_for_selector("#queue .item")
    assert current(page) == lead
    page.keyboard.press("n")
    page.keyboard.type("looks like a sale")
    page.keyboard.press("Enter")
    assert press(page, "l") == lead
    expect(page.locator("#waiting")).to_have_text("2")
    assert crm.types() == ["lead.qualified"]
    assert console.repository.corrections.of(lead)[0].note == "looks like a sale"
    following = press(page, "z")
    assert current(page) == lead
    expect(page.locator("#waiting")).to_have_text("3")
    assert crm.types() == ["lead.qualified", "lead.retracted"]
    assert press(page, "k") == lead
    assert current(page) == following
    expect(page.locator("#waiting")).to_have_text("2")
    press(page, "j")
    assert current(page) == lead
    expect(page.locator("#waiting")).to_have_text("3")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("s")  # the help is open: nothing is labelled
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    assert current(page) == lead


AT_ONCE = """() => {
  const press = (key, shiftKey = false) =>
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  press("e");
  for (let step = 0; step < 7; step += 1) press("ArrowRight");
  press("ArrowRight", true);
  press("N", true);
}"""


def test_words_become_a_signal_by_keyboard_alone_and_undo_takes_it_back(
    console: Served, page: Page
) -> None:
    crm = crm_of(console)
    text = "Hello 👋,\n\nplease ask for Maria Lopez, she decides. Thanks, Bob"
    item = settle(crm, "lead", unsure("lead", 0.6), text)
    page.goto(f"{console.url}/review")
    page.wait_for_selector("#queue .item")
    page.keyboard.press("e")
    for _ in range(7):  # the words of the subject, then those of the text
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#chosen")).to_have_text("Maria Lopez,")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.locator("#picker")).to_be_hidden()
    page.keyboard.press("e")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+N")
    expect(page.locator(".mine")).to_contain_text("contact name: Maria Lopez")
    expect(page.locator("#picker")).to_be_hidden()
    assert current(page) == item
    page.keyboard.press("z")  # the signal, not a label
    expect(page.locator(".mine li")).to_have_count(0)
    page.evaluate(AT_ONCE)  # faster than the browser tells of what is selected
    expect(page.locator(".mine")).to_contain_text("contact name: Maria Lopez")
    press(page, "l")
    expect(page.locator("#waiting")).to_have_text("0")
    found = console.repository.archive.qualification(item)
    assert found
    assert found.signals["contact_name"].evidence[0].quote == "Maria Lopez"
    assert [one.undoes for one in console.repository.statements.of(item)] == [None, 1, None]
    assert data(crm.events(item)[-1])["signals"]["contact_name"]["value"] == "Maria Lopez"


def test_what_comes_in_appears_without_reloading(console: Served, page: Page) -> None:
    page.goto(f"{console.url}/review")
    expect(page.locator("#nothing")).to_be_visible()
    item = settle(crm_of(console), "one", unsure("spam"))
    page.wait_for_selector("#queue .item")
    assert current(page) == item
    expect(page.locator("#nothing")).to_be_hidden()
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_role("button", name="solicitation").click()  # on a phone there are no keys
    expect(page.locator("#nothing")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def test_a_call_is_heard_where_it_waits_and_nothing_tells_what_it_was_taken_for(
    console: Served, page: Page
) -> None:
    scene = play(console.repository, console.desk.settings)
    page.goto(f"{console.url}/review")
    page.wait_for_selector(".item .wave")
    assert current(page) == scene.ids["church-mini-split-quotes"]
    assert page.locator(".pin, mark, .cues").count() == 0
    page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('audio').paused")
    page.locator(".transcript [data-at]", has_text="trustees").click()
    page.wait_for_function("document.querySelector('.transcript [aria-current]')"
                           "?.textContent.includes('trustees vote')")  # fmt: skip
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1200, 375):
            page.set_viewport_size({"width": width, "height": 800})
            assert violations(page) == [], f"{scheme}, {width}"


def test_everybody_can_use_the_pages(console: Served, page: Page) -> None:
    settle(crm_of(console), "one", unsure("spam"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1200, 375):
            page.set_viewport_size({"width": width, "height": 800})
            for path in ("/review", "/bulk?sender=one.example&label=lead"):
                page.goto(f"{console.url}{path}")
                assert violations(page) == [], f"{path}, {scheme}, {width}"


def test_enter_in_a_field_says_nothing(console: Served, page: Page) -> None:
    crm = crm_of(console)
    item = settle(crm, "one", unsure("lead", 0.6), "Maria Lopez needs a roof for 9,000 dollars")
    settle(crm, "two", unsure("spam", 0.5), "Maria Lopez needs a roof for 9,000 dollars")
    page.goto(f"{console.url}/inquiries/{item}")
    page.get_by_placeholder("why, if it matters").fill("hm")
    page.keyboard.press("Enter")
    page.goto(f"{console.url}/review")
    page.wait_for_selector("#queue .item")
    assert current(page) == item
    page.keyboard.press("e")
    page.get_by_text("Another value, or not stated").click()
    value = page.locator("#picker [name=value]")
    value.fill("8,000 dollars")
    page.keyboard.press("Enter")
    expect(page.locator("#picker")).to_be_visible()
    page.locator("#queue .item h2").click()
    page.keyboard.press("e")
    page.keyboard.press("ArrowRight")
    expect(value).to_have_value("")  # it was meant for other words
    press(page, "s")
    expect(page.locator("#picker")).to_be_hidden()  # and so were those words
    expect(page.locator("#waiting")).to_have_text("1")
    assert console.repository.statements.of(item) == []
    assert [one.label for one in console.repository.corrections.of(item)] == ["spam"]
    assert crm.types() == []


def test_a_double_click_labels_one_and_undo_means_that_one(console: Served, page: Page) -> None:
    crm = crm_of(console)
    names = {settle(crm, f"m{n}", unsure("lead", 0.5)) for n in range(3)}
    page.goto(f"{console.url}/review")
    page.wait_for_selector("#queue .item")
    first = current(page)
    page.get_by_role("button", name="spam").dblclick()
    expect(page.locator("#waiting")).to_have_text("2")
    assert {name for name in names if console.repository.corrections.of(name)} == {first}
    with page.expect_request("**/review/undo") as asked:
        page.keyboard.press("z")
    assert first in (asked.value.post_data or "")
    expect(page.locator("#waiting")).to_have_text("3")
    assert current(page) == first
