"""The network's weights as arrays, without torch: the base model's, and what training changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ArtifactError

Array = NDArray[np.float32]
LAYERS: Final = 6
HEAD: Final = ("head.weight", "head.bias")

# Of each layer, this network's names and the base model's.
NAMES: Final = {
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
}


def base_weights(file: Path) -> dict[str, Array]:
    """The tensors of MiniLM's safetensors file under the names of `network.Network`."""
    from safetensors.numpy import load_file  # noqa: PLC0415 - heavy

    base = load_file(file)
    # Every text is of token type 0, so that its vector can be part of the positions.
    positions = base["embeddings.position_embeddings.weight"]
    weights = {
        "words.weight": base["embeddings.word_embeddings.weight"],
        "positions.weight": positions + base["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": base["embeddings.LayerNorm.weight"],
        "norm.bias": base["embeddings.LayerNorm.bias"],
    }
    for index in range(LAYERS):
        ours, theirs = f"encoder.layers.{index}", f"encoder.layer.{index}"
        for kind in ("weight", "bias"):
            for name, source in NAMES.items():
                weights[f"{ours}.{name}.{kind}"] = base[f"{theirs}.{source}.{kind}"]
            weights[f"{ours}.self_attn.in_proj_{kind}"] = np.concatenate(
                [
                    base[f"{theirs}.attention.self.{part}.{kind}"]
                    for part in ("query", "key", "value")
                ]
            )
    return weights


def changed(
    base: Mapping[str, Array], tensors: Mapping[str, NDArray[Any]], labels: int
) -> dict[str, Array]:
    """`base` with what `network.trained_tensors` gave: changes are added, the head comes whole.

    Raises `ArtifactError` where a tensor does not fit, or the head for `labels` labels is missing.
    """
    hidden = base["norm.bias"].shape[0]
    shapes = {name: value.shape for name, value in base.items()}
    shapes |= dict(zip(HEAD, ((labels, hidden), (labels,)), strict=True))
    result = dict(base)
    for name, value in tensors.items():
        target, _, part = name.rpartition(".")
        if part in ("down", "scale"):
            continue  # comes with its `up` or `delta`
        tensor = value.astype(np.float32)
        if part == "up":
            tensor = tensor @ tensors[f"{target}.down"].astype(np.float32)
        elif part == "delta":
            tensor = tensor * tensors[f"{target}.scale"].astype(np.float32)
        else:
            target = name
        if shapes.get(target) != tensor.shape:
            raise ArtifactError(f"its tensor {name!r} does not fit the network; train it again")
        result[target] = tensor + base[target] if part in ("up", "delta") else tensor
    for name in HEAD:
        if name not in result:
            raise ArtifactError(f"its tensor {name!r} is missing; train it again")
    return result
