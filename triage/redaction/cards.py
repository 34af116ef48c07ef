"""Payment cards: the number by its issuer and check digit, or because somebody announced it; the
expiry and the security code beside it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from stdnum import luhn

from triage.redaction.context import first_after, like_phone, near, told
from triage.redaction.finding import Finding
from triage.redaction.numbers import Gap, Number, gap, joined, parts, runs, words_between

# What a card's number begins with, and how long it is then.
_ISSUERS: Final = (
    (re.compile(r"4"), (16,)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"6011|64[4-9]|65|62"), (16,)),  # Discover, UnionPay
    (re.compile(r"352[89]|35[3-8]"), (16,)),  # JCB
    (re.compile(r"30[0-5]|3[689]"), (14,)),  # Diners Club
)
# Rarer: only where a card is spoken of.
_RARER: Final = (
    (re.compile(r"4"), (13, 19)),
    (re.compile(r"5[06-9]|6"), tuple(range(13, 20))),  # Maestro, UnionPay
)
_OTHER_CARDS: Final = (
    "business", "library", "loyalty", "rate", "sim", "sd", "memory", "graphics", "video", "network",
    "score", "report", "id", "key", "access", "punch", "membership", "member", "insurance", "sound",
    "time", "greeting", "health", "index", "medicare",
)  # fmt: skip
_NOT_PAYING: Final = "".join(f"(?<!{name} )" for name in _OTHER_CARDS) + "(?<!score)(?<!post)"
_CARD: Final = (
    rf"(?:\b(?=cards?\b){_NOT_PAYING}cards?|\bvisa\b|\bmaster ?card\b|\bamex\b|\bamerican express\b"
    r"|\bdiscover card\b|\bmaestro\b|\bkreditkarte\w*|\bcarte (?:de crédit|bancaire)|\btarjeta\b"
    r"|\bcarta di credito)"
)
_ABOUT_CARDS: Final = re.compile(_CARD, re.IGNORECASE)
_ANNOUNCED: Final = re.compile(
    rf"{_CARD}(?:[ -]?(?:number|no\b\.?|#|nummer|numéro))?|\bcc ?(?:#|number|no\b)|\blong number\b"
    r"|\b(?:sixteen|16)[ -]digits?\b|\bkartennummer\b|\bPAN (?:number|is)\b",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    r"number|\bno\b|#|nummer|numéro|digits?|long|\bis\b|it's", re.IGNORECASE
)
_OTHER: Final = re.compile(
    r"\b(?:orders?|invoice|tracking|imei|serials?|s/n|parts?|skus?|ticket|case|ref(?:erence)?|upc|ean"
    r"|isbn|barcode|vin|models?|id|meter|consignment|parcel|shipment|waybill|po|p\.o\.|quote|job|batch|lot"
    r"|bestellnummer|rechnung\w*|policy|claim|license|licence|permit)\b[^.;\n]{0,30}$",
    re.IGNORECASE,
)
_LAST_FOUR: Final = re.compile(
    r"(?:end(?:s|ing)?(?: in| with)?|last four)\W*(?:\w+\W+){0,3}$", re.IGNORECASE
)
_PHONE: Final = re.compile(r"\b(?:phone|call|cell|mobile|reach|text|tel)\b", re.IGNORECASE)
_SPEAKING: Final = 40  # digits that a number takes with an agent's echo, at most

_EXPIRY: Final = re.compile(
    r"\bexp(?:\.|iry|iration|ires?|iring)?\b(?: ?date)?|\bvalid (?:thru|through|until|to|till)\b"
    r"|\bgood (?:thru|through|until|till)\b|\bgültig bis\b|\bmonth and year\b",
    re.IGNORECASE,
)
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTH_BEFORE: Final = re.compile(rf"\b{_MONTH}[ ,.of]*$", re.IGNORECASE)
_MONTH_YEAR: Final = re.compile(
    r"(?<![\d/.-])(?:0[1-9]|1[0-2]|[1-9]) ?[/-] ?(?:20)?[2-4]\d(?![\d/.-]\d|\d)"
)
_SURE_CODE: Final = re.compile(r"\b(?:cvv2?|cvc2?|cv2|csc|cid code|card code)\b", re.IGNORECASE)
_CODE: Final = re.compile(
    r"\bsecurity (?:code|number)\b|\b(?:code|digits?|numbers?|three) (?:that's )?on the "
    r"(?:back|front|reverse)\b|\b(?:three|four|3|4)[ -]digit(?:s| code| number)\b|\bverification "
    r"(?:code|number)\b|\bprüfziffer\b|(?<!zip )(?<!post )(?<!postal )(?<!gate )(?<!area )"
    r"(?<!door )(?<!promo )(?<!alarm )(?<!error )(?<!discount )(?<!access )\bcode\b",
    re.IGNORECASE,
)  # fmt: skip
_BESIDE: Final = 400  # characters around a card in which expiry and code are told
_CLOSE: Final = 60


def find(text: str, numbers: Sequence[Number]) -> list[Finding]:
    """Everything about cards that a text tells."""
    cards = [*_checked(text, numbers)]
    cards += _announced(text, numbers, cards)
    cards += _echoes(text, numbers, cards)
    cards += [*_expiries(text, numbers, cards)]
    return [*cards, *_codes(text, numbers, cards)]


def _is_card(digits: str, *, rarer: bool) -> bool:
    issuers = (*_ISSUERS, *_RARER) if rarer else _ISSUERS
    return (
        any(len(digits) in lengths and issuer.match(digits) for issuer, lengths in issuers)
        and len(set(digits)) > 1
        and luhn.is_valid(digits)
    )


def _checked(text: str, numbers: Sequence[Number]) -> Iterator[Finding]:
    """Numbers whose digits are a card's, whoever says so."""
    taken = -1
    for voice in _voices(text, numbers):
        about = near(_ABOUT_CARDS, text, voice[0].start, voice[-1].end, 200)
        for window in _windows(text, voice, about=about):
            start, end = window[0].start, window[-1].end
            inside = [n for n in numbers if start <= n.start and n.end <= end]
            # "And the last four?" is no digit of the card.
            whole = [n for n in inside if n in window or len(n.digits) > 1]
            if start > taken and not _is_something_else(text, window, about=about):
                taken = whole[-1].start
                yield Finding("card number", parts(text, whole), joined(window)[-4:])


