"""What is learned from: groups on one side, a hold-out that stays, and the newest word."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from classifiers.verdict import Example
from triage.store.confirmed import Confirmed
from triage.training.snapshot import Learned, Snapshot, divide, trained_on, without_rare

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LONG = "The lantern of the harbour was mended by the walnut tree in the garden behind the mill"


def learned(number: int, *, sender: str = "", text: str = "", label: str = "support") -> Learned:
    """The inquiry of that number; without a text of its own it is like no other."""
    own = " ".join(f"word{number}-{step}" for step in range(9))
    said = Confirmed(
        f"inq_{number:04}", label, "", "ann", NOW + timedelta(minutes=number), "", "inbox", "email",
        f"inq_{number:04}", "0" * 64, held_out=False,
    )  # fmt: skip
    example = Example("email", text or own, sender=sender)
    return Learned(said, example, sender)


def sides(snapshot: Snapshot) -> dict[str, str]:
    return {line.learned.said.inquiry_id: line.part for line in snapshot.lines}


def divided(found: list[Learned], seen: frozenset[str] = frozenset()) -> Snapshot:
    return divide(found, 0.3, seen, NOW)


def test_no_group_is_on_two_sides() -> None:
    """Three mails of each sender, answers in conversations, and texts that are nearly the same."""
    found = [learned(n, sender=f"writer{n // 3}@example.org") for n in range(90)]
    thread = [
        replace(each, said=replace(each.said, conversation="inq_0200"))
        for each in (learned(200), learned(201), learned(202))
    ]
    alike = [learned(300, text=f"{LONG} one"), learned(301, text=f"{LONG} two")]
    snapshot = divided([*found, *thread, *alike])
    part = sides(snapshot)
    assert len(part) == 95
    assert set(part.values()) == {"train", "recent", "held-out"}
    for n in range(0, 90, 3):
        assert len({part[f"inq_{m:04}"] for m in range(n, n + 3)}) == 1
    assert len({part[f"inq_{n:04}"] for n in (200, 201, 202)}) == 1
    assert part["inq_0300"] == part["inq_0301"]
    numbers = snapshot.groups(snapshot.lines)
    assert len(set(numbers.tolist())) == 30 + 1 + 1


def test_the_hold_out_stays_whatever_comes_later() -> None:
    found = [learned(n) for n in range(60)]
    before = sides(divided(found))
    after = sides(divided([*found, *(learned(n) for n in range(60, 200))]))
    kept = {name for name, part in before.items() if part == "held-out"}
    assert kept
    assert kept <= {name for name, part in after.items() if part == "held-out"}


def test_what_joins_a_held_out_group_is_held_out_too() -> None:
    """A later mail may show that two groups are one; what was held out is never trained on."""
    found = [learned(n) for n in range(40)]
    part = sides(divided(found))
    out = next(name for name, side in part.items() if side == "held-out")
    trained = next(name for name, side in part.items() if side == "train")
    told = [
        replace(each, said=replace(each.said, held_out=each.said.inquiry_id == out),
                author="both@example.org" if each.said.inquiry_id in {out, trained} else "")
        for each in found
    ]  # fmt: skip
    now = sides(divided(told))
    assert now[out] == now[trained] == "held-out"


def test_recent_groups_are_ones_that_the_present_model_never_saw() -> None:
    found = [learned(n) for n in range(80)]
    part = sides(divided(found))
    recent = {name for name, side in part.items() if side == "recent"}
    assert recent
    again = sides(divided(found, frozenset(recent)))
    assert not {name for name, side in again.items() if side == "recent"}
    assert all(again[name] == "train" for name in recent)


def test_of_two_words_about_the_same_text_the_newest_counts() -> None:
    older = learned(1, text="Please stop the machine.", label="spam")
    newer = learned(2, text="Please stop the machine.", label="support")
    snapshot = divided([older, newer])
    assert [line.learned.said.label for line in snapshot.lines] == ["support"]


def test_a_snapshot_says_where_each_label_comes_from(tmp_path: Path) -> None:
    snapshot = divided([learned(n) for n in range(30)])
    sha256 = snapshot.write(tmp_path)
    assert divided([learned(n) for n in range(30)]).write(tmp_path / "again") == sha256
    file = tmp_path / "snapshot.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 30
    assert lines[0]["confirmed"]["by"] == "ann"
    assert lines[0]["confirmed"]["at"] == NOW.isoformat()
    assert file.stat().st_mode & 0o077 == 0
    trained = {line["id"] for line in lines if line["part"] == "train"}
    assert trained_on(tmp_path) == trained
    assert trained_on(tmp_path / "gone") == frozenset()
    counts = snapshot.summary(sha256)
    assert counts["train"] + counts["recent"] + counts["held_out"] == counts["items"] == 30


def test_own_labels_that_are_too_rare_are_what_they_stand_for() -> None:
    items = [
        replace(line.item, own="repairs" if n < 3 else "spare-parts")
        for n, line in enumerate(divided([learned(n) for n in range(10)]).lines)
    ]
    assert [item.own for item in without_rare(items, 5)] == [""] * 3 + ["spare-parts"] * 7
