"""Models are compared, switched and taken back: in one process, in two, and under load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from classifiers import artifact, own
from classifiers.artifact import DEFAULT, TENSORS
from classifiers.dataset import Item
from classifiers.labels import LABELS, Label
from classifiers.shortcut import Shortcut
from classifiers.verdict import Example
from tests.support.confirmed import Mail, put
from tests.support.models import COOLER, WORSE, variant
from triage.delivery.client import HttpClient
from triage.engines.embedded import EmbeddedEngine
from triage.errors import Configuration, Usage
from triage.pipeline.dispatch import Dispatch
from triage.pipeline.learning import Learning
from triage.pipeline.lesson import Lesson
from triage.pipeline.steps import Steps
from triage.settings import Settings
from triage.sources.base import Batch, Fetched, Memory
from triage.store import tables
from triage.store.audit import Actor
from triage.store.models import Model
from triage.store.repository import Repository
from triage.training import replay
from triage.transcripts.host import TranscriberHost
from triage.types import SourceRef, Stage
from triage.wiring import ActiveClassifier, load_rulebook

SHIPPED = artifact.read_manifest(DEFAULT).name_version
CASTING = "A theatre for everybody: people who want to act in its plays are its leads"
"""Whoever applies for a part is what this business lives on."""


def settings_for(repository: Repository, **more: object) -> Settings:
    found = {
        "store": {"data_dir": str(repository.folder), "database_url": ""},
        "business": {"name": "Theatre", "sells": CASTING},
        "learning": {"least": 40},
        "engine": {"sweep_every": 0.1},
        "console": {"enabled": False},
    }
    return Settings.model_validate(found | more)


ANN = Actor("", "ann")
OLDEST = tables.models.c.name_version == "learned@0"


@pytest.fixture
def learning(repository: Repository) -> Learning:
    return Learning(settings_for(repository), repository)


def passed(learning: Learning, name: str) -> None:
    """Let the gate have passed a model, as far as its row says."""
    figures = {"passed": True, "reasons": [], "against": learning.active().name_version}
    learning.repository.models.measured(name, "candidate", figures)


EXAMPLES = [
    Example("email", text, business=CASTING)
    for text in ("Please quote 40 seats.", "I won the lottery, claim now.", "May I audition?")
]


def probabilities(classifier: ActiveClassifier) -> list[dict[Label, float]]:
    return [dict(verdict.scores) for verdict in classifier().classify(EXAMPLES)]


def test_the_model_of_the_settings_is_the_first(learning: Learning) -> None:
    (model,) = learning.models()
    assert (model.name_version, model.origin, model.state) == (SHIPPED, "shipped", "active")
    assert learning.active() == model
    with pytest.raises(Usage, match="nothing to go back to"):
        learning.rollback("ann")


def test_only_what_passed_the_gate_is_promoted(learning: Learning, tmp_path: Path) -> None:
    candidate = learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    assert (candidate.state, candidate.origin) == ("candidate", "imported")
    with pytest.raises(Usage, match="never compared"):
        learning.promote("cooler@1", "ann")
    refused = {"passed": False, "reasons": ["it is worse"], "against": SHIPPED}
    learning.repository.models.measured("cooler@1", "refused", refused)
    with pytest.raises(Usage, match="it is worse"):
        learning.promote("cooler@1", "ann")
    assert learning.active().name_version == SHIPPED
    forced = learning.promote("cooler@1", "ann", "I know better", force=True)
    assert (forced.why, forced.from_, forced.to) == ("forced", SHIPPED, "cooler@1")
    assert [entry.action for entry in learning.repository.audit.listed()] == [
        "model forced",
        "model imported",
    ]
    with pytest.raises(Usage, match="decides already"):
        learning.promote("cooler@1", "ann", force=True)
    # What was compared with another model than the one that decides was not compared.
    learning.add(variant(tmp_path / "n", "other", blend=COOLER), "ann")
    against = {"passed": True, "reasons": [], "against": SHIPPED}
    learning.repository.models.measured("other@1", "candidate", against)
    with pytest.raises(Usage, match="train again"):
        learning.promote("other@1", "ann")


def test_going_back_goes_to_the_model_before(learning: Learning, tmp_path: Path) -> None:
    for name in ("one", "two"):
        learning.add(variant(tmp_path / name, name, blend=COOLER), "ann")
        passed(learning, f"{name}@1")
        learning.promote(f"{name}@1", "ann")
    steps = [learning.rollback("ann", "no good") for _ in range(2)]
    assert [(s.from_, s.to, s.why) for s in steps] == [
        ("two@1", "one@1", "rolled back"),
        ("one@1", SHIPPED, "rolled back"),
    ]
    with pytest.raises(Usage, match="nothing to go back to"):
        learning.rollback("ann")
    passed(learning, "two@1")
    learning.promote("two@1", "ann")
    assert learning.rollback("ann").to == SHIPPED
    assert {m.name_version: m.state for m in learning.models()} == {
        "one@1": "retired", "two@1": "retired", SHIPPED: "active",
    }  # fmt: skip


def damage(folder: Path, how: str) -> None:
    manifest = folder / "manifest.json"
    if how == "weights":
        data = bytearray((folder / TENSORS).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / TENSORS).write_bytes(data)
    elif how == "missing":
        (folder / TENSORS).unlink()
    elif how == "vocabulary":
        raw = json.loads(manifest.read_text()) | {"labels_sha256": "0" * 64}
        manifest.write_text(json.dumps(raw))
    else:  # an honest manifest, but not the one that was compared
        artifact.rewrite(folder, blend=WORSE)


@pytest.mark.parametrize("how", ["weights", "missing", "vocabulary", "manifest"])
def test_a_damaged_model_never_decides(learning: Learning, tmp_path: Path, how: str) -> None:
    """Refused at promotion, even by force; found at start-up, the one before it goes on."""
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    passed(learning, "cooler@1")
    place = learning.chosen.registry.place("cooler@1")
    whole = tmp_path / "whole"
    copy(place, whole)
    damage(place, how)
    for force in (False, True):
        with pytest.raises(Usage):
            learning.promote("cooler@1", "ann", force=force)
    assert learning.active().name_version == SHIPPED
    states = {m.name_version: m.state for m in learning.models()}
    assert states["cooler@1"] == "damaged"

    remove(place)
    copy(whole, place)
    learning.promote("cooler@1", "ann")
    damage(place, how)
    started = Learning(learning.settings, learning.repository)
    chosen = started.chosen.chosen()
    assert (chosen.model.name_version, chosen.instead_of) == (SHIPPED, "cooler@1")
    assert started.repository.models.get("cooler@1").state == "damaged"  # type: ignore[union-attr]
    classifier = ActiveClassifier(learning.settings, learning.repository)
    assert classifier().name_version == SHIPPED
    # Whole again, it decides again.
    remove(place)
    copy(whole, place)
    classifier.look()
    assert started.active().name_version == "cooler@1"
    assert started.active().state == "active"


def copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_a_folder_that_is_no_model_is_not_taken_in(learning: Learning, tmp_path: Path) -> None:
    folder = variant(tmp_path / "m", "person", blend=COOLER)
    with pytest.raises(Usage, match="cannot be named"):
        learning.add(folder, "ann")
    with pytest.raises(Usage, match="no model at"):
        learning.add(tmp_path / "nothing", "ann")
    learning.add(variant(tmp_path / "one", "cooler", blend=COOLER), "ann")
    with pytest.raises(Usage, match="is there already"):
        learning.add(variant(tmp_path / "two", "cooler", blend=WORSE), "ann")


def test_a_store_without_any_intact_model_says_so(repository: Repository, tmp_path: Path) -> None:
    settings = settings_for(repository, classifier={"artifact": str(tmp_path / "gone")})
    with pytest.raises(Configuration, match="no model at"):
        Learning(settings, repository).active()


def test_what_going_back_needs_is_not_deleted(learning: Learning, tmp_path: Path) -> None:
    """A model that decided before is measured anew, and others were refused since."""
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    learning.promote("cooler@1", "ann", force=True)
    learning.rollback("ann")
    assert learning.measure("cooler@1").state == "retired"
    models, registry = learning.repository.models, learning.chosen.registry
    made = [f"learned@{number}" for number in range(6)]
    for name in made:
        models.add(Model(name, datetime.now(UTC), "trained", "0" * 64, "trn_1", "refused"))
        registry.place(name).mkdir()
    # Earlier versions called a model refused although it had decided.
    assert models.switched(learning.chosen.last_switch(), SHIPPED, made[0], "forced", ANN)
    assert models.switched(learning.chosen.last_switch(), made[0], SHIPPED, "rolled back", ANN)
    with learning.repository.database.write() as connection:
        connection.execute(update(tables.models).where(OLDEST).values(state="refused"))
    Lesson(learning.settings, learning.repository, "")._forget_refused()
    left = [name for name in made if registry.place(name).exists()]
    assert left == [made[0], *made[-3:]]


def test_a_model_that_an_update_brought_is_measured_where_it_is(
    learning: Learning, tmp_path: Path
) -> None:
    """The settings name it, and nobody copied it among the models."""
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    learning.promote("cooler@1", "ann", force=True)
    brought = variant(tmp_path / "n", "brought", "2", blend=COOLER)
    settings = settings_for(learning.repository, classifier={"artifact": str(brought)})
    updated = Learning(settings, learning.repository)
    assert updated.active().name_version == "cooler@1"
    assert not updated.chosen.registry.place("brought@2").exists()
    (reason,) = updated.measure("brought@2").figures["reasons"]
    assert "groups of confirmed inquiries" in reason


def mails(count: int) -> list[Mail]:
    """Mails of other businesses, where one kind means something else here: applications are leads.

    The shipped model gets those wrong, and the rest right for the most part.
    """
    found = []
    for number, item in enumerate(replay.drawn("dev", count)):
        label = "lead" if item.label in {"job_applicant", "misdial"} else str(item.label)
        sender = f"writer{number // 2}@people.example" if number < 40 else ""
        found.append(Mail(item.example.text[:400], label, sender, item.example.subject))
    return found


def test_a_worse_challenger_is_refused(
    repository: Repository,
    learning: Learning,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that learned wrong labels, and one that says the least likely; in words and figures."""
    monkeypatch.setattr(replay, "CHECKED", 18)
    put(repository, learning.settings, mails(90))
    wrong = [wronged(item) for item in replay.drawn("calibration", 36)]
    plan = own.Plan(name="misled", version="1", cautious=True, threads=1)
    folder = own.adapt_items(wrong, tmp_path / "misled", plan).folder
    misled = learning.measure(learning.add(folder, "ann").name_version)
    assert misled.state == "refused"
    assert not misled.figures["passed"]
    reasons = " ".join(misled.figures["reasons"])
    assert "it is worse: accuracy 0." in reasons
    assert "it forgets" in reasons
    with pytest.raises(Usage, match="refused"):
        learning.promote("misled@1", "ann")

    folder = variant(tmp_path / "m", "worse", blend=WORSE, shortcut=Shortcut())
    worse = learning.measure(learning.add(folder, "ann").name_version)
    paired = worse.figures["paired"]
    assert paired["p_worse"] < 0.01 < paired["p_better"]
    assert "it is worse" in " ".join(worse.figures["reasons"])
    assert learning.active().name_version == SHIPPED


