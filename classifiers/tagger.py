"""The tagger's heads: small convolutions over token vectors, tags of tokens, classes of texts.

The encoder stays the base model's, so that every text is read through it once and the heads can be
trained again in minutes, whatever becomes of the classifier. What a token's neighbours say is
gathered by convolutions, which need far fewer leads than the tuning of an encoder would. Training
only: `tag_model` computes the same without torch. Imports torch: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from classifiers.network import HIDDEN
from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tagging import LAYOUT, TAPS

WIDTH: Final = 128
REACH: Final = (1, 2, 4)
"""Dilations of the convolutions, each over five tokens: 14 tokens to either side together."""

_KEPT: Final = 0.8  # of the encoder's channels, while training


@dataclass(frozen=True, slots=True)
class TagBatch:
    """Texts, padded: `vectors` (texts, tokens, width), `layout` (texts, tokens, kinds), `body`
    (texts, tokens) what is no padding.
    """

    vectors: Tensor
    layout: Tensor
    body: Tensor


@dataclass(frozen=True, slots=True)
class TagLogits:
    """`tags` (texts, tokens, spans, 3); `attention` (texts, tokens, classes), logarithms of weights
    that sum to 1 over a text; `classes`, one (texts, values) for each.
    """

    tags: Tensor
    attention: Tensor
    classes: tuple[Tensor, ...]


class TagHeads(nn.Module):
    """Token vectors and layout → tags of tokens, classes of texts and where they are shown."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.read = nn.Linear(HIDDEN * len(TAPS), WIDTH)
        self.layout = nn.ModuleList(nn.Embedding(count, WIDTH) for count in LAYOUT)
        self.around = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, 5, padding=2 * reach, dilation=reach) for reach in REACH
        )
        self.even = nn.LayerNorm(WIDTH)
        self.tags = nn.Linear(WIDTH, 3 * len(SPANS))
        self.attend = nn.Linear(WIDTH, len(CLASSES))
        self.sides = nn.ModuleList(nn.Linear(2 * WIDTH, len(values)) for values in CLASSES.values())

    def forward(self, batch: TagBatch) -> TagLogits:
        """Logits of every token and text."""
        kept = batch.body[:, :, None]
        found = batch.vectors
        if self.training:  # whole channels, the same along a text
            drawn = torch.rand(found.shape[0], 1, found.shape[2]) < _KEPT
            found = found * drawn / _KEPT
        found = self.read(found)
        for kind, table in enumerate(self.layout):
            found = found + table(batch.layout[:, :, kind])
        found = self.dropout(torch.relu(found)) * kept
        for convolution in self.around:
            near = convolution((self.dropout(found) * kept).transpose(1, 2))
            found = found + torch.relu(near.transpose(1, 2))
        found = self.dropout(self.even(found))
        attention = self.attend(found).masked_fill(~kept, -1e4).log_softmax(1)
        whole = (found * kept).sum(1) / batch.body.sum(1).clamp_min(1)[:, None]
        classes = tuple(
            side(torch.cat([(found * attention[:, :, at : at + 1].exp()).sum(1), whole], 1))
            for at, side in enumerate(self.sides)
        )
        return TagLogits(self.tags(found).unflatten(-1, (len(SPANS), 3)), attention, classes)


def batch_of(vectors: Sequence[Tensor], layouts: Sequence[Tensor]) -> TagBatch:
    """Texts of different lengths together: vectors (tokens, width), layouts (tokens, kinds)."""
    longest = max(1, *(len(one) for one in vectors))
    width = vectors[0].shape[1]
    together = TagBatch(
        torch.zeros(len(vectors), longest, width),
        torch.zeros(len(vectors), longest, len(LAYOUT), dtype=torch.long),
        torch.zeros(len(vectors), longest, dtype=torch.bool),
    )
    for row, (one, layout) in enumerate(zip(vectors, layouts, strict=True)):
        together.vectors[row, : len(one)] = one.float()
        together.layout[row, : len(one)] = layout
        together.body[row, : len(one)] = True
    return together
