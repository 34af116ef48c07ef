"""Labels that people got wrong are found among those that they got right, by the shipped model."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from classifiers.model import Classifier
from tests.support.console import served
from tests.support.past import Past, items
from triage.cli.app import app
from triage.errors import Usage
from triage.pipeline.corrections import Corrections
from triage.pipeline.label_errors import LabelErrors
from triage.settings import Settings
from triage.store.accounts import Reach, Role
from triage.store.doubts import Doubt, Look
from triage.store.records import now
from triage.store.repository import Repository

WRONG = 4


@cache
def shipped(settings: object) -> Classifier:
    return Classifier.load(threads=1)


@pytest.fixture
def past(repository: Repository) -> Past:
    return Past(repository, Settings())


def mislabel(past: Past, right: int = 50) -> dict[str, str]:
    """Confirmed labels of short mails, four of them wrong: the right ones of these by id."""
    chosen = [item for item in items("calibration-s", "email") if len(item.example.text) < 400]
    ids = past.confirm(chosen[:right])
    wrong = {}
    for item in chosen[right : right + WRONG]:
        (name,) = past.confirm([item])
        past.say(name, "job_applicant" if item.label != "job_applicant" else "spam", "bob")
        wrong[name] = str(item.label)
    assert len(ids) == right
    return wrong


def test_wrong_labels_are_found_taken_and_kept(past: Past) -> None:
    wrong = mislabel(past)
    errors = LabelErrors(Corrections(past.settings, past.repository), shipped)
    doubts, told = past.repository.doubts, []
    look = errors.look("ann", lambda done, of: told.append((done, of)))
    assert (look.confirmed, told[-1]) == (54, (54, 54))
    found = {doubt.inquiry_id: doubt for doubt in doubts.open()}
    assert len(found) == look.found < 12
    assert len(wrong.keys() & found.keys()) >= WRONG - 1
    hits = [name for name in wrong if name in found]
    assert sum(found[name].proposed == wrong[name] for name in hits) >= len(hits) - 1
    first = found[hits[0]]
    assert first.sure > 0.5
    assert first.label == "job_applicant"
    assert "reads like" in first.why
    assert doubts.open(Reach(sources=("elsewhere",))) == []

    errors.take(hits[0], "ann")
    assert past.repository.corrections.of(hits[0])[-1].label == first.proposed
    errors.keep(hits[1], "ann")
    with pytest.raises(Usage, match="not in doubt any more"):
        errors.take(hits[1], "ann")
    assert doubts.answers().taken == doubts.answers().kept == 1

    open_before = {doubt.inquiry_id for doubt in doubts.open()}
    past.say(hits[2], wrong[hits[2]])  # whoever relabels it settles the doubt
    assert {doubt.inquiry_id for doubt in doubts.open()} == open_before - {hits[2]}
    errors.look("ann")  # what was kept is not doubted again
    assert hits[1] not in {doubt.inquiry_id for doubt in doubts.open()}


def test_too_few_labels_say_nothing(past: Past) -> None:
    past.confirm(items("calibration-s", "email")[:3])
    with pytest.raises(Usage, match="3 labels were confirmed"):
        LabelErrors(Corrections(past.settings, past.repository), shipped).look("ann")


def test_the_command_and_the_pages(tmp_path: Path, past: Past) -> None:
    wrong = mislabel(past)
    file = tmp_path / "triage.toml"
    file.write_text('[store]\ndata_dir = "data"\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["-s", str(file), "-q", "review", "errors", "--json"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({row["inquiry_id"] for row in rows} & wrong.keys()) >= WRONG - 1
    assert rows == sorted(rows, key=lambda row: -row["sure"])
    last = CliRunner().invoke(app, ["-s", str(file), "review", "errors", "--last"])
    assert rows[0]["inquiry_id"] in last.stdout

    structlog.reset_defaults()  # the commands logged to output that is closed by now
    with served(past.repository) as console, console.signed_in(Role.REVIEWER, "rita") as rita:
        page = rita.get("/review/errors")
        first, second = (row["inquiry_id"] for row in rows[:2])
        assert f"/review/errors/{first}/take" in page.text
        assert f"/review/errors/{second}/take" in rita.get(f"/review/errors?skip={first}").text
        answer = rita.post(f"/review/errors/{first}/take", follow_redirects=True)
        assert "Relabelled" in answer.text
        assert past.repository.corrections.of(first)[-1].by == "rita"
        assert "Kept" in rita.post(f"/review/errors/{second}/keep", follow_redirects=True).text
        assert rita.post(f"/review/errors/{second}/keep").status_code == 422
        far = console.signed_in(Role.REVIEWER, "far", Reach(sources=("elsewhere",)))
        with far:
            third = rows[2]["inquiry_id"]
            assert third not in far.get("/review/errors").text
            assert far.post(f"/review/errors/{third}/take").status_code == 404
        actions = [entry.action for entry in past.repository.audit.listed()]
        assert {"review.label_taken", "review.label_kept"} <= set(actions)
        with console.program(Role.REVIEWER, "review") as program:
            listed = program.get("/api/label-errors").json()
            assert listed[0]["inquiry_id"] == rows[2]["inquiry_id"]
            kept = program.post(f"/api/label-errors/{third}", json={"answer": "keep"})
            assert kept.json()["label"] == rows[2]["label"]


def test_a_program_is_told_of_no_inquiry_out_of_its_reach(past: Past) -> None:
    chosen = items("calibration-s", "email")[:3]
    doubted, near = past.confirm(chosen[:2])
    (far,) = Past(past.repository, past.settings, source="elsewhere").confirm(chosen[2:])
    (word,) = (word for word in past.repository.doubts.words() if word.said.inquiry_id == doubted)
    doubt = Doubt(word.correction_id, doubted, "lead", "spam", 0.9, "reads like", (far, near))
    past.repository.doubts.found([doubt], Look(now(), "ann", "m", 3, 1))
    structlog.reset_defaults()
    with served(past.repository) as console:
        reach = Reach(sources=("sales",))
        with console.program(Role.REVIEWER, "review", reach=reach) as program:
            (listed,) = program.get("/api/label-errors").json()
            assert listed["alike"] == [near]
            path = f"/api/label-errors/{doubted}"
            assert program.post(path, json={"answer": "keep"}).json()["alike"] == [near]
