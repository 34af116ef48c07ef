"""`triage review`, as people and programs call it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support import stored
from tests.support.leads import WELL_STATED, Desk
from tests.support.queues import reviewing, settle, unsure
from triage.cli.app import app
from triage.errors import Usage
from triage.store.repository import Repository
from triage.types import Party


@pytest.fixture
def crm(repository: Repository, tmp_path: Path) -> Desk:
    """A desk whose settings are in a file, too."""
    (tmp_path / "triage.toml").write_text(
        '[business]\nname = "Brightwater"\n[store]\ndata_dir = "data"\n[review]\naudit_share = 1\n'
        '[[destinations]]\nname = "crm"\nurl = "http://127.0.0.1:1/"\n'
    )
    return reviewing(repository)[0]


def triage(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["--settings", str(folder / "triage.toml"), "review", *arguments],
        catch_exceptions=False,
    )  # fmt: skip


def test_list_does_not_tell_audits_from_others(crm: Desk, tmp_path: Path) -> None:
    assert "nothing waits" in triage(tmp_path, "list").stderr
    waits = settle(crm, "one", unsure("spam"))
    filed = settle(crm, "two", stored.verdict("spam", 0.99))
    found = [json.loads(line) for line in triage(tmp_path, "list", "--json").stdout.splitlines()]
    assert {each["id"] for each in found} == {waits, filed}
    assert all(set(each) == set(found[0]) for each in found)
    assert not {"kind", "priority", "outcome", "label", "confidence"} & set(found[0])
    for words in ("audit", "spam", "review"):
        assert words not in triage(tmp_path, "list").stdout
    assert "no audits yet" in triage(tmp_path, "figures").stdout
    assert json.loads(triage(tmp_path, "figures", "--json").stdout)["audited"] == 0


def test_what_was_exported_is_imported_again(crm: Desk, tmp_path: Path) -> None:
    first = settle(crm, "one", unsure("spam"), WELL_STATED)
    second = settle(crm, "two", unsure("spam"))
    for form in ("csv", "jsonl"):
        file = tmp_path / f"labels.{form}"
        triage(tmp_path, "export", "--waiting", "--format", form, "-o", str(file))
        content = file.read_text("utf-8")
        if form == "csv":
            rows = list(csv.DictReader(io.StringIO(content)))
            assert {row["id"] for row in rows} == {first, second}
            assert rows[0]["label"] == ""
    file.write_text(
        json.dumps({"id": first, "label": "lead", "note": "big"}) + "\n\n"
        + json.dumps({"id": second, "label": ""}) + "\n"
        + json.dumps({"id": second, "label": "junk"}) + "\nnot JSON\n[1]\n"
        + json.dumps({"id": 7, "label": "spam"}) + "\n" + json.dumps({"label": "spam"}) + "\n"
    )  # fmt: skip
    checked = triage(tmp_path, "import", str(file), "--dry-run")
    assert (checked.exit_code, crm.events()) == (1, [])
    done = triage(tmp_path, "import", str(file), "--by", "Dana", "--json")
    assert done.exit_code == 1
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [bool(one["error"]) for one in results] == [False, True, True, True, True, True]
    assert crm.types() == ["lead.qualified"]
    (said,) = [json.loads(line) for line in triage(tmp_path, "export").stdout.splitlines()]
    assert (said["id"], said["label"], said["said_by"], said["note"]) == (
        first, "lead", "Dana", "big",
    )  # fmt: skip
    with pytest.raises(Usage, match="no-such"):
        triage(tmp_path, "import", str(tmp_path / "no-such"))


def test_no_cell_is_a_formula(crm: Desk, tmp_path: Path) -> None:
    """What a stranger writes is opened by a colleague's spreadsheet."""
    names = ['=HYPERLINK("http://x")', "+1+1", "-2", "@SUM(A1)", "\t=1", " =1", "\r=1", "\uff1d1"]
    for number, name in enumerate(names):
        item = settle(crm, f"m{number}", unsure("spam"), name, Party(name))
        crm.corrections.relabel(item, "spam", by=name, note=name)
    rows = list(csv.reader(io.StringIO(triage(tmp_path, "export", "--format", "csv").stdout)))
    assert len(rows) == len(names) + 1
    for row in rows:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d")), cell


def test_many_are_relabelled_after_a_look(crm: Desk, tmp_path: Path) -> None:
    sender = Party("A", "a@shop.example")
    lead = settle(crm, "one", stored.verdict("lead", 0.97), WELL_STATED, sender)
    seen = triage(tmp_path, "bulk", "spam", "--from", "shop.example", "--dry-run")
    assert seen.exit_code == 0
    assert "1 would be spam" in seen.stdout
    assert "1 lead would be retracted from crm" in seen.stdout
    assert crm.types() == ["lead.qualified"]
    done = triage(tmp_path, "bulk", "spam", "--from", "shop.example", "--by", "Dana")
    assert "lead.retracted to crm" in done.stdout
    assert "1 of 1 relabelled" in done.stdout
    assert "0 would be lead" in triage(tmp_path, "bulk", "lead", "--like", lead, "--dry-run").stdout
    for wrong in ((), ("--from", "x.example", "--like", lead)):
        with pytest.raises(Usage, match="--from or by --like"):
            triage(tmp_path, "bulk", "spam", *wrong)
