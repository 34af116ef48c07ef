"""Tells open pages that something changed, so that they fetch what they show."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from triage.store.accounts import Role
from triage.web.desk import Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter()


@router.get("/live")
def look(
    request: Request,
    here: Here,
    _: Annotated[Principal, require(Role.VIEWER)],
    seen: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Nothing where nothing changed since `seen`; else the next thing to ask, and an event."""
    changes = here.repository.listing.changes()
    if changes == seen:
        return Response(status_code=204)
    response = render(request, "live.html", changes=changes)
    response.headers["hx-trigger"] = "changed"
    return response
