"""The trained tagger: what a lead states, with where it says so and how sure that is.

Runs on leads only, and without torch: the base model is computed by `runtime`, the heads by
`tag_heads`. Cheap to import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers import tag_artifact, weights
from classifiers.calibration import Floats
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError
from classifiers.ranking import Ranking
from classifiers.runtime import Kind, build
from classifiers.tag_heads import Ensemble, Scores, softmax
from classifiers.tag_marks import CLASSES, SPANS, Offsets, SpanName
from classifiers.tagging import TAPS, Tokens, covered, read_tokens, stretches, vectors_of
from classifiers.verdict import Example

if TYPE_CHECKING:
    from classifiers.runtime import Runtime
    from classifiers.tag_artifact import TagManifest

RANKING: Final = "ranking."
"""What stands before a signal's name in the names of an artifact's tensors."""

_CLAUSE: Final = re.compile(r"[.!?;]+\s+|\n+")
_LONG_CLAUSE: Final = 160  # characters; beyond, as in calls without marks, words around the peak
_AROUND: Final = 8  # tokens to either side
_SHARE: Final = 0.5  # of a vector's length


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters `start` to `end` of a text, and how probable it is that they state the signal."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The probability of each value, and the characters that show it."""

    probabilities: Mapping[str, float]
    shown: Offsets


@dataclass(frozen=True, slots=True)
class Context:
    """What the encoder says of each token of a text: `vectors` (tokens, width)."""

    tokens: Tokens
    vectors: NDArray[np.floating[Any]]

    def of(self, at: Offsets) -> Floats:
        """Of some characters on average, and of the token after them: (2 * width,), scaled so that
        a ranking's regularisation weighs it against features that are 1.
        """
        first, after = covered(self.tokens, at)
        inside, beside = self.vectors[first:after], self.vectors[after : after + 1]
        nothing = np.zeros(self.vectors.shape[1])
        parts = (part.mean(axis=0) if len(part) else nothing for part in (inside, beside))
        return _SHARE * np.concatenate([*parts]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Tagged:
    """What was read in one text. `spans` are the likeliest stretches of each signal, best first;
    `context` is where it was read from.
    """

    spans: Mapping[SpanName, tuple[Stretch, ...]]
    choices: Mapping[str, Choice]
    context: Context | None = None


class Tagger:
    """A tagger that is ready to read; make one with `load`. Safe to use from several threads."""

    def __init__(
        self,
        runtime: Runtime,
        heads: Ensemble,
        base: BaseModel,
        manifest: TagManifest,
        ranking: Mapping[str, Ranking] | None = None,
    ) -> None:
        self._runtime, self._heads, self._base = runtime, heads, base
        self.manifest = manifest
        self.ranking = ranking or {}
        """Of each signal, which of several candidates is right."""

    @classmethod
    def load(
        cls,
        path: Path | str = "default",
        *,
        threads: int | None = None,
        base: Path | None = None,
        runtime: Kind = "auto",
    ) -> Tagger:
        """Load the tagger of a model folder; the parameters are those of `Classifier.load`.

        Raises `ArtifactError`, `BaseWeightsError` or `EngineError`.
        """
        from safetensors import SafetensorError  # noqa: PLC0415 - heavy
        from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

        manifest, file = tag_artifact.read(path)
        base_model = BaseModel(base)
        try:
            tensors = {name: value.astype(np.float64) for name, value in load_file(file).items()}
            cls._check(tensors)
            heads = Ensemble.of(tensors, manifest.reach)
            ranking = {
                name: Ranking(tensors[f"{RANKING}{name}"], floor)
                for name, floor in manifest.floors.items()
            }
        except (ArtifactError, SafetensorError, KeyError) as error:
            raise ArtifactError(f"{file} cannot be used: {error}") from error
        encoder = base_encoder(base_model, threads, runtime)
        return cls(encoder, heads, base_model, manifest, ranking)

    @staticmethod
    def _check(tensors: Mapping[str, Floats]) -> None:
        width = tensors["heads.0.read.bias"].shape[0]
        if tensors["heads.0.tags.weight"].shape != (3 * len(SPANS), width):
            raise ArtifactError("its head was made for other signals; train it again")

    def read(self, texts: Sequence[tuple[Example, str]]) -> list[Tagged]:
        """What each text states. The example says who wrote to whom; its own text is not read."""
        return [
            self._tagged(text, tokens)
            for (_, text), tokens in zip(texts, read_tokens(texts, self._base), strict=True)
        ]

    def _tagged(self, text: str, tokens: Tokens) -> Tagged:
        vectors = vectors_of(tokens, self._base, self._runtime)
        scores = self._heads.scores(vectors, tokens)
        return tagged(text, Context(tokens, vectors), scores, self.manifest)


def tagged(text: str, context: Context, scores: Scores, manifest: TagManifest) -> Tagged:
    """What scores mean for a text, with calibrated probabilities."""
    tokens = context.tokens
    spans = {
        name: tuple(
            Stretch(start, end, manifest.calibrated(name, score))
            for start, end, score in stretches(text, tokens, name, scores.tags[:, column])
        )
        for column, name in enumerate(SPANS)
    }
    choices = {
        name: Choice(
            dict(zip(values, softmax(logits / manifest.temperature(name)).tolist(), strict=True)),
            _shown(text, tokens, scores.attention[:, column]),
        )
        for column, ((name, values), logits) in enumerate(
            zip(CLASSES.items(), scores.classes, strict=True)
        )
    }
    return Tagged(spans, choices, context)


def base_encoder(base: BaseModel, threads: int | None, runtime: Kind) -> Runtime:
    """The base model as the tagger reads it. Raises `EngineError`."""
    arrays = weights.base_weights(base.weights)
    hidden = arrays["norm.bias"].shape[0]
    shapes = zip(weights.HEAD, ((1, hidden), (1,)), strict=True)
    nothing = {name: np.zeros(shape, np.float32) for name, shape in shapes}
    return build(runtime, arrays | nothing, threads, TAPS)


def _shown(text: str, tokens: Tokens, attention: Floats) -> Offsets:
    """The clause to which most of the attention goes; of an endless one the words around it."""
    if not len(attention):
        return 0, 0
    smooth = np.convolve(attention, np.ones(5), mode="same")[: len(attention)]
    peak = int(smooth.argmax())
    at = int(tokens.offsets[peak, 0])
    start = max((m.end() for m in _CLAUSE.finditer(text, 0, at + 1) if m.end() <= at), default=0)
    ending = _CLAUSE.search(text, at)
    end = ending.start() if ending else len(text)
    if end - start > _LONG_CLAUSE:
        first, last = max(0, peak - _AROUND), min(len(attention) - 1, peak + _AROUND)
        start = max(start, int(tokens.offsets[first, 0]))
        end = min(end, int(tokens.offsets[last, 1]))
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
