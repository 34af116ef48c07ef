"""What is shown of a training under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from classifiers import artifact
from classifiers.artifact import Manifest
from classifiers.finetuning import Progress
from classifiers.labels import LABELS
from classifiers.model import Classifier
from classifiers.verdict import Example, Verdict
from tests.support.models import variant
from triage.pipeline.lesson import Lesson, as_named_today, stepped, weakest
from triage.settings import Settings
from triage.store.confirmed import Confirmed
from triage.training.snapshot import Learned, Line, Snapshot

MOMENT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class Sure:
    """Finds a lead in everything but what says otherwise."""

    manifest: Manifest

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        return [_verdict(0.001 if "hardly" in each.text else 0.9) for each in examples]


class Bounding(Lesson):
    """A training that computes its bound with a model that needs no network."""

    def _load(self, folder: Path) -> Classifier:
        return cast("Classifier", Sure(artifact.read_manifest(folder)))


def _verdict(lead: float) -> Verdict:
    scores = dict.fromkeys(LABELS, 0.0) | {"lead": lead, "spam": 1 - lead}
    return Verdict("lead" if lead > 0.5 else "spam", scores, 0.5, abstained=False, model="m@1")


def _lead(number: int, group: int, text: str) -> Line:
    said = Confirmed(
        f"inq_{number}", "lead", "", "ann", MOMENT, "", "inbox", "email", "", "0" * 64, True
    )
    return Line(Learned(said, Example("email", text)), f"inq_{group}", "held-out")


@pytest.mark.parametrize(("groups", "hardly"), [(150, 0), (299, 0), (299, 1)])
def test_the_bound_on_lost_leads_counts_a_group_once(
    tmp_path: Path, groups: int, hardly: int
) -> None:
    """Two mails of each sender; of some senders the second hardly reads like a lead."""
    mails = [(group, second) for group in range(groups) for second in (False, True)]
    lines = tuple(
        _lead(number, group, "hardly" if second and group < hardly else "please quote")
        for number, (group, second) in enumerate(mails)
    )
    folder = variant(tmp_path / "m", "learned", bound=None)
    floor = artifact.read_manifest(folder).abstain.lead
    lesson = object.__new__(Bounding)  # neither a store nor settings are asked for
    lesson._bound(folder, Snapshot(lines, MOMENT))
    manifest = artifact.read_manifest(folder)
    if groups < 299:
        assert manifest.bound is None
        return
    assert manifest.bound is not None
    assert (manifest.bound.leads, manifest.bound.filed) == (299, 0)
    assert manifest.abstain.lead == (min(floor, 0.001) if hardly else floor)


def test_of_a_group_the_lead_that_is_filed_first_counts() -> None:
    lead, other = LABELS.index("lead"), LABELS.index("spam")
    rows = np.zeros((4, len(LABELS)))
    rows[:, lead] = [0.3, 0.4, 0.2, 0.1]
    rows[:, other] = [0.2, 0.6, 0.8, 0.9]  # the first is called a lead, and never filed
    found = weakest(rows, np.array([0, 0, 1, 1]))
    assert found[:, lead].tolist() == [0.4, 0.1]


def test_progress_grows_and_the_time_left_shrinks() -> None:
    """Two epochs of ten steps, each a second."""
    shares, left = [], []
    for number in range(1, 21):
        epoch, step = (number - 1) // 10 + 1, (number - 1) % 10 + 1
        share, shown = stepped(Progress(epoch, 2, step, 10, 0.5, float(number)))
        assert (shown["epoch"], shown["step"], shown["loss"]) == (epoch, step, 0.5)
        shares.append(share)
        left.append(shown["seconds_left"])
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.8)
    assert left == sorted(left, reverse=True)
    assert left[9] == pytest.approx(10 + 20 / 6, abs=0.1)
    assert left[-1] == pytest.approx(20 / 6, abs=0.1)


def test_nothing_is_said_of_the_time_left_before_the_first_step() -> None:
    assert stepped(Progress(1, 3, 0, 10, 0.0, 0.0))[1]["seconds_left"] is None


@pytest.mark.parametrize(
    ("taxonomy", "label", "own"),
    [
        ({"reorder": {"base": "lead"}}, "lead", "reorder"),
        ({"reorder": {"base": "support"}}, "support", "reorder"),
        ({"other": {"base": "support"}}, "lead", ""),
    ],
)
def test_an_own_label_is_learned_as_what_it_stands_for_today(
    taxonomy: dict[str, object], label: str, own: str
) -> None:
    """It may be moved or given up after people used it; the nine stay what they are."""
    known = Settings.model_validate({"taxonomy": taxonomy}).taxonomy
    said = replace(_lead(1, 1, "the same again").learned.said, own="reorder")
    named = as_named_today(said, known)
    assert (named.label, named.own) == (label, own)
    plain = replace(said, own="")
    assert as_named_today(plain, known) == plain
