"""What could not be read or decided, with the reason, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from triage.store.accounts import Role
from triage.store.listing import Place, Wanted
from triage.types import Stage
from triage.web import access
from triage.web.desk import Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/quarantine")

_QUARANTINED = Wanted(stage=Stage.QUARANTINED)
_AT_ONCE = 100


@router.get("")
def show(
    request: Request,
    here: Here,
    principal: Annotated[Principal, require(Role.VIEWER)],
    after: str = "",
    good: int | None = None,
    bad: int = 0,
) -> Response:
    """A page of it, the newest first."""
    page = here.repository.listing.inquiries(
        _QUARANTINED, principal.reach, after=Place.parse(after), limit=_AT_ONCE
    )
    return render(
        request, "quarantine.html", page=page, after=after, good=good, bad=bad, results=[]
    )


@router.post("/retry")
def retry_all(
    request: Request, here: Here, principal: Annotated[Principal, require(Role.REVIEWER)]
) -> Response:
    """Take up the newest again, as many as are on a page; what its source refused is read anew."""
    page = here.repository.listing.inquiries(_QUARANTINED, principal.reach, limit=_AT_ONCE)
    results = list(here.replay.run([row.id for row in page.rows]))
    good = sum(result.good for result in results)
    here.repository.audit.note(
        principal.actor, "quarantine retried", "", {"taken up": good, "of": len(results)}
    )
    left = here.repository.listing.inquiries(_QUARANTINED, principal.reach, limit=_AT_ONCE)
    return render(
        request, "quarantine.html", page=left, after="", good=good, bad=len(results) - good,
        results=[result for result in results if not result.good],
    )  # fmt: skip


@router.post("/{inquiry_id}/retry")
def retry(
    request: Request,
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER)],
    inquiry_id: str,
) -> Response:
    """Take one up again."""
    work = access.inquiry(here, principal, inquiry_id)
    results = list(here.replay.run([work.id]))
    here.repository.audit.note(
        principal.actor, "inquiry retried", work.id, {"result": results[0].result}
    )
    if results[0].good:
        return RedirectResponse(f"/inquiries/{work.id}?done=retry", 303)
    page = here.repository.listing.inquiries(_QUARANTINED, principal.reach, limit=_AT_ONCE)
    return render(request, "quarantine.html", page=page, after="", good=0, bad=1, results=results)
