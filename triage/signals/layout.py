"""Form layouts: `Name: …`, `Phone - …`, `*Company*: …`, tables, `key=value`, stacked labels."""

from __future__ import annotations

import re
from typing import Final

from classifiers.labels import SignalName
from triage.signals.source import Finding, Source

FieldName = SignalName | str

_LABELS: Final[dict[FieldName, str]] = {
    "first_name": r"first ?name|given name|vorname",
    "last_name": r"last ?name|surname|family name|nachname",
    "contact_name": r"(?:full |contact |customer |client |caller |lead )?name|contact(?: person)?"
    r"|asked by|enquiries|visitor|guest|patient|request[eo]r|requested by|submitted by|buyer"
    r"|attn|who(?: are you)?",
    "email": r"(?:contact )?e-?mail(?: address| id)?|mail|reply to",
    "phone": r"(?:contact |cell ?|mobile |daytime |best )?(?:tele)?phone(?: (?:number|no))?|tel"
    r"|mobile(?: number)?|cell|direct|telefon|contact (?:number|no)|call ?back(?: number)?|number"
    r"|whatsapp",
    "company": r"(?:company|org|organi[sz]ation|business|firm|firma|entity|employer|organisation)"
    r"(?: name)?|practice|account name",
    "role": r"(?:job )?title|(?:job )?role|position(?: / position)?|occupation|function|job",
    "location": r"city|town|location|zip|zip code|post ?code|area|suburb|currently at|region"
    "|county"
    r"|property(?: address)?|(?:street |site |job |service )?address|site|where|where are you"
    r"|country",
    "company_size": r"(?:number of |no of |# of )?(?:employees|seats|users|staff|vehicles|sites"
    r"|licen[cs]es|units|drivers|people)|(?:company|team|fleet) size|headcount|fleet",
    "budget": r"(?:approx(?:imate)? |estimated |max(?:imum)? |monthly |project )?budget"
    r"(?: range)?|nte|not to exceed|price range|spend",
    "timeline": r"time ?line|timing|timeframe|time frame|when|deadline|needed by|due(?: date)?"
    r"|(?:preferred|event|start|move|wedding|moving|desired|target|service|appointment|arrival)"
    r" ?(?:date|day|time|in)s?(?: and time)?|dates?|when do you need (?:it|this|us)|required by",
    "product_interest": r"what have you got|product|services?(?: (?:needed|required|requested))?"
    r"|interested in|(?:enquiry|inquiry|request|job|project|event) type|looking for|scope|problem"
    r"|item|what can we help(?: you)? with|interest|i need|reason|treatment|vehicle|package|boat"
    r"|(?:type of )?(?:service|work|job|project)",
    "message": r"(?:your )?(?:message|comments?|questions?|details|notes?|nachricht|enquiry"
    "|inquiry"
    r"|description|tell us more|how can we help)",
}  # fmt: skip
_KNOWN: Final = "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items())
_LABEL: Final = re.compile(rf"(?:your |the |primary )?(?:{_KNOWN})", re.IGNORECASE)
_LINE: Final = re.compile(
    r"^[ \t*|>•-]*(?P<label>[A-Za-z#][\w /'?()#&+-]{0,40}?)(?P<mark>[ \t]*\*?[ \t]*(?::|=|\|)[*|]*"
    r"|[ \t]*\.{2,}|[ \t]+[-\u2013\u2014][ \t]|[ \t]{2,}"
    r"|\t)[ \t]*(?:&nbsp;)?(?P<value>[^\n]*?)[ \t|]*$",
    re.MULTILINE,
)
_CAPITALS: Final = re.compile(
    r"^(?P<label>[A-Z][A-Z ]{2,20}?) "
    r"(?P<value>[^\n]+?)[ \t]*$",
    re.MULTILINE,
)
_ALONE: Final = re.compile(
    r"^[ \t*]*(?P<label>[A-Za-z][\w /'?-]{1,40}?)[?:* \t]*\n(?:[ \t]*\n)?[ \t]*"
    r"(?P<value>\S[^\n]*?)[ \t]*$",
    re.MULTILINE,
)
_EMPTY: Final = re.compile(
    r"[-\u2013\u2014.\s]*|\(?(?:not (?:given|provided|specified|stated)|n/?a|none|nil|unknown"
    r"|tbc|tbd|blank"
    r"|same|yes|no|\?+)\)?\.?",
    re.IGNORECASE,
)


def read_form(source: Source) -> dict[FieldName, Finding]:
    """The filled fields of a form, by signal name (or `first_name`, `last_name`, `message`).

    Loose layouts (columns, dotted leaders, labels above values) count only where at least two
    known labels are laid out alike: one such line is prose.
    """
    firm: dict[FieldName, Finding] = {}
    loose: dict[FieldName, Finding] = {}
    for match in _LINE.finditer(source.heard):
        kind = firm if re.search(r"[:=|]", match["mark"]) else loose
        _keep(kind, source, match)
    stacked: dict[FieldName, Finding] = {}
    for pattern in (_CAPITALS, _ALONE):
        for match in pattern.finditer(source.heard):
            _keep(stacked, source, match)
    for fields in (loose, stacked):
        if len(fields) + len(firm) > 2 and len(fields) > 1:
            firm = fields | firm
    return firm


def _keep(fields: dict[FieldName, Finding], source: Source, match: re.Match[str]) -> None:
    name = _field(match["label"])
    start, end = match.span("value")
    while start < end and source.text[start] in " \t*|":
        start += 1
    if name and name not in fields and not _EMPTY.fullmatch(source.text[start:end]):
        fields[name] = Finding(source, start, end, 0.95)


def _field(label: str) -> FieldName:
    words = re.sub(r"[^\w/ -]+|_", " ", label).strip().lower()
    words = " ".join(words.split())
    match = _LABEL.fullmatch(words)
    if match is None and "/" in words:  # "City / Town"
        match = _LABEL.fullmatch(words.partition("/")[0].strip())
    return (match.lastgroup or "") if match else ""