def _voices(text: str, numbers: Sequence[Number]) -> list[list[Number]]:
    """What is read out in one go; where several speak, by each of them and then by all together."""
    found: list[list[Number]] = []
    if len({number.speaker for number in numbers}) > 1:
        for run in runs(text, numbers, Gap.PATTER):
            speakers = dict.fromkeys(number.speaker for number in run)
            if len(speakers) > 1:
                found += ([n for n in run if n.speaker == speaker] for speaker in speakers)
    found.sort(key=lambda voice: voice[0].start)
    return [*found, *runs(text, numbers)]


def _windows(text: str, numbers: Sequence[Number], *, about: bool) -> Iterator[list[Number]]:
    """Neighbours that together are a card, from the left, none twice. `about`: cards are spoken
    of, so that rarer forms count.
    """
    first = 0
    while first < len(numbers):
        total, found = "", 0
        for last in range(first, len(numbers)):
            total += numbers[last].digits
            if len(total) > 19:
                break
            whole = not _joins(text, numbers, first) and not _joins(text, numbers, last + 1)
            if len(total) >= 13 and _is_card(total, rarer=about and whole):
                spoken = any(number.spoken for number in numbers[first : last + 1])
                if about or (whole if spoken else _looks_like(text, numbers[first : last + 1])):
                    found = last + 1
        if found:
            yield list(numbers[first:found])
        first = found or first + 1


