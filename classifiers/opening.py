"""When the opening of a call is enough: a rule with a bound on the leads that it would stop.

A call is looked at after some seconds, and again after some more. At each look it may stop where
the model is sure of a label that the first purpose of a call decides (`SETTLING`), does not
abstain, and gives a lead less than a floor. The floor is chosen as in `bound`, on leads held out
for it, for the looks together: a lead counts as lost where any of them would stop it. Confidence is
chosen on dev, so that the label of the opening is that of the whole text; the calibration split
then only chooses the floor.

The rule lies beside the model as `opening.json` and names the weights that it was chosen for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.artifact import TENSORS, read_manifest, resolve, write_synced
from classifiers.bound import FilingBound, choose_floor
from classifiers.calibration import LEAD, Floats
from classifiers.dataset import Corpus, Item, indices_of
from classifiers.errors import ArtifactError
from classifiers.labels import LABELS, Label
from classifiers.verdict import Example, Verdict

if TYPE_CHECKING:
    from classifiers.model import Classifier

Bools = NDArray[np.bool_]

FILE: Final = "opening.json"
FORMAT: Final = 1
WORDS_PER_S: Final = 2.6
"""Words in a second of a telephone call, pauses included."""
LOOKS: Final = (20.0, 30.0)
"""Seconds of a call after which it is looked at. Before, too many leads say nothing yet; every
further look is one more at which a lead may be mistaken, and lowers the floor of all."""
SETTLING: Final[tuple[Label, ...]] = (
    "solicitation", "spam", "personal", "job_applicant", "internal", "irrelevant",
)  # fmt: skip
"""Of two that fit, the first purpose decides between these. Support is not among them, because a
wish to buy that is stated later wins over it, nor misdial: who reached the wrong business hangs up,
and who talks on wants something else."""
CONFIDENCES: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
AGREEMENT: Final = 0.99
"""Share of calls on dev that keep their label; what is asked for is 0.98."""
HEARD: Final = 0.75
"""Share of the usual words that must have been heard: ring tone is no opening."""

_TOKEN: Final = re.compile(r"\S+\s*")
_SPEAKERS: Final = frozenset({"Agent:", "Caller:"})


@dataclass(frozen=True, slots=True)
class OpeningRule:
    """After which `looks` (seconds), how sure, and for which labels the opening settles a call.

    `bound` says what was shown about leads: `bound.leads` of them were longer than the first look,
    `calls` as calls and `mails` as mails read as if spoken. `agreement` is the share of calibration
    calls whose label stays, `stopped` the share of their non-leads that stop early. `weights` is
    the sha256 of the model's.
    """

    looks: tuple[float, ...]
    settling: tuple[Label, ...]
    confidence: float
    bound: FilingBound
    calls: int
    mails: int
    agreement: float
    stopped: float
    model: str
    weights: str
    corpus: str
    format: int = FORMAT

    def settles(self, verdict: Verdict) -> bool:
        """Whether a verdict on an opening can stand for the whole call."""
        return (
            verdict.label in self.settling
            and not verdict.abstained
            and verdict.confidence >= self.confidence
            and verdict.scores["lead"] < self.bound.floor
        )

    def next_look(self, read_s: float, least_s: float = 0.0) -> float | None:
        """The first look that lies well behind `read_s`, and is `least_s` at least."""
        ahead = (look for look in self.looks if look >= max(least_s, read_s + 5.0))
        return next(ahead, None)

    def heard_enough(self, text: str, read_s: float) -> bool:
        """Whether as much was said in `read_s` seconds as an opening holds."""
        return words(text) >= HEARD * WORDS_PER_S * read_s


def words(text: str) -> int:
    """How many words were spoken, without the names of speakers."""
    return sum(word not in _SPEAKERS for word in text.split())


def opening(text: str, seconds: float) -> str:
    """The beginning of a call's text, as long as it takes to say it."""
    left = round(seconds * WORDS_PER_S)
    for token in _TOKEN.finditer(text):
        left -= token.group().strip() not in _SPEAKERS
        if left < 0:
            return text[: token.start()].rstrip()
    return text


