"""CAM++ as an OpenVINO graph, made from arrays. Imports openvino: import it lazily.

A window of speech becomes 192 figures that are alike where the voice is the same. Windows are short
(2 s at most): there the network's pooling over segments is the mean over all frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import openvino
from openvino import opset13 as ops

from triage.transcripts.turns.features import MELS
from triage.transcripts.turns.weights import WIDTH, Array

CHANNELS: Final = 32
GROWTH: Final = 32
INNER: Final = 128
BLOCKS: Final = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each block."""

_EPSILON: Final = 1e-5
_BATCH: Final = 16


class VoicePrints:
    """The network, compiled for this processor."""

    def __init__(self, weights: Sequence[Array], *, threads: int = 1) -> None:
        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._compiled = core.compile_model(
            _model(iter(weights)),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in able else "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._request = self._compiled.create_infer_request()

    def of(self, windows: Array) -> Array:
        """Unit vectors (windows, 192) of log-mel windows (windows, frames, 80)."""
        found = np.zeros((windows.shape[0], WIDTH), np.float32)
        for first in range(0, windows.shape[0], _BATCH):
            part = windows[first : first + _BATCH]
            self._request.infer({0: np.ascontiguousarray(part.transpose(0, 2, 1))})
            found[first : first + _BATCH] = self._request.get_output_tensor(0).data
        unit: Array = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return unit


def _model(weights: Iterator[Array]) -> openvino.Model:
    sound = ops.parameter([-1, MELS, -1], np.float32, name="mels")
    hidden = ops.unsqueeze(sound, _whole([1]))
    hidden = ops.relu(_plane(hidden, weights, 1))
    for _ in range(2):
        hidden = _residual(hidden, weights, 2)
        hidden = _residual(hidden, weights, 1)
    hidden = ops.relu(_plane(hidden, weights, 2))
    hidden = ops.reshape(hidden, _whole([0, CHANNELS * MELS // 8, -1]), True)
    hidden = ops.relu(_line(hidden, weights, INNER, size=5, stride=2, bias=True))
    width = INNER
    for index, (layers, dilation) in enumerate(BLOCKS):
        for _ in range(layers):
            hidden = ops.concat([hidden, _dense(hidden, weights, width, dilation)], 1)
            width += GROWTH
        last = index == len(BLOCKS) - 1
        hidden = _line(_normed(hidden, weights, width), weights, width // 2, bias=last)
        width //= 2
    pooled = ops.unsqueeze(_statistics(ops.relu(hidden)), _whole([2]))
    print_ = ops.squeeze(_line(pooled, weights, WIDTH), _whole([2]))
    mean, scale = next(weights), next(weights)
    return openvino.Model([ops.multiply(ops.subtract(print_, mean), scale)], [sound], "voices")


def _residual(hidden: Any, weights: Iterator[Array], stride: int) -> Any:
    inner = ops.relu(_plane(hidden, weights, stride))
    inner = _plane(inner, weights, 1)
    if stride > 1:
        hidden = _plane(hidden, weights, stride, size=1)
    return ops.relu(ops.add(inner, hidden))


def _plane(hidden: Any, weights: Iterator[Array], stride: int, size: int = 3) -> Any:
    """A convolution over mels and frames; its batch norm is in the weights."""
    kernel = next(weights).reshape(CHANNELS, -1, size, size)
    padding = [size // 2, size // 2]
    made = ops.convolution(hidden, _real(kernel), [stride, 1], padding, padding, [1, 1])
    return ops.add(made, _real(next(weights).reshape(1, -1, 1, 1)))


def _line(
    hidden: Any,
    weights: Iterator[Array],
    width: int,
    *,
    size: int = 1,
    stride: int = 1,
    dilation: int = 1,
    bias: bool = False,
) -> Any:
    """A convolution over frames to `width` channels."""
    kernel = next(weights).reshape(width, -1, size)
    padding = [size // 2 * dilation]
    made = ops.convolution(hidden, _real(kernel), [stride], padding, padding, [dilation])
    return ops.add(made, _real(next(weights).reshape(1, -1, 1))) if bias else made


def _normed(hidden: Any, weights: Iterator[Array], width: int) -> Any:
    mean, variance, scale, offset = (next(weights).reshape(1, width, 1) for _ in range(4))
    scale = scale / np.sqrt(variance + _EPSILON)
    return ops.relu(ops.add(ops.multiply(hidden, _real(scale)), _real(offset - mean * scale)))


def _dense(hidden: Any, weights: Iterator[Array], width: int, dilation: int) -> Any:
    """A densely connected layer whose channels are masked by what is heard around (CAM)."""
    inner = ops.relu(_line(_normed(hidden, weights, width), weights, INNER, bias=True))
    local = _line(inner, weights, GROWTH, size=3, dilation=dilation)
    # The mean over all frames, and over the segment: the same in a short window.
    context = ops.multiply(ops.reduce_mean(inner, _whole([2]), True), _real(np.float32(2.0)))
    context = ops.relu(_line(context, weights, INNER // 2, bias=True))
    return ops.multiply(local, ops.sigmoid(_line(context, weights, GROWTH, bias=True)))


def _statistics(hidden: Any) -> Any:
    """Mean and standard deviation over the frames."""
    mean = ops.reduce_mean(hidden, _whole([2]), True)
    apart = ops.subtract(hidden, mean)
    squares = ops.reduce_sum(ops.multiply(apart, apart), _whole([2]), False)
    frames = ops.convert(ops.gather(ops.shape_of(hidden), _whole(2), _whole(0)), "f32")
    spread = ops.sqrt(ops.divide(squares, ops.subtract(frames, _real(np.float32(1.0)))))
    return ops.concat([ops.squeeze(mean, _whole([2])), spread], 1)


def _real(value: Any) -> Any:
    return ops.constant(np.asarray(value, np.float32))


def _whole(value: int | list[int]) -> Any:
    return ops.constant(np.asarray(value, np.int64))
