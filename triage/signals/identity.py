"""Who the contact is: name, role and company, from forms, signatures, introductions, the "
"sender.
"""

from __future__ import annotations

import re
from typing import Final

from classifiers.labels import SignalName
from triage.signals.contact import is_automatic, is_own
from triage.signals.firm import read_domain, read_firm
from triage.signals.introduction import read_addressed, read_introduction, read_statements
from triage.signals.layout import FieldName
from triage.signals.person import FAMILY_FIRST, NAME, Person, name_length
from triage.signals.signature import read_signature
from triage.signals.source import Finding, Material

_FORM_SIGNALS: Final[tuple[SignalName, ...]] = ("contact_name", "company", "role")
_DISPLAY_NAME: Final = re.compile(rf"[\"']?(?P<name>{FAMILY_FIRST}|{NAME})[\"']?")


def find_identity(material: Material, form: dict[FieldName, Finding]) -> dict[SignalName, Finding]:
    """Name, role, company and what place a signature states; only what is stated is there."""
    person = Person()
    _read_form(person, form)
    texts = [source for source in material.own if source.field != "subject"]
    read_domain(person, material)
    for source in texts:
        if not source.spoken:
            read_signature(person, source)
    for source in texts:
        read_introduction(person, source)
        read_statements(person, source)
        read_firm(person, source)
    for source in texts:
        read_addressed(person, source)
    return person.found


def _read_form(person: Person, form: dict[FieldName, Finding]) -> None:
    for name in _FORM_SIGNALS:
        value = form.get(name)
        if value and not (name == "contact_name" and re.search(r"[@\d]", value.quote)):
            person.take(name, value)
    first, last = form.get("first_name"), form.get("last_name")
    if first and last and first.source is last.source:
        spans = ((last.start, last.end),)
        whole = f"{first.quote} {last.quote}"
        first = Finding(first.source, first.start, first.end, 0.95, whole, "", spans)
    person.take("contact_name", first)


def sender_name(material: Material) -> Finding | None:
    """The display name of the sender, where it is a person's and not the business's own."""
    sender = material.inquiry.sender
    match = _DISPLAY_NAME.fullmatch(sender.name)
    if not match or is_own(sender.email, material) or is_automatic(sender.email):
        return None
    name = match["name"]
    family, comma, given = name.partition(", ")
    value = f"{given} {family}" if comma else ""
    if name_length(value or name) != len(value or name):
        return None
    for source in material.sources:
        if source.field == "sender" and (start := source.text.find(name)) >= 0:
            return Finding(source, start, start + len(name), 0.5, value)
    return None
