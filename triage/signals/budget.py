"""What may be spent, as the contact states it."""

from __future__ import annotations

import re
from dataclasses import replace
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
    r"(?:\s?(?P<unit>usd|cad|aud|nzd|gbp|eur|chf|zar|inr|aed|dollars?|us dollars|bucks|bux"
    r"|euros?|pounds"
    r"|quid|rand|rupees|€|£)(?!\w))?"
)
_CUE: Final = re.compile(
    r"\b(?:budget\w*(?: is| of| at|'s| line is)?|spend(?:ing)?|ceiling|exceed|nte|max(?:imum)?"
    r"|up to|no "
    r"more than|at most|cap(?:ped)?|keep (?:it|this|things) (?:under|below|to|around|within)"
    r"|approved?|sign|set"
    r" aside|put aside|put by|saved(?: up)?|fund stands at|collection came to|in the (?:line|pot"
    r"|kitty)|allocated"
    r"|allotted|earmarked|granted|we could go (?:up )?to|could (?:go|stretch|run) (?:up )?to"
    r"|have (?:about |around "
    r"|only |maybe |roughly )*|i've got(?: about| around| maybe)?|we've got(?: about| around| "
    r"maybe)?|all in|for "
    r"(?:under|less than)|anything (?:under|over|above)|under|below|afford|a figure (?:in mind "
    r")?of|it'll be "
    r"(?:around|about)|mortgage,?|loan|gives a figure of|she's got|ok up to|bear the cost|had "
    r"thought of|target"
    r"(?: max| of| is)?|putting in|i can (?:go|do|pay|manage)|we can (?:go|do|pay|manage|put)"
    r"|say,?|would like to "
    r"(?:spend|stay|pay|keep)|like to (?:stay|keep|be)|want to (?:stay|keep|spend|pay)|stay "
    r"(?:around|under|within"
    r"|below|at)|tops|voted|ranging|range|between|somewhere (?:around|in the|near|between)|we "
    r"got|thinking"
    r"(?: of| about| around)?|hoping (?:for|to (?:spend|pay|stay|keep))|looking (?:to spend|at "
    r"(?:around|about|spend"
    r"\w*))|aim(?:ing)? for|in the (?:region|neighbou?rhood|ballpark|area) of|prepared to (?:pay"
    r"|spend)|willing to "
    r"(?:pay|spend)|happy (?:to pay|with|at)|comfortable (?:with|at)|limit(?:ed)?(?: is| of| "
    r"to)?|agreed to(?: is)?"
    r"|price range|price point|not (?:over|above|more than|go over|going over)|estimated "
    r"value)\b[^.\n;]{0,24}$"
)
_SURE: Final = re.compile(
    r"\b(?:budget|spend|ceiling|exceed|nte|afford|limit is|more than|price range)\b[^.\n;]{0,24}$"
)
_CUE_AFTER: Final = re.compile(
    r"^[^.\n;]{0,14}\b(?:budget|all[ -]in|in the line|max(?:imum)?|tops|to spend|a head|voted"
    r"|ceiling|or less|in her head|set aside|to play with|to work with|saved|at (?:the )?most"
    r"|is (?:my|our|the) "
    r"(?:limit|max\w*|top|ceiling|budget)|and (?:i'd|we'd) (?:like|rather|want) (?:to|it))\b"
)
_ASKS_AMOUNT: Final = re.compile(
    r"\b(?:budget|figure|spend|price range|price point|how much (?:were|did) you|ball ?park|in "
    r"mind)\b[^\n]*\?",
    re.IGNORECASE,
)
_NOT_BUDGET: Final = re.compile(
    r"\b(?:umbrella|liability|wanted|wants|charg\w+|quoted|paid|pays?|asking|asks|said|bid"
    r"|invoice|fee"
    r"|bill|owes?|refund\w*|fine|price was|cost (?:me|us)|other|they want|worth|excess|still"
    r"|payment of|came back"
    r"|discount|wire|rent is|at present|goes through|committee|turnover|revenue|deductible"
    r"|insured|grant of)"
    r"\b[^.\n;]{0,28}$"
)
_NOT_MONEY: Final = re.compile(
    r"^(?:[- ](?:odd|or so|plus|different|small))*[- ]?(?:square|sq|feet|foot|ft|miles?|km"
    r"|kilomet\w+|met(?:re|er)s?"
    r"|acres?|hectares?|gallons?|lit(?:re|er)s?|pounds? of|lbs?|kilos?|kg|tons?|tonnes?|people"
    r"|employees|staff|guests?"
    r"|users|seats|members|visitors|customers|copies|pieces|units|pages|words|hours?|days?"
    r"|weeks?|months?(?! budget)"
    r"|years?|minutes?|percent|%|btu|watts?|kw|volts?|times|boxes|bottles|cans|bags|items|drops"
    r"|cars|vans|o'clock|am\b"
    r"|pm\b|bedroom|bed\b|rooms?|kids|children|head of)"
)
_PLAIN_AFTER: Final = re.compile(
    r"\s*$|\s*[.,;:?!)\n]|-ish| (?:for|an? (?:month|week|year|head|person|piece|night|seat|day"
    r"|quarter)|per|all|or"
    r"|and|to|max\w*|tops|on|if|is|in|at|but|so|total|each|because|maybe|um|uh|ish|including"
    r"|plus|with|would|should|will)\b"
)
"""What may follow a bare figure that is money and no count of something."""

