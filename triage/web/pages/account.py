"""One's own account: password, sessions, tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Usage
from triage.store.accounts import Role
from triage.web import passwords
from triage.web.desk import Desk, Here
from triage.web.pages.sign_in import enter
from triage.web.pages.tokens import make_token
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/account")

Anybody = Annotated[Principal, require(Role.VIEWER)]


@router.get("")
def show(request: Request, here: Here, principal: Anybody, done: str = "") -> Response:
    """The page."""
    return _page(request, here, principal, done=done)


@router.post("/password")
def change_password(
    request: Request,
    here: Here,
    principal: Anybody,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    """Another password; every other session ends."""
    if not here.settings.console.by_password:
        return _page(request, here, principal, problem="passwords open nothing here")
    accounts = here.repository.accounts
    known = accounts.credentials(principal.user.name)
    if known is None or not passwords.verify(known[1], current):
        return _page(request, here, principal, problem="the current password is not right")
    try:
        hashed = passwords.chosen(password, repeated, principal.user.name)
    except Usage as error:
        return _page(request, here, principal, problem=str(error))
    accounts.set_password(principal.user.id, hashed, by=principal.actor)
    return enter(request, here, principal.user, "/account?done=password")


@router.post("/sessions/end")
def end_session(here: Here, principal: Anybody, session: Annotated[str, Form()] = "") -> Response:
    """End one of one's sessions, or all others."""
    sessions = here.repository.sessions
    others = [found.id for found in sessions.of(principal.user.id)]
    for found in [session] if session else others:
        if found != principal.session:
            sessions.end(principal.actor, principal.user.id, found)
    return RedirectResponse("/account?done=sessions", 303)


@router.post("/tokens")
def create_token(
    request: Request,
    here: Here,
    principal: Anybody,
    name: Annotated[str, Form(max_length=80)] = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Annotated[int, Form(ge=0, le=3650)] = 90,
) -> Response:
    """Make a token; its secret is on this answer and nowhere else."""
    try:
        secret = make_token(here, principal.user, name, scope or [], days, by=principal.actor)
    except Usage as error:
        return _page(request, here, principal, problem=str(error))
    return _page(request, here, principal, secret=secret)


@router.post("/tokens/revoke")
def revoke_token(here: Here, principal: Anybody, token: Annotated[str, Form()]) -> Response:
    """End a token."""
    here.repository.tokens.revoke(principal.user, token, by=principal.actor)
    return RedirectResponse("/account?done=token", 303)


def _page(
    request: Request,
    here: Desk,
    principal: Principal,
    *,
    problem: str = "",
    done: str = "",
    secret: str = "",
) -> Response:
    known = here.repository.accounts.credentials(principal.user.name)
    return render(
        request,
        "account.html",
        status=422 if problem else 200,
        has_password=here.settings.console.by_password and bool(known and known[1]),
        provider=here.provider.settings.known_as if here.provider else "",
        linked=here.repository.identities.of(principal.user.id),
        sessions=here.repository.sessions.of(principal.user.id),
        tokens=here.repository.tokens.of(principal.user.id),
        problem=problem,
        done=done,
        secret=secret,
    )