def _joins(text: str, numbers: Sequence[Number], index: int) -> bool:
    """Whether a number follows the one before it without a word or a full stop."""
    if not 0 < index < len(numbers) or gap(text, numbers[index - 1], numbers[index]) > Gap.TIGHT:
        return False
    return not re.search(r"[.;\n]\s", text[numbers[index - 1].end : numbers[index].start])


def _looks_like(text: str, numbers: Sequence[Number]) -> bool:
    """Whether nothing but a card would be written so: two phone numbers in a row are not, nor is a
    list.
    """
    if "," in text[numbers[0].start : numbers[-1].end]:
        return False
    sizes = [len(number.digits) for number in numbers]
    return sizes in ([4, 6, 5], [4, 6, 4]) or all(
        size == sizes[0] or size % 4 == 0 for size in sizes[:-1]
    )


def _is_something_else(text: str, numbers: Sequence[Number], *, about: bool) -> bool:
    """Whether the words before name another number: an order, a parcel, a device."""
    start = numbers[0].start
    before = text[max(0, start - 60) : start]
    other = _OTHER.search(before)
    if other is None:
        return False
    card = _ABOUT_CARDS.search(before)
    return not (about and card and card.start() > other.start())


def _announced(text: str, numbers: Sequence[Number], known: Sequence[Finding]) -> Iterator[Finding]:
    """Numbers that somebody called a card's, although a digit is missing or was misheard."""
    until = -1
    for match in _ANNOUNCED.finditer(text):
        first = first_after(text, numbers, match.end())
        if first is None or numbers[first].start <= until:
            continue
        taken = _read_out(text, numbers[first : first + _SPEAKING])
        taken = _trimmed(text, taken)
        if not taken or _overlap(known, taken[0].start, taken[-1].end):
            continue
        told = text[match.start() : taken[0].start]
        if not _is_enough(taken, told):
            continue
        until = taken[-1].start
        yield Finding("card number", parts(text, taken))


def _read_out(text: str, numbers: Sequence[Number]) -> list[Number]:
    """What is read out, with what the other side repeats, up to other talk or enough digits."""
    taken: list[Number] = []
    total = 0
    for number in numbers:
        if taken and gap(text, taken[-1], number) > Gap.PATTER:
            break
        if total >= 15 and len({n.speaker for n in taken}) < 2:
            break  # a card is over; what follows is a phone number or a date
        total += len(number.digits)
        if total > _SPEAKING:
            break
        taken.append(number)
    return taken


def _trimmed(text: str, numbers: list[Number]) -> list[Number]:
    """Without a lone `one` at either end, as in `the next one is`."""
    while len(numbers) > 1 and _is_lone(text, numbers[0], numbers[1]):
        numbers = numbers[1:]
    while len(numbers) > 1 and _is_lone(text, numbers[-1], numbers[-2]):
        numbers = numbers[:-1]
    return numbers


def _is_lone(text: str, number: Number, other: Number) -> bool:
    first, second = sorted((number, other), key=lambda n: n.start)
    return number.spoken and len(number.digits) == 1 and gap(text, first, second) > Gap.LOOSE


def _is_enough(taken: Sequence[Number], told: str) -> bool:
    total = len(joined(taken))
    if joined(taken)[0] not in "23456":  # no card begins otherwise
        return False
    if total >= 12:
        return total <= 19 or len({n.speaker for n in taken}) > 1 or bool(_NUMBERED.search(told))
    phone = like_phone(taken) or bool(_PHONE.search(told))
    wordy = len(words_between(told, 0, len(told)))
    return total >= 9 and not phone and wordy <= 10 and bool(_NUMBERED.search(told))


