"""Making tokens, for oneself or for somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from triage.errors import Usage
from triage.store.accounts import Role, User
from triage.store.audit import Actor
from triage.web.desk import Desk
from triage.web.principal import SCOPES

_NEEDS = {
    "read": Role.VIEWER,
    "review": Role.REVIEWER,
    "ingest": Role.REVIEWER,
    "admin": Role.ADMIN,
}


def make_token(
    here: Desk, user: User, name: str, scopes: Sequence[str], days: int, *, by: Actor
) -> str:
    """A new token's secret; 0 days: it does not expire. Raises `Usage` for what cannot be."""
    chosen = [scope for scope in SCOPES if scope in scopes]
    if not name.strip():
        raise Usage("a token needs a name that says what it is for")
    if not chosen:
        raise Usage("choose what the token may be used for")
    beyond = [scope for scope in chosen if not user.role.covers(_NEEDS[scope])]
    if beyond:
        raise Usage(f"a {user.role} cannot have a token for {', '.join(beyond)}")
    lasts = timedelta(days=days) if days else None
    secret, _ = here.repository.tokens.create(user, name.strip(), chosen, lasts, by=by)
    return secret
