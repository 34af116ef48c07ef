"""Deliveries: what was sent, and sending it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from triage.store.accounts import Role
from triage.store.listing import Place
from triage.types import DeliveryState
from triage.web import access
from triage.web.api.problem import problems
from triage.web.desk import Here
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter(prefix="/deliveries", tags=["deliveries"], responses=problems())


class DeliveryLine(BaseModel):
    """One event on its way to one destination. `id` is the webhook-id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    inquiry_id: str
    destination: str
    event: str
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_at: datetime | None
    accepted_at: datetime | None
    last_status: int | None
    last_error: str


class DeliveryList(BaseModel):
    """A page of deliveries, the newest first. `next` is the `after` of the next page."""

    items: list[DeliveryLine]
    next: str | None


class Retried(BaseModel):
    """Whether it is due now; not where it was accepted, or taken back since."""

    due: bool


@router.get("")
def listed(
    here: Here,
    principal: Annotated[Principal, require(Role.VIEWER)],
    state: DeliveryState | None = None,
    destination: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryList:
    """Deliveries, the newest first."""
    page = here.repository.listing.deliveries(
        principal.reach,
        state=state,
        destination=destination,
        after=Place.parse(after),
        limit=limit,
    )
    return DeliveryList(
        items=[DeliveryLine.model_validate(row) for row in page.rows],
        next=str(page.next) if page.next else None,
    )


@router.post("/{delivery_id}/retry", responses=problems(404))
def retry(
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER)],
    delivery_id: Annotated[str, Path(max_length=60)],
) -> Retried:
    """Make it due now, under its old id."""
    access.delivery(here, principal, delivery_id)
    due = here.repository.outbox.revive(delivery_id)
    if due:
        here.repository.audit.note(principal.actor, "delivery retried", delivery_id)
    return Retried(due=due)
