"""The tagger's network: MiniLM's encoder, small convolutions, tags of tokens, classes of texts.

The lower layers stay as the base model has them, so that training reads every text through them
once; a few upper ones are tuned. What a token's neighbours say is gathered by convolutions, which
need far fewer leads than the tuning of a whole encoder would. Training only: `tag_model` computes
the same without torch. Imports torch: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from classifiers.network import HIDDEN, Network
from classifiers.tag_marks import CLASSES, SPANS
from classifiers.tagging import LAYOUT, Window
from classifiers.weights import LAYERS

TUNED: Final = 2
"""How many of the encoder's layers are tuned, from the top."""

WIDTH: Final = 128
REACH: Final = (1, 2, 4)
"""Dilations of the convolutions, each over five tokens: 14 tokens to either side together."""


@dataclass(frozen=True, slots=True)
class TagBatch:
    """Windows of several texts, padded.

    `ids` (windows, tokens), `layout` (windows, tokens, kinds), `lengths` (windows,), `owner`
    (windows,) the text's index, `body` (windows, tokens) what is text and no header.
    """

    ids: Tensor
    layout: Tensor
    lengths: Tensor
    owner: Tensor
    body: Tensor
    texts: int

    @classmethod
    def of(cls, texts: Sequence[Sequence[Window]]) -> TagBatch:
        """Pad the windows of `texts`."""
        windows = [window for text in texts for window in text]
        lengths = torch.tensor([len(window.ids) for window in windows])
        longest = int(lengths.max())
        ids = torch.zeros(len(windows), longest, dtype=torch.long)
        layout = torch.zeros(len(windows), longest, len(LAYOUT), dtype=torch.long)
        body = torch.zeros(len(windows), longest, dtype=torch.bool)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = torch.tensor(window.ids)
            layout[row, : len(window.ids)] = torch.from_numpy(window.layout)
            body[row, window.lead : len(window.ids) - 1] = True
        owner = torch.tensor([index for index, text in enumerate(texts) for _ in text])
        return cls(ids, layout, lengths, owner, body, len(texts))

    @property
    def padding(self) -> Tensor:
        """What is no token, (windows, tokens)."""
        return torch.arange(self.ids.shape[1]) >= self.lengths[:, None]


@dataclass(frozen=True, slots=True)
class TagLogits:
    """`tags` (windows, tokens, spans, 3); `attention` (windows, tokens, classes), logarithms of
    weights that sum to 1 over all tokens of a text; `classes`, one (texts, values) for each.
    """

    tags: Tensor
    attention: Tensor
    classes: tuple[Tensor, ...]


class TagNetwork(Network):
    """Token ids and layout → tags of tokens, classes of texts and where they are shown."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__(1, dropout)  # the label head is of no use here
        self.tags = nn.Linear(WIDTH, 3 * len(SPANS))
        self.read = nn.Linear(HIDDEN, WIDTH)
        self.layout = nn.ModuleList(nn.Embedding(count, WIDTH) for count in LAYOUT)
        self.around = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, 5, padding=2 * reach, dilation=reach) for reach in REACH
        )
        self.even = nn.LayerNorm(WIDTH)
        self.attend = nn.Linear(WIDTH, len(CLASSES))
        self.sides = nn.ModuleList(nn.Linear(2 * WIDTH, len(values)) for values in CLASSES.values())

    def freeze(self, tuned: int) -> None:
        """Leave out of training all of the base model but its `tuned` upper layers."""
        for part in (self.words, self.positions, self.norm, *self.encoder.layers[: LAYERS - tuned]):
            part.requires_grad_(False)
        for layer in self.encoder.layers:
            layer.dropout1.p = layer.dropout2.p = 0.1

    def below(self, batch: TagBatch) -> Tensor:
        """What the layers make of the tokens that are never tuned, (windows, tokens, hidden)."""
        with torch.no_grad():
            places = torch.arange(batch.ids.shape[1])
            hidden: Tensor = self.norm(self.words(batch.ids) + self.positions(places))
            for layer in self.encoder.layers[: LAYERS - TUNED]:
                hidden = layer(hidden, src_key_padding_mask=batch.padding)
        return hidden

    def above(self, hidden: Tensor, batch: TagBatch) -> Tensor:
        """The tuned layers on top of that, (windows, tokens, hidden)."""
        for layer in self.encoder.layers[LAYERS - TUNED :]:
            hidden = layer(hidden, src_key_padding_mask=batch.padding)
        return hidden

    def say(self, vectors: Tensor, batch: TagBatch) -> TagLogits:
        """The heads, from what the encoder's last layer says."""
        kept = batch.body[:, :, None]
        found = vectors
        if self.training:  # whole channels, the same along a text
            found = found * (torch.rand(found.shape[0], 1, found.shape[2]) > 0.2) * 1.25
        found = self.read(found)
        for kind, table in enumerate(self.layout):
            found = found + table(batch.layout[:, :, kind])
        found = self.dropout(torch.relu(found)) * kept
        for convolution in self.around:
            near = convolution((self.dropout(found) * kept).transpose(1, 2))
            found = found + torch.relu(near.transpose(1, 2))
        found = self.dropout(self.even(found))
        attention = _attention(self.attend(found), batch)
        counts = _per_text(batch.body.sum(1).float(), batch)[batch.owner]
        whole = _summed(found * (batch.body / counts[:, None])[:, :, None], batch)
        classes = tuple(
            side(torch.cat([_summed(found * attention[:, :, at : at + 1].exp(), batch), whole], 1))
            for at, side in enumerate(self.sides)
        )
        return TagLogits(self.tags(found).unflatten(-1, (len(SPANS), 3)), attention, classes)

    def tag(self, batch: TagBatch) -> TagLogits:
        """Everything, from token ids."""
        below = self.below(batch)
        return self.say(self.above(below, batch), batch)


def _attention(scores: Tensor, batch: TagBatch) -> Tensor:
    """Log-softmax over all tokens of each text, whatever window they are in."""
    scores = scores.masked_fill(~batch.body[:, :, None], -1e4)
    peak = scores.detach().amax(dim=(0, 1))
    totals = _per_text((scores - peak).exp().sum(dim=1), batch)
    return scores - peak - totals[batch.owner].clamp_min(1e-30).log()[:, None, :]


def _per_text(values: Tensor, batch: TagBatch) -> Tensor:
    """Sums of windows' values by text."""
    return torch.zeros(batch.texts, *values.shape[1:]).index_add(0, batch.owner, values)


def _summed(found: Tensor, batch: TagBatch) -> Tensor:
    """Sums of token vectors by text, (texts, width)."""
    return _per_text(found.sum(dim=1), batch)
