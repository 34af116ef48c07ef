"""Marks on the server what became of its mails. The only module that changes a mailbox.

Everything is idempotent: a flag that is set is set again, a mail that was moved is no longer there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from triage.settings import Mark, WriteBack
from triage.sources.base import MarkOrder

_FLAGS = {"flagged": rb"\Flagged", "seen": rb"\Seen", "answered": rb"\Answered"}
_AT_ONCE = 200
GONE = "gone"
DONE = "done"


def marked(
    client: Any, rules: WriteBack, orders: Sequence[MarkOrder]
) -> Iterator[tuple[MarkOrder, str]]:
    """Carry orders out, folder by folder; yields each with `DONE`, `GONE` or why it cannot be."""
    places: defaultdict[tuple[str, str], list[MarkOrder]] = defaultdict(list)
    for order in orders:
        folder, uidvalidity, _ = order.key.rsplit("/", 2)
        places[folder, uidvalidity].append(order)
    for (folder, uidvalidity), there in places.items():
        if not client.folder_exists(folder):
            yield from ((order, GONE) for order in there)
            continue
        answer = client.select_folder(folder)
        if str(answer.get(b"UIDVALIDITY", "")) != uidvalidity:
            yield from ((order, GONE) for order in there)  # it was sighted under its new number
        else:
            yield from _in_folder(client, rules, folder, there, answer.get(b"PERMANENTFLAGS", ()))


def _in_folder(
    client: Any, rules: WriteBack, folder: str, orders: Sequence[MarkOrder], kept: Sequence[bytes]
) -> Iterator[tuple[MarkOrder, str]]:
    alike: defaultdict[tuple[str, str], list[MarkOrder]] = defaultdict(list)
    for order in orders:
        alike[order.outcome, order.previous].append(order)
    for (outcome, previous), group in alike.items():
        mark, before = rules.of(outcome), rules.of(previous)
        for start in range(0, len(group), _AT_ONCE):
            some = group[start : start + _AT_ONCE]
            uids = [_uid(order) for order in some]
            there = set(client.search(f"UID {','.join(map(str, uids))}"))
            trouble = _change(client, folder, sorted(there), mark, before, kept) if there else ""
            for order in some:
                yield order, (trouble or DONE) if _uid(order) in there else GONE


def _change(
    client: Any, folder: str, uids: list[int], mark: Mark, before: Mark, kept: Sequence[bytes]
) -> str:
    """Take the earlier mark away and set this one; returns why that is not possible, if so."""
    wanted, unwanted = _flags(mark), _flags(before) - _flags(mark)
    if rb"\*" not in kept and (lacking := sorted(wanted - set(kept))):
        return f"the server keeps no {b', '.join(lacking).decode()} in {folder!r}"
    if mark.label and not client.has_capability("X-GM-EXT-1"):
        return "the server has no labels; use keyword"
    if unwanted:
        client.remove_flags(uids, sorted(unwanted), silent=True)
    if wanted:
        client.add_flags(uids, sorted(wanted), silent=True)
    if before.label and before.label != mark.label:
        client.remove_gmail_labels(uids, [before.label], silent=True)
    if mark.label:
        client.add_gmail_labels(uids, [mark.label], silent=True)
    if mark.move and mark.move != folder:
        return _move(client, uids, mark.move)
    return ""


def _move(client: Any, uids: list[int], target: str) -> str:
    if not client.has_capability("MOVE"):
        return "the server cannot move mails; use keyword"
    if not client.folder_exists(target):
        client.create_folder(target)
    client.move(uids, target)
    return ""


def _flags(mark: Mark) -> set[bytes]:
    flags = {_FLAGS[mark.flag]} if mark.flag else set()
    return flags | {mark.keyword.encode()} if mark.keyword else flags


def _uid(order: MarkOrder) -> int:
    return int(order.key.rpartition("/")[2])
