"""The fine-tuned classifier: load a model folder once, then classify as often as needed.

Importing this module is cheap; what computes comes with the first `load` (`classifiers.runtime`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from classifiers import artifact, weights
from classifiers.artifact import Manifest
from classifiers.calibration import AbstainRule, Floats
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError
from classifiers.explain import Explainer, Word, strongest
from classifiers.fewshot import Division, is_division
from classifiers.labels import LABELS, Label
from classifiers.lexical import Lexical, is_lexical
from classifiers.match import Matcher, is_match
from classifiers.runtime import Kind, Runtime, build, pooled
from classifiers.text import render
from classifiers.verdict import Example, Verdict


class Classifier:
    """A model that is ready to classify; make one with `load`. Safe to use from several threads."""

    def __init__(
        self,
        runtime: Runtime,
        head: tuple[Floats, Floats],
        lexical: Lexical,
        base: BaseModel,
        manifest: Manifest,
        *,
        batch: int = 16,
        divisions: Mapping[str, Division] | None = None,
        matcher: Matcher | None = None,
    ) -> None:
        self._runtime = runtime
        self._matcher = matcher
        self._divisions = divisions or {}
        self._head, self._bias = head
        self._lexical = lexical
        self._base = base
        self._batch = batch
        self.manifest = manifest

    @classmethod
    def load(
        cls,
        path: Path | str = "default",
        *,
        batch: int = 16,
        threads: int | None = None,
        base: Path | None = None,
        runtime: Kind = "auto",
    ) -> Classifier:
        """Load a model folder (`default`: the one that ships).

        `batch`: windows computed at once. `threads`: how many compute (`None`: leave it to the
        runtime; torch sets it for the process). `base`: a folder with the base weights instead of
        the installed package. `runtime`: what computes (`auto`: the fastest that is installed).
        Raises `ArtifactError`, `BaseWeightsError` or `EngineError` where files are missing or not
        intact, or the runtime is not installed.
        """
        from safetensors import SafetensorError  # noqa: PLC0415 - heavy
        from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

        manifest, file = artifact.read(path)
        base_model = BaseModel(base)
        try:
            tensors = load_file(file)
            lexical = Lexical.of(tensors)
            divisions = Division.of(tensors, manifest.own)
            trained = {
                name: value
                for name, value in tensors.items()
                if not (is_lexical(name) or is_division(name) or is_match(name))
            }
            start = weights.base_weights(base_model.weights)
            arrays = weights.changed(start, trained, len(LABELS))
            matcher = Matcher.of(
                tensors, manifest.match, base_model, start,
                kind=runtime, threads=threads, batch=batch,
            )  # fmt: skip
        except (ArtifactError, SafetensorError, KeyError) as error:
            raise ArtifactError(f"{file} cannot be used: {error}") from error
        head, bias = (arrays[name].astype(np.float64) for name in weights.HEAD)
        engine = build(runtime, arrays, threads)
        return cls(
            engine, (head, bias), lexical, base_model, manifest,
            batch=batch, divisions=divisions, matcher=matcher,
        )  # fmt: skip

    @property
    def name_version(self) -> str:
        """`name@version`."""
        return self.manifest.name_version

    @property
    def runtime(self) -> str:
        """What computes the network, and in which precision: `openvino bfloat16`."""
        return self._runtime.name

    @property
    def head(self) -> tuple[Floats, Floats]:
        """The last layer: weights (labels, hidden) and bias (labels,)."""
        return self._head, self._bias

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        """One verdict an example, in their order."""
        if not examples:
            return []
        rule, blend = self.manifest.abstain, self.manifest.blend
        if self._divisions:  # these need the text vectors of everything
            vectors, lexical = self.vectors(examples)
            probabilities = blend.probabilities(vectors @ self._head.T + self._bias, lexical)
            probabilities = self._matched(probabilities, examples)
            return self._under_own_names(verdicts(probabilities, rule, self.name_version), vectors)
        inputs = [render(example) for example in examples]
        lexical = self._lexical.logits(self._base.tokens(inputs))
        probabilities, settled = self.manifest.shortcut.settled(lexical)
        rest = np.flatnonzero(~settled)
        if len(rest):
            network = self._vectors([inputs[index] for index in rest]) @ self._head.T + self._bias
            probabilities[rest] = blend.probabilities(network, lexical[rest])
        probabilities = self._matched(probabilities, examples)
        return verdicts(probabilities, rule, self.name_version)

    def read(self, examples: Sequence[Example]) -> tuple[list[Verdict], Floats]:
        """The verdicts that `classify` gives, and the text vectors (examples, hidden) of them all.

        Costs more: the network reads also what the lexical part settles alone.
        """
        vectors, lexical = self.vectors(examples)
        network = vectors @ self._head.T + self._bias
        blend, rule = self.manifest.blend, self.manifest.abstain
        if self._divisions:
            probabilities = self._matched(blend.probabilities(network, lexical), examples)
            said = verdicts(probabilities, rule, self.name_version)
            return self._under_own_names(said, vectors), vectors
        probabilities = self.manifest.shortcut.probabilities(blend, network, lexical)
        probabilities = self._matched(probabilities, examples)
        return verdicts(probabilities, rule, self.name_version), vectors

    def logits(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        """Logits of the network and of the lexical part, each (examples, labels)."""
        vectors, lexical = self.vectors(examples)
        return vectors @ self._head.T + self._bias, lexical

    def vectors(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        """Text vectors (examples, hidden), of which the head makes the network's logits, and the
        logits of the lexical part (examples, labels).
        """
        inputs = [render(example) for example in examples]
        return self._vectors(inputs), self._lexical.logits(self._base.tokens(inputs))

    def explain(self, example: Example, label: Label) -> list[Word]:
        """The words that speak most for `label`, the heaviest first; costs one reading."""
        found = Explainer(
            self._runtime, self._head, self._lexical, self._base, self.manifest
        ).words(example, label)
        return strongest(found)

    def fits(self, example: Example) -> float | None:
        """How well what is asked fits the business that was contacted, 0 to 1; none where nothing
        is compared: without a matcher, or a profile that tells what the business does.
        """
        if self._matcher is None or not example.business.strip():
            return None
        return self._matcher.fit(example)

    def _matched(self, probabilities: Floats, examples: Sequence[Example]) -> Floats:
        """With the businesses that were contacted considered, where the model compares them."""
        if self._matcher is None:
            return probabilities
        return self._matcher.probabilities(probabilities, examples)

    def _vectors(self, inputs: Sequence[tuple[str, str]]) -> Floats:
        windows = self._base.windows(inputs, self.manifest.reading)
        return pooled(self._runtime, windows, self._batch)

    def _under_own_names(self, said: list[Verdict], vectors: Floats) -> list[Verdict]:
        """The verdicts with the business's own labels, where the model tells those apart."""
        return [
            replace(verdict, own=self._divisions[verdict.label].said(row[None])[0])
            if verdict.label in self._divisions
            else verdict
            for verdict, row in zip(said, vectors, strict=True)
        ]


def verdicts(probabilities: Floats, rule: AbstainRule, model: str) -> list[Verdict]:
    """Rows of probabilities (items, labels) as verdicts of the model named `model`."""
    abstained = rule.abstains(probabilities)
    ordered = np.sort(probabilities, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    return [
        Verdict(
            label=LABELS[int(row.argmax())],
            scores={label: float(p) for label, p in zip(LABELS, row, strict=True)},
            margin=float(margin),
            abstained=bool(unsure),
            model=model,
        )
        for row, margin, unsure in zip(probabilities, margins, abstained, strict=True)
    ]
