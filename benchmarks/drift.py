"""How often the drift alarms are false, and how soon they notice a change: traffic is drawn from
a held-out part of the corpus, read by the shipped model.

    python -m benchmarks.drift
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from classifiers.dataset import read_items
from classifiers.model import Classifier
from triage.settings import Drift
from triage.store.words import split
from triage.training.drift import Piece, Window, alarms

CORPUS = Path(__file__).parents[1] / "fixtures" / "corpus"
BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def pieces() -> list[Piece]:
    """Every item of the part, as the worker would have judged it."""
    files = sorted(CORPUS.glob("calibration-*.jsonl"))
    items = [item for file in files for item in read_items(file)]
    said = Classifier.load(threads=1).classify([item.example for item in items])
    return [
        Piece(
            BEGIN,
            verdict.label,
            verdict.margin,
            frozenset(w for w in split(item.example.text) if w.isalpha() and len(w) > 1),
            channel="email",
            model=verdict.model,
        )
        for item, verdict in zip(items, said, strict=True)
    ]


def stream(stock: list[Piece], days: int, daily: float, rng: np.random.Generator) -> list[Piece]:
    """Days of traffic; a text comes again only when all others came."""
    found: list[Piece] = []
    order: list[int] = []
    for day in range(days):
        for _ in range(rng.poisson(daily)):
            order = order or list(rng.permutation(len(stock)))
            at = BEGIN + DAY * (day + rng.random())
            found.append(replace(stock[order.pop()], at=at))
    return found


def window(source: str, traffic: list[Piece], now: datetime, settings: Drift) -> Window:
    """What the worker would compare then."""
    middle = now - DAY * settings.recent_days
    begin = middle - DAY * settings.reference_days
    recent = [piece for piece in traffic if middle <= piece.at < now]
    return Window(source, recent, [piece for piece in traffic if begin <= piece.at < middle])


def false_alarms(stock: list[Piece], years: int, daily: float, settings: Drift) -> None:
    """Years in which nothing changes, looked at every day."""
    rng, first = np.random.default_rng(1), settings.recent_days + settings.reference_days
    loud = looks = begun = 0
    kinds: Counter[str] = Counter()
    for _ in range(years):
        traffic, before = stream(stock, first + 365, daily, rng), False
        for day in range(first, first + 365):
            found = alarms([window("x", traffic, BEGIN + DAY * day, settings)], settings)
            loud, looks = loud + bool(found), looks + 1
            begun += bool(found) and not before
            before = bool(found)
            kinds.update(each.measure for each in found)
    print(
        f"nothing changes, {daily:g} a day, chance {settings.chance:g}, shift {settings.shift:g}: "
        f"{loud} of {looks} looks loud ({loud / looks:.4f}), {begun / years:.1f} alarms a year "
        f"{dict(kinds)}",
        flush=True,
    )


def noticed(name: str, stock: list[Piece], other: list[Piece], daily: float, runs: int) -> None:
    """After how many days a change is noticed, and where it is said to have begun."""
    rng, settings = np.random.default_rng(2), Drift()
    days, off = [], []
    for _ in range(runs):
        old = stream(stock, 45, daily, rng)
        new = [replace(p, at=p.at + DAY * 45) for p in stream(other, 14, daily, rng)]
        for day in range(1, 15):
            now = BEGIN + DAY * (45 + day)
            if found := alarms([window("x", old + new, now, settings)], settings):
                days.append(day)
                since = found[0].since
                off.append(abs((since - BEGIN - DAY * 45) / DAY) if since else 99)
                break
        else:
            days.append(99)
    middle = f"{np.median(days):.0f}" if np.median(days) < 99 else "never"
    seen = sum(day < 99 for day in days)
    print(
        f"{name}, {daily:g} a day: noticed in {seen} of {runs}, after {middle} days (median), its "
        f"beginning {np.median(off) if off else 0:.0f} days off (median)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    stock = pieces()
    for daily in (10, 40):
        for chance, shift in ((0.05, 0.0), (0.001, 0.1)):
            settings = Drift(chance=chance, shift=shift)
            false_alarms(stock, options.years, daily, settings)
    of_spam = [piece for piece in stock if piece.label == "spam"]
    spam = len(of_spam) / len(stock)
    times = round((0.35 * len(stock) - len(of_spam)) / (0.65 * len(of_spam)))
    hard = sorted(stock, key=lambda piece: piece.margin or 0)[: len(stock) // 5]
    for daily in (10, 40):
        noticed(f"spam from {spam:.0%} to a third", stock, stock + of_spam * times, daily,
                options.runs)  # fmt: skip
        noticed("half of it hard to tell", stock, stock + hard * 5, daily, options.runs)


if __name__ == "__main__":
    main()
