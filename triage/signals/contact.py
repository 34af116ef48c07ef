"""How to reach the contact: email address and phone number, as stated or as the item came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from triage.signals.layout import FieldName
from triage.signals.source import Finding, Material, Source
from triage.signals.spoken import (
    SPOKEN_EMAIL,
    SPOKEN_PHONE,
    spoken_digits,
    spoken_email,
    spoken_start,
)

_EMAIL: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_PHONE: Final = re.compile(
    r"(?<![\w@/$£€#:-])(?<!\w\.)\+?\(?\d[\d ().\u2011/-]{5,20}\d"
    r"(?:,? ?(?:ext|x)\.? ?\d{1,5})?(?![\w/%$])"
)
_GROUPS: Final = re.compile(r"(?<![\d,.$£€])\d{3,5}, \d{3}, \d{3,4}(?![\d,])")
_LOCAL: Final = re.compile(r"\d{3}[ .\u2011-]\d{4}")
"""A number without its area code, as North Americans give it."""

_DATE: Final = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d ?[-\u2013] ?(?:19|20)\d\d"
)
_NO_PHONE_BEFORE: Final = re.compile(
    r"\b(?:ip|order|invoice|ref|po|rfp|case|fax|account|acct|policy|ticket|serial|code)"
    r"(?: (?:no|number))?(?: is)?[ .:#]*$"
    r"|#$"
)
_OPENING: Final = re.compile(r"(?:^|\n)[^\n\d]{0,24}$")
"""At most a name stands before it in its line."""

_SINGLE_DIGITS: Final = 7  # read one by one, they are a number without its area code
_PHONE_CUE: Final = re.compile(
    r"\b(?:call|ring|phone|tel|mobile|cell|number|reach|text|whatsapp|on|direct)\b[^\n]{0,20}$"
    r"|\n\s*$"
    r"|\.\s*$"
)
_SENT_BY: Final = re.compile(r"^[ \t>]*(?:from|von|de|da|van):", re.IGNORECASE)
"""A header line of what was passed on: it says who sent it, which need not be who asks."""

_NO_REPLY: Final = re.compile(
    r"^(?:no-?reply|do-?not-?reply|\S*noreply|forms?|website|webform|wordpress|notifications?"
    r"|mailer\S*"
    r"|bounce\S*|postmaster|web)\b|-noreply|noreply",
    re.IGNORECASE,
)
_PROVIDERS: Final = """
gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com aol.com icloud.com me.com
gmx.de gmx.net web.de proton.me protonmail.com mail.com comcast.net
"""
FREE_MAIL: Final = frozenset(_PROVIDERS.split())


def find_email(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """The contact's address; never one of the business itself, nor an automaton's."""
    if (stated := form.get("email")) and (match := _EMAIL.search(stated.quote)):
        address = email_address(match[0])
        if address:
            start = stated.start + match.start()
            return Finding(stated.source, start, start + len(match[0]), 0.97, "", address)
    for source in _asking(material):
        for start, end, said in _addresses(source):
            address = email_address(said)
            if address and not is_own(address, material) and not is_automatic(address):
                return Finding(source, start, end, 0.9, "", address)
    return None


def _asking(material: Material) -> list[Source]:
    """The contact's own words, then what was passed on: who forwards an inquiry rarely made it."""
    return [*material.own, *(source for source in material.sources if source.part == "forwarded")]


def _addresses(source: Source) -> Iterator[tuple[int, int, str]]:
    for match in _EMAIL.finditer(source.heard):
        start, end = match.span()
        headed = _SENT_BY.search(source.heard[source.heard.rfind("\n", 0, start) + 1 : start])
        if source.part == "own" or not headed:
            yield start, end, match[0]
    if source.spoken and " at " in source.lower:
        for match in SPOKEN_EMAIL.finditer(source.lower):
            start, end = spoken_start(source.lower, match.start()), match.end()
            yield start, end, spoken_email(source.text[start:end])


def find_phone(material: Material, form: dict[FieldName, Finding]) -> Finding | None:
    """The contact's number, in figures or read aloud; never the business's own."""
    region, own = _region(material), _own_numbers(material)
    if stated := form.get("phone"):
        for start, end, said in _numbers(stated.source, stated.start, stated.end):
            if number := phone_number(said, region):
                return Finding(stated.source, start, end, 0.97, "", number)
    for source in _asking(material):
        for start, end, said in _numbers(source, 0, len(source.heard)):
            number = phone_number(said, region)
            if number and number not in own:
                return Finding(source, start, end, 0.9, "", number)
    return _foreign(material)


def _foreign(material: Material) -> Finding | None:
    """A number that its region does not have, but that is plainly one; it has no E.164."""
    for source in _asking(material):
        for start, end, said in _numbers(source, 0, len(source.heard)):
            if _plain(source, start, end, said):
                return Finding(source, start, end, 0.7)
    return None


