"""The way back for somebody who cannot sign in, by a link that `triage console` made."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from triage.errors import Usage
from triage.web import passwords
from triage.web.desk import Desk, Here
from triage.web.pages.sign_in import address_of, by_address, enter, too_often
from triage.web.principal import Principal
from triage.web.rights import public
from triage.web.templating import render

router = APIRouter()

_ENDED = "this link was used already, is older than an hour, or is not whole; make another one"


@router.get("/reset")
def show(
    request: Request, here: Here, _: Annotated[Principal | None, public], code: str = ""
) -> Response:
    """The form; looking at it uses nothing up."""
    return _page(request, here, code)


@router.post("/reset")
def use(
    request: Request,
    here: Here,
    _: Annotated[Principal | None, public],
    code: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    """Take the link: another password, where passwords count, and a session."""
    keys = (by_address(request),)
    if wait := here.repository.throttles.begin(keys):
        return too_often(request, wait)
    user = here.repository.resets.find(code)
    hashed = ""
    if user is not None and here.settings.console.by_password:
        try:
            hashed = passwords.chosen(password, repeated, user.name)
        except Usage as error:
            return _page(request, here, code, problem=str(error))
    user = here.repository.resets.use(code, hashed, address_of(request))
    if user is None:
        return _page(request, here, code)
    here.repository.throttles.clear(keys)
    return enter(request, here, user, "/account")


def _page(request: Request, here: Desk, code: str, *, problem: str = "") -> Response:
    user = here.repository.resets.find(code)
    return render(
        request,
        "reset.html",
        status=422 if problem or user is None else 200,
        user=user,
        code=code,
        by_password=here.settings.console.by_password,
        problem=problem or ("" if user else _ENDED),
    )
