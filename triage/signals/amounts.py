"""Figures with a meaning: what may be spent, and how large the contact's side is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source
from triage.signals.spoken import NUMBER, number

_CURRENCIES: Final = {
    "us$": "USD", "au$": "AUD", "a$": "AUD", "ca$": "CAD", "c$": "CAD", "nz$": "NZD",
    "hk$": "HKD", "s$": "SGD", "£": "GBP", "€": "EUR", "₹": "INR", "usd": "USD", "cad": "CAD",
    "aud": "AUD", "nzd": "NZD", "gbp": "GBP", "eur": "EUR", "chf": "CHF", "zar": "ZAR",
    "inr": "INR", "aed": "AED", "r": "ZAR", "rand": "ZAR", "euro": "EUR", "euros": "EUR",
    "pounds": "GBP", "quid": "GBP", "rupees": "INR",
}  # fmt: skip
_DOLLARS: Final = {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD"}
_DOLLAR_WORDS: Final = {"$", "dollars", "dollar", "bucks", "bux"}
_SCALE: Final = {"k": 1000, "grand": 1000, "thousand": 1000, "m": 1_000_000, "million": 1_000_000}

_MONEY: Final = re.compile(
    r"(?<![\w.])(?P<sign>(?:us|au|ca|nz|hk|[acs])?\$|£|€|₹|(?:usd|cad|aud|nzd|gbp|eur|chf|zar"
    r"|inr|aed) |r(?=\d))?\s?"
    rf"(?P<amount>{NUMBER})(?:\s?-?\s?(?P<scale>k|m|grand|thousand|million)\b)?"
    r"(?:\s?(?P<unit>usd|cad|aud|nzd|gbp|eur|chf|zar|inr|aed|dollars?|bucks|bux|euros?|pounds"
    r"|quid|rand|rupees|€|£)(?!\w))?"
)
_CUE: Final = re.compile(
    r"\b(?:budget\w*(?: is| of| at|'s)?|spend|ceiling|not to exceed|nte|max(?:imum)?|up to|no "
    r"more than|at most|cap(?:ped)?"
    r"|keep it (?:under|below)|approve|sign|set aside|put aside|fund stands at|collection came "
    r"to|in the line|allocated"
    r"|we could go to|could go (?:up )?to|have (?:about |around |got )*|i've got(?: about)?|all "
    r"in|for (?:under|less than)"
    r"|anything under|under|below|afford|a figure in mind of|it'll be around|mortgage,?|loan"
    r"|gives a figure of|she's got"
    r"|ok up to|bear the cost|had thought of|target max|expected to exceed|putting in|i can go"
    r"|say,?|i would like to spend|tops|voted|ranging|range|between|somewhere around|we got"
    r")\b[^.\n;]{0,24}$"
)
_CUE_AFTER: Final = re.compile(
    r"^[^.\n;]{0,12}\b(?:budget|all[ -]in|in the line|max(?:imum)?|tops|to spend|a head|voted"
    r"|ceiling|or less|in her head)\b"
)
_NOT_BUDGET: Final = re.compile(
    r"\b(?:umbrella|wanted|wants|charg\w+|quoted|paid|pays?|asking|asks|said|bid|invoice|fee"
    r"|bill|owes?|refund\w*|fine"
    r"|price was|cost (?:me|us)|other|they want|worth|excess|still|payment of|came back|discount"
    r"|wire|rent is|at present)"
    r"\b[^.\n;]{0,28}$"
)
_COUNTED: Final = (
    r"(?:employees|staff|people|users|seats|vehicles|vans|utes|trucks|cars|drivers|technicians"
    r"|techs|engineers|sites"
    r"|locations|branches|offices|stores|shops|stations|workers|students|pupils|learners"
    r"|licen[cs]es|workstations|computers"
    r"|laptops|handsets|extensions|phones|schools|factories|hospitals|clinics|units|delegates"
    r"|attorneys|lawyers|agents|reps"
    r"|members|guys|fellas|lads|crews?|on the road|on the payroll|warehouses|rooms|doctors"
    r"|dentists|providers|desks"
    r"|buildings|properties|restaurants|hotels|gyms|companies|yoga places|teachers)"
)
_SIZE: Final = re.compile(
    rf"(?<![\w$£€.,/-])(?P<amount>{NUMBER})"
    r"(?: (?:odd|or so|full[- ]time|named|different|small|of our|field|more|extra|new|company))*"
    rf"[ -](?P<unit>{_COUNTED}|of us\b)(?![\w-])"
    rf"|(?<![\w$£€.,/-])(?P<count>{NUMBER})-(?P<single>person|seat|user|employee|site|truck"
    rf"|unit)\b"
)
_OURS: Final = re.compile(
    r"\b(?:we|we're|we've|our|i've|i have|us|run|there's|have|got|are|company|all|at|with|about"
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


def find_budget(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """The amount the contact may spend, as stated; another's price or a past bill is none."""
    country = material.business.country
    if stated := form.get("budget"):
        inside = _MONEY.search(stated.source.lower, stated.start, stated.end)
        value = _amount(inside, country) if inside else ""
        return Finding(stated.source, stated.start, stated.end, 0.95, "", value)
    for source in material.written:
        for match in _MONEY.finditer(source.lower):
            if finding := _budget(source, match, country):
                return finding
    return None


def _budget(source: Source, match: re.Match[str], country: str) -> Finding | None:
    start, end = match.span()
    while source.lower[start] == " ":
        start += 1
    line = source.lower.rfind("\n", 0, start) + 1
    before = source.lower[max(line, start - 48) : start]
    after = source.lower[end : end + 30]
    cued = _CUE.search(before) or _CUE_AFTER.match(after)
    marked = match["sign"] or match["unit"] or match["scale"]
    sure = re.search(r"\b(?:budget|spend|ceiling|not to exceed|nte)\b[^.\n;]{0,24}$", before)
    if not cued or not (marked or sure) or (_NOT_BUDGET.search(before) and not sure):
        return None
    normalized = _amount(match, country)
    if not normalized or float(normalized.split()[-1]) < 1:
        return None
    return Finding(source, start, end, 0.85, "", normalized)


def _amount(match: re.Match[str], country: str) -> str:
    """`USD 12000`; the currency only where it was stated."""
    value = number(match["amount"])
    if value is None:
        return ""
    value *= _SCALE.get(match["scale"] or "", 1)
    mark = (match["sign"] or match["unit"] or "").strip()
    currency = _DOLLARS.get(country, "USD") if mark in _DOLLAR_WORDS else _CURRENCIES.get(mark, "")
    return f"{currency} {value:.10g}".strip()


def find_size(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """Employees, seats, sites or vehicles of the contact's side, with the number as an integer."""
    if stated := form.get("company_size"):
        figure = re.search(NUMBER, stated.quote.lower())
        value = number(figure[0]) if figure else None
        if value is not None:
            return Finding(stated.source, stated.start, stated.end, 0.95, "", f"{value:.0f}")
    found = sorted(_sizes(material), key=lambda pair: -pair[0])
    return found[0][1] if found else None


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
    strong = _STRONG.search(unit) is not None
    if source.field == "subject" or _OURS.search(before) or before.rstrip().endswith(","):
        return 2 if strong else 1
    return int(strong)


def _sized(
    source: Source, match: re.Match[str], amount: str, rank: int
) -> Iterator[tuple[int, Finding]]:
    value = number(amount)
    if value is not None and 2 < value < 10_000_000:
        yield rank, Finding(source, *match.span(), 0.8, "", f"{value:.0f}")
