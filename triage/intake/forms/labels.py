"""What the labels of contact forms mean, in the languages that such forms are written in."""

from __future__ import annotations

import re
from typing import Final

_KINDS: Final = {
    "first": r"(?:first|given) ?name|name first|forename|vorname|prénom|prenom|voornaam|fname",
    "last": r"(?:last|family) ?name|name last|surname|nachname|familienname|nom de famille"
    r"|apellidos?|cognome|achternaam|lname",
    "name": r"(?:full|contact|customer|client|visitor|sender|lead|person|company contact)? ?name"
    r"|(?:first and last|first & last) name|name full|what(?:'s| is) your (?:full )?name"
    r"|contact(?: person)?|submitted by"
    r"|customer|visitor|ansprechpartner|nom(?: complet)?|nombre(?: completo)?|nome|naam|from|von"
    r"|de",
    "email": r"(?:contact|customer|work|business|sender|reply|lead)? ?(?:e[ -]?)?mail"
    r"(?: ?address| id)?"
    r"|what(?:'s| is) your e[ -]?mail(?: address)?|e[ -]?mail[ -]?adresse"
    r"|(?:adresse )?(?:e[ -]?mail|courriel|électronique)"
    r"|correo(?: electrónico)?|e[ -]?mailadres|replyto|reply to",
    "phone": r"(?:contact|daytime|mobile|cell|home|work|best|customer|primary)? ?"
    r"(?:tele)?phone ?(?:number|no)?|tel|mobile(?: number)?|cell|contact number"
    r"|call ?back(?: number)?"
    r"|what(?:'s| is) your (?:tele)?phone(?: number)?|best number(?: to reach you)?"
    r"|telefon(?:nummer)?|téléphone|teléfono|telefono|telefoon(?:nummer)?|whatsapp",
    "company": r"(?:company|business|organi[sz]ation|firm|employer|practice|account)(?: name)?"
    r"|firma|unternehmen|société|entreprise|empresa|azienda|bedrijf(?:snaam)?",
    "message": r"(?:your )?(?:message|comments?|questions?|enquiry|inquiry|details|notes?"
    r"|description)(?: body| text| or questions?| or message)?|body|project (?:details|description)"
    r"|additional (?:information|details|comments|notes)|tell us (?:more|about .{1,60})"
    r"|(?:how|what) can we (?:help|do).{0,40}|what do you need.{0,40}"
    r"|nachricht|mitteilung|votre message|mensaje|messaggio|bericht",
    "subject": r"subject|topic|re|regarding|betreff|objet|asunto|oggetto|onderwerp"
    r"|reason for contact",
    "place": r"(?:street|mailing|property|service|home)? ?address(?: line)?(?: \d)?|city|town|state"
    r"|zip(?: ?code)?|post ?code|postal code|location|country|county|region|suburb|plz|ort|stadt"
    r"|ville|code postal|ciudad|città|plaats|postcode",
    "service": r"(?:type of )?(?:service|product|project|job|work|request|enquiry|inquiry"
    r"|vehicle)s?(?: type| needed| required| requested| interested in)?|interested in|interest",
    "role": r"(?:job )?title|(?:your )?(?:role|position)|occupation",
    "budget": r"(?:approximate |estimated |project )?budget(?: range)?|price range",
    "when": r"(?:preferred|event|start|move|wedding|appointment)? ?(?:date|time)s?(?: and time)?"
    r"|time ?(?:line|frame)|when.{0,40}|deadline",
    "size": r"(?:number of |no of )?(?:employees|seats|users|guests|people|units)|company size",
    "page": r"(?:page|landing page|form|submission|source|entry|site|website)? ?ur[li]|page"
    r"|landing page|page (?:title|submitted(?: on)?|sent from)|submitted (?:on|from)|via",
    "referrer": r"(?:http )?referr?er|referr?er url|referring (?:page|site|url)",
    "origin": r"how did you (?:hear|find).{0,40}|where did you hear.{0,40}"
    r"|heard (?:about us )?(?:from|via)",
    "technical": r"(?:remote |user |your )?ip(?: ?address)?|user ?agent|browser|device"
    r"|form(?: name| id)?|(?:entry|submission|lead|form) (?:id|no|number|time|date)|submitted at"
    r"|date submitted|time sent|consent|privacy(?: policy)?|newsletter|gdpr",
}  # fmt: skip
_KNOWN: Final = re.compile(
    "|".join(f"(?P<{name}>{words})" for name, words in _KINDS.items()), re.IGNORECASE
)
_DECORATION: Final = re.compile(r"\((?:required|optional|\*)\)|[*:?#\[\]{}\"]+", re.IGNORECASE)
_POSSESSIVE: Final = re.compile(r"^(?:your|the|ihre?|votre|su|tu|il tuo|uw)\s+", re.IGNORECASE)

PEOPLE: Final = frozenset({"first", "last", "name", "email", "phone"})
"""Kinds that say who somebody is."""


def kind(label: str) -> str:
    """What a label asks for: a key of the list above, or nothing."""
    plain = " ".join(_DECORATION.sub(" ", label).replace("_", " ").replace("-", " ").split())
    for text in (plain, _POSSESSIVE.sub("", plain), plain.replace(" ", "-")):
        if found := _KNOWN.fullmatch(text):
            return found.lastgroup or ""
    return ""
