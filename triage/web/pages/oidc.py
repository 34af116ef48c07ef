"""Signing in at the organisation's provider, and linking an account there with one here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Configuration, Transient, Usage
from triage.store.accounts import Role, User
from triage.store.audit import Actor
from triage.store.handshakes import LASTS, Handshake
from triage.store.throttles import Key
from triage.web import cookies
from triage.web.desk import Desk, Here
from triage.web.oidc import Person, Provider, person
from triage.web.pages.sign_in import address_of, enter, safe, too_often
from triage.web.principal import Principal
from triage.web.rights import public, require
from triage.web.templating import render

log = structlog.get_logger(__name__)
router = APIRouter()

_BACK: Final = "/sign-in/oidc/callback"
_STRANGE: Final = (
    "this sign-in was not begun in this browser, or it took longer than ten minutes; begin again"
)
Anybody = Annotated[Principal, require(Role.VIEWER)]


@router.get("/sign-in/oidc")
def begin(
    request: Request,
    here: Here,
    _: Annotated[Principal | None, public],
    back: Annotated[str, Query(alias="next")] = "/",
) -> Response:
    """Send the browser to the provider."""
    provider = _provider(here)
    if wait := here.repository.throttles.begin([_by_address(request)]):
        return too_often(request, wait)
    return _begun(request, here, provider, safe(back))


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser brings back from the provider."""

    code: Annotated[str, Query(max_length=4000)] = ""
    state: Annotated[str, Query(max_length=400)] = ""
    iss: Annotated[str, Query(max_length=400)] = ""
    error: Annotated[str, Query(max_length=400)] = ""


@router.get(_BACK)
def callback(
    request: Request,
    here: Here,
    principal: Annotated[Principal | None, public],
    brought: Annotated[Return, Depends()],
) -> Response:
    """The browser comes back from the provider."""
    provider = _provider(here)
    handshake = here.repository.handshakes.take(
        brought.state, cookies.read_handshake(request, here.settings.console)
    )
    try:
        found = _told(request, here, provider, handshake, brought)
        if handshake and handshake.session_id:
            response = _linked(here, principal, handshake, found)
        else:
            user = _entered(request, here, found)
            to = handshake.back if handshake else "/"
            response = enter(request, here, user, to, {"at": provider.settings.known_as})
            here.repository.throttles.clear([_by_address(request)])
    except Usage as refusal:
        log.warning("sign-in refused", address=address_of(request))
        response = _refused(request, here, handshake, str(refusal))
    except (Transient, Configuration) as failure:
        response = _unavailable(request, here, failure)
    cookies.drop_handshake(response, here.settings.console)
    return response


@router.post("/account/link")
def link(request: Request, here: Here, principal: Anybody) -> Response:
    """Offer the way to the provider; whoever comes back from it is this user from then on."""
    return _begun(request, here, _provider(here), "/account", principal.session)


@router.post("/account/unlink")
def unlink(here: Here, principal: Anybody, issuer: Annotated[str, Form()] = "") -> Response:
    """Have the account there open nothing here any more."""
    known = here.repository.accounts.credentials(principal.user.name)
    if not here.settings.console.by_password or known is None or not known[1]:
        raise Usage("You have no other way to sign in; an administrator can give you a password.")
    here.repository.identities.unlink(principal.user, issuer, by=principal.actor)
    return RedirectResponse("/account?done=unlinked", 303)


def _begun(
    request: Request, here: Desk, provider: Provider, back: str, session: str = ""
) -> Response:
    begun = here.repository.handshakes.begin(provider.settings.issuer, back, session)
    try:
        where = provider.address(begun, _redirect(request, here))
    except (Transient, Configuration) as failure:
        return _unavailable(request, here, failure)
    name = provider.settings.known_as
    response: Response
    if session:  # browsers let no form lead elsewhere
        response = render(request, "link.html", where=where, provider=name)
    else:
        response = RedirectResponse(where, 303)
    cookies.put_handshake(response, here.settings.console, begun.browser, LASTS)
    return response


def _told(
    request: Request,
    here: Desk,
    provider: Provider,
    handshake: Handshake | None,
    brought: Return,
) -> Person:
    """Who came back, by the provider's word. Raises `Usage` where that is worth nothing."""
    if handshake is None:
        raise Usage(_STRANGE)
    if brought.error or not brought.code:
        name, why = provider.settings.known_as, brought.error or "it sent no code"
        raise Usage(f"{name} did not let you in ({why}); begin again")
    claims = provider.claims(handshake, brought.code, brought.iss, _redirect(request, here))
    return person(provider.settings, claims)


def _entered(request: Request, here: Desk, found: Person) -> User:
    """The user who may enter. Raises `Usage` where nobody may."""
    settings = _provider(here).settings
    try:
        user = _user(here, found, address_of(request), create=settings.create_users)
    except Usage as refusal:
        raise Usage(
            f"your account at {settings.known_as} opens nothing here: {refusal}. "
            "If it should, ask an administrator of this console"
        ) from refusal
    if user is None or user.is_disabled:
        raise Usage("you may not sign in here; ask an administrator of this console")
    return user


def _user(here: Desk, found: Person, address: str, *, create: bool) -> User | None:
    identities = here.repository.identities
    if identities.find(found.identity) is None:
        if found.role is not Role.ADMIN and not here.repository.accounts.any():
            raise Usage("this console has no administrator yet, who must be the first user")
        identities.adopt(found.identity, found.name, found.role, create=create, address=address)
    role = found.role if found.ruled else None
    return identities.enter(found.identity, role, address=address)


def _linked(
    here: Desk, principal: Principal | None, handshake: Handshake, found: Person
) -> Response:
    """Link the account there with the user whose session asked for it, and with no other."""
    if principal is None or principal.session != handshake.session_id:
        raise Usage(_STRANGE)
    here.repository.identities.link(principal.user, found.identity, by=principal.actor)
    return RedirectResponse("/account?done=linked", 303)


def _refused(request: Request, here: Desk, handshake: Handshake | None, text: str) -> Response:
    if handshake is not None:  # else anybody could fill the log
        actor = Actor("", "", address_of(request))
        here.repository.audit.note(actor, "sign-in refused", "", {"why": text})
    said = f"{text[0].upper()}{text[1:]}."
    return render(request, "refused.html", status=403, text=said)


def _unavailable(request: Request, here: Desk, failure: Exception) -> Response:
    name = _provider(here).settings.known_as
    log.error("nobody can sign in at the provider", error=str(failure))
    text = f"{name} cannot be asked who you are; the worker's log says why. Try again shortly."
    return render(request, "refused.html", status=503, text=text)


def _provider(here: Desk) -> Provider:
    if here.provider is None:
        raise HTTPException(404, "This console has no other way to sign in.")
    return here.provider


def _redirect(request: Request, here: Desk) -> str:
    base = here.settings.console.public_url or str(request.base_url)
    return f"{base.rstrip('/')}{_BACK}"


def _by_address(request: Request) -> Key:
    """Sign-ins that were begun and came to nothing; each is a row for ten minutes."""
    return Key(f"oidc:{address_of(request)[:60]}", free=60, longest=60)
