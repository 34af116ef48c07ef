"""Who the contact is and how to reach them, as stated."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from classifiers.labels import SignalName
from triage.signals.source import Finding, Material, Source

_EMAIL: Final = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(
    r"(?<![\w@.])\+?\(?\d[\d ().-]{5,18}\d(?:,? ?(?:ext|x)\.? ?\d{1,5})?(?!\w)"
)


def find_contact(material: Material) -> dict[SignalName, Finding]:
    """Email and phone."""
    found: dict[SignalName, Finding] = {}
    for source in material.own:
        if "email" not in found and (email := _email(source, material)):
            found["email"] = email
        if "phone" not in found and (phone := _phone(source, material.business.country)):
            found["phone"] = phone
    return found


def _email(source: Source, material: Material) -> Finding | None:
    for match in _EMAIL.finditer(source.heard):
        address = email_address(match[0])
        if address and not is_own(address, material):
            return Finding(source, *match.span(), 0.95, match[0], address)
    return None


def _phone(source: Source, country: str) -> Finding | None:
    for match in _PHONE.finditer(source.heard):
        number = phone_number(match[0], country)
        if number:
            return Finding(source, *match.span(), 0.95, match[0], number)
    return None


def is_own(address: str, material: Material) -> bool:
    """Whether an address belongs to the business that was contacted."""
    domain = address.rpartition("@")[2]
    own = {party.email.lower() for party in material.inquiry.recipients}
    return address in own or any(
        domain == known.lower() or domain.endswith("." + known.lower())
        for known in material.business.domains
    )


def email_address(text: str) -> str:
    """The address in lower case, or nothing where it is none. No DNS is asked."""
    try:
        return validate_email(
            text.strip(".'"), check_deliverability=False, test_environment=True
        ).normalized.lower()
    except EmailNotValidError:
        return ""


def phone_number(text: str, country: str) -> str:
    """E.164, or nothing where no such number can exist."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    number.extension = None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
