"""What the mail server found out about a sender: Authentication-Results (RFC 8601).

Anybody can write such a field, so only those of servers that the settings name are believed.
authres reads them; this is its only home.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import authres

ANY: Final = "*"
"""Stands for the topmost field, whoever wrote it: for servers that do not name themselves."""
METHODS: Final = ("spf", "dkim", "dmarc", "arc")

_UNNAMED: Final = "unstated"
_FIELD_CHARS: Final = 10_000


def authentication(fields: Sequence[str], trusted: Collection[str]) -> Mapping[str, str]:
    """Results by method (`spf`, `dkim`, `dmarc`, `arc`), and the `authserv` that found them.

    `fields` as they stand in the mail, the topmost first. Empty where no trusted server says
    anything. Of several results of a method a pass counts before anything else: one good signature
    is enough.
    """
    names = {name.casefold() for name in trusted}
    for index, field in enumerate(fields):
        server, results = _read(field)
        if server.casefold() not in names and not (ANY in names and index == 0):
            continue
        found: dict[str, str] = {}
        for method, result in results:
            if method in METHODS and found.get(method) != "pass":
                found[method] = result
        return {"authserv": server} | found if found else {}
    return {}


def _read(field: str) -> tuple[str, list[tuple[str, str]]]:
    """Who states it, and (method, result) pairs; empty where the field cannot be read."""
    for name in ("", f"{_UNNAMED}; "):
        header = _parsed(f"Authentication-Results: {name}{field[:_FIELD_CHARS]}")
        if header is not None:
            pairs = [(str(one.method).lower(), str(one.result).lower()) for one in header.results]
            return str(header.authserv_id or ""), pairs
    return "", []


def _parsed(header: str) -> Any:
    try:
        return authres.AuthenticationResultsHeader.parse(header)
    except Exception:  # noqa: BLE001 - a field that nobody can read proves nothing
        return None
