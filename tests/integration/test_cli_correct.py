"""`inquiries relabel`, `renew` and `export`, as people and programs call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.support.leads import Desk, desk
from tests.support.stored import ARRIVED
from triage.cli.app import app
from triage.errors import Usage
from triage.settings import Destination
from triage.store.arrivals import Arrival
from triage.store.repository import Repository
from triage.types import Party, RawItem, SourceRef


@pytest.fixture
def crm(repository: Repository, tmp_path: Path) -> Desk:
    """A desk whose settings are in a file, too."""
    (tmp_path / "triage.toml").write_text(
        '[business]\nname = "Brightwater"\ndomains = ["brightwater.example"]\n'
        '[store]\ndata_dir = "data"\n'
        '[[destinations]]\nname = "crm"\nurl = "http://127.0.0.1:1/"\n'
    )
    return desk(repository, Destination(name="crm", url="http://127.0.0.1:1/"))


def triage(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["--settings", str(folder / "triage.toml"), *arguments], catch_exceptions=False
    )


def test_relabel_says_what_it_caused(crm: Desk, tmp_path: Path) -> None:
    lead = crm.settled("one")
    said = ("--by", "Dana", "--note", "a test")
    done = triage(tmp_path, "inquiries", "relabel", lead[:-2], "spam", *said, "--json")
    assert done.exit_code == 0
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["inquiry_id"], found["outcome"]) == (lead, "file")
    assert [(event["event"], event["destination"]) for event in found["events"]] == [
        ("lead.retracted", "crm")
    ]
    again = triage(tmp_path, "inquiries", "relabel", lead, "spam")
    assert again.exit_code == 0
    assert "every destination knows that already" in again.stdout
    (first, second) = crm.repository.corrections.of(lead)
    assert (first.by, first.note, second.by) == ("Dana", "a test", "")
    with pytest.raises(Usage, match="choose one of"):
        triage(tmp_path, "inquiries", "relabel", lead, "junk")


def test_forgetting_is_said_once_and_labelling_anew_teaches_again(
    crm: Desk, tmp_path: Path
) -> None:
    lead = crm.settled("one")
    assert "taught nothing" in triage(tmp_path, "inquiries", "forget", lead).stdout
    triage(tmp_path, "inquiries", "relabel", lead, "spam")
    assert [one.inquiry_id for one in crm.repository.memories.taught(10)] == [lead]
    assert "teaches nothing any more" in triage(tmp_path, "inquiries", "forget", lead).stdout
    assert crm.repository.memories.taught(10) == []
    triage(tmp_path, "inquiries", "relabel", lead, "spam")
    assert [one.inquiry_id for one in crm.repository.memories.taught(10)] == [lead]


def test_renew_finds_nothing_new_in_the_same(crm: Desk, tmp_path: Path) -> None:
    lead = crm.settled("one")  # by rules alone
    assert triage(tmp_path, "inquiries", "renew", lead).exit_code == 0
    done = triage(tmp_path, "inquiries", "renew", lead)
    assert done.exit_code == 0
    assert "every destination knows that already" in done.stdout
    with pytest.raises(Usage, match="is no call"):
        triage(tmp_path, "inquiries", "renew", lead, "--transcribe")


def test_export_writes_a_vcon(crm: Desk, tmp_path: Path) -> None:
    lead = crm.settled("one")
    container = json.loads(triage(tmp_path, "inquiries", "export", lead).stdout)
    assert (container["vcon"], container["dialog"][0]["type"]) == ("0.4.0", "text")
    target = tmp_path / "one.vcon"
    triage(tmp_path, "inquiries", "export", lead, "--format", "vcon", "-o", str(target))
    assert json.loads(target.read_text("utf-8"))["uuid"] == container["uuid"]
    with pytest.raises(Usage, match="choose vcon"):
        triage(tmp_path, "inquiries", "export", lead, "--format", "pdf")
    waiting = crm.qualified("two").id
    with pytest.raises(Usage, match="can be exported once it is settled"):
        triage(tmp_path, "inquiries", "export", waiting)


def test_show_names_the_person_and_what_else_they_asked(crm: Desk, tmp_path: Path) -> None:
    first = crm.settled("one")
    stranger = crm.settled(
        "two", text="Please quote 10 seats. Bob", sender=Party("Bob", "bob@b.example")
    )
    again = crm.settled("three", text="Make it 50 units, please. Ann Example")
    known = crm.repository.people.of(first)
    assert known is not None
    shown = triage(tmp_path, "inquiries", "show", again).stdout
    assert f"({known.id})" in shown
    assert f"also      {first}" in shown
    assert stranger not in shown
    found = json.loads(triage(tmp_path, "inquiries", "show", first, "--json").stdout)["person"]
    assert (found["id"], found["name"]) == (known.id, known.name)
    assert [other["id"] for other in found["others"]] == [again]
    none = crm.settled("four", "spam")
    assert "person  " not in triage(tmp_path, "inquiries", "show", none).stdout


def test_the_raw_copy_is_written_as_it_came(
    crm: Desk, tmp_path: Path, repository: Repository
) -> None:
    content = b"From: a@x.example\r\n\r\n\xff broken\r\n"
    sha256, size = repository.blobs.put(content)
    raw = RawItem(SourceRef("inbox", "imap", "INBOX/1/9"), ARRIVED, sha256, size, "message/rfc822")
    (inquiry,) = repository.arrivals.receive(
        [Arrival(raw, "email", "refused:1", refused="too large")]
    )
    target = tmp_path / "mail.eml"
    triage(tmp_path, "inquiries", "export", inquiry, "--format", "raw", "-o", str(target))
    assert target.read_bytes() == content
    said = triage(tmp_path, "inquiries", "export", inquiry, "--format", "raw")
    assert said.stdout_bytes == content
