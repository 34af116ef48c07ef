"""How large the contact's side is: employees, seats, sites or vehicles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source
from triage.signals.spoken import NUMBER, number

_COUNTED: Final = (
    r"(?:employees|staff|people|users|seats|vehicles|vans|utes|trucks|cars|drivers|technicians"
    r"|techs|engineers|sites"
    r"|locations|branches|offices|stores|shops|stations|workers|students|pupils|learners"
    r"|licen[cs]es|workstations|computers"
    r"|laptops|handsets|extensions|phones|schools|factories|hospitals|clinics|units|delegates"
    r"|attorneys|lawyers|agents|reps"
    r"|guys|fellas|lads|crews?|on the road|on the payroll|warehouses|rooms|doctors"
    r"|dentists|providers|desks"
    r"|buildings|properties|restaurants|hotels|gyms|companies|yoga places|teachers|premises"
    r"|apartments|flats"
    r"|beds|traders|brokers|families|households|nurses|cleaners|carers|stylists|chairs|bays"
    r"|machines|trailers"
    r"|tractors|buses|coaches|tablets|terminals|registers|tills|extension|cafes|salons|bakers"
    r"|fitters|plumbers"
    r"|electricians|mechanics|cooks|servers|roofers|painters|operators|agents|advisers|advisors"
    r"|partners)"
)
_SIZE: Final = re.compile(
    rf"(?<![\w$£€.,/-])(?P<amount>{NUMBER})"
    r"(?: (?:odd|or so|full[- ]time|named|different|small|of our|field|more|extra|new|company"
    r"|delivery|box|work|people|small|part[- ]time|permanent|office|in total|rental))*"
    rf"[ -](?P<unit>{_COUNTED}|of us\b)(?![\w-]| (?:a (?:month|year)|and an hour))"
    rf"|(?<![\w$£€.,/-])(?P<count>{NUMBER})-(?P<single>person|seat|user|employee|site|truck"
    rf"|unit)\b"
)
_OURS: Final = re.compile(
    r"\b(?:we|we're|we've got|we've|our|i've|i have|us|run|there's|have|got|are|company|all|at"
    r"|with|about"
    r"|my)\b[^.\n]*$"
)
_WANTED: Final = re.compile(
    r"\b(?:want|wants|need|needs|order|hire|rent|expect|other|speak|spoke|conference|quote for"
    r"|feed"
    r"|price for|looking for|guests?|party of|table for|for|another|like|add|more)\b[^.\n]{0,14}$"
)
_TEAM: Final = re.compile(
    rf"\b(?:team|staff|fleet|crew|company|group|firm|headcount|office) of (?:about |around "
    rf")?(?P<amount>{NUMBER})\b"
)
_STRONG: Final = re.compile(
    r"employees|staff|seats|users|vehicles|vans|trucks|drivers|sites|branches|locations|offices"
    r"|stores|schools|workers|learners|students|stations|workstations|handsets|factories|units"
    r"|delegates|on the road|on the payroll|person|seat|user|employee|site|truck|hospitals|utes"
)


def find_size(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """Employees, seats, sites or vehicles of the contact's side, with the number as an integer."""
    if stated := form.get("company_size"):
        figure = re.search(NUMBER, stated.quote.lower())
        value = number(figure[0]) if figure else None
        if value is not None:
            return Finding(stated.source, stated.start, stated.end, 0.95, "", f"{value:.0f}")
    found = sorted(_sizes(material), key=lambda pair: (-pair[0], -float(pair[1].normalized)))
    return found[0][1] if found else None


def counted(found: Finding | None) -> Finding | None:
    """A size with its number, whoever found it; nothing where there is no number in it."""
    if found is None or found.normalized:
        return found
    figure = re.search(NUMBER, found.quote.lower())
    value = number(figure[0]) if figure else None
    return replace(found, normalized=f"{value:.0f}") if value is not None else None


def _sizes(material: Material) -> Iterator[tuple[int, Finding]]:
    for source in material.own:
        for match in _SIZE.finditer(source.lower):
            amount = match["amount"] or match["count"]
            unit = match["unit"] or match["single"]
            if rank := _rank(source, match.start(), unit):
                yield from _sized(source, match, amount, rank)
        for match in _TEAM.finditer(source.lower):
            yield from _sized(source, match, match["amount"], 3)


def _rank(source: Source, start: int, unit: str) -> int:
    """How surely a count is of the contact's own side; 0: it is what they want, or guests."""
    before = source.lower[max(0, start - 36) : start]
    if _WANTED.search(before):
        return 0
    if source.field == "subject" or _OURS.search(before):
        return 2
    return int(_STRONG.search(unit) is not None)


def _sized(
    source: Source, match: re.Match[str], amount: str, rank: int
) -> Iterator[tuple[int, Finding]]:
    value = number(amount)
    if value is not None and (value > 2 or (rank > 1 and value > 1)) and value < 10_000_000:
        yield rank, Finding(source, *match.span(), 0.8, "", f"{value:.0f}")
