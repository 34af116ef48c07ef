"""Running the network over many texts without gradients. Imports torch: import it lazily."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from classifiers.calibration import Floats
from classifiers.network import HIDDEN, Batch, Network

Windows = Sequence[Sequence[Sequence[int]]]


def embeddings(network: Network, texts: Windows, batch: int) -> torch.Tensor:
    """Mean token vector of each text over all its windows, (texts, hidden).

    Windows of all texts are computed together, by length, so that padding costs nearly nothing and
    one long call does not hold up many short mails.
    """
    flat = [(window, index) for index, text in enumerate(texts) for window in text]
    flat.sort(key=lambda pair: len(pair[0]))
    device = network.head.weight.device
    sums = torch.zeros(len(texts), HIDDEN, dtype=torch.float64)
    counts = torch.zeros(len(texts), dtype=torch.float64)
    with torch.inference_mode():
        for start in range(0, len(flat), batch):
            chunk = flat[start : start + batch]
            padded = Batch.of([[window] for window, _ in chunk])
            totals = network.totals(padded.ids.to(device), padded.lengths.to(device)).cpu()
            owner = torch.tensor([index for _, index in chunk])
            sums.index_add_(0, owner, totals.double())
            counts.index_add_(0, owner, padded.lengths.double())
    return (sums / counts[:, None]).float()


def logits(network: Network, texts: Windows, batch: int) -> Floats:
    """Label logits of each text, (texts, labels)."""
    pooled = embeddings(network, texts, batch).to(network.head.weight.device)
    with torch.inference_mode():
        return np.asarray(network.head(pooled).cpu().numpy(), dtype=np.float64)
