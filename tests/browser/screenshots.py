"""Pictures of every page of the console, for docs/: `python -m tests.browser.screenshots [NAME…]`.

A page that is new belongs into `SHOTS`, with what is on it for those who cannot see; a test says
so. Names given on the command line make only those pictures.
"""

from __future__ import annotations

import base64
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from tests.support.browser import chromium
from tests.support.confirmed import Mail, put
from tests.support.console import Served, served
from tests.support.scene import Scene, play
from tests.support.theatre import SETTINGS, doubted, theatre
from triage.delivery.webhook import new_secret
from triage.demo.endpoint import Endpoint
from triage.settings import Store
from triage.store.accounts import Role
from triage.store.audit import Actor
from triage.store.repository import Repository

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST: Final = 150_000  # bytes of a picture

_DESKTOP: Final = {"width": 1280, "height": 860}
_PHONE: Final = {"width": 390, "height": 844}
_QUALITY: Final = 72


@dataclass(frozen=True)
class Shot:
    """A page: its route, the address to open, and how it is shown. `wait` is a selector that is
    there when it has loaded, `then` a script that shows what is below. `learned`: of a business
    that trained a model.
    """

    route: str
    address: str
    alt: str
    phone: bool = False
    dark: bool = False
    wait: str = "main"
    then: str = ""
    anonymous: bool = False
    learned: bool = False


SHOTS: Final[dict[str, Shot]] = {
    "sign-in": Shot("/sign-in", "/sign-in", "The sign-in page", anonymous=True),
    "set-up": Shot(
        "/set-up", "{set_up}", "The first run: a form for the first administrator", anonymous=True
    ),
    "inbox": Shot(
        "/inquiries", "/inquiries",
        "The inbox: one line an inquiry, with who asks, what it is and how good a lead it is",
    ),
    "inbox-phone": Shot(
        "/inquiries", "/inquiries", "The inbox on a telephone, dark", phone=True, dark=True
    ),
    "mail": Shot(
        "/inquiries/{inquiry_id}", "/inquiries/{lead-facility-rfp}",
        "A mail with its evidence marked, its signals, the score, and the verdict beside it",
    ),
    "call": Shot(
        "/inquiries/{inquiry_id}", "/inquiries/{facility-manager-office-park}",
        "A call: the recording as a picture of both sides with pins where signals were said, and "
        "the transcript in step with it", wait=".wave .cues", then="play",
    ),
    "call-phone": Shot(
        "/inquiries/{inquiry_id}", "/inquiries/{facility-manager-office-park}",
        "The same call on a telephone, dark", phone=True, dark=True, wait=".wave .cues",
        then="play",
    ),
    "signals": Shot(
        "/inquiries/{inquiry_id}", "/inquiries/{lead-facility-rfp}",
        "Selected words of a mail, and the bar that asks which signal they are", wait="#picker",
        then="select",
    ),
    "review": Shot(
        "/review", "/review", "The review queue: a call with its player, and a key for each label",
        wait=".wave",
    ),
    "review-phone": Shot(
        "/review", "/review", "The review queue on a telephone", phone=True, wait=".wave"
    ),
    "review-figures": Shot(
        "/review/figures", "/review/figures", "What reviews say about leads that are lost"
    ),
    "bulk": Shot(
        "/bulk", "/bulk?sender=postbox.example&label=support",
        "Relabelling many: what it would do, before it is done",
    ),
    "deliveries": Shot(
        "/deliveries", "/deliveries", "Deliveries: what was accepted, and what is tried again"
    ),
    "quarantine": Shot(
        "/quarantine", "/quarantine", "Quarantine: what could not be read, and why"
    ),
    "sources": Shot("/sources", "/sources", "Sources with their health, one of them out of reach"),
    "settings": Shot(
        "/settings", "/settings", "The settings as they were read; secrets are not shown"
    ),
    "users": Shot("/users", "/users", "Users with their roles"),
    "user": Shot("/users/{user_id}", "/users/{user}", "A user: role, reach and sessions"),
    "audit": Shot("/audit", "/audit", "The audit log: every change, and who made it", dark=True),
    "account": Shot("/account", "/account", "The own account: password, sessions, tokens"),
    "reset": Shot("/reset", "/reset?code={reset}", "Another password, by a link that works once",
                  anonymous=True),
    "models": Shot(
        "/models", "/models", "Models: which one decides, what people confirmed, and a training",
        learned=True,
    ),
    "model": Shot(
        "/models/{name}", "/models/{model}",
        "A trained model beside the one that decides: may it decide, and label by label",
        learned=True,
    ),
    "model-phone": Shot(
        "/models/{name}", "/models/{model}", "The same on a telephone, dark", phone=True, dark=True,
        learned=True,
    ),
    "label-errors": Shot(
        "/review/errors", "/review/errors",
        "A label that is probably wrong, with the one that it should be", learned=True,
    ),
}  # fmt: skip
PARTS: Final = frozenset({
    "/", "/live", "/review/waiting", "/inquiries/{inquiry_id}/explanation",
    "/inquiries/{inquiry_id}/recording", "/inquiries/{inquiry_id}/waveform",
    "/inquiries/{inquiry_id}/raw", "/inquiries.csv", "/sign-in/oidc", "/sign-in/oidc/callback",
})  # fmt: skip
"""What is answered and is no page: parts of pages, files, and what leads elsewhere."""

