"""Whether a model may take the place of the one that decides: shown to be better, and losing no
lead that the other one keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.artifact import plain
from classifiers.calibration import Ints
from classifiers.dataset import Item
from classifiers.evaluate import Report, evaluate
from classifiers.paired import LEVEL, Paired, compare
from classifiers.verdict import Example, Verdict
from triage.pipeline.decide import decide
from triage.settings import Settings
from triage.store import records
from triage.training.snapshot import Line, Snapshot
from triage.types import Outcome

LEAST_GROUPS: Final = 10
FORGOTTEN: Final = 0.15
"""The share of what the model knew of other businesses that may be lost for one's own. Where a
business calls things by other names than most, learning that costs some of it; more is a model
that knows little but the examples."""

Classify = Callable[[Sequence[Example]], list[Verdict]]


@dataclass(frozen=True, slots=True)
class Exam:
    """What two models are compared by; neither was trained on any of it.

    `lines` are confirmed labels, held out for good or recent; `general` comes from the shipped
    corpus and shows what was forgotten.
    """

    lines: tuple[Line, ...]
    groups: Ints
    general: tuple[Item, ...] = ()

    @classmethod
    def of(cls, snapshot: Snapshot, seen: frozenset[str], general: tuple[Item, ...] = ()) -> Exam:
        """What a snapshot keeps for it, without what one of the two was trained on (`seen`)."""
        kept = snapshot.of("held-out", "recent")
        known = {line.group for line in kept if line.learned.said.inquiry_id in seen}
        lines = tuple(line for line in kept if line.group not in known)
        return cls(lines, snapshot.groups(lines), general)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """How the two models did on the same items."""

    items: Sequence[Item]
    before: Sequence[Verdict]
    after: Sequence[Verdict]
    settings: Settings

    def right(self, said: Sequence[Verdict]) -> NDArray[np.bool_]:
        """Own labels count, too: a model that no longer tells them apart is not as good."""
        return np.array([
            v.label == item.label and item.own in {"", v.own}
            for v, item in zip(said, self.items, strict=True)
        ])  # fmt: skip

    def lost(self, said: Sequence[Verdict]) -> int:
        """How many leads would be filed without anybody seeing them."""
        rules, taxonomy = self.settings.decision, self.settings.taxonomy
        return sum(
            item.label == "lead"
            and decide(verdict, None, rules, taxonomy=taxonomy).outcome == Outcome.FILE
            for verdict, item in zip(said, self.items, strict=True)
        )

    def asked(self, said: Sequence[Verdict]) -> float:
        """The share that people would be asked about."""
        rules, taxonomy = self.settings.decision, self.settings.taxonomy
        asked = [decide(v, None, rules, taxonomy=taxonomy).outcome == Outcome.REVIEW for v in said]
        return float(np.mean(asked))

    def reports(self) -> dict[str, Report]:
        floor = self.settings.decision.lead_floor
        both = {"before": self.before, "after": self.after}
        return {name: evaluate(self.items, said, lead_floor=floor) for name, said in both.items()}


def judge(
    exam: Exam, champion: Classify, challenger: Classify, settings: Settings
) -> dict[str, Any]:
    """The figures, with `passed` and `reasons` in words for why not."""
    items = [line.item for line in exam.lines]
    examples = [item.example for item in items]
    figures: dict[str, Any] = {"at": records.now().isoformat(), "items": len(items)}
    if len(set(exam.groups.tolist())) < LEAST_GROUPS:
        groups = len(set(exam.groups.tolist()))
        return figures | {
            "groups": groups,
            "passed": False,
            "reasons": [_too_few(groups)],
        }
    answers = _Answers(items, champion(examples), challenger(examples), settings)
    was, is_now = answers.right(answers.before), answers.right(answers.after)
    paired = compare(was, is_now, exam.groups)
    recent = np.array([line.part == "recent" for line in exam.lines])
    lost = {"before": answers.lost(answers.before), "after": answers.lost(answers.after)}
    reports = answers.reports()
    general = _general(exam.general, champion, challenger, settings)
    reasons = [
        *_lost(lost, sum(item.label == "lead" for item in items), ""),
        *_compared(paired, float(was.mean()), float(is_now.mean())),
        *_recent(int(was[recent].sum()), int(is_now[recent].sum()), int(recent.sum())),
        *_forgotten(general),
    ]
    return figures | {
        "against": answers.before[0].model,
        "model": answers.after[0].model,
        "held_out": int((~recent).sum()),
        "recent": {
            "items": int(recent.sum()),
            "before": int(was[recent].sum()),
            "after": int(is_now[recent].sum()),
        },
        "leads": sum(item.label == "lead" for item in items),
        "lost_leads": lost,
        "asked": {"before": answers.asked(answers.before), "after": answers.asked(answers.after)},
        "paired": asdict(paired) | {"test": "McNemar, exact, by groups", "level": LEVEL},
        "before": plain(reports["before"]),
        "after": plain(reports["after"]),
        "general": {name: value for name, value in general.items() if name != "test"},
        "passed": not reasons,
        "reasons": reasons,
        "groups": paired.groups,
    }


def _general(
    items: Sequence[Item], champion: Classify, challenger: Classify, settings: Settings
) -> dict[str, Any]:
    """How both do on the shipped corpus; nothing where there is none."""
    if not items:
        return {}
    examples = [item.example for item in items]
    answers = _Answers(items, champion(examples), challenger(examples), settings)
    was, is_now = answers.right(answers.before), answers.right(answers.after)
    return {
        "items": len(items),
        "before": int(was.sum()),
        "after": int(is_now.sum()),
        "leads": sum(item.label == "lead" for item in items),
        "lost_leads": {
            "before": answers.lost(answers.before),
            "after": answers.lost(answers.after),
        },
        "test": compare(was, is_now, np.arange(len(items))),
    }


def _too_few(groups: int) -> str:
    return (
        f"only {groups} independent groups of confirmed inquiries are held out; {LEAST_GROUPS} are "
        "needed to compare models at all"
    )


def _lost(lost: Mapping[str, int], leads: int, where: str) -> list[str]:
    if lost["after"] <= lost["before"]:
        return []
    more, less = lost["after"], lost["before"]
    return [f"it would file {more} of {leads} leads{where} unseen, the model that decides {less}"]


def _compared(paired: Paired, before: float, after: float) -> list[str]:
    if paired.is_better:
        return []
    verdict = "it is worse" if paired.is_worse else "it is not shown to be better"
    shown = (
        f"of {paired.groups} groups {paired.better} are better and {paired.worse} worse "
        f"(p = {paired.p_better:.3f}, needed is less than {LEVEL})"
    )
    return [f"{verdict}: accuracy {after:.3f} against {before:.3f}; {shown}"]


def _recent(before: int, after: int, items: int) -> list[str]:
    if after >= before:
        return []
    return [f"of the {items} latest it is right about {after}, the model that decides {before}"]


def _forgotten(general: Mapping[str, Any]) -> list[str]:
    if not general:
        return []
    found = _lost(general["lost_leads"], general["leads"], " of other businesses")
    spared = (1 - FORGOTTEN) * general["before"]
    if general["test"].is_worse and general["after"] < spared:
        after, before = general["after"], general["before"]
        found.append(
            f"it forgets: of {general['items']} inquiries of other businesses it is right about "
            f"{after}, the model that decides {before}; {spared:.0f} are asked for"
        )
    return found
