"""Decides whether a mail is a website's form, and reads it.

A mistake here would give a person's mail another sender, so a layout alone is never enough:
somebody must be reachable by what the fields say, and the mail must look as if a machine had sent
it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triage.intake.forms.labels import PEOPLE, kind
from triage.intake.forms.layouts import LAYOUTS, TEXT_CHARS, Fields
from triage.types import Form, Party

_ADDRESS: Final = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_NOBODY: Final = re.compile(
    r"(?:no-?_?reply|do-?not-?reply|donotreply|notifications?|mailer|forms?|web(?:site|forms?|master)?"
    r"|www(?:-data)?|wordpress|apache|nobody|automated|system|leads?|contact-?forms?|submissions?)"
    r"(?:[+._-].*)?",
    re.IGNORECASE,
)
_MARK: Final = re.compile(
    r"(?:contact|web|website|online|enquiry|inquiry|quote|order|booking|lead|application)[ -]?form"
    r"|\bform (?:submission|entry|response|notification)|\b(?:new|got a|received a) (?:\w+ ){0,3}"
    r"(?:submission|entry|response|enquiry|inquiry|lead|request|message|registration|booking"
    r"|answer)"
    r"|submitted (?:by|on|at|from|via|through)|filled (?:in|out)|request a (?:quote|call|demo)"
    r"|(?:sent|message|mail) (?:from|through|via) (?:your|the|a|our) "
    r"(?:web ?site|online store|contact)"
    r"|page url|user agent|remote ip|kontaktformular|formulaire|formulario|modulo di contatto"
    r"|contactformulier",
    re.IGNORECASE,
)
_SYSTEMS: Final = {
    "contact-form-7": r"was sent from a contact form on|^message body:",
    "wpforms": r"wpforms|^--- \w[\w /-]* ---$",
    "gravity-forms": r"gravity ?forms",
    "elementor": r"powered by: elementor",
    "ninja-forms": r"ninja ?forms",
    "formidable": r"formidable ?forms?|frm_action",
    "jotform": r"jotform",
    "typeform": r"typeform",
    "google-forms": r"google forms|docs\.google\.com/forms|forms\.gle",
    "microsoft-forms": r"microsoft forms|forms\.(?:office|cloud\.microsoft)",
    "hubspot": r"hubspot",
    "squarespace": r"squarespace|sent via form submission from",
    "wix": r"\bwix(?:\.com| forms| site)|message details:",
    "webflow": r"webflow",
    "shopify": r"shopify|online store's contact form",
    "formspree": r"formspree",
    "netlify": r"netlify",
    "unbounce": r"unbounce",
    "formmail": r"below is the result of your feedback form",
    "adf": r"<adf\b|<\?adf\b",
}
_SYSTEM: Final = re.compile(
    "|".join(f"(?P<s{index}>{words})" for index, words in enumerate(_SYSTEMS.values())),
    re.IGNORECASE | re.MULTILINE,
)
# Nothing of the above is in a text without one of these, and most texts have none: looking for
# them takes a hundredth of the time.
_HINTS: Final = (
    "a contact form on", "message body:", "wpforms", "--- ", "gravity", "elementor", "ninja",
    "formidable", "frm_action", "jotform", "typeform", "google", "forms.gle", "microsoft",
    "forms.office", "forms.cloud", "hubspot", "squarespace", "submission from", "wix",
    "message details:", "webflow", "shopify", "online store", "formspree", "netlify", "unbounce",
    "feedback form", "adf",
)  # fmt: skip
_EDGE: Final = 500
_REACHABLE: Final = {"email", "phone"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known about a mail beside its text."""

    sender: Party
    reply_to: Sequence[Party] = ()
    recipients: Sequence[Party] = ()
    subject: str = ""
    automatic: bool = False


