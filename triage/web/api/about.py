"""What the API offers, and who asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from triage.store.accounts import Role
from triage.web.api.problem import problems
from triage.web.principal import Principal
from triage.web.rights import public, require

router = APIRouter(tags=["about"], responses=problems())


class Me(BaseModel):
    """Whoever asks, and what they may."""

    name: str
    role: Role
    scopes: list[str]
    sources: list[str]
    campaigns: list[str]


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request, _: Annotated[Principal | None, public]) -> dict[str, Any]:
    """The API's description (OpenAPI)."""
    found: dict[str, Any] = request.app.openapi()
    return found


@router.get("/me")
def me(principal: Annotated[Principal, require(Role.VIEWER)]) -> Me:
    """Who I am; an empty list of sources or campaigns restricts nothing."""
    return Me(
        name=principal.user.name,
        role=principal.role,
        scopes=list(principal.scopes),
        sources=list(principal.reach.sources),
        campaigns=list(principal.reach.campaigns),
    )