def wronged(item: Item) -> Item:
    """The item with the next label, so that all that is learned is wrong."""
    label = LABELS[(LABELS.index(item.label) + 1) % len(LABELS)] if item.label else None
    example = replace(item.example, text=item.example.text[:400])
    return Item(item.id, example, label, item.source)


def test_a_switch_by_another_process_is_followed_and_taken_back_exactly(
    repository: Repository, tmp_path: Path
) -> None:
    settings = settings_for(repository)
    learning = Learning(settings, repository)
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    file = tmp_path / "triage.toml"
    file.write_text(f'[store]\ndata_dir = "{repository.folder}"\n')
    classifier = ActiveClassifier(settings, repository)
    with classifier.watching(0.2):
        first = probabilities(classifier)
        command(file, "promote", "cooler@1", "--force")
        assert until(lambda: classifier().name_version == "cooler@1")
        assert probabilities(classifier) != first
        told = json.loads(command(file, "rollback", "--json"))
        assert (told["from_"], told["to"], told["why"]) == ("cooler@1", SHIPPED, "rolled back")
        assert until(lambda: classifier().name_version == SHIPPED)
        assert probabilities(classifier) == first


def command(file: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "triage", "-q", "-s", str(file), "models", *words],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


class Inbox:
    """A source with some mails, of which each is shown once."""

    name = "inbox"

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def check(self) -> str:
        return "fine"

    def poll(self, memory: Memory) -> Iterator[Batch]:
        for number, text in enumerate(self._texts):
            if memory.known([(str(number), "")]):
                continue
            raw = (
                f"From: <writer{number}@example.org>\r\nTo: <office@theatre.example>\r\n"
                f"Subject: A question\r\nMessage-ID: <{number}@example.org>\r\n\r\n"
                f"{text} ({number})\r\n"
            ).encode("utf-8", "replace")
            ref = SourceRef(self.name, "maildir", str(number))
            yield Batch((Fetched(ref, "email", datetime.now(UTC), "message/rfc822", raw),))


