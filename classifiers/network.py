"""The network: MiniLM's encoder, mean pooling over all windows of a text, and a label head.

Built from torch's own transformer layers, which compute the same as the `transformers` class does
(a test compares them) and import four times faster. Imports torch: import this module lazily.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from classifiers.weights import LAYERS, base_weights

VOCABULARY: Final = 30_522
POSITIONS: Final = 512
HIDDEN: Final = 384
HEADS: Final = 12
INNER: Final = 1536
EPSILON: Final = 1e-12
ADAPTED: Final = ("self_attn.in_proj_weight", "self_attn.out_proj.weight",
                  "linear1.weight", "linear2.weight")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of several texts, padded to one length.

    `ids` (windows, tokens); `lengths` (windows,) tokens that count; `owner` (windows,) the index of
    the text that a window belongs to, 0 to `texts` - 1.
    """

    ids: Tensor
    lengths: Tensor
    owner: Tensor
    texts: int

    @classmethod
    def of(cls, texts: Sequence[Sequence[Sequence[int]]]) -> Batch:
        """Pad the windows of `texts`."""
        windows = [window for text in texts for window in text]
        lengths = torch.tensor([len(window) for window in windows])
        ids = torch.zeros(len(windows), int(lengths.max()), dtype=torch.long)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = torch.tensor(window)
        owner = torch.tensor([index for index, text in enumerate(texts) for _ in text])
        return cls(ids, lengths, owner, len(texts))

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        ids, lengths, owner = (t.to(device) for t in (self.ids, self.lengths, self.owner))
        return Batch(ids, lengths, owner, self.texts)


class Network(nn.Module):
    """Token ids → label logits.

    Without dropout on attention and inside the feed-forward part: it would cost a third of the
    training time.
    """

    def __init__(self, labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, HIDDEN, padding_idx=0)
        self.positions = nn.Embedding(POSITIONS, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            HIDDEN, HEADS, INNER, dropout, "gelu", EPSILON, batch_first=True
        )
        layer.self_attn.dropout = 0.0
        layer.dropout = nn.Dropout(0.0)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(HIDDEN, labels)

    def vectors(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The token vectors of each window, (windows, tokens, hidden)."""
        padding = _padding(ids, lengths)
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.dropout(self.norm(self.words(ids) + self.positions(places)))
        mask = padding if bool(padding.any()) else None
        read: Tensor = self.encoder(hidden, src_key_padding_mask=mask)
        return read

    def tapped(self, ids: Tensor, lengths: Tensor, taps: Sequence[int]) -> Tensor:
        """Token vectors of several layers, one after the other, (windows, tokens, width)."""
        padding = _padding(ids, lengths)
        mask = padding if bool(padding.any()) else None
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.dropout(self.norm(self.words(ids) + self.positions(places)))
        found = []
        for index, layer in enumerate(self.encoder.layers[: max(taps)], 1):
            hidden = layer(hidden, src_key_padding_mask=mask)
            if index in taps:
                found.append(hidden)
        return torch.cat(found, dim=2)

    def totals(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Sums of the token vectors of each window, (windows, hidden)."""
        padding = _padding(ids, lengths)
        return self.vectors(ids, lengths).masked_fill(padding[:, :, None], 0.0).sum(dim=1)

    def pool(self, batch: Batch) -> Tensor:
        """The mean token vector of each text over all its windows, (texts, hidden)."""
        sums = torch.zeros(batch.texts, HIDDEN, device=batch.ids.device)
        counts = torch.zeros(batch.texts, device=batch.ids.device)
        sums = sums.index_add(0, batch.owner, self.totals(batch.ids, batch.lengths).float())
        counts = counts.index_add(0, batch.owner, batch.lengths.float())
        return sums / counts[:, None]

    def forward(self, batch: Batch) -> Tensor:
        """Logits, (texts, labels)."""
        logits: Tensor = self.head(self.dropout(self.pool(batch)))
        return logits

    def load_base(self, weights: Path) -> None:
        """Take words, positions and encoder layers from MiniLM's safetensors file."""
        self.load_state_dict(_tensors(weights), strict=False)


def _padding(ids: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(ids.shape[1], device=ids.device) >= lengths[:, None]


class LowRank(nn.Module):
    """A weight plus a low-rank change (LoRA, Hu et al. 2021): `weight + scale * up @ down`."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.down = nn.Parameter(torch.empty(rank, weight.shape[1]))
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight."""
        return weight + self.scale * (self.up @ self.down)


def add_low_rank(network: Network, rank: int, alpha: float) -> None:
    """Freeze the network but its head, and let low-rank changes of its matrices be trained."""
    network.requires_grad_(False)
    network.head.requires_grad_(True)
    for _, module, name in _adapted(network):
        parametrize.register_parametrization(
            module, name, LowRank(getattr(module, name), rank, alpha)
        )


def trained_tensors(network: Network, base: Path) -> dict[str, Tensor]:
    """What training changed from the `base` weights, by name: what an artifact holds.

    Low-rank changes are `NAME.up` and `NAME.down` (the scale is inside `up`), in half precision. A
    wholly trained matrix is its difference to the base, `NAME.delta`, in int8 with one
    `NAME.scale` a row: differences are small, so that this loses less than half precision of the
    weights would. What is no matrix of the base is whole, in full precision.
    """
    start = _tensors(base)
    tensors: dict[str, Tensor] = {}
    for name, value in network.named_parameters():
        if not value.requires_grad or "parametrizations" in name:
            continue
        current = value.detach().cpu()
        if name in start and current.dim() == 2:
            delta = current - start[name]
            scale = delta.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            tensors[f"{name}.delta"] = (delta / scale).round().to(torch.int8)
            tensors[f"{name}.scale"] = scale
        else:
            tensors[name] = current.clone()
    for path, module, name in _adapted(network):
        if parametrize.is_parametrized(module, name):
            change = module.get_submodule(f"parametrizations.{name}.0")
            if isinstance(change, LowRank):
                tensors[f"{path}.{name}.up"] = (change.up * change.scale).detach().half().cpu()
                tensors[f"{path}.{name}.down"] = change.down.detach().half().cpu()
    return tensors


def reduced_tensors(network: Network, base: Path, rank: int) -> dict[str, Tensor]:
    """What training changed, as `trained_tensors`, but of each adapted matrix only the `rank`
    directions that hold most of the change: a third of the size, and nearly the same vectors.
    """
    start = _tensors(base)
    adapted = {f"{path}.{name}" for path, _, name in _adapted(network)}
    tensors: dict[str, Tensor] = {}
    for name, value in network.named_parameters():
        current = value.detach().cpu()
        if name in adapted:
            left, sizes, right = torch.linalg.svd(current - start[name], full_matrices=False)
            tensors[f"{name}.up"] = (left[:, :rank] * sizes[:rank]).half().contiguous()
            tensors[f"{name}.down"] = right[:rank].half().contiguous()
        elif value.requires_grad:
            tensors[name] = current.clone()
    return tensors


def _tensors(base: Path) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in base_weights(base).items()}


def _adapted(network: Network) -> Iterable[tuple[str, nn.Module, str]]:
    for path, layer in network.encoder.layers.named_children():
        for dotted in ADAPTED:
            inner, _, name = dotted.rpartition(".")
            prefix = f"encoder.layers.{path}" + (f".{inner}" if inner else "")
            yield prefix, layer.get_submodule(inner), name
