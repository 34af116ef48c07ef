"""Who wrote a mail, to whom, and who wants the answer. This is mail-parser's only home."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import mailparser
import structlog

from triage.intake.headers import words
from triage.types import Party

log = structlog.get_logger(__name__)
logging.getLogger("mailparser").setLevel(logging.CRITICAL)  # it logs whole header fields

RECIPIENTS: Final = 500
"""Recipients that are kept; a longer list says nothing more."""

_TO: Final = ("to", "cc", "delivered-to")
_MAILBOX: Final = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")

_SIMPLE: Final = re.compile(
    r"(?:\"(?P<quoted>[\w .'&-]+)\"[ ]+|(?P<name>[\w.'&-]+(?:[ ][\w.'&-]+){0,9})[ ]+)?"
    r"(?P<open><)?(?P<address>[\w.+'=-]+@[\w-]+(?:\.[\w-]+)+)(?(open)>)",
    re.ASCII,
)

PEOPLE_FIELDS: Final = ("from", "sender", "reply-to", "return-path", *_TO)
"""The header fields that name people."""
Fields = Mapping[str, list[str]]
"""Decoded header fields by lower-case name, each in the order of its occurrence."""


@dataclass(frozen=True, slots=True)
class People:
    """`sender`: the author; where the From field names nobody, who sent the mail or wants the
    answer. `recipients`: To, Cc and the addresses of the envelope, each address once.
    """

    sender: Party
    recipients: tuple[Party, ...]
    reply_to: tuple[Party, ...]


def people(fields: Fields) -> People:
    """The people in the header of a mail."""
    found = _found({name: fields.get(name, []) for name in ("from", "reply-to", *_TO)})
    recipients: dict[str, Party] = {}
    for name in _TO:
        for party in found.get(name, ()):
            recipients.setdefault(party.email.lower() or party.name, party)
    answers = found.get("reply-to", [])
    author = found.get("from") or _stand_in(fields, "sender") or answers
    author = author or _stand_in(fields, "return-path") or [Party()]
    return People(author[0], tuple(recipients.values())[:RECIPIENTS], tuple(answers))


def _stand_in(fields: Fields, name: str) -> list[Party]:
    """The people in a field that counts only where the mail names no author."""
    return _found({"from": fields.get(name, [])}).get("from", [])


def _found(fields: Fields) -> dict[str, list[Party]]:
    joined = {name: ", ".join(values) for name, values in fields.items() if any(values)}
    addresses = {name: pairs for name, value in joined.items() if (pairs := _simple(value))}
    odd = {name: value for name, value in joined.items() if name not in addresses}
    addresses |= _addresses(odd) if odd else {}
    return {name: _parties(value, addresses.get(name, ())) for name, value in joined.items()}


def _parties(value: str, pairs: Sequence[tuple[str, str]]) -> list[Party]:
    """The people in a field; what is no address at all is kept as a name."""
    if pairs:
        return [Party(name=words(shown), email=words(address)) for shown, address in pairs]
    shown = words(value)
    if not shown or shown == "<>":
        return []
    mailbox = _MAILBOX.search(shown)
    return [Party(email=mailbox.group()) if mailbox else Party(name=shown)]


def _simple(value: str) -> list[tuple[str, str]]:
    """The pairs in a field of plain mailboxes, as most are; empty for any other.

    mail-parser would say the same, and take as long as for the rest of the mail.
    """
    found: list[tuple[str, str]] = []
    for item in value.split(","):
        mailbox = _SIMPLE.fullmatch(item.strip())
        name = mailbox and (mailbox["quoted"] or mailbox["name"])
        if mailbox is None or (name and not mailbox["open"]):
            return []
        found.append((name or "", mailbox["address"]))
    return found


def _addresses(fields: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """(name, address) pairs by mail-parser, which tells quoted names from addresses."""
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    try:
        headers = mailparser.parse_from_string(f"{head}\n").headers
    except Exception:  # noqa: BLE001 - a sender's odd header must not cost the mail
        log.warning("address fields not understood", length=len(head))
        return {}
    found = {name.lower(): pairs for name, pairs in headers.items() if isinstance(pairs, list)}
    return {
        name: [(str(pair[0]), str(pair[1])) for pair in pairs if "@" in str(pair[1])]
        for name, pairs in found.items()
        if name in fields
    }
