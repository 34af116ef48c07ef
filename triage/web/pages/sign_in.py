"""Signing in and out. Each sign-in is a session of its own, whatever cookie came with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.store.accounts import Role, User, folded
from triage.store.audit import Actor
from triage.store.throttles import Key
from triage.web import cookies, passwords
from triage.web.desk import Desk, Here
from triage.web.principal import Principal
from triage.web.rights import public, require
from triage.web.templating import render

log = structlog.get_logger(__name__)
router = APIRouter()


@router.get("/sign-in")
def show(
    request: Request,
    here: Here,
    principal: Annotated[Principal | None, public],
    back: Annotated[str, Query(alias="next")] = "/",
    done: str = "",
) -> Response:
    """The form."""
    if principal:
        return RedirectResponse(safe(back), 303)
    if not here.repository.accounts.any():
        return RedirectResponse("/set-up", 303)
    return _page(request, here, safe(back), out=done == "out")


@router.post("/sign-in")
def sign_in(
    request: Request,
    here: Here,
    _: Annotated[Principal | None, public],
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    back: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Open a session."""
    if not here.settings.console.by_password:
        raise HTTPException(403, "Passwords open nothing here; sign in at your provider.")
    keys = (_by_account(name), by_address(request))
    tried = here.repository.throttles.tried(keys)
    if tried.wait:
        return too_often(request, tried.wait)
    known = here.repository.accounts.credentials(name)
    right = passwords.verify(known[1] if known else "", password)
    if known is None or not right or known[0].is_disabled:
        log.warning("sign-in refused", address=address_of(request))
        return _page(request, here, safe(back), name, "Name or password is wrong.")
    user, stored = known
    # Only the account's failures are forgotten: else an own account would clear the address. This
    # try is no failure, though: else a busy office would be shut out by signing in.
    here.repository.throttles.clear(keys[:1])
    here.repository.throttles.give_back(tried, keys[1])
    if passwords.is_outdated(stored):
        here.repository.accounts.rehashed(user.id, stored, passwords.rehashed(password))
    return enter(request, here, user, safe(back))


@router.post("/sign-out")
def sign_out(here: Here, principal: Annotated[Principal, require(Role.VIEWER)]) -> Response:
    """End the session."""
    here.repository.sessions.end(principal.actor, principal.user.id, principal.session)
    to = "/sign-in?done=out" if here.provider else "/sign-in"
    response = RedirectResponse(to, 303)
    cookies.drop(response, here.settings.console)
    return response


def enter(
    request: Request, here: Desk, user: User, to: str, detail: Mapping[str, str] | None = None
) -> Response:
    """A fresh session for a user; the one that the browser had ends. `detail`: for the log."""
    settings = here.settings.console
    secret = here.repository.sessions.open(
        Actor(user.id, user.name, address_of(request)),
        request.headers.get("user-agent", ""),
        timedelta(hours=settings.session_hours),
        instead_of=cookies.read(request, settings),
        detail=detail,
    )
    response = RedirectResponse(to, 303)
    cookies.put(response, settings, secret)
    return response


def _page(
    request: Request, here: Desk, back: str, name: str = "", problem: str = "", *, out: bool = False
) -> Response:
    provider = here.provider
    home = here.settings.console.public_url or str(request.base_url)
    return render(
        request,
        "sign_in.html",
        status=401 if problem else 200,
        back=back,
        name=name,
        problem=problem,
        by_password=here.settings.console.by_password,
        provider=provider.settings.known_as if provider else "",
        sign_out_at=provider.sign_out_address(home) if provider and out else "",
    )


def safe(path: str) -> str:
    """A path of this console; `/` for anything that could lead elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def address_of(request: Request) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client else ""


def by_address(request: Request) -> Key:
    """Guesses from one address. Whoever has an IPv6 address has a whole network of them."""
    address = address_of(request)
    try:
        parsed = ip_address(address)
    except ValueError:
        parsed = None
    if isinstance(parsed, IPv6Address):
        address = str(IPv6Network((parsed, 64), strict=False))
    return Key(f"address:{address[:60]}", free=20)


def too_often(request: Request, wait: float) -> Response:
    """It has to wait."""
    seconds = int(wait) + 1
    text = f"Too many tries. Wait {seconds} seconds, then try again."
    response = render(request, "problem.html", status=429, title="Too many tries", text=text)
    response.headers["retry-after"] = str(seconds)
    return response


def _by_account(name: str) -> Key:
    """Guesses at one account, there or not; short waits, so that nobody is shut out by others."""
    digest = hashlib.sha256(folded(name).encode("utf-8", "replace")).hexdigest()
    return Key(f"account:{digest}", longest=60)
