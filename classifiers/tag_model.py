"""The trained tagger: what a lead states, with where it says so and how sure that is.

Runs on leads only, and without torch: the encoder is computed by `runtime`, the heads here. Cheap
to import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifiers import tag_artifact, weights
from classifiers.calibration import Floats
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError
from classifiers.runtime import Kind, build
from classifiers.tag_marks import CLASSES, SPANS, Offsets, SpanName
from classifiers.tagging import (
    Tokens,
    Window,
    read_tokens,
    stretches,
    windows_of,
)
from classifiers.verdict import Example

if TYPE_CHECKING:
    from classifiers.runtime import Runtime
    from classifiers.tag_artifact import TagManifest

_EPSILON: Final = 1e-5
_CLAUSE: Final = re.compile(r"[.!?;]+\s+|\n+")
_LONG_CLAUSE: Final = 160  # characters; beyond, as in calls without marks, words around the peak
_AROUND: Final = 8  # tokens to either side


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
class Tagged:
    """What was read in one text. `spans` are the likeliest stretches of each signal, best first."""

    spans: Mapping[SpanName, tuple[Stretch, ...]]
    choices: Mapping[str, Choice]


class Tagger:
    """A tagger that is ready to read; make one with `load`. Safe to use from several threads."""

    def __init__(
        self,
        runtime: Runtime,
        heads: Mapping[str, Floats],
        base: BaseModel,
        manifest: TagManifest,
    ) -> None:
        self._runtime, self._heads, self._base = runtime, heads, base
        self.manifest = manifest

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
            tensors = load_file(file)
            heads = {
                name: value.astype(np.float64)
                for name, value in tensors.items()
                if not name.startswith(("encoder", "head"))
            }
            encoder = {name: value for name, value in tensors.items() if name not in heads}
            arrays = weights.changed(weights.base_weights(base_model.weights), encoder, 1)
            cls._check(heads)
        except (ArtifactError, SafetensorError, KeyError) as error:
            raise ArtifactError(f"{file} cannot be used: {error}") from error
        return cls(build(runtime, arrays, threads), heads, base_model, manifest)

    @staticmethod
    def _check(heads: Mapping[str, Floats]) -> None:
        width = heads["read.bias"].shape[0]
        if heads["tags.weight"].shape != (3 * len(SPANS), width):
            raise ArtifactError("its head was made for other signals; train it again")

    def read(self, texts: Sequence[tuple[Example, str]]) -> list[Tagged]:
        """What each text states. The example says who wrote to whom; its own text is not read."""
        return [
            self._tagged(text, tokens)
            for (_, text), tokens in zip(texts, read_tokens(texts, self._base), strict=True)
        ]

    def _tagged(self, text: str, tokens: Tokens) -> Tagged:
        tags, attention, classes = self._scores(tokens, windows_of(tokens, self._base))
        spans = {
            name: tuple(
                Stretch(start, end, self.manifest.calibrated(name, score))
                for start, end, score in stretches(text, tokens, name, tags[:, column])
            )
            for column, name in enumerate(SPANS)
        }
        choices = {
            name: Choice(
                dict(zip(values, (float(p) for p in found), strict=True)),
                _shown(text, tokens, attention[:, column]),
            )
            for column, ((name, values), found) in enumerate(
                zip(CLASSES.items(), classes, strict=True)
            )
        }
        return Tagged(spans, choices)

    def _scores(
        self, tokens: Tokens, windows: Sequence[Window]
    ) -> tuple[Floats, Floats, list[Floats]]:
        """Tags (tokens, spans, 3), attention (tokens, classes) and probabilities of each class.

        Where windows overlap, the one with more context to either side counts for more.
        """
        count = len(tokens.ids)
        tags = np.zeros((count, len(SPANS), 3))
        attention = np.zeros((count, len(CLASSES)))
        weight = np.zeros(count)
        found = [self._window(window) for window in windows]
        looks = [vectors @ self._of("attend") + self._heads["attend.bias"] for vectors in found]
        peak = max((look.max() for look in looks if len(look)), default=0.0)
        total = sum(np.exp(look - peak).sum(axis=0) for look in looks) + 1e-30
        width = self._heads["read.bias"].shape[0]
        shown, whole = np.zeros((len(CLASSES), width)), np.zeros(width)
        for window, vectors, look in zip(windows, found, looks, strict=True):
            size = window.end - window.start
            near = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1)).clip(max=32.0)
            logits = vectors @ self._of("tags") + self._heads["tags.bias"]
            inside = slice(window.start, window.end)
            tags[inside] += _softmax(logits.reshape(size, len(SPANS), 3)) * near[:, None, None]
            share = np.exp(look - peak) / total
            attention[inside] += share
            weight[inside] += near
            shown += share.T @ vectors
            whole += vectors.sum(axis=0)
        tags /= np.maximum(weight, 1.0)[:, None, None]
        whole /= max(1, sum(len(vectors) for vectors in found))
        classes = []
        for at, name in enumerate(CLASSES):
            both = np.concatenate([shown[at], whole])
            logits = both @ self._of(f"sides.{at}") + self._heads[f"sides.{at}.bias"]
            classes.append(_softmax(logits / self.manifest.temperature(name)))
        return tags, attention, classes

    def _window(self, window: Window) -> Floats:
        """What the heads read of a window's text, (tokens, width)."""
        ids = np.array([window.ids], dtype=np.int64)
        vectors = self._runtime.vectors(ids, np.array([len(window.ids)]))[0]
        body = slice(window.lead, len(window.ids) - 1)
        found = vectors[body].astype(np.float64) @ self._of("read") + self._heads["read.bias"]
        for kind in range(window.layout.shape[1]):
            found = found + self._heads[f"layout.{kind}.weight"][window.layout[body, kind]]
        found = np.maximum(found, 0.0)
        for at, kernel in enumerate(self._kernels):
            found = found + np.maximum(_convolved(found, kernel, self._reach[at]), 0.0)
        centred = found - found.mean(axis=1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + _EPSILON)
        even: Floats = centred / deviation * self._heads["even.weight"] + self._heads["even.bias"]
        return even

    def _of(self, name: str) -> Floats:
        matrix: Floats = self._heads[f"{name}.weight"].T
        return matrix

    @cached_property
    def _kernels(self) -> list[tuple[Floats, Floats]]:
        """Of each convolution (places, in, out) and its bias (out,)."""
        return [
            (
                self._heads[f"around.{at}.weight"].transpose(2, 1, 0),
                self._heads[f"around.{at}.bias"],
            )
            for at in range(len(self._reach))
        ]

    @property
    def _reach(self) -> tuple[int, ...]:
        return self.manifest.reach


def _convolved(found: Floats, kernel: tuple[Floats, Floats], reach: int) -> Floats:
    places, bias = kernel
    half = len(places) // 2
    padded = np.pad(found, ((half * reach, half * reach), (0, 0)))
    result: Any = bias
    for place, matrix in enumerate(places):
        result = result + padded[place * reach : place * reach + len(found)] @ matrix
    convolved: Floats = result
    return convolved


def _softmax(logits: Floats) -> Floats:
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Floats = exponents / exponents.sum(axis=-1, keepdims=True)
    return shares


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
