"""What was sent to destinations, and what waits or died on the way."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.store.accounts import Role
from triage.store.listing import Place
from triage.types import DeliveryState
from triage.web import access
from triage.web.desk import Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/deliveries")


@router.get("")
def show(
    request: Request,
    here: Here,
    principal: Annotated[Principal, require(Role.VIEWER)],
    state: Annotated[str, Query(max_length=20)] = "",
    destination: Annotated[str, Query(max_length=40)] = "",
    after: str = "",
    done: str = "",
) -> Response:
    """A page of them, the newest first."""
    chosen = DeliveryState(state) if state in list(DeliveryState) else None
    page = here.repository.listing.deliveries(
        principal.reach, state=chosen, destination=destination, after=Place.parse(after)
    )
    conditions = here.repository.destinations.conditions()
    return render(
        request,
        "deliveries.html",
        page=page,
        state=chosen,
        states=list(DeliveryState),
        destination=destination,
        destinations=[d.name for d in here.settings.destinations],
        troubles=[c for c in conditions.values() if c.is_stopped or c.failures],
        older=_query(chosen, destination, str(page.next or "")),
        newest=_query(chosen, destination, ""),
        after=after,
        done=done,
        changes=here.repository.listing.changes(),
    )


@router.post("/{delivery_id}/retry")
def retry(
    here: Here, principal: Annotated[Principal, require(Role.REVIEWER)], delivery_id: str
) -> Response:
    """Make one due now, under its old id."""
    inquiry_id = access.delivery(here, principal, delivery_id)
    if here.repository.outbox.revive(delivery_id):
        here.repository.audit.note(principal.actor, "delivery retried", delivery_id)
        return RedirectResponse(f"/inquiries/{inquiry_id}?done=delivery#h-deliveries", 303)
    return RedirectResponse(f"/inquiries/{inquiry_id}?done=final#h-deliveries", 303)


@router.post("/retry")
def retry_all(
    here: Here,
    principal: Annotated[Principal, require(Role.ADMIN)],
    destination: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Make every dead letter due now, or those of one destination."""
    number = here.repository.outbox.revive_all(
        destination=destination or None, reach=principal.reach
    )
    here.repository.audit.note(
        principal.actor, "dead letters retried", destination, {"deliveries": number}
    )
    return RedirectResponse("/deliveries?done=retry", 303)


def _query(state: DeliveryState | None, destination: str, after: str) -> str:
    values = {"state": state or "", "destination": destination, "after": after}
    return urlencode({name: value for name, value in values.items() if value})
