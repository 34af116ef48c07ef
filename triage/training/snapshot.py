"""What a training learns from, and what it is measured by: confirmed labels, in groups.

Whatever belongs together is on one side: inquiries of one sender, of one conversation, and those
with nearly the same text. A share of the groups is held out for good, by a hash of each group, so
that every model is measured by the same inquiries and none was trained on them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np

from classifiers.calibration import Ints
from classifiers.dataset import Item, near_duplicates
from classifiers.labels import Label
from classifiers.verdict import Example
from triage.store.confirmed import Confirmed

Part = Literal["train", "recent", "held-out"]
NEWEST: Final = 200
"""So many confirmed labels are recent."""
ASIDE: Final = 0.25
"""Share of recent groups that a model is measured by before the next one learns from them."""
FILE: Final = "snapshot.jsonl"


@dataclass(frozen=True, slots=True)
class Learned:
    """A confirmed label with what the classifier reads, and who wrote it (empty: unknown)."""

    said: Confirmed
    example: Example
    author: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a snapshot. `group` is the id of the first inquiry of its group."""

    learned: Learned
    group: str
    part: Part

    @property
    def item(self) -> Item:
        """As a training reads it."""
        said = self.learned.said
        return Item(
            said.inquiry_id,
            self.learned.example,
            cast("Label", said.label),
            said.source,
            own=said.own,
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The lines, in the order of the people's words, and when they were gathered."""

    lines: tuple[Line, ...]
    taken_at: datetime

    def of(self, *parts: Part) -> list[Line]:
        """The lines of some parts."""
        return [line for line in self.lines if line.part in parts]

    def groups(self, lines: Sequence[Line]) -> Ints:
        """A number for each line, equal where they belong together."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(line.group, len(numbers)) for line in lines], dtype=int)

    def write(self, folder: Path) -> str:
        """Write `snapshot.jsonl`, which is nobody else's to read; returns its sha256."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = "".join(
            json.dumps(_plain(line), ensure_ascii=False, sort_keys=True) + "\n"
            for line in self.lines
        )
        data = text.encode("utf-8", "replace")
        handle = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        return hashlib.sha256(data).hexdigest()

    def summary(self, sha256: str) -> dict[str, Any]:
        """The counts that a training's row keeps."""
        said = [line.learned.said for line in self.lines]
        parts = Counter(line.part for line in self.lines)
        return {
            "taken_at": self.taken_at.isoformat(),
            "items": len(self.lines),
            "labels": dict(Counter(each.own or each.label for each in said)),
            "people": dict(Counter(each.by for each in said)),
            "sources": dict(Counter(each.source for each in said)),
            "train": parts["train"],
            "recent": parts["recent"],
            "held_out": parts["held-out"],
            "groups": len({line.group for line in self.lines}),
            "sha256": sha256,
        }


def divide(
    found: Iterable[Learned], share: float, seen: frozenset[str], taken_at: datetime
) -> Snapshot:
    """A snapshot of what was found, oldest word first.

    `share` of the groups is held out; a group with an inquiry that was held out before always is.
    `seen`: the inquiries that the model which decides now was trained on; no group of theirs is set
    aside as recent, because that model knows the answer.
    """
    learned = _one_word_a_text(list(found))
    groups = _groups(learned)
    members: defaultdict[str, list[Learned]] = defaultdict(list)
    for each, group in zip(learned, groups, strict=True):
        members[group].append(each)
    newest = {each.said.inquiry_id for each in learned[-NEWEST:]}
    parts = {group: _part(group, mine, share, seen, newest) for group, mine in members.items()}
    lines = (Line(each, group, parts[group]) for each, group in zip(learned, groups, strict=True))
    return Snapshot(tuple(lines), taken_at)


def _part(
    group: str, members: Sequence[Learned], share: float, seen: frozenset[str], newest: set[str]
) -> Part:
    ids = {each.said.inquiry_id for each in members}
    if any(each.said.held_out for each in members) or _chance("hold-out", group) < share:
        return "held-out"
    if ids & newest and not ids & seen and _chance("recent", group) < ASIDE:
        return "recent"
    return "train"


def _chance(purpose: str, group: str) -> float:
    """A number from 0 to 1 that is always the same for a group."""
    digest = hashlib.sha256(f"{purpose}\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _one_word_a_text(learned: list[Learned]) -> list[Learned]:
    """Of inquiries that read exactly alike, but were labelled differently, those with the newest
    word.
    """
    newest = {each.example: (each.said.label, each.said.own) for each in learned}
    return [each for each in learned if newest[each.example] == (each.said.label, each.said.own)]


def _groups(learned: Sequence[Learned]) -> list[str]:
    """For each the id of the first inquiry that it belongs together with."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - heavy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not learned:
        return []
    place = {each.said.inquiry_id: index for index, each in enumerate(learned)}
    first: dict[tuple[str, str], int] = {}
    pairs: list[tuple[int, int]] = []
    for index, each in enumerate(learned):
        keys = (("author", each.author), ("conversation", each.said.conversation))
        pairs += [(index, first.setdefault(key, index)) for key in keys if key[1]]
    items = [Line(each, "", "train").item for each in learned]
    pairs += [(place[a], place[b]) for a, b, _ in near_duplicates(items, items)]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(learned),) * 2)
    numbers = connected_components(graph, directed=False)[1].tolist()
    names: dict[int, str] = {}
    for number, each in zip(numbers, learned, strict=True):
        names[number] = min(names.get(number, each.said.inquiry_id), each.said.inquiry_id)
    return [names[number] for number in numbers]


def without_rare(items: Sequence[Item], least: int) -> list[Item]:
    """The items, with own labels that fewer than `least` have replaced by what they stand for."""
    counts = Counter(item.own for item in items)
    return [item if counts[item.own] >= least else replace(item, own="") for item in items]


def trained_on(folder: Path) -> frozenset[str]:
    """The inquiries that a training learned from; none where its snapshot is gone."""
    try:
        with (folder / FILE).open(encoding="utf-8") as file:
            lines: list[Mapping[str, Any]] = [json.loads(line) for line in file]
    except OSError:
        return frozenset()
    return frozenset(str(line["id"]) for line in lines if line["part"] == "train")


def _plain(line: Line) -> dict[str, Any]:
    """One line as other corpora have it, with where its label comes from."""
    said, example = line.learned.said, line.learned.example
    return {
        "id": said.inquiry_id,
        "channel": example.channel,
        "from": example.sender,
        "to": example.recipient,
        "subject": example.subject,
        "text": example.text,
        "business": example.business,
        "label": said.own or said.label,
        "source": said.source,
        "part": line.part,
        "group": line.group,
        "confirmed": {
            "by": said.by,
            "at": said.at.isoformat(),
            "note": said.note,
            "conversation": said.conversation,
            "sha256": said.sha256,
        },
    }