_LARGE: Final = re.compile(r"hundred|thousand|grand|million|\d[, ]\d{3}")


def find_budget(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """The amount the contact may spend, as stated; another's price or a past bill is none."""
    country = material.business.country
    if stated := form.get("budget"):
        inside = _MONEY.search(stated.source.lower, stated.start, stated.end)
        value = _amount(inside, country) if inside else ""
        if inside and len(stated.quote) > len(inside[0]) + 16:
            return Finding(stated.source, *inside.span(), 0.9, "", value)
        return Finding(stated.source, stated.start, stated.end, 0.95, "", value)
    for source in material.written:
        for match in _MONEY.finditer(source.lower):
            if finding := _budget(source, match, country):
                return finding
    spoken = (source for source in material.own if source.spoken)
    return next((found for source in spoken if (found := _answered(source, country))), None)


def priced(found: Finding | None, material: Material) -> Finding | None:
    """A budget with its amount, whoever found it."""
    if found is None or found.normalized:
        return found
    match = _MONEY.search(found.source.lower, found.start, found.end)
    amount = _amount(match, material.business.country) if match else ""
    return replace(found, normalized=amount)


def _answered(source: Source, country: str) -> Finding | None:
    """The amount in the caller's turn after the agent asked for one."""
    for asked, start, end in source.answers:
        match = _MONEY.search(source.lower, start, end) if _ASKS_AMOUNT.search(asked) else None
        if match and not _NOT_MONEY.match(source.lower, match.end()):
            value = _amount(match, country)
            if value and float(value.split()[-1]) >= 20:
                at = match.start() + (len(match[0]) - len(match[0].lstrip()))
                return Finding(source, at, match.end(), 0.75, "", value)
    return None


def _budget(source: Source, match: re.Match[str], country: str) -> Finding | None:
    start, end = match.span()
    while source.lower[start] == " ":
        start += 1
    line = source.lower.rfind("\n", 0, start) + 1
    before = source.lower[max(line, start - 48) : start]
    after = source.lower[end : end + 34]
    if not (_CUE.search(before) or _CUE_AFTER.match(after)) or _NOT_MONEY.match(after):
        return None
    large = bool(_LARGE.search(match["amount"])) and before.rstrip()[-1:] not in {"-", "/"}
    sure = _SURE.search(before) is not None
    bare = (large or sure) and _PLAIN_AFTER.match(source.lower, end) is not None
    if not (match["sign"] or match["unit"] or match["scale"] or bare):
        return None
    if _NOT_BUDGET.search(before) and not sure:
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
