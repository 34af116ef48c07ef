"""Who makes a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from triage.store.accounts import Reach, Role, User
from triage.store.audit import Actor

SCOPES: Final = ("read", "review", "ingest", "admin")
"""What a token may be limited to; a session has them all."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who is signed in, or a program with a token of theirs.

    `session` is the session's id, empty for a token.
    """

    user: User
    address: str
    scopes: tuple[str, ...] = SCOPES
    session: str = ""

    @property
    def role(self) -> Role:
        """What they may do."""
        return self.user.role

    @property
    def reach(self) -> Reach:
        """Which inquiries they may see."""
        return self.user.reach

    @property
    def actor(self) -> Actor:
        """Whom the audit log names."""
        return Actor(self.user.id, self.user.name, self.address)

    def may(self, role: Role, scope: str = "") -> bool:
        """Whether the role covers it and, where a token is limited, the token does too."""
        return self.role.covers(role) and (not scope or scope in self.scopes)