_PLAY: Final = """async () => {
  const audio = document.querySelector('audio');
  const there = new Promise((done) => audio.addEventListener('seeked', done, { once: true }));
  audio.currentTime = 31;
  await there;
  document.querySelector('.player').scrollIntoView();
  window.scrollBy(0, -12);
}"""
_SELECT: Final = """() => {
  for (const field of document.querySelectorAll('[data-field=text]')) {
    const walker = document.createTreeWalker(field, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const found = /[A-Z]\\w+ (?:County|Road|Street|Park|Office|Center|Columbus)\\b|by \\w+ \\d+/.exec(node.data);
      if (!found) continue;
      getSelection().setBaseAndExtent(node, found.index, node, found.index + found[0].length);
      return;
    }
  }
}"""  # noqa: E501 - one expression
_SCRIPTS: Final = {"play": _PLAY, "select": _SELECT}


def main(names: list[str]) -> None:
    """Make the pictures."""
    FOLDER.mkdir(exist_ok=True)
    chosen = {name: shot for name, shot in SHOTS.items() if not names or name in names}
    with chromium() as browser:
        for learned, scene in ((False, _shop), (True, _learned)):
            shots = {name: shot for name, shot in chosen.items() if shot.learned == learned}
            if shots:
                with scene() as (console, ids):
                    _take(browser, console, ids, shots)


def _take(browser: Browser, console: Served, ids: dict[str, str], shots: dict[str, Shot]) -> None:
    ann = console.user(Role.ADMIN, "ann")
    actor = Actor(ann.id, ann.name, "127.0.0.1")
    secret = console.repository.sessions.open(actor, "Firefox, Linux", timedelta(hours=1))
    for name, shot in shots.items():
        content = _taken(browser, console, ids, secret, shot)
        if len(content) > LARGEST:
            raise SystemExit(f"{name}: {len(content)} bytes are more than {LARGEST}")
        (FOLDER / f"{name}.webp").write_bytes(content)
        print(f"{name}.webp {len(content):,}")


