"""The sources, and how each is doing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from triage.store.accounts import Role
from triage.web.api.problem import problems
from triage.web.desk import Here
from triage.web.pages.sources import healths
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter(prefix="/sources", tags=["sources"], responses=problems())


class SourceHealth(BaseModel):
    """A source of the settings. Times are null where it was not polled yet; `failures` counts
    failed polls since the last good one.
    """

    name: str
    kind: str
    campaign: str
    enabled: bool
    failures: int
    error: str
    last_poll_at: datetime | None
    last_success_at: datetime | None
    last_item_at: datetime | None
    next_at: datetime | None


@router.get("")
def listed(here: Here, principal: Annotated[Principal, require(Role.VIEWER)]) -> list[SourceHealth]:
    """Every source that one may see."""
    return [
        SourceHealth(
            name=found.name,
            kind=found.kind,
            campaign=found.campaign,
            enabled=found.enabled,
            failures=found.poll.failures if found.poll else 0,
            error=found.poll.error if found.poll else "",
            last_poll_at=found.poll.last_poll_at if found.poll else None,
            last_success_at=found.poll.last_success_at if found.poll else None,
            last_item_at=found.poll.last_item_at if found.poll else None,
            next_at=found.poll.next_at if found.poll else None,
        )
        for found in healths(here, principal)
    ]
