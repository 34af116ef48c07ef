"""Whether the business that was contacted does what an inquiry is about.

The classifier reads the business's profile in front of every text and hardly compares the two: what
somebody wants says by itself what the label will mostly be. So a second network of the same base
reads text and profile each by itself, trained so that a profile lies near what its customers write
and far from what reached it by mistake (`classifiers.match_training`). How near they are shifts the
classifier's probabilities between a lead, support and a misdial, as far as the profile tells what
the business does: a mere name is far from everything. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats, softmax
from classifiers.encoder import BaseModel, Reading, parts
from classifiers.errors import ArtifactError
from classifiers.labels import LABELS
from classifiers.runtime import Kind, Runtime, Windows, build, pooled
from classifiers.text import BUSINESS_CHARS, body
from classifiers.verdict import Example
from classifiers.weights import HEAD, Array, changed

PREFIX: Final = "match."
TELLING: Final = (f"{PREFIX}telling.weight", f"{PREFIX}telling.bias")
READING: Final = Reading(window=128, header=0, overlap=16, most=12)
"""Short windows: a wish is a sentence or two, and a mean over more would say less of it."""
SHARPNESS: Final = 0.05
"""Of the windows of a text those nearest to the profile count; the temperature of that choice."""
SHIFTED: Final = ("lead", "support", "misdial")
_LIMIT: Final = 8.0  # logits beyond are as sure as any
_KEPT: Final = 4096  # profiles whose vectors are remembered: a business has one or a few


@dataclass(frozen=True, slots=True)
class MatchRule:
    """What nearness means.

    `scale` and `bias` make a logit of the cosine of text and profile: that of the business doing
    what is asked. `shifts`: by label of `SHIFTED` the slope and the offset of what is added to its
    log-probability. Where lead and misdial together are less probable than `least` nothing is
    compared.
    """

    scale: float
    bias: float
    shifts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    least: float = 0.05

    def shifted(self, probabilities: Floats, logits: Floats) -> Floats:
        """Probabilities (items, labels) given the logits (items,) of a match."""
        log = np.log(np.maximum(probabilities, 1e-12))
        for label, (slope, offset) in self.shifts.items():
            log[:, LABELS.index(label)] += slope * logits + offset
        return softmax(log)


@dataclass(frozen=True, slots=True)
class Telling:
    """Whether a profile tells what the business does, by its vector: `weights` (hidden,) and a
    `bias`. As it stands every profile does.
    """

    weights: Floats | None = None
    bias: float = 0.0

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[Any]]) -> Telling:
        """From a model folder's tensors."""
        if not all(name in tensors for name in TELLING):
            return cls()
        weights, bias = (tensors[name].astype(np.float64) for name in TELLING)
        return cls(weights, float(bias[0]))

    def arrays(self) -> dict[str, Array]:
        """What a model folder holds of it."""
        if self.weights is None:
            return {}
        values = self.weights.astype(np.float32), np.array([self.bias], dtype=np.float32)
        return dict(zip(TELLING, values, strict=True))

    def probabilities(self, vectors: Floats) -> Floats:
        """Of profile vectors (profiles, hidden), (profiles,)."""
        if self.weights is None:
            return np.ones(len(vectors))
        result: Floats = 1 / (1 + np.exp(-(vectors @ self.weights + self.bias)))
        return result


def is_match(name: str) -> bool:
    """Whether a tensor of a model folder is the matcher's."""
    return name.startswith(PREFIX)


