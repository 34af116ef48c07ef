"""Takes in what a program hands over, such as a website's form: kept and read as a mail is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import Final

from triage.pipeline.ingest import take_in
from triage.sources.base import Batch, Fetched
from triage.store import records
from triage.store.repository import Repository
from triage.types import SourceRef

SOURCE: Final = "api"
"""The name of the source that such inquiries have."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What somebody wrote, and who they say they are. `id`, where the program names one, makes a
    repeated call the same inquiry. `fields` are shown as the form had them.
    """

    text: str
    name: str = ""
    email: str = ""
    phone: str = ""
    subject: str = ""
    campaign: str = ""
    id: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def hand_in(repository: Repository, handed: Handed) -> tuple[str, bool]:
    """The inquiry's id, and whether it is new. The bytes are safe when this returns."""
    name = handed.id or uuid.uuid4().hex
    key = f"handed/{name}"
    if known := repository.arrivals.at(SOURCE, key):
        return known, False
    item = Fetched(
        ref=SourceRef(SOURCE, "maildir", key),
        channel="email",
        received_at=records.now(),
        media_type="message/rfc822",
        content=_mail(handed, name),
    )
    fresh = take_in(Batch((item,)), SOURCE, handed.campaign, repository).fresh
    if fresh:
        return fresh[0], True
    return repository.arrivals.at(SOURCE, key) or "", False  # somebody else was quicker


def _mail(handed: Handed, name: str) -> bytes:
    """What was handed over, as a mail. It has no date: repeated, it must be the same mail."""
    # An address that is not ASCII can stand in a header only as it is (RFC 6532).
    mail = EmailMessage(policy=SMTP if handed.email.isascii() else SMTPUTF8)
    mail["Message-ID"] = f"<{uuid.uuid5(uuid.NAMESPACE_OID, name)}@triage.invalid>"
    if handed.email:
        local, _, domain = handed.email.rpartition("@")
        mail["From"] = Address(_line(handed.name), local, domain)
    elif handed.name:
        mail["From"] = Address(_line(handed.name), addr_spec="unknown@triage.invalid")
    if handed.subject:
        mail["Subject"] = _line(handed.subject)
    stated = dict(handed.fields) | ({"Phone": handed.phone} if handed.phone else {})
    lines = "\n".join(f"{_line(label)}: {_line(value)}" for label, value in stated.items())
    mail.set_content("\n\n".join(part for part in (handed.text, lines) if part))
    return mail.as_bytes()


def _line(text: str) -> str:
    """Text for a header or a line; a line end in it would begin another."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
