"""When the opening of a call is enough."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from classifiers import artifact, opening
from classifiers.bound import FilingBound
from classifiers.errors import ArtifactError
from classifiers.labels import LABELS, Label
from classifiers.opening import SETTLING, OpeningRule
from classifiers.verdict import Verdict

BOUND = FilingBound(floor=0.01, leads=400, filed=0, upper=0.0075)
RULE = OpeningRule(
    looks=(20.0, 30.0, 45.0),
    settling=SETTLING,
    confidence=0.8,
    bound=BOUND,
    calls=250,
    mails=150,
    agreement=0.99,
    stopped=0.6,
    model="m@1",
    weights="",
    corpus="",
)


def said(label: Label, sure: float, lead: float, *, abstained: bool = False) -> Verdict:
    scores = dict.fromkeys(LABELS, 0.0) | {"lead": lead, label: sure}
    return Verdict(label, scores, 0.5, abstained, "m@1")


@pytest.mark.parametrize(
    ("verdict", "settles"),
    [
        (said("personal", 0.95, 0.005), True),
        (said("personal", 0.95, 0.01), False),
        (said("personal", 0.79, 0.005), False),
        (said("personal", 0.95, 0.005, abstained=True), False),
        (said("support", 0.99, 0.0), False),
        (said("misdial", 0.99, 0.0), False),
        (said("lead", 0.99, 0.99), False),
    ],
)
def test_only_what_is_sure_and_no_lead_stops(verdict: Verdict, settles: bool) -> None:
    assert RULE.settles(verdict) is settles


def test_looks_lie_ahead_of_what_was_read() -> None:
    assert RULE.next_look(0.0) == 20.0
    assert RULE.next_look(18.6) == 30.0  # cut at a pause near 20 s
    assert RULE.next_look(0.0, least_s=25.0) == 30.0
    assert RULE.next_look(44.0) is None


def test_an_opening_has_as_many_words_as_are_spoken_in_its_time() -> None:
    text = "Agent: one two three\nCaller: four five six seven eight nine ten"
    assert opening.opening(text, 2.0) == "Agent: one two three\nCaller: four five"
    assert opening.opening(text, 60.0) == text


def test_ring_tone_is_no_opening() -> None:
    assert RULE.heard_enough("word " * 40, 20.0)
    assert not RULE.heard_enough("Agent: word " * 20, 20.0)


def test_a_rule_lies_beside_its_model_and_is_refused_beside_another(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(artifact.DEFAULT / artifact.MANIFEST, folder)
    assert opening.read(folder) is None
    weights = artifact.read_manifest(folder).files[artifact.TENSORS]
    rule = replace(RULE, weights=weights)
    opening.write(folder, rule)
    assert opening.read(folder) == rule
    opening.write(folder, replace(rule, bound=replace(BOUND, upper=0.011)))
    assert opening.read(folder) is None, "a rule that shows too little is none"
    opening.write(folder, RULE)
    with pytest.raises(ArtifactError, match="chosen for another model"):
        opening.read(folder)
    (folder / opening.FILE).write_text(json.dumps({"looks": []}))
    with pytest.raises(ArtifactError, match=r"opening\.json cannot be used"):
        opening.read(folder)


def test_the_shipped_rule_keeps_what_it_promises() -> None:
    rule = opening.read("default")
    assert rule is not None
    assert rule.bound.leads >= 299
    assert rule.bound.upper <= 0.01
    assert rule.agreement >= 0.98
