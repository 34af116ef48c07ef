"""Hot leads, the links by which somebody takes care of them, and what happens if nobody does."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import stored
from triage.delivery.links import LinkSigner
from triage.engines.listener import listening
from triage.errors import Configuration
from triage.pipeline.escalation import LEAD_UNACKNOWLEDGED, Escalation
from triage.settings import Settings
from triage.store.repository import Repository
from triage.types import Stage


def settings(**more: Any) -> Settings:
    return Settings.model_validate(
        {
            "links": {"url": "https://triage.example.com", "secret": "a secret of some length"},
            "destinations": [
                {"name": "crm", "url": "https://crm.example.com/", "secret": "whsec_eA=="},
                {"name": "boss", "url": "https://boss.example.com/", "secret": "whsec_eA=="},
            ],
            "acknowledge": {
                "listen": "127.0.0.1:0", "escalate_to": "boss", "grades": ["A", "B"],
            } | more,
        }
    )  # fmt: skip


@pytest.fixture
def port(repository: Repository) -> Iterator[int]:
    with listening(settings(), repository) as found:
        assert found is not None
        yield found


def link(port: int, inquiry_id: str, at: datetime | None = None) -> str:
    signer = LinkSigner.of(settings().links)
    told = signer.link(f"/acknowledge/{inquiry_id}", at or datetime.now(UTC))
    assert told is not None
    return told.replace("https://triage.example.com", f"http://127.0.0.1:{port}")


def ask(url: str, form: dict[str, str] | None = None, accept: str = "") -> tuple[int, str]:
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, data, headers={"accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_link_shows_a_button_and_only_the_button_acknowledges(
    repository: Repository, port: int
) -> None:
    work = stored.brought_to(repository, Stage.SETTLED)
    url = link(port, work.id)
    status, page = ask(url)
    assert (status, "<form" in page) == (200, True)
    assert repository.acknowledgements.get(work.id) is None  # a mail scanner opened it
    assert ask(url, {"by": "<b>Ann</b>"})[0] == 200
    found = repository.acknowledgements.get(work.id)
    assert found is not None
    assert found.by == "<b>Ann</b>"
    status, page = ask(url)
    assert "&lt;b&gt;Ann&lt;/b&gt; looks after this lead" in page
    assert "<form" not in page
    assert "already" in ask(url, {"by": "Bob"})[1]


def test_programs_get_json(repository: Repository, port: int) -> None:
    work = stored.brought_to(repository, Stage.SETTLED)
    status, answer = ask(link(port, work.id), {}, accept="application/json")
    assert (status, json.loads(answer)["state"]) == (200, "acknowledged")


def test_links_that_are_forged_bent_or_old_open_nothing(repository: Repository, port: int) -> None:
    work = stored.brought_to(repository, Stage.SETTLED)
    other = stored.received(repository, "two")
    good = link(port, work.id)
    old = link(port, work.id, datetime.now(UTC) - timedelta(days=31))
    look = LinkSigner.of(settings().links).inquiry(work.id, datetime.now(UTC))
    assert look is not None
    bad = [
        good.replace(work.id, other.id),
        re.sub(r"expires=\d+", "expires=99999999999", good),
        re.sub(r"signature=.*", "signature=", good),
        good.partition("?")[0],
        old,
        look.replace("https://triage.example.com", f"http://127.0.0.1:{port}"),
        f"http://127.0.0.1:{port}/",
    ]
    for url in bad:
        assert ask(url)[0] == 403, url
        assert ask(url, {"by": "Eve"})[0] == 403, url
    assert repository.acknowledgements.get(work.id) is None
    assert repository.acknowledgements.get(other.id) is None


def test_a_lead_that_is_gone_is_said_to_be(port: int) -> None:
    assert ask(link(port, "inq_erased"), {"by": "Ann"})[0] == 404


def test_it_is_off_unless_asked_for_and_needs_a_secret(repository: Repository) -> None:
    with listening(Settings(), repository) as nothing:
        assert nothing is None
    bare = Settings.model_validate({"acknowledge": {"listen": "127.0.0.1:0"}})
    with pytest.raises(Configuration, match=r"links\.secret"), listening(bare, repository):
        pass
    taken = settings(listen="203.0.113.1:80")
    with pytest.raises(Configuration, match="listen"), listening(taken, repository):
        pass


def test_nobody_in_time_is_told_once_to_the_one_who_is_named(repository: Repository) -> None:
    work = stored.brought_to(repository, Stage.SETTLED)
    calm = Escalation(settings(within=3600), repository)
    assert calm.sweep() == 0
    hasty = Escalation(settings(within=0.001), repository)
    assert hasty.sweep() == 1
    assert hasty.sweep() == 0
    (event,) = [d for d in repository.outbox.listed() if d.event == LEAD_UNACKNOWLEDGED]
    assert (event.destination, event.inquiry_id) == ("boss", work.id)
    told = json.loads(event.body)
    assert told["type"] == LEAD_UNACKNOWLEDGED
    data = told["data"]
    assert (data["grade"], data["score"], data["subject"]) == ("B", 60, "Quote for 40 seats")
    assert data["told"][0]["destination"] == "crm"
    assert data["links"]["acknowledge"].startswith("https://triage.example.com/acknowledge/inq_")


def test_what_somebody_looks_after_alarms_nobody(repository: Repository) -> None:
    work = stored.brought_to(repository, Stage.SETTLED)
    repository.acknowledgements.acknowledge(work.id, "ann")
    assert Escalation(settings(within=0.001), repository).sweep() == 0
    assert Escalation(settings(within=0.001, escalate_to=""), repository).sweep() == 0