def read_form(text: str, envelope: Envelope) -> Form | None:
    """The form in a mail; None where there is none, or none in a known layout."""
    text = text[:TEXT_CHARS]
    system = _system(text, envelope)
    if not (system or _is_machine(text, envelope)):
        return None  # a person's own mail, as most are: nothing below would change that
    layout, fields = _best(text)
    if not fields or not _is_notification(text, fields, system, envelope):
        return None
    return Form(layout, system, tuple(fields), _sender(fields, envelope))


def _best(text: str) -> tuple[str, Fields]:
    """The layout that reads most of what is known, and what it reads."""
    best: tuple[str, Fields] = ("", [])
    most = (0, 0)
    for name, read in LAYOUTS.items():
        fields = [(label, value) for label, value in read(text) if label.strip()]
        known = {kind(label) for label, value in fields if value} - {"", "technical"}
        worth = (len(known), sum(bool(value) for _, value in fields))
        if len(known) >= 2 and worth > most:
            best, most = (name, fields), worth
    return best


def _is_notification(text: str, fields: Fields, system: str, envelope: Envelope) -> bool:
    kinds = {kind(label) for label, value in fields if value}
    reachable = any(
        _ADDRESS.search(value) or (kind(label) == "phone" and sum(map(str.isdigit, value)) >= 7)
        for label, value in fields
        if kind(label) in _REACHABLE | {"name"}
    )
    if not (reachable or envelope.reply_to) or not kinds & PEOPLE:
        return False
    marked = any(_MARK.search(part) for part in (envelope.subject, text[:_EDGE], text[-_EDGE:]))
    meant = kinds - {"", "technical", "page"}
    stated = f"{_value(fields, 'email')} {_value(fields, 'name')}"
    if not _is_machine(stated, envelope):
        return bool(system) and marked  # some websites send in the name of who filled it in
    return bool(system) or marked or len(meant) >= 4 or (len(meant) >= 3 and "message" in meant)


def _is_machine(text: str, envelope: Envelope) -> bool:
    """Whether somebody else than the one whose address is in the text sent the mail."""
    address = envelope.sender.email.lower()
    local, _, domain = address.partition("@")
    named = {match.lower() for match in _ADDRESS.findall(text)}
    answers = {party.email.lower() for party in envelope.reply_to if party.email}
    ours = {party.email.lower().partition("@")[2] for party in envelope.recipients} - {""}
    return (
        envelope.automatic
        or bool(_NOBODY.fullmatch(local))
        or domain in ours
        or bool(named - {address})
        or bool(answers and address not in answers)
    )


def _system(text: str, envelope: Envelope) -> str:
    whole = f"{envelope.sender}\n{envelope.subject}\n{text}"
    folded = whole.casefold()
    if not any(hint in folded for hint in _HINTS):
        return ""
    found = _SYSTEM.search(whole)
    if found is None or found.lastgroup is None:
        return ""
    return list(_SYSTEMS)[int(found.lastgroup[1:])]


def _sender(fields: Fields, envelope: Envelope) -> Party:
    """Who filled the form in: what the fields say, else who wants the answer."""
    stated = _ADDRESS.search(_value(fields, "email")) or _ADDRESS.search(_value(fields, "name"))
    name = _name(fields)
    phone = _value(fields, "phone").partition("\n")[0][:60]
    if stated:
        return Party(name=name, email=stated.group(), phone=phone)
    own = envelope.sender.email.lower()
    for party in envelope.reply_to:
        local = party.email.partition("@")[0]
        if party.email and party.email.lower() != own and not _NOBODY.fullmatch(local):
            return Party(name=name or party.name, email=party.email, phone=phone)
    return Party(name=name, phone=phone)


def _name(fields: Fields) -> str:
    parts = [part for part in (_value(fields, "first"), _value(fields, "last")) if part]
    whole = _value(fields, "name") or " ".join(parts)
    if len(parts) == 2:
        whole = " ".join(parts)
    whole = _ADDRESS.sub("", whole).partition("\n")[0]
    return " ".join(whole.strip(" <>()\"'").split())[:200]


def _value(fields: Fields, wanted: str) -> str:
    return next((value for label, value in fields if kind(label) == wanted and value), "")
