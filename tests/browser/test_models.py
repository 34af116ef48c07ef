"""A model is trained from what people said, watched, gated, promoted and rolled back, in Chromium.

The training is a real one, in a process of its own; it takes most of a minute. Its model knows the
shop's mails better and forgets those of others, so the gate refuses it: the page says why, and only
somebody who gives a reason promotes it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import chromium, violations
from tests.support.confirmed import Mail, put
from tests.support.console import Served, served
from triage.store.accounts import Role
from triage.store.doubts import Doubt, Look
from triage.store.drifts import Alarm
from triage.store.repository import Repository
from triage.training.replay import drawn

pytestmark = pytest.mark.server("chromium")

WAYS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]
KINDS = {"support", "spam", "solicitation"}
BIRDS = "A shop that sells cages, perches and seed for birds, and takes no animals"
WHO = (
    "a grey parrot", "two cockatoos", "a blue macaw", "an old amazon parrot", "six budgies",
    "a pair of lovebirds", "three canaries", "a mynah that talks",
)  # fmt: skip
WHY = (
    "We are moving abroad and cannot take the animals along.",
    "My aunt died last week and left the cage to nobody.",
    "The landlord does not allow noise after ten any more.",
    "Our baby turned out to be allergic to feathers.",
    "I will be in hospital until the end of summer.",
    "The children have lost interest since they went to college.",
    "He bites my husband and nobody else, every single morning.",
    "The flat is too small since the second one hatched.",
)
MORE = (
    "They eat sunflower seed and apples.",
    "The cage is two metres high and comes with it.",
    "All vaccinations were done in spring.",
    "He is twelve and knows three songs.",
    "They are used to cats.",
    "The vet says they are in good health.",
    "One wing was broken once and has healed.",
    "They have lived in the kitchen until now.",
)
ASK = (
    "Could you take them in?",
    "Do you know of a good home?",
    "May I bring the cage over on Saturday?",
    "We would give them away for nothing.",
    "Would one of your customers like to adopt?",
    "Please ring me before we ask the shelter.",
    "I would rather not let them go to a stranger.",
    "Is there somebody who collects them?",
)
LONG = 600_000  # ms


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def console(repository: Repository) -> Iterator[Served]:
    with served(
        repository,
        store={"data_dir": str(repository.folder)},
        business={"name": "Wing and Perch", "sells": BIRDS},
        learning={"least": 40, "hold_out": 0.35},
        sources=[{"kind": "maildir", "name": "inbox", "path": "mail"}],
    ) as found:
        yield found


@pytest.fixture
def admin(console: Served, browser: Browser) -> Iterator[Page]:
    """An administrator's page, with whatever goes wrong in it."""
    with console.signed_in(Role.ADMIN, "ann") as ann:
        secret = ann.cookies["triage-session"]
    context = browser.new_context(reduced_motion="reduce")
    context.add_cookies([{"name": "triage-session", "value": secret, "url": console.url}])
    found = context.new_page()
    found.set_default_timeout(20_000)
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield found
    context.close()
    assert faults == []


def shop() -> list[Mail]:
    """Mails to a shop that takes no animals. Whoever gives birds away is no lead, which the model
    that ships does not know; the rest is what every business gets.
    """
    rng = Random(5)
    birds = [
        Mail(
            f"Hello, we have {rng.choice(WHO)}. {rng.choice(WHY)} {rng.choice(MORE)} "
            f"{rng.choice(ASK)}",
            "irrelevant",
            subject="Birds",
        )
        for _ in range(44)
    ]
    usual = [
        Mail(item.example.text, str(item.label), subject=item.example.subject)
        for item in drawn("calibration", 700)
        if item.label in KINDS and len(item.example.text) < 300
    ]
    return [*birds, *usual[:20]]


