"""Where a JSON sidecar states what: paths like `Agent.Username` or `legs[role=agent].number`.

Names are compared without case, `_`, `-` and blanks, so `CallSid` and `call_sid` are one. A list is
looked through from its beginning; `[name=value]` takes only its objects that say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from triage.errors import Configuration

_STEP: Final = re.compile(r"([^.\[\]=]+)(?:\[([^.\[\]=]+)=([^\[\]=]*)\])?")
_LOOKED_AT: Final = 200  # entries of a list
_MILLISECONDS: Final = ("ms", "millis", "milliseconds")


class Path:
    """One path. Raises `Configuration` for one that is none; `where` names the setting."""

    def __init__(self, text: str, where: str = "the path") -> None:
        self.text = text
        self._steps: list[tuple[str, str, str]] = []
        for step in text.split("."):
            found = _STEP.fullmatch(step.strip())
            if not found:
                raise Configuration(
                    f"{where}: {text!r} is no path into JSON; write it like caller.number or "
                    "legs[role=agent].number"
                )
            name, key, value = found[1], found[2] or "", found[3] or ""
            self._steps.append((plain(name), plain(key), plain(value)))
        self._in_ms = self._steps[-1][0].endswith(_MILLISECONDS)

    @property
    def top(self) -> str:
        """The first name."""
        return self._steps[0][0]

    def find(self, stated: Mapping[str, Any]) -> str:
        """The first value that is not empty; empty where there is none."""
        for value in self._values(stated, self._steps):
            if isinstance(value, Mapping | list) or value is None:
                continue
            text = str(value).lower() if isinstance(value, bool) else str(value).strip()
            if text:
                return _in_seconds(text) if self._in_ms else text
        return ""

    def _values(self, value: Any, steps: Sequence[tuple[str, str, str]]) -> Iterator[Any]:
        if isinstance(value, list):
            for entry in value[:_LOOKED_AT]:
                yield from self._values(entry, steps)
        elif not steps:
            yield value
        elif isinstance(value, Mapping):
            (name, key, wanted), rest = steps[0], steps[1:]
            for inner in (inner for known, inner in value.items() if plain(known) == name):
                yield from self._values(_chosen(inner, key, wanted) if key else inner, rest)


def _chosen(value: Any, key: str, wanted: str) -> list[Any]:
    entries = value if isinstance(value, list) else [value]
    return [
        entry
        for entry in entries[:_LOOKED_AT]
        if isinstance(entry, Mapping)
        and any(plain(name) == key and plain(str(said)) == wanted for name, said in entry.items())
    ]


def _in_seconds(text: str) -> str:
    try:
        return str(float(text) / 1000)
    except ValueError:
        return text


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\s_-]+", "", name).lower()
