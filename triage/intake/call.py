"""A call recording's sidecar becomes the inquiry that its transcript will belong to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from triage.types import Inquiry, Party, SourceRef

VALUE_CHARS: Final = 1000
"""Characters that are kept of one value."""
FIELDS: Final = 100
"""Fields of a sidecar that are kept."""

_CALLER: Final = (
    "caller", "from", "caller_number", "from_number", "caller_id", "callerid", "ani",
    "source", "src",
)  # fmt: skip
_CALLED: Final = (
    "called", "to", "called_number", "to_number", "callee", "dialled", "dialled_number", "dialed",
    "dialed_number", "dnis", "destination", "dst",
)  # fmt: skip
_NAMES: Final = ("caller_name", "from_name", "name")
_CAMPAIGN: Final = ("campaign", "campaign_id", "utm_campaign")
_NUMBER: Final = re.compile(r"\+?[\d\s().\-/]{3,}")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def read_call(
    *,
    inquiry_id: str,
    ref: SourceRef,
    received_at: datetime,
    sidecar: str,
    duration_s: float,
    campaign: str = "",
) -> Inquiry:
    """The inquiry of a recording that lasts `duration_s` seconds; it has no text yet.

    `sidecar` is a JSON object (empty: there was none). Who called and who was called are taken
    as stated, also for outbound calls; every flat field is kept as metadata. Never raises.
    """
    fields, warnings = _fields(sidecar)
    number = _first(fields, _CALLER)
    called = _first(fields, _CALLED)
    return Inquiry(
        id=inquiry_id,
        ref=ref,
        channel="call",
        received_at=received_at,
        sender=_party(number, _first(fields, _NAMES)),
        recipients=(_party(called),) if called else (),
        metadata=fields,
        campaign=_first(fields, _CAMPAIGN) or campaign,
        duration_s=duration_s,
        warnings=warnings,
    )


def _fields(sidecar: str) -> tuple[dict[str, str], tuple[str, ...]]:
    if not sidecar.strip():
        return {}, ()
    try:
        stated = json.loads(sidecar.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return {}, (f"the recording's sidecar is not JSON and was not read: {error}",)
    if not isinstance(stated, dict):
        return {}, ("the recording's sidecar was not read: it holds no JSON object",)
    return _flat(stated)


def _flat(stated: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    fields: dict[str, str] = {}
    nested: list[str] = []
    for name, value in list(stated.items())[:FIELDS]:
        key = re.sub(r"[\s-]+", "_", _clean(name).strip().lower())
        if isinstance(value, dict | list):
            nested.append(key)
        elif value is not None and key:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            fields.setdefault(key, _clean(text).strip()[:VALUE_CHARS])
    warnings = [f"fields of the sidecar that are not flat were not read: {', '.join(nested)}"]
    return fields, tuple(warnings if nested else ())


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _party(stated: str, name: str = "") -> Party:
    """A number is kept as text; what is not one (`anonymous`, a name) is kept as a name."""
    if _NUMBER.fullmatch(stated.strip()):
        return Party(name=name, phone=stated.strip())
    return Party(name=name or stated)
