"""Which advertisement brought somebody: UTM parameters and click ids among the fields of a form."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from triage.intake.forms.labels import kind
from triage.intake.forms.layouts import Fields

PARAMETERS: Final = (
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id",
    "gclid", "gbraid", "wbraid", "dclid", "msclkid", "fbclid", "ttclid", "twclid", "li_fat_id",
    "yclid", "epik", "rdt_cid", "sccid", "gad_campaignid",
)  # fmt: skip
"""Names of parameters that are kept, as advertisers write them."""
VALUE_CHARS: Final = 500
"""Characters that are kept of a value."""

_URL: Final = re.compile(r"https?://[^\s<>\"')\]]{1,2000}", re.IGNORECASE)
_SPACES: Final = re.compile(r"[\s-]+")


def attribution(fields: Fields) -> dict[str, str]:
    """Parameters by name, from fields of that name and from the addresses of pages in fields.

    A field wins over an address, the earlier address over the later. `landing_page` and `referrer`
    are the addresses that fields of that meaning hold.
    """
    found: dict[str, str] = {}
    for label, value in fields:
        name = _SPACES.sub("_", label.strip().lower())
        name = f"utm_{name[3:].lstrip('_')}" if re.match(r"utm_?[a-z]", name) else name
        if name in PARAMETERS and value.strip():
            found.setdefault(name, value.strip()[:VALUE_CHARS])
    for label, value in fields:
        for match in _URL.finditer(value):
            _from_address(match.group().rstrip(".,;"), kind(label), found)
    return found


def _from_address(url: str, meaning: str, found: dict[str, str]) -> None:
    try:
        parameters = parse_qsl(urlsplit(url).query, max_num_fields=100)
    except ValueError:  # an address that is none
        return
    for name, value in parameters:
        if name.lower() in PARAMETERS and value:
            found.setdefault(name.lower(), value[:VALUE_CHARS])
    if place := {"page": "landing_page", "referrer": "referrer"}.get(meaning):
        found.setdefault(place, url[:VALUE_CHARS])
