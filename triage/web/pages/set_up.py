"""The first administrator: whoever knows the code that is shown where the worker runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Usage
from triage.store.throttles import Key
from triage.web import passwords
from triage.web.desk import Desk, Here
from triage.web.pages.sign_in import address_of, by_address, enter, too_often
from triage.web.principal import Principal
from triage.web.rights import public
from triage.web.templating import render

router = APIRouter()


@router.get("/set-up")
def show(
    request: Request, here: Here, _: Annotated[Principal | None, public], code: str = ""
) -> Response:
    """The form; once there is a user, it is no more."""
    if here.repository.accounts.any():
        return RedirectResponse("/sign-in", 303)
    return _page(request, here, code)


@router.post("/set-up")
def create(
    request: Request,
    here: Here,
    _: Annotated[Principal | None, public],
    code: Annotated[str, Form()] = "",
    name: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    """Make the first administrator and sign them in."""
    accounts, throttles = here.repository.accounts, here.repository.throttles
    if accounts.any():
        return RedirectResponse("/sign-in", 303)
    keys = (Key("set-up", free=10), by_address(request))
    if wait := throttles.begin(keys):
        return too_often(request, wait)
    try:
        _check(here, code, name)
        hashed = passwords.chosen(password, repeated, name)
    except Usage as error:
        return _page(request, here, code, name, str(error))
    user = accounts.create_first(name, hashed, address_of(request))
    if user is None:
        return RedirectResponse("/sign-in", 303)
    throttles.clear(keys)
    return enter(request, here, user, "/")


def _page(request: Request, here: Desk, code: str, name: str = "", problem: str = "") -> Response:
    provider = here.provider.settings.known_as if here.provider else ""
    return render(
        request,
        "set_up.html",
        status=422 if problem else 200,
        code=code,
        name=name,
        problem=problem,
        provider=provider,
    )


def _check(here: Desk, code: str, name: str) -> None:
    """Raise `Usage` for what cannot be used."""
    if not here.knows(code):
        raise Usage("this is not the code that the worker shows; it is new after each start")
    if not name.strip():
        raise Usage("choose a name to sign in with")
