"""Where whoever signs in begins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from triage.store.accounts import Role
from triage.web import menu
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter()


@router.get("/")
def begin(principal: Annotated[Principal, require(Role.VIEWER)]) -> Response:
    """The first page of the menu; one's account where there is none."""
    entries = menu.of(principal)
    return RedirectResponse(entries[0].path if entries else "/account", 303)
