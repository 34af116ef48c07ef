"""`evaluate --behaviour`: the model on minimal pairs, with every pair that fails."""

from __future__ import annotations

from pathlib import Path

from classifiers.behaviour import Behaviour, described, examine, read_pairs
from classifiers.errors import ClassifierError
from triage.cli import output
from triage.demo.fixtures import fixtures_folder
from triage.errors import Usage
from triage.settings import Classifier
from triage.wiring import load_classifier


def show_behaviour(path: Path | None, settings: Classifier, *, as_json: bool) -> None:
    """Run the suite in `path` (default: the shipped one). Raises `Usage` for a wrong file."""
    try:
        pairs = read_pairs(path or fixtures_folder() / "behaviour")
        found = examine(pairs, load_classifier(settings).classify)
    except ClassifierError as error:
        raise Usage(str(error)) from error
    if as_json:
        output.show_json(
            {
                "model": found.model,
                "pairs": len(found.outcomes),
                "passed": found.passed,
                "share": found.share,
                "topics": [
                    {"kind": kind, "topic": topic, "passed": passed, "pairs": total}
                    for (kind, topic), (passed, total) in sorted(found.topics.items())
                ],
                "failed": [outcome.pair.id for outcome in found.failures],
            }
        )
    else:
        _show(found)


def _show(found: Behaviour) -> None:
    output.show_table(
        ["kind", "topic", ">passed", ">pairs"],
        [
            [kind, topic, passed, total]
            for (kind, topic), (passed, total) in sorted(found.topics.items())
        ],
    )
    output.show_table(
        ["failed", "side", "right", "said", ">confidence", "text"],
        [
            [outcome.pair.id, side, label, said, f"{confidence:.0%}", text]
            for outcome in found.failures
            for side, label, said, confidence, text in described(outcome)
        ],
    )
    output.say(
        f"{found.model}: {found.passed} of {len(found.outcomes)} pairs passed ({found.share:.1%})",
        "bold",
    )
