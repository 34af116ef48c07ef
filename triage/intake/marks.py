"""What the headers of a mail say about how it came to be: marks that rules and people read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from triage.intake.authentication import authentication

MARK_FIELDS: Final = (
    "auto-submitted", "x-autoreply", "x-autorespond", "subject", "list-id", "list-unsubscribe",
    "precedence", "return-path", "authentication-results",
)  # fmt: skip
"""The header fields that marks are made of."""

_BULK: Final = {"bulk", "list", "junk"}
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response|responder)|out of (?:the )?office"
    r"|abwesenheit\w*|automatische antwort|réponse automatique|respuesta automática"
    r"|risposta automatica|automatisch antwoord|absence du bureau)\b",
    re.IGNORECASE,
)


def marks(fields: Mapping[str, Sequence[str]], trusted: Collection[str]) -> dict[str, str]:
    """The marks of a mail, from its decoded header fields (lower-case names).

    `automatic`: what the Auto-Submitted field (RFC 3834) says, or `subject` for the wording of an
    automatic reply. `bulk`: `list` for a mailing list (RFC 2919), `unsubscribe` for mail that can
    be unsubscribed from (RFC 2369), `precedence` for what says so itself. `null-sender`: it was
    sent by a mail system. `spf`, `dkim`, `dmarc`, `arc`, `authserv`: see `authentication`.
    """
    found = {"automatic": _automatic(fields), "bulk": _bulk(fields)}
    if "<>" in _first(fields, "return-path"):
        found["null-sender"] = "yes"
    found |= authentication(fields.get("authentication-results", ()), trusted)
    return {name: value for name, value in found.items() if value}


def _automatic(fields: Mapping[str, Sequence[str]]) -> str:
    stated = _first(fields, "auto-submitted").partition(";")[0].strip().lower()
    if stated and stated != "no":
        return stated[:40]
    if _first(fields, "x-autoreply") or _first(fields, "x-autorespond"):
        return "auto-replied"
    return "subject" if _AUTOMATIC_SUBJECT.match(_first(fields, "subject")) else ""


def _bulk(fields: Mapping[str, Sequence[str]]) -> str:
    if _first(fields, "list-id"):
        return "list"
    if _first(fields, "list-unsubscribe"):
        return "unsubscribe"
    return "precedence" if _first(fields, "precedence").lower() in _BULK else ""


def _first(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    return values[0].strip() if values else ""
