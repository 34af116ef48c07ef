"""How well a lead fits the ideal customer. Empty fields of the ideal do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from classifiers.labels import SignalName
from triage.settings import IdealCustomer
from triage.signals.source import Material
from triage.types import ScorePart, Signal


def fit_parts(
    signals: Mapping[SignalName, Signal], material: Material, ideal: IdealCustomer
) -> Iterator[ScorePart]:
    """Points for size, budget, region, product and industry.

    What was not stated earns nothing and costs nothing; only a stated size or budget outside the
    bounds costs points.
    """
    if size := _number(signals.get("company_size")):
        yield from _size(size, ideal)
    if (budget := _number(signals.get("budget"))) and ideal.min_budget is not None:
        enough = budget >= ideal.min_budget
        yield ScorePart(
            "fit_budget",
            5 if enough else -10,
            f"a budget of {budget:g} {'reaches' if enough else 'is below'} {ideal.min_budget:g}",
        )
    words = " ".join(source.heard for source in material.written).casefold()
    place = signals["location"].value.casefold() if "location" in signals else ""
    for name, points, wanted, text in (
        ("fit_region", 5, ideal.regions, place or words),
        ("fit_product", 5, ideal.products, words),
        ("fit_industry", 5, ideal.industries, words),
    ):
        if hit := next((item for item in wanted if _mentions(text, item)), None):
            yield ScorePart(name, points, f"mentions {hit}")


def _size(size: float, ideal: IdealCustomer) -> Iterator[ScorePart]:
    if ideal.min_size is None and ideal.max_size is None:
        return
    if ideal.min_size is not None and size < ideal.min_size:
        yield ScorePart("fit_size", -8, f"size {size:g} is below {ideal.min_size}")
    elif ideal.max_size is not None and size > ideal.max_size:
        yield ScorePart("fit_size", -8, f"size {size:g} is above {ideal.max_size}")
    else:
        yield ScorePart("fit_size", 8, f"size {size:g} is within the wanted range")


def _number(signal: Signal | None) -> float | None:
    match = re.search(r"\d+(?:\.\d+)?", signal.normalized) if signal else None
    return float(match[0]) if match else None


def _mentions(text: str, wanted: str) -> bool:
    stem = wanted.casefold().strip()
    return bool(stem) and re.search(rf"\b{re.escape(stem)}(?:s|es)?\b", text) is not None
