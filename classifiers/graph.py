"""The network as an OpenVINO graph, made from arrays. Imports openvino: import it lazily.

The graph computes what `network.Network` does up to the vectors of the last layer; a test compares
them. It is made here, not converted, so that neither torch nor a second file of weights is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as ops

from classifiers.weights import LAYERS, Array

HEADS: Final = 12
EPSILON: Final = 1e-12
# What is added to the attention score of a padding token.
_HIDDEN: Final = -1e9


class OpenVino:
    """The encoder, compiled for this processor. Safe to use from several threads."""

    batches = True

    def __init__(
        self, weights: Mapping[str, Array], threads: int | None, taps: Sequence[int] = (LAYERS,)
    ) -> None:
        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if "BF16" in able else "f32"
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": 1,
            # Other threads of the process are at work too, and may share the cores.
            "ENABLE_CPU_PINNING": False,
            # Kernels are kept by shape, and hardly two batches have the same: fewer cost no time
            # and a long run less memory.
            "CPU_RUNTIME_CACHE_CAPACITY": 16,
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        self.name = f"openvino {'bfloat16' if precision == 'bf16' else 'float32'}"
        self._compiled = core.compile_model(_model(weights, taps), "CPU", options)
        self._own = threading.local()

    def vectors(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        """See `runtime.Runtime`."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._compiled.create_infer_request()
        request.infer({0: ids.astype(np.int32), 1: lengths.astype(np.int32)})
        found: Array = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        return found


def _model(weights: Mapping[str, Array], taps: Sequence[int]) -> openvino.Model:
    ids = ops.parameter([-1, -1], np.int32, name="ids")
    lengths = ops.parameter([-1], np.int32, name="lengths")
    tokens = ops.gather(ops.shape_of(ids), _whole(1), _whole(0))
    places = ops.range(_whole(0), tokens, _whole(1), output_type="i64")
    shown = ops.less(
        ops.unsqueeze(ops.convert(places, "i32"), _whole([0])), ops.unsqueeze(lengths, _whole([1]))
    )
    mask = ops.select(shown, _real(0.0), _real(_HIDDEN))
    mask = ops.unsqueeze(mask, _whole([1, 2]))  # (windows, heads, tokens asking, tokens)
    hidden = _norm(
        ops.add(
            ops.gather(_real(weights["words.weight"]), ids, _whole(0)),
            ops.gather(_real(weights["positions.weight"]), places, _whole(0)),
        ),
        weights,
        "norm",
    )
    tapped = []
    for index in range(max(taps)):
        hidden = _layer(hidden, mask, weights, f"encoder.layers.{index}")
        if index + 1 in taps:
            tapped.append(hidden)
    if len(tapped) > 1:
        hidden = ops.concat(tapped, 2)
    return openvino.Model([hidden], [ids, lengths], "encoder")


def _layer(hidden: Any, mask: Any, weights: Mapping[str, Array], layer: str) -> Any:
    """One layer of BERT: attention and feed-forward, each with its norm after the sum."""
    width = weights["norm.bias"].shape[0]
    joint = ops.add(
        ops.matmul(hidden, _real(weights[f"{layer}.self_attn.in_proj_weight"]), False, True),
        _real(weights[f"{layer}.self_attn.in_proj_bias"]),
    )
    split = ops.split(joint, _whole(2), 3)
    query, key, value = (
        ops.transpose(
            ops.reshape(split.output(part), _whole([0, 0, HEADS, width // HEADS]), True),
            _whole([0, 2, 1, 3]),
        )
        for part in range(3)
    )
    read = ops.scaled_dot_product_attention(query, key, value, mask)
    read = ops.reshape(ops.transpose(read, _whole([0, 2, 1, 3])), _whole([0, 0, width]), True)
    read = _linear(read, weights, f"{layer}.self_attn.out_proj")
    hidden = _norm(ops.add(hidden, read), weights, f"{layer}.norm1")
    inner = ops.gelu(_linear(hidden, weights, f"{layer}.linear1"), "erf")
    inner = _linear(inner, weights, f"{layer}.linear2")
    return _norm(ops.add(hidden, inner), weights, f"{layer}.norm2")


def _linear(value: Any, weights: Mapping[str, Array], name: str) -> Any:
    product = ops.matmul(value, _real(weights[f"{name}.weight"]), False, True)
    return ops.add(product, _real(weights[f"{name}.bias"]))


def _norm(value: Any, weights: Mapping[str, Array], name: str) -> Any:
    even = ops.mvn(value, _whole([-1]), True, EPSILON, "inside_sqrt")
    scaled = ops.multiply(even, _real(weights[f"{name}.weight"]))
    return ops.add(scaled, _real(weights[f"{name}.bias"]))


def _whole(value: int | list[int]) -> Any:
    return ops.constant(np.array(value, dtype=np.int64))


def _real(value: float | Array) -> Any:
    return ops.constant(np.ascontiguousarray(value, dtype=np.float32))