def usable(page: Page) -> None:
    """Everybody can use the page that is open."""
    for scheme, width in WAYS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == [], f"{page.url}, {scheme}, {width}"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} scrolls sideways"
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.timeout(1200)
def test_trained_watched_gated_promoted_and_rolled_back(console: Served, admin: Page) -> None:
    put(console.repository, console.desk.settings, shop())
    admin.goto(f"{console.url}/models")
    usable(admin)
    before = console.desk.learning.active().name_version
    training = admin.locator("#training")
    expect(training).to_contain_text("64 labels are confirmed by people")
    admin.get_by_role("button", name="Train a model").press("Enter")
    expect(training.get_by_role("progressbar")).to_be_visible()
    assert violations(admin) == []
    admin.evaluate("window.stayed = true")
    shares = set()
    while training.get_by_role("progressbar").count():
        shares.add(training.inner_text())
        admin.wait_for_timeout(250)
    assert len(shares) > 3, "the page did not show how it goes"
    expect(training).to_contain_text("The last training did not pass")
    assert admin.evaluate("window.stayed"), "the page was loaded anew"

    training.get_by_role("link", name="Its figures").click()
    expect(admin.get_by_role("heading", name="May it decide?")).to_be_visible()
    made = admin.get_by_role("heading", level=1).inner_text()
    expect(admin.locator("main")).to_contain_text("No. It did not pass")
    expect(admin.locator("main")).to_contain_text("It forgets: of 300 inquiries of other")
    expect(admin.get_by_role("heading", name="Label by label")).to_be_visible()
    usable(admin)
    admin.get_by_role("button", name="Read the last 500 with both").click()
    expect(admin.locator("#shadow")).to_contain_text("of the last 500", timeout=LONG)
    expect(admin.locator("#shadow tbody tr").first).to_be_visible()
    assert violations(admin) == []

    admin.get_by_text("Promote it all the same…").focus()
    admin.keyboard.press("Enter")
    admin.get_by_label("Why").fill("knows our birds")
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("status").first).to_contain_text("It decides from now on")
    expect(admin.locator("#active")).to_contain_text(made)
    assert console.desk.learning.active().name_version == made
    usable(admin)

    admin.get_by_text("Roll back…").focus()
    admin.keyboard.press("Enter")
    admin.get_by_role("button", name="Roll back now").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("status").first).to_contain_text("The model before decides again")
    expect(admin.locator("#active")).to_contain_text(before)
    first, second = console.desk.learning.switches()
    assert (first.by, first.why, first.to) == ("ann", "rolled back", before)
    assert (second.by, second.why, second.note) == ("ann", "forced", "knows our birds")
    assert console.desk.learning.active().name_version == before


def test_a_newcomer_is_told_what_to_do(console: Served, admin: Page) -> None:
    admin.goto(f"{console.url}/models")
    expect(admin.locator("#training")).to_contain_text("0 labels are confirmed")
    expect(admin.locator("#training").get_by_role("link", name="review")).to_be_visible()
    assert admin.get_by_role("button", name="Train a model").count() == 0
    usable(admin)
    admin.goto(f"{console.url}/review/errors")
    expect(admin.get_by_role("heading", name="Which labels are wrong?")).to_be_visible()
    usable(admin)
    admin.get_by_role("button", name="Look now").click()
    expect(admin.locator("#look")).to_contain_text("0 labels were confirmed")


def test_a_doubt_is_answered_with_one_key(console: Served, admin: Page) -> None:
    mails = [Mail(f"Where is my order number {n}?", "spam", by="bob") for n in range(3)]
    ids = put(console.repository, console.desk.settings, mails)
    doubts = console.repository.doubts
    why, alike = "reads like support (80%)", tuple(ids[2:])
    found = [
        Doubt(number, name, "spam", "support", 0.9 - ids.index(name) / 10, why, alike)
        for word in doubts.words()
        for number, name in [(word.correction_id, word.said.inquiry_id)]
    ]
    doubts.found(found, Look(datetime.now(UTC), "ann", "m@1", 3, 3))
    admin.goto(f"{console.url}/review/errors")
    expect(admin.locator("main")).to_contain_text("Labelled by bob")
    usable(admin)
    admin.keyboard.press("t")
    expect(admin.locator("main")).to_contain_text("Relabelled")
    expect(admin.locator(".prose")).to_have_text("Where is my order number 1?")
    admin.keyboard.press("k")
    expect(admin.locator("main")).to_contain_text("Nobody is asked about it again")
    admin.keyboard.press("j")
    expect(admin.locator("#look")).to_contain_text("go back to those you skipped")
    said = [console.repository.corrections.of(name)[-1].label for name in ids]
    assert said == ["support", "spam", "spam"]
    assert doubts.count() == 1


def test_what_changed_is_said_where_people_look(console: Served, admin: Page) -> None:
    moment = datetime.now(UTC)
    text = "since Tuesday 17 November 41% of mails from 'inbox' are spam, 12% before"
    alarm = Alarm(0, "inbox", "labels", "spam", text, {"before": 0.12}, moment, moment)
    console.repository.drifts.noticed([alarm])
    for path in ("/models", "/sources"):
        admin.goto(f"{console.url}{path}")
        expect(admin.locator("main")).to_contain_text("41% of mails from 'inbox' are spam")
        usable(admin)
    console.repository.drifts.noticed([])
    admin.goto(f"{console.url}/sources")
    expect(admin.locator("main")).not_to_contain_text("41%")
    admin.goto(f"{console.url}/models")
    expect(admin.locator("main")).to_contain_text("What was different before")
