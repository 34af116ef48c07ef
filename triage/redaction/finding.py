"""What is found, and how it is shown once it is masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "card number", "card expiry", "security code", "IBAN", "bank account", "routing number",
    "sort code", "identity number", "passport number", "driving licence number",
]  # fmt: skip
Family = Literal["card", "bank", "identity", "document"]

FAMILY: Final[dict[Kind, Family]] = {
    "card number": "card",
    "card expiry": "card",
    "security code": "card",
    "IBAN": "bank",
    "bank account": "bank",
    "routing number": "bank",
    "sort code": "bank",
    "identity number": "identity",
    "passport number": "document",
    "driving licence number": "document",
}
FAMILIES: Final[frozenset[Family]] = frozenset(get_args(Family))
MASK: Final = re.compile(rf"\[(?:{'|'.join(get_args(Kind))})(?: ••\d{{4}})?\]")
"""What masks look like: what was masked once is left alone."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A number that must not leave. `parts` are the stretches [start, end) of characters that hold
    it, in order: more than one where somebody else spoke in between. `last` are the four digits
    that may be shown; empty where none may.
    """

    kind: Kind
    parts: tuple[tuple[int, int], ...]
    last: str = ""

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.parts[0][0]

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.parts[-1][1]

    def shown(self, part: int = 0) -> str:
        """What stands in the place of a part."""
        last = f" ••{self.last}" if self.last and part == 0 else ""
        return f"[{self.kind}{last}]"
