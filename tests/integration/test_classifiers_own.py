"""A business's own examples: adapted, measured, and refused where not better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from classifiers import own
from classifiers.artifact import DEFAULT, read_manifest
from classifiers.dataset import read_items
from classifiers.errors import TrainingError
from classifiers.finetuning import Recipe
from classifiers.labels import LABELS, Label
from classifiers.model import Classifier

# A press office: for it a journalist's question is what it lives on.
PRESS = [
    "I write for the evening paper and would like an interview with your director on the new line.",
    "Could your spokesman comment on the court's ruling before our deadline at five?",
    "I am a reporter with the harbour radio and look for a statement about the strike.",
    "Our magazine plans a feature on women in shipping. Whom may I speak to?",
    "Do you have photographs of the opening for our Sunday supplement, in print quality?",
    "We are making a documentary about the flood and would love to film in your archive.",
    "Please send me your press kit and tomorrow's programme, I cover the visit for the agency.",
    "A question from the news desk: how many people were aboard last night?",
    "I host a podcast on old ports. Would your historian join me for half an hour?",
    "May I quote your chairman as saying that the pier will close? We print tonight.",
    "I am checking facts for a column: is it true that the fares rise in May?",
    "For our local paper: who won the rowing race, and can I have their names?",
]
WHOLESALE = [
    "We run nine delis and want 40 cases of the olive oil a month. What is your trade price?",
    "Please quote 600 jars of chutney on pallets for our farm shops, delivered in March.",
    "Our chain of cafes looks for a tea supplier, about 200 kilos a quarter. Terms?",
    "Do you give resellers a discount from 500 bottles on? We supply hotels.",
    "I buy for a co-operative of grocers and need a price list for full pallets of pasta.",
    "Could you supply our 14 stores with your honey, in boxes of 24, on 30 days credit?",
    "We distribute in Norway and would like to stock your sauces; what is the minimum order?",
    "Our restaurant group needs a standing order of 80 litres of vinegar each week. Prices?",
]
RETAIL = [
    "Could I have two jars of the fig chutney for my mother's birthday, gift wrapped?",
    "Is the small bottle of olive oil still there? I would pick one up on Saturday.",
    "I would like to order a hamper for a friend who has moved house. What do they cost?",
    "Do you post a single packet of the smoked tea to Wales, and what is the postage?",
    "One jar of heather honey please, can I pay when I come by after work?",
    "My daughter is allergic to nuts, which of your biscuits could I buy for her party?",
    "We tasted your mustard on holiday and want a jar for ourselves. How do I order?",
    "Have you a bottle of that lemon vinegar left for me? I cook for six on Sunday.",
]
SUPPORT = [
    "The jar I bought arrived broken and the box was soaked. Please send another.",
    "You took the money twice for order 219, please return it.",
    "My parcel was to come on Monday and the tracking has not moved since.",
    "The lid of the oil leaks. I would like my money back.",
    "I cannot log in to my account to change my address, can you help?",
    "Two of the six bottles were missing from my delivery yesterday.",
    "How do I open the tin? The key has broken off.",
    "Please cancel my subscription to the tea box, it comes too often.",
]


def write(path: Path, labelled: Sequence[tuple[str, Sequence[str]]]) -> Path:
    lines = [
        json.dumps(
            {"id": f"{label}-{n}-{text[:9]}", "channel": "email", "body": text, "label": label}
        )
        for label, texts in labelled
        for n, text in enumerate(texts)
    ]
    path.write_text("\n".join(lines))
    return path


def scores(model: Classifier, path: Path) -> np.ndarray:
    said = model.classify([item.example for item in read_items(path, labelled=False)])
    return np.array([[verdict.scores[label] for label in LABELS] for verdict in said])


def test_a_convention_of_ones_own_is_learned(tmp_path: Path) -> None:
    file = write(tmp_path / "own.jsonl", [("lead", PRESS), ("support", SUPPORT)])
    done = own.adapt(file, tmp_path / "m", name="press")
    assert (done.method, done.examples) == ("few-shot", 20)
    assert done.adapted.accuracy.value > done.shipped.accuracy.value
    manifest = read_manifest(tmp_path / "m")
    assert manifest.training["network_changed"]
    assert manifest.bound is None
    assert manifest.name_version == done.model
    assert {path.name for path in (tmp_path / "m").iterdir()} == {
        "manifest.json", "weights.safetensors",
    }  # fmt: skip
    again = Classifier.load(tmp_path / "m")
    before, after = scores(Classifier.load(), file), scores(again, file)
    lead = LABELS.index("lead")
    assert after[: len(PRESS), lead].mean() > before[: len(PRESS), lead].mean() + 0.2


def test_own_labels_are_told_apart(tmp_path: Path) -> None:
    labelled = [("wholesale", WHOLESALE), ("retail", RETAIL), ("support", SUPPORT)]
    file = write(tmp_path / "own.jsonl", labelled)
    bases: dict[str, Label] = {"wholesale": "lead", "retail": "lead"}
    done = own.adapt(file, tmp_path / "m", bases=bases)
    right, commonest = done.divided["lead"]
    assert right > commonest == 0.5
    assert read_manifest(tmp_path / "m").own == bases
    model = Classifier.load(tmp_path / "m")
    said = model.classify([item.example for item in read_items(file, bases=bases)])
    named = [verdict.own for verdict in said if verdict.label == "lead"]
    assert set(named) <= set(bases)
    assert all(verdict.own == "" for verdict in said if verdict.label != "lead")


def test_what_is_not_better_is_not_written(tmp_path: Path) -> None:
    file = write(tmp_path / "own.jsonl", [("lead", (WHOLESALE + RETAIL)), ("support", SUPPORT)])
    said = Classifier.load().classify([item.example for item in read_items(file)])
    file.write_text(
        "\n".join(
            json.dumps(json.loads(line) | {"label": verdict.label})
            for line, verdict in zip(file.read_text().splitlines(), said, strict=True)
        )
    )
    with pytest.raises(TrainingError, match=r"not better than .* Nothing was written"):
        own.adapt(file, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_too_few_are_not_guessed_from(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="too few"):
        own.adapt(write(tmp_path / "own.jsonl", [("lead", PRESS)]), tmp_path / "m")
    labelled = [
        ("wholesale", WHOLESALE[:3]),
        ("lead", RETAIL),
        ("support", SUPPORT),
        ("spam", ["x"]),
    ]
    with pytest.raises(TrainingError, match="'wholesale' has 3 examples"):
        own.adapt(
            write(tmp_path / "own.jsonl", labelled), tmp_path / "m", bases={"wholesale": "lead"}
        )


def test_from_three_hundred_on_the_network_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "FEW", 20)
    file = write(tmp_path / "own.jsonl", [("lead", PRESS), ("support", [*SUPPORT, *RETAIL])])
    recipe = Recipe(epochs=3, rate=3e-4, head_rate=3e-3)
    done = own.adapt(file, tmp_path / "m", recipe=recipe)
    assert done.method == "fine-tuning"
    manifest = read_manifest(tmp_path / "m")
    assert manifest.training["form"] == "fine-tuning"
    shipped = read_manifest(DEFAULT)
    assert manifest.files != shipped.files
    said = Classifier.load(tmp_path / "m").classify(
        [item.example for item in read_items(file)][: len(PRESS)]
    )
    assert sum(verdict.label == "lead" for verdict in said) > len(PRESS) // 2
