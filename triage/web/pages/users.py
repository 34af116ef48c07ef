"""The users, for administrators, and the log of what everybody changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Usage
from triage.store.accounts import Reach, Role, User
from triage.web import passwords
from triage.web.desk import Desk, Here
from triage.web.pages.tokens import make_token
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter()

Admin = Annotated[Principal, require(Role.ADMIN)]
_PAGE = 100


@router.get("/users")
def listed(request: Request, here: Here, _: Admin) -> Response:
    """Everybody, and a form for somebody new."""
    return _list(request, here)


@router.post("/users")
def create(
    request: Request,
    here: Here,
    principal: Admin,
    name: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form()] = "",
    role: Annotated[Role, Form()] = Role.VIEWER,
) -> Response:
    """Add a user."""
    if not name.strip():
        return _list(request, here, problem="a user needs a name to sign in with")
    try:
        # Somebody who signs in at the provider, by the address that is their name, needs none.
        elsewhere = here.provider is not None and not password
        hashed = "" if elsewhere else passwords.hashed(password, name)
        user = here.repository.accounts.create(name, hashed, role, by=principal.actor)
    except Usage as error:
        return _list(request, here, problem=str(error), name=name)
    return RedirectResponse(f"/users/{user.id}?done=created", 303)


@router.get("/users/{user_id}")
def show(request: Request, here: Here, _: Admin, user_id: str, done: str = "") -> Response:
    """One user."""
    return _page(request, here, _user(here, user_id), done=done)


@router.post("/users/{user_id}")
def change(
    request: Request,
    here: Here,
    principal: Admin,
    user_id: str,
    role: Annotated[Role, Form()],
    source: Annotated[list[str] | None, Form()] = None,
    campaigns: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Another role or reach."""
    user = _user(here, user_id)
    lines = (line.strip() for line in campaigns.splitlines())
    reach = Reach(tuple(source or ()), tuple(dict.fromkeys(line for line in lines if line)))
    try:
        here.repository.accounts.change(user.id, role, reach, by=principal.actor)
    except Usage as error:
        return _page(request, here, user, problem=str(error))
    return RedirectResponse(f"/users/{user.id}?done=changed", 303)


@router.post("/users/{user_id}/disable")
def disable(
    request: Request,
    here: Here,
    principal: Admin,
    user_id: str,
    disabled: Annotated[bool, Form()] = True,
) -> Response:
    """Shut them out, or let them in again."""
    user = _user(here, user_id)
    try:
        here.repository.accounts.disable(user.id, disabled=disabled, by=principal.actor)
    except Usage as error:
        return _page(request, here, user, problem=str(error))
    return RedirectResponse(f"/users/{user.id}?done={'disabled' if disabled else 'enabled'}", 303)


@router.post("/users/{user_id}/password")
def set_password(
    request: Request,
    here: Here,
    principal: Admin,
    user_id: str,
    password: Annotated[str, Form()] = "",
) -> Response:
    """A new password, for somebody who forgot theirs."""
    user = _user(here, user_id)
    try:
        hashed = passwords.hashed(password, user.name)
    except Usage as error:
        return _page(request, here, user, problem=str(error))
    here.repository.accounts.set_password(user.id, hashed, by=principal.actor)
    return RedirectResponse(f"/users/{user.id}?done=password", 303)


@router.post("/users/{user_id}/sign-out")
def sign_out(here: Here, principal: Admin, user_id: str) -> Response:
    """End every session they have."""
    user = _user(here, user_id)
    here.repository.sessions.end(principal.actor, user.id)
    return RedirectResponse(f"/users/{user.id}?done=signed-out", 303)


@router.post("/users/{user_id}/tokens")
def create_token(
    request: Request,
    here: Here,
    principal: Admin,
    user_id: str,
    name: Annotated[str, Form(max_length=80)] = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Annotated[int, Form(ge=0, le=3650)] = 90,
) -> Response:
    """Make a token for them; its secret is on this answer and nowhere else."""
    user = _user(here, user_id)
    try:
        secret = make_token(here, user, name, scope or [], days, by=principal.actor)
    except Usage as error:
        return _page(request, here, user, problem=str(error))
    return _page(request, here, user, secret=secret)


@router.post("/users/{user_id}/tokens/revoke")
def revoke_token(
    here: Here, principal: Admin, user_id: str, token: Annotated[str, Form()]
) -> Response:
    """End one of their tokens."""
    user = _user(here, user_id)
    here.repository.tokens.revoke(user, token, by=principal.actor)
    return RedirectResponse(f"/users/{user.id}?done=token", 303)


@router.get("/audit")
def audit(
    request: Request,
    here: Here,
    _: Admin,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Who changed what, the newest first."""
    entries = here.repository.audit.listed(before=before, limit=_PAGE + 1)
    more = entries[_PAGE - 1].id if len(entries) > _PAGE else None
    return render(request, "audit.html", entries=entries[:_PAGE], more=more, before=before)


def _user(here: Desk, user_id: str) -> User:
    user = here.repository.accounts.get(user_id)
    if user is None:
        raise HTTPException(404, "There is no such user.")
    return user


def _list(request: Request, here: Desk, *, problem: str = "", name: str = "") -> Response:
    return render(
        request,
        "users.html",
        status=422 if problem else 200,
        users=here.repository.accounts.listed(),
        provider=here.provider.settings.known_as if here.provider else "",
        roles=list(Role),
        problem=problem,
        name=name,
    )


def _page(
    request: Request,
    here: Desk,
    user: User,
    *,
    problem: str = "",
    done: str = "",
    secret: str = "",
) -> Response:
    named = [source.name for source in here.settings.sources]
    return render(
        request,
        "user.html",
        status=422 if problem else 200,
        user=user,
        linked=here.repository.identities.of(user.id),
        roles=list(Role),
        sources=list(dict.fromkeys([*named, *user.reach.sources])),
        sessions=here.repository.sessions.of(user.id),
        tokens=here.repository.tokens.of(user.id),
        problem=problem,
        done=done,
        secret=secret,
    )