def _echoes(text: str, numbers: Sequence[Number], cards: Sequence[Finding]) -> Iterator[Finding]:
    """What somebody repeats of a card: five digits of it anywhere, four of them beside it."""
    others = [number for number in numbers if not _overlap(cards, number.start, number.end)]
    if not others:
        return
    told = []
    for card in cards:
        inside = [n for n in numbers if any(a <= n.start < b for a, b in card.parts)]
        told.append((card, joined(inside)))
    for run in runs(text, others, Gap.TIGHT):
        digits = joined(run)
        start, end = run[0].start, run[-1].end
        if len(digits) < 4:
            continue
        for card, whole in told:
            beside = abs(start - card.end) < _BESIDE or abs(card.start - end) < _BESIDE
            allowed = digits == whole[-4:] and _LAST_FOUR.search(text[max(0, start - 60) : start])
            if digits in whole and not allowed and (len(digits) > 4 or beside):
                yield Finding("card number", parts(text, run))
                break


def _expiries(text: str, numbers: Sequence[Number], cards: Sequence[Finding]) -> Iterator[Finding]:
    until = -1
    for match in _EXPIRY.finditer(text):
        if not _beside(cards, match.start(), match.end(), _BESIDE):
            continue
        found = told(text, numbers, match.end(), (4, 6, 3, 2), reach=12, most=Gap.LOOSE)
        found = [n for n in found if not _overlap(cards, n.start, n.end)]
        if found and found[0].start > until:
            until = found[-1].start
            yield _with_month(text, found)
    for match in _MONTH_YEAR.finditer(text):
        start, end = match.span()
        if start > until and _beside(cards, start, end, _CLOSE) and not _overlap(cards, start, end):
            yield Finding("card expiry", (match.span(),))


def _with_month(text: str, numbers: Sequence[Number]) -> Finding:
    """The expiry with the name of its month."""
    stretches = parts(text, numbers)
    month = _MONTH_BEFORE.search(text, max(0, stretches[0][0] - 20), stretches[0][0])
    if month:
        stretches = ((month.start(), stretches[0][1]), *stretches[1:])
    return Finding("card expiry", stretches)


def _codes(text: str, numbers: Sequence[Number], cards: Sequence[Finding]) -> Iterator[Finding]:
    until = -1
    for card in cards:
        if card.kind == "card expiry" and (code := _behind(text, numbers, card)):
            yield Finding("security code", parts(text, [code]))
    sure = [match.span() for match in _SURE_CODE.finditer(text)]
    unsure = [match.span() for match in _CODE.finditer(text)]
    for start, end in sorted([*sure, *unsure]):
        if (start, end) not in sure and not _beside(cards, start, end, _BESIDE):
            continue
        found = told(text, numbers, end, (3, 4), reach=10, most=Gap.LOOSE)
        if not found or found[0].start <= until or not _is_code(text, found):
            continue
        if not _overlap(cards, found[0].start, found[-1].end):
            until = found[-1].start
            yield Finding("security code", parts(text, found))


def _behind(text: str, numbers: Sequence[Number], expiry: Finding) -> Number | None:
    """Three or four figures right behind the expiry: `09/28 123`."""
    index = bisect_left(numbers, expiry.end, key=lambda number: number.start)
    if not 0 < index < len(numbers) or _joins(text, numbers, index + 1):
        return None
    close = gap(text, numbers[index - 1], numbers[index]) == Gap.TIGHT
    return numbers[index] if close and len(numbers[index].digits) in {3, 4} else None


def _is_code(text: str, numbers: Sequence[Number]) -> bool:
    """Whether it is one number, or read out digit by digit, or in groups, which recognisers write
    with hyphens: `7-31`.
    """
    grouped = all(text[a.end : b.start] == "-" for a, b in pairwise(numbers))
    return grouped or all(n.spoken or len(n.digits) == 1 for n in numbers)


def _beside(cards: Sequence[Finding], start: int, end: int, reach: int) -> bool:
    return any(card.start - reach <= end and start <= card.end + reach for card in cards)


def _overlap(found: Sequence[Finding], start: int, end: int) -> bool:
    return any(a < end and start < b for one in found for a, b in one.parts)
