"""The fine-tuned classifier: load a model folder once, then classify as often as needed.

Importing this module is cheap; torch comes with the first `load`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers import artifact
from classifiers.artifact import Manifest
from classifiers.calibration import AbstainRule, Floats
from classifiers.encoder import BaseModel
from classifiers.errors import ArtifactError
from classifiers.labels import LABELS
from classifiers.lexical import Lexical, is_lexical
from classifiers.profile import read_twice
from classifiers.text import render
from classifiers.verdict import Example, Verdict

if TYPE_CHECKING:
    from classifiers.network import Network


class Classifier:
    """A model that is ready to classify; make one with `load`. Safe to use from several threads."""

    def __init__(
        self,
        network: Network,
        lexical: Lexical,
        base: BaseModel,
        manifest: Manifest,
        *,
        batch: int = 16,
    ) -> None:
        self._network = network
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
    ) -> Classifier:
        """Load a model folder (`default`: the one that ships).

        `batch`: windows computed at once. `threads`: how many torch uses in this process (`None`:
        leave as it is). `base`: a folder with the base weights instead of the installed package.
        Raises `ArtifactError` or `BaseWeightsError` where files are missing or not intact.
        """
        import torch  # noqa: PLC0415 - heavy
        from safetensors import SafetensorError  # noqa: PLC0415 - heavy
        from safetensors.torch import load_file  # noqa: PLC0415 - heavy

        from classifiers.network import Network, apply_trained  # noqa: PLC0415 - heavy

        if threads is not None:
            torch.set_num_threads(threads)
        manifest, weights = artifact.read(path)
        base_model = BaseModel(base)
        network = Network(len(LABELS))
        network.load_base(base_model.weights)
        try:
            tensors = load_file(weights)
            lexical = Lexical.of(
                {name: tensors.pop(name).numpy() for name in list(tensors) if is_lexical(name)}
            )
            apply_trained(network, tensors)
        except (ArtifactError, SafetensorError, KeyError) as error:
            raise ArtifactError(f"{weights} cannot be used: {error}") from error
        network.eval().requires_grad_(False)
        return cls(network, lexical, base_model, manifest, batch=batch)

    @property
    def name_version(self) -> str:
        """`name@version`."""
        return self.manifest.name_version

    def classify(self, examples: Sequence[Example]) -> list[Verdict]:
        """One verdict an example, in their order."""
        if not examples:
            return []
        probabilities = self.manifest.blend.probabilities(*self.logits(examples))
        return verdicts(probabilities, self.manifest.abstain, self.name_version)

    def logits(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        """Logits of the network and of the lexical part, each (examples, labels)."""
        return read_twice(examples, self._read, self.manifest.blend.profile)

    def _read(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        from classifiers.inference import logits  # noqa: PLC0415 - heavy

        inputs = [render(example) for example in examples]
        windows = self._base.windows(inputs, self.manifest.reading)
        network = logits(self._network, windows, self._batch)
        return network, self._lexical.logits(self._base.tokens(inputs))


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
