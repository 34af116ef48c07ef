"""What computes the network: OpenVINO where it is installed, else torch. Chosen here, at run time.

OpenVINO computes in bfloat16 on processors that have instructions for it and in float32 on others;
torch computes in float32 and is the reference. Both give the vectors of the tokens, and everything
after them (pooling, the label head) is done here in higher precision. Neither is imported before it
is needed, so that a process which classifies with OpenVINO never pays for torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Floats
from classifiers.errors import EngineError
from classifiers.weights import LAYERS, Array

Kind = Literal["auto", "openvino", "torch"]
Windows = Sequence[Sequence[Sequence[int]]]

# Of windows computed together. More does not fit the caches, and gains nothing.
_TOKENS: Final = 4096


class Runtime(Protocol):
    """Computes the encoder. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """The engine and its precision, for people: `openvino bfloat16`."""

    @property
    def batches(self) -> bool:
        """Whether windows of several texts are faster together."""

    def vectors(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        """Token vectors, (windows, tokens, hidden); beyond a window's length they mean nothing.

        `ids` (windows, tokens), padded with 0; `lengths` (windows,) tokens that count.
        """


def build(
    kind: Kind, weights: Mapping[str, Array], threads: int | None, taps: Sequence[int] = (LAYERS,)
) -> Runtime:
    """The runtime asked for, with `weights` (see `classifiers.weights`) and at most `threads`.

    A token's vector is what the layers in `taps` (1 is the lowest) say, one after the other. Raises
    `EngineError` where `openvino` is asked for and not installed.
    """
    if kind == "openvino" or (kind == "auto" and find_spec("openvino")):
        try:
            from classifiers.graph import OpenVino  # noqa: PLC0415 - heavy
        except ImportError as error:
            if kind == "openvino":
                raise EngineError(
                    f"the runtime openvino cannot be used ({error}): install the package openvino, "
                    "or choose the runtime torch"
                ) from error
        else:
            return OpenVino(weights, threads, taps)
    from classifiers.inference import Torch  # noqa: PLC0415 - heavy

    return Torch.of(weights, threads, taps)


def pooled(runtime: Runtime, texts: Windows, batch: int) -> Floats:
    """Mean token vector of each text over all its windows, (texts, hidden).

    Windows of all texts are computed by length, `batch` of them at once, so that padding costs
    nearly nothing and one long call does not hold up many short mails.
    """
    counts = np.array([sum(len(window) for window in text) for text in texts], dtype=np.float64)
    flat = [(window, index) for index, text in enumerate(texts) for window in text]
    flat.sort(key=lambda pair: len(pair[0]))
    sums: Any = 0.0
    for chunk in _chunks(flat, batch if runtime.batches else 1):
        found = runtime.vectors(*padded([window for window, _ in chunk]))
        if isinstance(sums, float):
            sums = np.zeros((len(texts), found.shape[2]))
        for vectors, (window, index) in zip(found, chunk, strict=True):
            sums[index] += vectors[: len(window)].sum(axis=0, dtype=np.float64)
    result: Floats = sums / counts[:, None]
    return result


def padded(windows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids (windows, tokens), padded with 0 to one length, and the lengths (windows,)."""
    lengths = np.array([len(window) for window in windows], dtype=np.int64)
    ids = np.zeros((len(windows), int(lengths.max())), dtype=np.int64)
    for row, window in zip(ids, windows, strict=True):
        row[: len(window)] = window
    return ids, lengths


def _chunks(
    flat: Sequence[tuple[Sequence[int], int]], most: int
) -> Iterator[Sequence[tuple[Sequence[int], int]]]:
    """Neighbours of `flat` (in order of length), at most `most` and `_TOKENS` tokens together."""
    start = 0
    for end in range(1, len(flat) + 1):
        full = end - start >= most
        if full or end == len(flat) or (end + 1 - start) * len(flat[end][0]) > _TOKENS:
            yield flat[start:end]
            start = end
