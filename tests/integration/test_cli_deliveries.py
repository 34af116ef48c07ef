"""`triage deliveries` and what `triage inquiries show` and `triage doctor` say of deliveries."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support import stored
from triage.cli.app import app
from triage.cli.checkup import checks
from triage.errors import Usage
from triage.settings import load
from triage.store import records
from triage.store.outbox import Attempt
from triage.store.repository import Repository
from triage.types import DeliveryState, Stage

SETTINGS = """\
[store]
data_dir = "data"
[[destinations]]
name = "crm"
url = "http://127.0.0.1:9/"
secret = "whsec_c2VjcmV0c2VjcmV0"
allow_private = true
"""


@pytest.fixture
def run(tmp_path: Path, repository: Repository) -> Any:
    """Runs a command on the store of the `repository` fixture."""
    file = tmp_path / "triage.toml"
    file.write_text(SETTINGS)

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["--settings", str(file), *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def lead(repository: Repository, state: DeliveryState, name: str = "one") -> tuple[str, str]:
    """(inquiry, delivery) of a lead that was sent to crm."""
    work = stored.brought_to(repository, Stage.SETTLED, name)
    (delivery,) = repository.outbox.listed(inquiry_id=work.id)
    if state is not DeliveryState.PENDING:
        ok = state is DeliveryState.ACCEPTED
        at = stored.ARRIVED + timedelta(seconds=7)
        attempt = Attempt(at, 0.5, 200 if ok else 500, "" if ok else "answered 500")
        assert repository.outbox.tried(delivery, attempt, state)
    return work.id, delivery.id


def test_the_time_to_the_team_is_shown_for_every_lead(repository: Repository, run: Any) -> None:
    inquiry, delivery = lead(repository, DeliveryState.ACCEPTED)
    header, line = run("deliveries", "list").stdout.splitlines()
    found = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert (found["delivery"], found["state"], found["after"]) == (delivery, "accepted", "7.5 s")
    (told,) = [json.loads(text) for text in run("deliveries", "list", "--json").stdout.splitlines()]
    assert told["arrival_s"] == pytest.approx(7.5)
    assert "7.5 s after arrival" in run("inquiries", "show", inquiry).stdout


def test_dead_letters_are_replayed_one_by_one_and_in_bulk(repository: Repository, run: Any) -> None:
    dead = [lead(repository, DeliveryState.DEAD, str(number))[1] for number in range(3)]
    assert "1 of 1 due now" in run("deliveries", "retry", dead[0]).stdout
    assert run("deliveries", "list", "--state", "dead").stdout.count("answered 500") == 2
    assert "0 due now" in run("deliveries", "retry", "--all", "--destination", "chat").stdout
    assert "2 due now" in run("deliveries", "retry", "--all", "--destination", "crm").stdout
    assert repository.outbox.counts()[DeliveryState.PENDING] == 3
    with pytest.raises(Usage, match="--all"):
        run("deliveries", "retry")


def test_a_stopped_destination_is_told_everywhere_and_enabled_by_command(
    repository: Repository, run: Any, tmp_path: Path
) -> None:
    lead(repository, DeliveryState.PENDING)
    repository.destinations.stop("crm", "answered 410: wants nothing more")
    assert "triage deliveries enable crm" in run("deliveries", "list").output
    shown = run("deliveries", "destinations").stdout
    assert "answered 410" in shown
    (line,) = [
        json.loads(text) for text in run("deliveries", "destinations", "--json").stdout.splitlines()
    ]
    assert (line["waiting"], line["dead"], line["median_s"]) == (1, 0, None)
    found = {check.what: check for check in checks(load(tmp_path / "triage.toml"))}
    assert found["destination crm"].state == "failed"
    assert "deliveries enable" in found["destination crm"].detail
    assert "crm: enabled" in run("deliveries", "enable", "crm").stdout
    assert "nothing was in the way" in run("deliveries", "enable", "crm").stdout
    assert repository.destinations.conditions() == {}
    with pytest.raises(Usage, match="no destination"):
        run("deliveries", "enable", "nobody")


def test_a_destination_that_is_left_alone_says_until_when(repository: Repository, run: Any) -> None:
    until = records.now() + timedelta(minutes=5)
    repository.destinations.pause("crm", until, 5, "no answer within 20 s")
    shown = run("deliveries", "destinations").stdout
    assert "after 5 failures in a row: no answer within 20 s" in shown


def test_a_lead_is_acknowledged_by_command(repository: Repository, run: Any) -> None:
    inquiry, _ = lead(repository, DeliveryState.ACCEPTED)
    assert "ann looks after it" in run("deliveries", "acknowledge", inquiry, "--by", "ann").stdout
    assert "ann looks after it already" in run("deliveries", "acknowledge", inquiry).stdout
    assert "looked after by ann" in run("inquiries", "show", inquiry).stdout
