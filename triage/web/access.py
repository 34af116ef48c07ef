"""Finds what a request names, within the reach of whoever asks."""

from __future__ import annotations

from fastapi import HTTPException

from triage.store.records import Work
from triage.web.desk import Desk
from triage.web.principal import Principal


def inquiry(here: Desk, principal: Principal, inquiry_id: str) -> Work:
    """The row of an inquiry. Raises 404 where there is none, and where it is out of reach: the
    answer must not tell which.
    """
    work = here.repository.worklist.get(inquiry_id)
    if work is None or not principal.reach.covers(work.ref.source, work.campaign):
        raise HTTPException(404, "There is no such inquiry, or you may not see it.")
    return work


def delivery(here: Desk, principal: Principal, delivery_id: str) -> str:
    """The id of the inquiry that a delivery is about; raises 404 as `inquiry` does."""
    inquiry_id = here.repository.listing.delivery(delivery_id)
    work = here.repository.worklist.get(inquiry_id) if inquiry_id else None
    if work is None or not principal.reach.covers(work.ref.source, work.campaign):
        raise HTTPException(404, "There is no such delivery, or you may not see it.")
    return work.id
