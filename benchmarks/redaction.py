"""How well numbers of cards, banks and people are found, and how often another number is masked.

    python benchmarks/redaction.py [--corpus] [--half dev|test]

Recall is of the marked numbers in tests/unit/data/redaction.jsonl, by default of the half that
nothing was tuned on. With --corpus every lead of the training corpus is masked, too: whatever that
masks is shown, and evidence of signals must stay.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from triage.redaction.text import mask

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "tests" / "unit" / "data" / "redaction.jsonl"
CORPUS = ROOT / "fixtures" / "corpus"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["dev", "test"], default="test")
    parser.add_argument("--corpus", action="store_true")
    options = parser.parse_args()
    rows = [row for row in read(TEXTS) if row["half"] == options.half]
    recall([row for row in rows if row["spans"]])
    wrong = sum(mask(row["text"]).text != row["text"] for row in rows if not row["spans"])
    print(f"texts without such a number that lost one: {wrong} of {without(rows)}")
    if options.corpus:
        leads()


def read(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def without(rows: list[dict[str, Any]]) -> int:
    return sum(not row["spans"] for row in rows)


def recall(rows: list[dict[str, Any]]) -> None:
    told: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for row in rows:
        hidden = {
            place for one in mask(row["text"]).replaced for place in range(one.start, one.end)
        }
        for span in row["spans"]:
            letters = [p for p in range(span["start"], span["end"]) if row["text"][p].isalnum()]
            told[span["kind"]] += 1
            found[span["kind"]] += hidden.issuperset(letters)
    for kind in told:
        print(f"{kind:<24} {found[kind]:>3} of {told[kind]:>3}")
    print(
        f"{'all':<24} {found.total():>3} of {told.total():>3}  {found.total() / told.total():.1%}"
    )


def leads() -> None:
    number = masked_leads = stated = lost = 0
    began = time.process_time()
    for path in sorted(CORPUS.glob("train-*.jsonl")):
        for row in read(path):
            if row["label"] != "lead":
                continue
            number += 1
            text = row.get("body") or row.get("text") or ""
            masked = mask(text)
            masked_leads += bool(masked.replaced)
            for one in masked.replaced:
                around = text[max(0, one.start - 40) : one.end + 10]
                print(f"  {row['id']} {one.shown}: {around!r}")
            for signal in row.get("signals", {}).values():
                for evidence in signal["evidence"]:
                    if evidence["field"] in {"body", "text"}:
                        stated += 1
                        lost += masked.touches(evidence["start"], evidence["end"])
    each = (time.process_time() - began) / number * 1000
    print(f"leads masked: {masked_leads} of {number}, {masked_leads / number * 1000:.1f} in 1,000")
    print(f"evidence masked: {lost} of {stated}; {each:.1f} ms of CPU a lead")


if __name__ == "__main__":
    main()