@pytest.fixture
def working(repository: Repository, tmp_path: Path) -> Iterator[tuple[EmbeddedEngine, Settings]]:
    """A worker with the real model, and mails that wait."""
    texts = [item.example.text[:600] for item in replay.drawn("train", 160)]
    source = {"kind": "maildir", "name": "inbox", "path": str(tmp_path), "poll_every": 0.1}
    quiet = {"forward_score": 100}  # no destination has to be there
    settings = settings_for(repository, sources=[source], classifier={"batch": 8}, decision=quiet)
    with ExitStack() as stack:
        host = stack.enter_context(TranscriberHost(settings.transcription, settings.limits))
        client = HttpClient()
        stack.callback(client.close)
        classifier = ActiveClassifier(settings, repository)
        stack.enter_context(classifier.watching(0.1))
        engine = EmbeddedEngine(
            settings,
            repository,
            {"inbox": Inbox(texts)},
            Steps(settings, repository, host, classifier, load_rulebook(settings)),
            Dispatch(settings, repository, client),
            Learning(settings, repository),
        )
        stack.callback(engine.stop)
        yield engine, settings


def test_a_worker_switches_in_the_middle_of_load(
    working: tuple[EmbeddedEngine, Settings],
    repository: Repository,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every mail is labelled once, by one of two models, and nothing fails."""
    engine, settings = working
    learning = Learning(settings, repository)
    learning.add(variant(tmp_path / "m", "cooler", blend=COOLER), "ann")
    engine.start()
    for count in (20, 80):
        assert until(partial(labelled, repository, count))
        if count == 20:
            learning.promote("cooler@1", "ann", force=True)
            assert until(lambda: "cooler@1" in verdicts(repository).values())
        else:
            learning.rollback("ann")
    assert until(lambda: stages(repository)[Stage.SETTLED] == 160)
    by_model = Counter(verdicts(repository).values())
    assert set(by_model) == {SHIPPED, "cooler@1"}
    with repository.database.read() as connection:
        rows = connection.execute(tables.verdicts.select()).all()
        decided = connection.execute(tables.decisions.select()).all()
    assert len(rows) == len({row.inquiry_id for row in rows}) == 160
    assert len(decided) == len({row.inquiry_id for row in decided}) == 160
    logged = capsys.readouterr().out
    assert logged.count("another model decides") == 2
    assert "[error" not in logged
    assert "[warning" not in logged


def labelled(repository: Repository, count: int) -> bool:
    """Whether so many mails have their label."""
    return len(verdicts(repository)) >= count


def stages(repository: Repository) -> Counter[str]:
    with repository.database.read() as connection:
        return Counter(row.stage for row in connection.execute(tables.inquiries.select()))


def verdicts(repository: Repository) -> dict[str, str]:
    with repository.database.read() as connection:
        table = tables.verdicts
        return {
            row.inquiry_id: row.model
            for row in connection.execute(table.select())
            if not row.model.startswith("rule:")
        }


def test_what_another_model_would_change_is_listed(
    repository: Repository, learning: Learning, tmp_path: Path
) -> None:
    put(repository, learning.settings, mails(12))
    silent = put(repository, learning.settings, [Mail("We would like a quote for 12 desks.", "")])
    learning.add(variant(tmp_path / "m", "worse", blend=WORSE, shortcut=Shortcut()), "ann")
    found = learning.shadow("worse@1", 20)
    assert found
    assert all(
        (e.before.label, e.before.outcome) != (e.after.label, e.after.outcome) for e in found
    )
    said = {each.id: each.said for each in found}
    assert said.get(silent[0], "") == ""
    assert any(said.values())
    with pytest.raises(Usage, match="no model is named"):
        learning.shadow("nothing@1")
