"""What the menu shows; only what exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from triage.store.accounts import Role
from triage.web.principal import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu of whoever has the role."""

    path: str
    title: str
    role: Role = Role.VIEWER


MENU: Final = (
    Entry("/inquiries", "Inbox"),
    Entry("/review", "Review", Role.REVIEWER),
    Entry("/deliveries", "Deliveries"),
    Entry("/quarantine", "Quarantine"),
    Entry("/sources", "Sources"),
    Entry("/models", "Models"),
    Entry("/settings", "Settings", Role.ADMIN),
    Entry("/users", "Users", Role.ADMIN),
)


def of(principal: Principal | None) -> list[Entry]:
    """The entries that somebody may open; none for nobody."""
    if principal is None:
        return []
    return [entry for entry in MENU if principal.role.covers(entry.role)]
