"""Running the network with torch, without gradients. Imports torch: import it lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.calibration import Floats
from classifiers.network import Network
from classifiers.runtime import Windows, pooled
from classifiers.weights import LAYERS, Array

__all__ = ["Torch", "Windows", "embeddings", "logits"]


class Torch:
    """A network as a `runtime.Runtime`, on the device and in the precision that it has."""

    name = "torch float32"

    def __init__(self, network: Network, taps: Sequence[int] = (LAYERS,)) -> None:
        self._network, self._taps = network, tuple(taps)

    @classmethod
    def of(
        cls, weights: Mapping[str, Array], threads: int | None, taps: Sequence[int] = (LAYERS,)
    ) -> Torch:
        """A network with these weights, on the processor. `threads` holds for all of torch."""
        if threads is not None:
            torch.set_num_threads(threads)
        network = Network(weights["head.bias"].shape[0])
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        return cls(network.eval().requires_grad_(False), taps)

    @property
    def batches(self) -> bool:
        """On a processor a mask for padding costs more than batches gain."""
        return self._network.head.weight.is_cuda

    def vectors(self, ids: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        """See `runtime.Runtime`."""
        device = self._network.head.weight.device
        with torch.inference_mode():
            given = torch.from_numpy(ids).to(device), torch.from_numpy(lengths).to(device)
            if self._taps == (LAYERS,):
                found = self._network.vectors(*given)
            else:
                found = self._network.tapped(*given, self._taps)
            return found.float().cpu().numpy()


def embeddings(network: Network, texts: Windows, batch: int) -> torch.Tensor:
    """Mean token vector of each text over all its windows, (texts, hidden)."""
    return torch.from_numpy(pooled(Torch(network), texts, batch)).float()


def logits(network: Network, texts: Windows, batch: int) -> Floats:
    """Label logits of each text, (texts, labels)."""
    vectors = embeddings(network, texts, batch).to(network.head.weight.device)
    with torch.inference_mode():
        return np.asarray(network.head(vectors).cpu().numpy(), dtype=np.float64)