@contextmanager
def _learned() -> Iterator[tuple[Served, dict[str, str]]]:
    """A theatre whose people confirmed labels, the model trained on these, and labels in doubt."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(Store(data_dir=Path(folder)))
        repository.database.upgrade()
        with served(repository, store={"data_dir": folder}, **SETTINGS) as console:
            put(repository, console.desk.settings, theatre())
            learning = console.desk.learning
            training = learning.start("ann")
            while (found := learning.training(training)) and found.state in {"waiting", "running"}:
                time.sleep(1)
            if found is None or not found.model:
                raise SystemExit(f"the training made no model: {found}")
            mails = [
                Mail(f"I still wait for my tickets, order {n}.", "spam", by="ben") for n in range(3)
            ]
            doubted(repository, put(repository, console.desk.settings, mails))
            yield console, {"model": found.model}
        repository.close()


@contextmanager
def _shop() -> Iterator[tuple[Served, dict[str, str]]]:
    """A business in a usual week."""
    folder, secret = Path(tempfile.mkdtemp()), new_secret()
    repository = Repository(Store(data_dir=folder / "var"))
    repository.database.upgrade()
    try:
        with Endpoint(secret, folder / "ledger") as endpoint:
            settings = _settings(endpoint.url, secret)
            with served(repository, **settings) as console:
                scene = play(repository, console.desk.settings)
                _people(console, scene)
                dana = console.user(Role.REVIEWER, "dana")
                code = repository.resets.create("dana", by=Actor("", "ann", "command line"))
                yield console, scene.ids | {"user": dana.id, "reset": code}
    finally:
        repository.close()
        shutil.rmtree(folder)


def _settings(url: str, secret: str) -> dict[str, Any]:
    return {
        "business": {
            "name": "Brightwater Heating & Cooling",
            "sells": "Installs, repairs and maintains heating, air conditioning and ventilation",
            "domains": ["brightwater.example"], "places": ["Columbus, Ohio"], "country": "US",
        },
        "sources": [
            {"kind": "maildir", "name": "inquiries", "path": "mail"},
            {"kind": "recordings", "name": "calls", "path": "calls", "campaign": "google-ads"},
            {"kind": "recordings", "name": "old-pbx", "path": "/mnt/pbx"},
        ],
        "destinations": [
            {"name": "sales", "url": url, "secret": secret, "allow_private": True},
            {"name": "field-team", "url": "http://127.0.0.1:9/hook", "secret": secret,
             "allow_private": True},
        ],
        "review": {"audit_share": 0.0},
    }  # fmt: skip


def _people(console: Served, scene: Scene) -> None:
    for role, name in ((Role.ADMIN, "ann"), (Role.REVIEWER, "dana"), (Role.VIEWER, "front-desk")):
        console.user(role, name)
    corrections, ids = console.desk.corrections, scene.ids
    corrections.relabel(ids["misdial-apartment-tenant"], "personal", by="dana", note="our tenant")
    with console.signed_in(Role.REVIEWER, "dana") as dana:
        dana.post(f"/inquiries/{ids['lead-homeowner-one-liner']}/acknowledge")
        dana.post(f"/inquiries/{ids['lead-assistant-for-boss']}/label", data={"label": "lead"})


def _taken(
    browser: Browser, console: Served, ids: dict[str, str], secret: str, shot: Shot
) -> bytes:
    size = _PHONE if shot.phone else _DESKTOP
    context = browser.new_context(
        reduced_motion="reduce",
        viewport=size,  # type: ignore[arg-type]
        color_scheme="dark" if shot.dark else "light",
        locale="en-US",
    )
    if not shot.anonymous:
        context.add_cookies([{"name": "triage-session", "value": secret, "url": console.url}])
    page = context.new_page()
    if shot.route == "/set-up":
        content = _first_run(page)
    else:
        page.goto(console.url + shot.address.format_map(ids))
        content = _picture(page, shot)
    context.close()
    return content


def _first_run(page: Page) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(Store(data_dir=Path(folder)))
        repository.database.upgrade()
        with served(repository) as fresh:
            page.goto(fresh.set_up_url)
            content = _picture(page, SHOTS["set-up"])
        repository.close()
    return content


def _picture(page: Page, shot: Shot) -> bytes:
    """The window as WebP: a tenth of a PNG, and every browser shows it."""
    page.wait_for_selector(shot.wait, state="attached")
    page.wait_for_timeout(200)
    if shot.then:
        page.evaluate(_SCRIPTS[shot.then])
        page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    return base64.b64decode(answer["data"])


if __name__ == "__main__":
    main(sys.argv[1:])
