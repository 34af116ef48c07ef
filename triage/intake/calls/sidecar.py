"""A sidecar's JSON: all its flat fields, and what it says about the call."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from functools import cache
from typing import Any, Final

from triage.intake.calls.facts import Told, told
from triage.intake.calls.layouts import LAYOUTS, NONE, USUAL, Layout
from triage.intake.calls.paths import Path, plain
from triage.settings import CallField

VALUE_CHARS: Final = 1000
"""Characters that are kept of one value."""
FIELDS: Final = 100
"""Fields of a sidecar that are kept."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class SidecarReader:
    """Reads sidecars of one source. `own`: field to path, from the settings; they come first."""

    def __init__(
        self,
        own: Mapping[CallField, str],
        zone: tzinfo,
        country: str,
        layouts: Sequence[Layout],
        where: str,
    ) -> None:
        self._zone, self._country = zone, country
        mine = {str(name): (Path(text, f"{where}.{name}"),) for name, text in own.items()}
        self._layouts = [layout for layout in layouts if layout.marks]
        self._paths = {name: _known(name) | mine for name in LAYOUTS}

    def read(self, text: str, named: Layout) -> tuple[Told, Mapping[str, str]]:
        """What a sidecar says, and its flat fields. `named`: the layout of the recording's name.

        Never raises; problems are in what was told.
        """
        if not text.strip():
            return Told(""), {}
        stated, problem = _parsed(text)
        if stated is None:
            return Told("sidecar", problems=(problem,)), {}
        layout = self._layout(stated, named)
        paths = self._paths[layout.name]
        found = {
            name: _clean(value)
            for name, choices in paths.items()
            if (value := next((v for path in choices if (v := path.find(stated))), ""))
        }
        source = f"sidecar:{layout.name}" if layout.sidecar else "sidecar"
        zone = UTC if layout.utc and layout.sidecar else self._zone
        said = told(source, found, zone=zone, country=self._country, layout=layout)
        flat, nested = _flat(stated)
        read = {path.top for choices in paths.values() for path in choices}
        unread = [name for name in nested if plain(name) not in read]
        if unread and not layout.sidecar:
            problem = f"fields of the sidecar that are not flat were not read: {', '.join(unread)}"
            said = Told(said.source, said.call, said.stated, (*said.problems, problem))
        return said, flat

    def _layout(self, stated: Mapping[str, Any], named: Layout) -> Layout:
        """Whose sidecar it is: that of the name's layout only where it looks like one, because
        other systems give such names too.
        """
        names = {plain(name) for name in stated}
        if not named.marks or named.marks & names:
            return named
        return next((layout for layout in self._layouts if layout.marks <= names), NONE)


@cache
def _known(layout: str) -> dict[str, tuple[Path, ...]]:
    """Field to paths of a layout, and after them the usual ones."""
    own, otherwise = LAYOUTS[layout].sidecar, LAYOUTS[layout].unlike
    texts = {
        name: (*own.get(name, ()), *(text for text in USUAL.get(name, ()) if text not in otherwise))
        for name in {**USUAL, **own}
    }
    return {name: tuple(Path(text) for text in choices) for name, choices in texts.items()}


def _parsed(text: str) -> tuple[dict[str, Any] | None, str]:
    try:
        stated = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return None, f"the recording's sidecar is not JSON and was not read: {error}"
    if isinstance(stated, list) and stated and isinstance(stated[0], dict):
        stated = stated[0]  # as APIs answer that list the recordings of a call
    if not isinstance(stated, dict):
        return None, "the recording's sidecar was not read: it holds no JSON object"
    return stated, ""


def _flat(stated: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The flat fields under tidy names, and the names of the others."""
    fields: dict[str, str] = {}
    nested: list[str] = []
    for name, value in list(stated.items())[:FIELDS]:
        key = re.sub(r"[\s-]+", "_", _clean(name).strip().lower())
        if isinstance(value, dict | list):
            nested.append(key)
        elif value is not None and key:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            fields.setdefault(key, _clean(text))
    return fields, nested


def _clean(text: str) -> str:
    return _CONTROL.sub("", text).strip()[:VALUE_CHARS]
