"""Lists of senders: mail addresses, domains with subdomains, phone numbers in any notation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import phonenumbers

from triage.errors import Configuration
from triage.types import Party

_ADDRESS: Final = re.compile(r"[^\s<>,;:\"()\[\]@]{1,64}@[^\s<>,;:\"()\[\]@]{1,253}")
_DOMAIN: Final = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")


@dataclass(frozen=True, slots=True)
class Senders:
    """Entries by what they name, each as it was written: addresses, domains, phones (E.164)."""

    country: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    phones: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, entries: Sequence[str], country: str, what: str, refused: Collection[str] = ()
    ) -> Senders:
        """Read the entries of the list `what`. Raises `Configuration` for one that is nothing.

        `refused`: domains that no list may name, because everybody has an address there.
        """
        found: dict[str, dict[str, str]] = {"addresses": {}, "domains": {}, "phones": {}}
        for entry in entries:
            kind, key = _understood(entry, country, what)
            if kind == "domains" and key in refused:
                raise Configuration(
                    f"{what}: {entry!r} is a public mail provider, where anybody may have an "
                    "address; name single addresses instead"
                )
            found[kind][key] = entry.strip()
        return cls(country, **found)

    def match(self, party: Party) -> str:
        """The entry that names the party, the most exact one; empty where none does."""
        if address := address_key(party.email):
            for found in (self.addresses.get(address), self.domain(address)):
                if found:
                    return found
        phone = phone_key(party.phone, self.country) if self.phones else ""
        return self.phones.get(phone, "")

    def domain(self, address: str) -> str:
        """The entry whose domain the address is in, or a subdomain of it; empty where none."""
        parents = _parents(address.rpartition("@")[2]) if self.domains else ()
        return next((self.domains[name] for name in parents if name in self.domains), "")


def address_key(text: str) -> str:
    """An address as it is compared: lower case, an international domain in its ASCII form."""
    text = text.strip()
    if not _ADDRESS.fullmatch(text):
        return ""
    local, _, domain = text.rpartition("@")
    domain = domain_key(domain)
    return f"{local.casefold()}@{domain}" if domain else ""


def domain_key(text: str) -> str:
    """A domain as it is compared; empty where the text is none."""
    text = text.strip().rstrip(".").casefold()
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    return text if _DOMAIN.fullmatch(text) and not text.replace(".", "").isdigit() else ""


def phone_key(text: str, country: str) -> str:
    """A phone number as E.164 whatever its notation; empty where the text is none.

    `country` (ISO 3166, two letters) is where a number without a country code is dialled.
    """
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _understood(entry: str, country: str, what: str) -> tuple[str, str]:
    """What an entry names, and its key."""
    text = entry.strip()
    bare = text.removeprefix("*.").removeprefix("@")
    for kind, key in (
        ("addresses", address_key(text)),
        ("domains", domain_key(bare)),
        ("phones", "" if re.search(r"[A-Za-z@]", text) else phone_key(text, country)),
    ):
        if key:
            return kind, key
    raise Configuration(
        f"{what}: {entry!r} is no mail address, no domain and no phone number; write it like "
        "ann@example.com, example.com or +1 614 555 0142"
    )


def _parents(domain: str) -> Iterator[str]:
    while domain:
        yield domain
        domain = domain.partition(".")[2]
