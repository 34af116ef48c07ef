"""Texts as the tagger reads them, and what its scores mean: tokens with offsets, layout, spans.

Windows of tokens, each behind a short header that says who wrote to whom. What the tokenizer drops
is kept beside it as layout: capitals, line breaks, short lines at the end, who speaks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from classifiers.calibration import Floats, Ints
from classifiers.encoder import BaseModel
from classifiers.tag_marks import CLASSES, FIGURES, SPANS, Marked, Offsets, SpanName, joined
from classifiers.text import BUSINESS_CHARS, PARTY_CHARS
from classifiers.verdict import Example
from classifiers.weights import Array

if TYPE_CHECKING:
    from classifiers.runtime import Runtime

TAPS: Final = (3, 6)
"""The layers of the base model that are read: the lower knows words, the upper meanings."""

WINDOW: Final = 256
HEADER: Final = 56
OVERLAP: Final = 64
MOST: Final = 24
"""In tokens; `MOST` in windows: beyond them the middle of a text is not read."""

OUTSIDE, BEGIN, INSIDE = range(3)
LAYOUT: Final = (7, 3, 8, 3, 4)
"""How many values each kind of layout has: shape, break, line from the end, line length, voice."""

_TURN: Final = re.compile(r"^[ \t]*([A-Za-z][\w .'-]{0,23}):[ \t]", re.MULTILINE)
_CONTACT: Final = re.compile(
    r"(?:caller|visitor|customer|client|guest|user)\b|speaker 2", re.IGNORECASE
)
_AGENT: Final = re.compile(
    r"(?:agent|receptionist|reception|operator|staff|host|desk|front desk|office|speaker 1)\b",
    re.IGNORECASE,
)
_LEAST: Final = 0.02
"""No stretch begins where that is less probable."""

_NEAR: Final = 32  # tokens; more context to a side than that does not count
_SAME: Final = re.compile(r"([^\w\s])\1{3,}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text.

    `ids` (tokens,); `offsets` (tokens, 2) in characters of the text; `layout` (tokens, kinds).
    `header` are the ids that go in front of each window.
    """

    header: tuple[int, ...]
    ids: Ints
    offsets: Ints
    layout: Ints


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `start` to `end` of a text behind its header, with `[CLS]` and `[SEP]`."""

    ids: tuple[int, ...]
    start: int
    end: int
    lead: int


def read_tokens(examples: Sequence[tuple[Example, str]], base: BaseModel) -> list[Tokens]:
    """Every (example, text) as tokens with layout."""
    tokenizer = base.tokenizer
    headers = tokenizer.encode_batch([_header(e) for e, _ in examples], add_special_tokens=False)
    bodies = tokenizer.encode_batch(
        [_SAME.sub(lambda m: m[1] + " " * (len(m[0]) - 1), t) for _, t in examples],
        add_special_tokens=False,
    )
    return [
        Tokens(
            tuple(header.ids[:HEADER]),
            np.array(body.ids, dtype=np.int64),
            np.array(body.offsets, dtype=np.int64).reshape(-1, 2),
            layout_of(text, body.offsets),
        )
        for (_, text), header, body in zip(examples, headers, bodies, strict=True)
    ]


def _header(example: Example) -> str:
    parts = ["phone call" if example.channel == "call" else "email"]
    if example.business.strip():
        parts.append(f"to {example.business.strip()[:BUSINESS_CHARS]}")
    if example.sender.strip():
        parts.append(f"from {example.sender.strip()[:PARTY_CHARS]}")
    return " | ".join(parts[:1] + parts[2:] + parts[1:2])


def layout_of(text: str, offsets: Sequence[Offsets]) -> Ints:
    """Layout of each token, (tokens, kinds): see `LAYOUT`."""
    lines = text.split("\n")
    starts = np.cumsum([0, *(len(line) + 1 for line in lines[:-1])]).tolist()
    filled = [bool(line.strip()) for line in lines]
    below = (np.cumsum(filled[::-1])[::-1] - np.array(filled)).tolist()
    voices = _voices(lines)
    found = np.zeros((len(offsets), len(LAYOUT)), dtype=np.int64)
    before = 0
    for at, (start, end) in enumerate(offsets):
        line = bisect_right(starts, start) - 1
        gap = text[before:start]
        length = len(lines[line].strip())
        found[at] = (
            _shape(text, start, end),
            0 if at and "\n" not in gap else 1 if at and gap.count("\n") == 1 else 2,
            min(int(below[line]), 7),
            0 if length <= 28 else 1 if length <= 60 else 2,
            voices[line],
        )
        before = end
    return found


def _shape(text: str, start: int, end: int) -> int:
    """Of the word around a token: small, Title, CAPITALS, figures, mixed, marks (1 to 6)."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    word = text[start:end]
    if not any(char.isalnum() for char in word):
        return 6
    if word.isdigit():
        return 4
    if word.islower():
        return 1
    if word.isupper():
        return 3 if len(word) > 1 else 2
    return 2 if word[0].isupper() and word[1:].islower() else 5