def read(path: Path | str) -> OpeningRule | None:
    """The rule of a model folder; None where it has none, or one that shows too little.

    Raises `ArtifactError` for a damaged one and for one that was chosen for other weights.
    """
    folder = resolve(path)
    file = folder / FILE
    if not file.exists():
        return None
    try:
        raw = json.loads(file.read_bytes())
        values = {name: tuple(raw[name]) for name in ("looks", "settling")}
        rule = OpeningRule(**raw | values | {"bound": FilingBound(**raw["bound"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{file} cannot be used ({error}); remove it or make it again"
        ) from error
    if rule.format != FORMAT or rule.weights != read_manifest(folder).files[TENSORS]:
        raise ArtifactError(
            f"{file} was chosen for another model; run `triage train --only opening`, or remove it"
        )
    return rule if rule.bound.holds else None


def write(path: Path | str, rule: OpeningRule) -> Path:
    """Put the rule beside its model; returns the file."""
    file = resolve(path) / FILE
    scratch = file.with_suffix(".new")
    text = json.dumps(asdict(rule), indent=1, sort_keys=True)
    write_synced(scratch, f"{text}\n".encode())
    scratch.replace(file)
    return file


def choose(
    classifier: Classifier, corpus: Corpus, looks: Sequence[float] = LOOKS
) -> OpeningRule | None:
    """Choose the confidence on dev and the floor on the calibration split.

    None where either has no call longer than the first look, or the second no lead.
    """
    leads = [item for item in _calls(corpus.calibration) if item.label == "lead"]
    if not (leads and _calls(corpus.dev)):
        return None
    dev = _Looked.at(classifier, _calls(corpus.dev), looks)
    confidence = next(
        (c for c in CONFIDENCES if dev.agreement(dev.stops(c, 1.0)) >= AGREEMENT), CONFIDENCES[-1]
    )
    calls = _calls(corpus.calibration)
    heard = _Looked.at(classifier, calls, looks)
    first = round(looks[0] * WORDS_PER_S)
    mails = [
        _spoken(item)
        for item in corpus.calibration
        if item.example.channel == "email"
        and item.label == "lead"
        and words(item.example.text) > first
    ]
    at_risk = np.concatenate(
        [
            heard.risk(confidence)[indices_of(calls) == LEAD],
            _Looked.at(classifier, mails, looks).risk(confidence),
        ]
    )
    bound = choose_floor(_as_probabilities(at_risk), np.full(len(at_risk), LEAD))
    stops = heard.stops(confidence, bound.floor)
    others = indices_of(calls) != LEAD
    manifest = classifier.manifest
    return OpeningRule(
        looks=tuple(looks),
        settling=SETTLING,
        confidence=confidence,
        bound=bound,
        calls=len(leads),
        mails=len(mails),
        agreement=heard.agreement(stops),
        stopped=float((stops.any(axis=1) & others).sum() / others.sum()),
        model=manifest.name_version,
        weights=manifest.files[TENSORS],
        corpus=corpus.sha256,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """Probabilities of some items at each look, (items, looks, labels), and of their whole text.

    `open` says at which looks there is more to come and the model does not abstain: (items, looks).
    """

    probabilities: Floats
    open: Bools
    whole: Floats

    @classmethod
    def at(cls, classifier: Classifier, items: Sequence[Item], looks: Sequence[float]) -> _Looked:
        examples = [item.example for item in items]
        whole, _ = _classified(classifier, examples)
        tables, more = [], []
        for look in looks:
            cut = [replace(e, text=opening(e.text, look)) for e in examples]
            shorter = [i for i, (a, b) in enumerate(zip(cut, examples, strict=True)) if a != b]
            table, sure = whole.copy(), np.zeros(len(examples), bool)
            if shorter:
                table[shorter], abstained = _classified(classifier, [cut[i] for i in shorter])
                sure[shorter] = ~abstained
            tables.append(table)
            more.append(sure)
        return cls(np.stack(tables, axis=1), np.stack(more, axis=1), whole)

    def risk(self, confidence: float) -> Floats:
        """The least probability of a lead at which an item would stop; 1 where it never can."""
        least: Floats = np.where(self._sure(confidence), self.probabilities[..., LEAD], 1.0)
        return np.asarray(least.min(axis=1), np.float64)

    def stops(self, confidence: float, floor: float) -> Bools:
        """The looks at which an item may stop: (items, looks)."""
        return self._sure(confidence) & (self.probabilities[..., LEAD] < floor)

    def agreement(self, stops: Bools) -> float:
        """Share of items whose label is that of the whole text, if they stop where they may."""
        first = stops.argmax(axis=1)
        said = self.probabilities[np.arange(len(stops)), first].argmax(axis=1)
        same = ~stops.any(axis=1) | (said == self.whole.argmax(axis=1))
        return float(same.mean())

    def _sure(self, confidence: float) -> Bools:
        other = np.isin(self.probabilities.argmax(axis=2), [LABELS.index(x) for x in SETTLING])
        sure = other & (self.probabilities.max(axis=2) >= confidence) & self.open
        return np.asarray(sure, np.bool_)


def _classified(classifier: Classifier, examples: Sequence[Example]) -> tuple[Floats, Bools]:
    verdicts = classifier.classify(examples)
    rows = [[verdict.scores[label] for label in LABELS] for verdict in verdicts]
    return np.array(rows).reshape(len(rows), len(LABELS)), np.array(
        [verdict.abstained for verdict in verdicts], bool
    )


def _calls(items: Sequence[Item]) -> list[Item]:
    """Calls that are longer than the first look; others are read whole anyway."""
    first = round(LOOKS[0] * WORDS_PER_S)
    return [i for i in items if i.example.channel == "call" and words(i.example.text) > first]


def _spoken(item: Item) -> Item:
    """A mail as if somebody said it on the telephone."""
    return replace(item, example=replace(item.example, channel="call", subject=""))


def _as_probabilities(lead: Floats) -> Floats:
    """Rows for `choose_floor`: the least probability of each lead; what never stops is one."""
    rows = np.zeros((len(lead), len(LABELS)))
    rows[:, LEAD] = lead
    other = (LEAD + 1) % len(LABELS)
    rows[:, other] = np.where(lead < 1.0, 2.0, 0.0)  # any label that is said instead
    return rows