def _plain(source: Source, start: int, end: int, said: str) -> bool:
    """Whether what stands around figures makes them a telephone number."""
    digits = re.sub(r"\D", "", said)
    if _DATE.fullmatch(said):
        return False
    before = source.lower[max(0, start - 24) : start]
    cued = _PHONE_CUE.search(before) is not None
    written = source.heard[start:end]
    if len(digits) == _SINGLE_DIGITS:
        local = _LOCAL.fullmatch(written) is not None
        return not written[0].isdigit() or (local and (cued or bool(_OPENING.search(before))))
    least = 8 if cued else 9
    known = digits[0] == "0" or cued or source.field == "signature"
    return least <= len(digits) <= 13 and known


def _numbers(source: Source, low: int, high: int) -> Iterator[tuple[int, int, str]]:
    for match in _PHONE.finditer(source.heard, low, high):
        before = source.lower[max(0, match.start() - 20) : match.start()]
        count = sum(char.isdigit() for char in match[0])
        if 7 <= count <= 20 and not _NO_PHONE_BEFORE.search(before):
            yield *match.span(), match[0]
    for match in _GROUPS.finditer(source.heard, low, high):
        yield *match.span(), match[0].replace(", ", " ")
    for match in SPOKEN_PHONE.finditer(source.lower, low, high):
        before = source.lower[max(0, match.start() - 20) : match.start()]
        if match[0].strip()[0].isdigit() or _NO_PHONE_BEFORE.search(before):
            continue
        for start in (match.start(), match.start() + match[0].rfind(". ") + 2):
            said = source.lower[start : match.end()]
            digits = spoken_digits(said)
            single = len(re.findall(r"[a-z]+", said)) == len(digits) == _SINGLE_DIGITS
            if single or 8 <= len(digits.lstrip("+")) <= 15:
                yield start, match.end(), digits


def sender_email(material: Material) -> Finding | None:
    """The address the mail came from, unless it is the business's own or an automaton's."""
    address = email_address(material.inquiry.sender.email)
    if not address or is_own(address, material) or is_automatic(address):
        return None
    return _sent(material, material.inquiry.sender.email, address, 0.6)


def caller_number(material: Material) -> Finding | None:
    """The number the call came from, as the telephone system or the sidecar gave it."""
    stated = material.inquiry.sender.phone
    number = phone_number(stated, _region(material))
    if number in _own_numbers(material) or sum(char.isdigit() for char in stated) < 7:
        return None
    return _sent(material, stated, number, 0.6)


def _sent(material: Material, stated: str, normalized: str, confidence: float) -> Finding | None:
    for source in material.sources:
        start = source.text.find(stated) if source.part == "header" else -1
        if start >= 0:
            return Finding(source, start, start + len(stated), confidence, "", normalized)
    return None


def numbered(found: Finding, material: Material) -> Finding | None:
    """A telephone number with its E.164, whoever found it; nothing where there are no figures."""
    region = _region(material)
    numbers = [said for _, _, said in _numbers(found.source, found.start, found.end)]
    for said in (found.quote, *numbers, spoken_digits(found.quote.lower())):
        if number := phone_number(said, region):
            return replace(found, normalized=number)
    return found if sum(char.isdigit() for char in found.quote) >= 5 else None


def addressed(found: Finding) -> Finding | None:
    """An email address as machines write it, whoever found it; nothing where there is none."""
    written = _EMAIL.search(found.quote)
    said = SPOKEN_EMAIL.search(found.source.lower, found.start, found.end)
    for address in (written and written[0], said and spoken_email(said[0])):
        if address and (normalized := email_address(address)):
            return replace(found, normalized=normalized)
    return None


def is_own(address: str, material: Material) -> bool:
    """Whether an address belongs to the business: its domains, and those that were written to."""
    domain = address.rpartition("@")[2].lower()
    written_to = {party.email.lower() for party in material.inquiry.recipients}
    domains = {known.lower() for known in material.business.domains}
    domains |= {email.rpartition("@")[2] for email in written_to} - FREE_MAIL - {""}
    return address.lower() in written_to or any(
        domain == known or domain.endswith("." + known) for known in domains
    )


def is_automatic(address: str) -> bool:
    """Whether nobody reads this address: `noreply@`, `forms@`."""
    return _NO_REPLY.search(address.partition("@")[0]) is not None


def email_address(text: str) -> str:
    """The address in lower case, or nothing where it is none. No DNS is asked."""
    try:
        checked = validate_email(
            text.strip(" .'"), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        return ""
    return checked.normalized.lower()


def phone_number(text: str, region: str) -> str:
    """E.164, or nothing where no such number can exist; fictional numbers pass."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _region(material: Material) -> str:
    """Where a number without a country code is dialled: as the called number, or the business."""
    for party in material.inquiry.recipients:
        if party.phone.startswith("+"):
            try:
                called = phonenumbers.parse(party.phone)
            except phonenumbers.NumberParseException:
                continue
            return phonenumbers.region_code_for_country_code(called.country_code or 0)
    return material.business.country


def _own_numbers(material: Material) -> set[str]:
    inquiry = material.inquiry
    ours = "caller" if inquiry.call and inquiry.call.is_outbound else "called"
    called = [party.phone for party in inquiry.recipients] + [inquiry.metadata.get(ours, "")]
    return {phone_number(number, material.business.country) for number in called if number}