def _voices(lines: Sequence[str]) -> list[int]:
    """Of each line: 0 nobody's turn, 1 the contact's, 2 the other side's, 3 quoted."""
    marks = [_TURN.match(line) for line in lines]
    names = [mark[1].lower() for mark in marks if mark]
    agents = {name for name in names if _AGENT.match(name)}
    contacts = {name for name in names if _CONTACT.match(name)}
    turns = bool(agents or contacts) and len(set(names)) > 1
    voices, voice = [], 0
    for line, mark in zip(lines, marks, strict=True):
        if mark and turns:
            name = mark[1].lower()
            theirs = name in agents or (bool(contacts) and name not in contacts)
            voice = 2 if theirs else 1
        voices.append(3 if line.lstrip().startswith(">") else voice)
    return voices


def windows_of(tokens: Tokens, base: BaseModel) -> list[Window]:
    """The text in overlapping windows, at least one."""
    vocabulary = base.tokenizer.token_to_id
    first, last = vocabulary("[CLS]"), vocabulary("[SEP]")
    head = (first, *tokens.header, last)
    room = WINDOW - len(head) - 1
    count = len(tokens.ids)
    starts = [*range(0, max(1, count - OVERLAP), room - OVERLAP)]
    if len(starts) > MOST:
        starts = starts[: MOST // 2] + starts[-MOST // 2 :]
    found = []
    for start in starts:
        end = min(start + room, count)
        ids = (*head, *tokens.ids[start:end].tolist(), last)
        found.append(Window(ids, start, end, len(head)))
    return found


def vectors_of(tokens: Tokens, base: BaseModel, runtime: Runtime) -> Array:
    """What the encoder says of each token, (tokens, width); zeros where no window reads it.

    Where windows overlap, the one with more context to either side counts for more.
    """
    total: Array | None = None
    weight = np.zeros(len(tokens.ids), dtype=np.float32)
    for window in windows_of(tokens, base):
        ids = np.array([window.ids], dtype=np.int64)
        read = runtime.vectors(ids, np.array([len(window.ids)]))[0]
        size = window.end - window.start
        near = (
            np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1))
            .clip(max=_NEAR)
            .astype(np.float32)
        )
        if total is None:
            total = np.zeros((len(tokens.ids), read.shape[1]), dtype=np.float32)
        inside = slice(window.start, window.end)
        total[inside] += read[window.lead : window.lead + size] * near[:, None]
        weight[inside] += near
    return np.asarray(total / np.maximum(weight, 1)[:, None], dtype=np.float32)


def covered(tokens: Tokens, at: Offsets) -> Offsets:
    """The tokens (first, one after the last) that make up some characters."""
    first = int(np.searchsorted(tokens.offsets[:, 1], at[0], side="right"))
    after = int(np.searchsorted(tokens.offsets[:, 0], at[1], side="left"))
    return first, max(first, after)


def targets(lead: Marked, tokens: Tokens) -> tuple[Ints, Floats]:
    """What the tagger should say: tags (tokens, spans), evidence (tokens, classes) as weights."""
    tags = np.full((len(tokens.ids), len(SPANS)), OUTSIDE, dtype=np.int64)
    for name, at in lead.spans.items():
        first, after = covered(tokens, at)
        column = SPANS.index(name)
        tags[first:after, column] = INSIDE
        tags[first : first + 1, column] = BEGIN
    evidence = np.zeros((len(tokens.ids), len(CLASSES)))
    for column, choice in enumerate(CLASSES):
        if shown := lead.evidence.get(choice):
            first, after = covered(tokens, shown)
            evidence[first:after, column] = 1 / max(1, after - first)
    return tags, evidence


def stretches(
    text: str, tokens: Tokens, name: SpanName, scores: Floats, most: int = 3
) -> list[tuple[int, int, float]]:
    """The likeliest stretches of characters for one signal: (start, end, score), best first.

    `scores` (tokens, 3) are probabilities of outside, begin and inside. Where figures are wanted,
    a stretch is one of the figures in the text; else it begins where that is likeliest and goes on
    while inside outweighs the rest.
    """
    if name in FIGURES:
        found = []
        for match in FIGURES[name].finditer(text):
            first, after = covered(tokens, match.span())
            if after > first:
                like = scores[first:after, BEGIN:].sum(axis=1).max()
                found.append((*match.span(), float(like)))
        return sorted(found, key=lambda stretch: -stretch[2])[:most]
    return _grown(text, tokens, scores, most)


def _grown(text: str, tokens: Tokens, scores: Floats, most: int) -> list[tuple[int, int, float]]:
    found: list[tuple[int, int, float]] = []
    taken: list[Offsets] = []
    for first in np.argsort(-scores[:, BEGIN], kind="stable").tolist():
        if len(found) == most or scores[first, BEGIN] < _LEAST:
            break
        if any(start <= first < end for start, end in taken):
            continue
        after = first + 1
        while after < len(scores) and scores[after, INSIDE] > scores[after, :INSIDE].max():
            after += 1
        taken.append((first, after))
        found.append((*words_of(text, tokens, first, after), float(scores[first, BEGIN])))
    return found


def words_of(text: str, tokens: Tokens, first: int, after: int) -> Offsets:
    """The characters of some tokens, widened to whole words."""
    start, end = int(tokens.offsets[first, 0]), int(tokens.offsets[after - 1, 1])
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return start, end


def examples_of(leads: Sequence[Marked]) -> list[tuple[Example, str]]:
    """What is read of each lead."""
    return [(lead.example, lead.text or joined(lead.example)) for lead in leads]
