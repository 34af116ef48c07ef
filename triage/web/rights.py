"""Who may open which page. Every route has exactly one of `require(…)` and `public`; a test fails
where one has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import Depends, HTTPException, Request

from triage.store.accounts import Role
from triage.web import cookies
from triage.web.desk import Desk, desk
from triage.web.principal import Principal
from triage.web.problems import API, SignInNeeded
from triage.web.shield import is_program

_SCOPES: Final = {Role.VIEWER: "read", Role.REVIEWER: "review", Role.ADMIN: "admin"}


@dataclass(frozen=True, slots=True)
class Right:
    """Lets in whoever has the role; tokens must have the scope too. The value is a `Principal`."""

    role: Role
    scope: str

    def __call__(self, request: Request) -> Principal:
        """Who asks. Raises where nobody does, or somebody who may not."""
        here = desk(request)
        principal = _principal(request, here)
        if principal is None:
            raise SignInNeeded("/sign-in" if here.repository.accounts.any() else "/set-up")
        request.state.principal = principal
        if not principal.may(self.role, self.scope):
            raise HTTPException(403, f"This needs the role {self.role}{self._scoped(principal)}.")
        return principal

    def _scoped(self, principal: Principal) -> str:
        return "" if principal.session else f" and a token with the scope {self.scope}"


class Public:
    """Lets everybody in; pages can still say who is signed in."""

    def __call__(self, request: Request) -> Principal | None:
        """Who asks; None for nobody."""
        principal = _principal(request, desk(request))
        request.state.principal = principal
        return principal


def require(role: Role, scope: str = "") -> Any:
    """What lets in who has a role, in `Annotated[Principal, …]` of a page.

    `scope` is what a token needs; by default `read`, `review` or `admin`, as the role is.
    """
    return Depends(Right(role, scope or _SCOPES[role]))


public: Final[Any] = Depends(Public())
"""The dependency of what everybody may open: `Annotated[Principal | None, public]`."""


def _principal(request: Request, here: Desk) -> Principal | None:
    address = request.client.host if request.client else ""
    if is_program(request.headers):
        if not request.url.path.startswith(API):
            return None  # tokens are for programs, pages for people
        secret = request.headers["authorization"][7:].strip()
        if known := here.repository.tokens.find(secret):
            user, token = known
            return Principal(user, address, token.scopes)
        return None
    secret = cookies.read(request, here.settings.console)
    if secret and (found := here.repository.sessions.find(secret)):
        user, session = found
        return Principal(user, address, session=session.id)
    return None