class Matcher:
    """Compares texts with profiles. Safe to use from several threads."""

    def __init__(
        self,
        runtime: Runtime,
        base: BaseModel,
        rule: MatchRule,
        *,
        telling: Telling | None = None,
        batch: int = 16,
    ) -> None:
        self._runtime, self._base, self._batch = runtime, base, batch
        self._telling = telling or Telling()
        self._profiles: dict[str, NDArray[np.float64]] = {}
        self.rule = rule

    @classmethod
    def of(
        cls,
        tensors: Mapping[str, NDArray[Any]],
        rule: MatchRule | None,
        base: BaseModel,
        weights: Mapping[str, Array],
        *,
        kind: Kind = "auto",
        threads: int | None = None,
        batch: int = 16,
    ) -> Matcher | None:
        """From a model folder's tensors, and the base's `weights`; none where it has no matcher.
        `ArtifactError` where a tensor does not fit, or all are missing.
        """
        if rule is None:
            return None
        own = {
            name.removeprefix(PREFIX): each
            for name, each in tensors.items()
            if is_match(name) and name not in TELLING
        }
        if not own:
            raise ArtifactError("its matcher is missing; train it again")
        hidden = weights["norm.bias"].shape[0]
        # The head of a classifier is what an encoder is built with, and nobody asks this one's.
        head: dict[str, Array] = dict(zip(
            HEAD, (np.zeros((1, hidden), np.float32), np.zeros(1, np.float32)), strict=True
        ))  # fmt: skip
        runtime = build(kind, changed(weights, own | head, 1), threads)
        return cls(runtime, base, rule, telling=Telling.of(tensors), batch=batch)

    def probabilities(self, said: Floats, examples: Sequence[Example]) -> Floats:
        """What a classifier `said` (examples, labels), with the match considered."""
        concerned = said[:, [LABELS.index("lead"), LABELS.index("misdial")]].sum(axis=1)
        known = np.array([bool(example.business.strip()) for example in examples])
        rows: list[int] = np.flatnonzero(known & (concerned >= self.rule.least)).tolist()
        if not rows:
            return said
        result = said.copy()
        compared = [examples[row] for row in rows]
        tells = self.tells([example.business for example in compared])[:, None]
        shifted = self.rule.shifted(said[rows], self.logits(compared))
        result[rows] = tells * shifted + (1 - tells) * said[rows]
        return result

    def fit(self, example: Example) -> float | None:
        """How well an example fits its business, 0 to 1; none where the profile tells no trade."""
        if self.tells([example.business])[0] < 0.5:
            return None
        return float(1 / (1 + np.exp(-self.logits([example])[0])))

    def tells(self, profiles: Sequence[str]) -> Floats:
        """How probable it is that each profile says what the business does, (profiles,)."""
        return self._telling.probabilities(self.profile_vectors(profiles))

    def logits(self, examples: Sequence[Example]) -> Floats:
        """Logit of each business doing what its example is about, (examples,)."""
        texts = text_windows(self._base, examples)
        flat = pooled(self._runtime, [[window] for text in texts for window in text], self._batch)
        profiles = self.profile_vectors([example.business for example in examples])
        found, start = np.zeros(len(examples)), 0
        for row, text in enumerate(texts):
            end = start + len(text)
            found[row] = nearness(_unit(flat[start:end]) @ profiles[row])
            start = end
        result: Floats = np.clip(self.rule.scale * found + self.rule.bias, -_LIMIT, _LIMIT)
        return result

    def profile_vectors(self, profiles: Sequence[str]) -> Floats:
        """Of length 1, (profiles, hidden); those of the last profiles are remembered."""
        known = self._profiles
        new = sorted({profile for profile in profiles if profile not in known})
        if new:
            vectors = _unit(pooled(self._runtime, profile_windows(self._base, new), self._batch))
            if len(known) + len(new) > _KEPT:
                known = {p: known[p] for p in profiles if p in known}
            known = known | dict(zip(new, vectors, strict=True))
            self._profiles = known  # replaced, never changed: other threads may be reading
        return np.stack([known[profile] for profile in profiles])


def nearness(cosines: Floats) -> float:
    """Of a text, from the cosines of its windows: about the greatest."""
    weights = softmax(cosines[None] / SHARPNESS)[0]
    return float(weights @ cosines)


def text_windows(base: BaseModel, examples: Sequence[Example]) -> Windows:
    """Token ids of every window of every text, with the subject in front."""
    texts = [". ".join(filter(None, (e.subject.strip(), body(e.text)))) for e in examples]
    return _windows(base, texts)


def profile_windows(base: BaseModel, profiles: Sequence[str]) -> Windows:
    """Token ids of each profile, one window each."""
    return [text[:1] for text in _windows(base, [p[:BUSINESS_CHARS] for p in profiles])]


def _windows(base: BaseModel, texts: Sequence[str]) -> list[list[tuple[int, ...]]]:
    ids = [one.ids for one in base.tokenizer.encode_batch(texts, add_special_tokens=False)]
    start, end = (cast("int", base.tokenizer.token_to_id(m)) for m in ("[CLS]", "[SEP]"))
    return [[(start, *part, end) for part in parts(each, 0, READING)] for each in ids]


def _unit(vectors: Floats) -> Floats:
    result: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return result
