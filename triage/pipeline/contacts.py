"""Who made an inquiry, as people are found again by: folded, so that equal people look equal."""

from __future__ import annotations

import re
from typing import Final

from classifiers.labels import SignalName
from triage.store.people import Contact
from triage.types import Qualification

_LEGAL_FORM: Final = re.compile(
    r"\b(?:inc|incorporated|llc|llp|ltd|limited|plc|corp|corporation|co|company|gmbh|ag|kg|ug|sarl"
    r"|sas|srl|spa|bv|nv|oy|ab|as|pty)\b"
)
_NO_WORD: Final = re.compile(r"[^\w&]+")


def contact(qualification: Qualification) -> Contact:
    """The contact that the signals state.

    Only signals count, for they are the lead's own: a web form's sender and the business's own
    numbers never are.
    """
    return Contact(
        phone=_normalized(qualification, "phone"),
        email=_normalized(qualification, "email").lower(),
        name=" ".join(_value(qualification, "contact_name").split()),
        company=company_key(_value(qualification, "company")),
    )


def company_key(name: str) -> str:
    """A company's name without its legal form, punctuation and case; may be empty."""
    words = _NO_WORD.sub(" ", name.casefold().replace(".", ""))
    return " ".join(_LEGAL_FORM.sub(" ", words).split())


def _value(qualification: Qualification, name: SignalName) -> str:
    signal = qualification.signals.get(name)
    return signal.value if signal else ""


def _normalized(qualification: Qualification, name: SignalName) -> str:
    signal = qualification.signals.get(name)
    return signal.normalized if signal else ""
