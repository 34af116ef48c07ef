"""The sources, and how each is doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from triage.store.accounts import Role
from triage.store.polls import PollState
from triage.web.desk import Desk, Here
from triage.web.pages.models import alarms
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Health:
    """A source of the settings and its last poll; None: it was not polled yet."""

    name: str
    kind: str
    campaign: str
    enabled: bool
    poll: PollState | None


@router.get("/sources")
def show(
    request: Request, here: Here, principal: Annotated[Principal, require(Role.VIEWER)]
) -> Response:
    """All within reach."""
    return render(
        request,
        "sources.html",
        sources=healths(here, principal),
        alarms=alarms(here, principal),
        changes=here.repository.listing.changes(),
    )


def healths(here: Desk, principal: Principal) -> list[Health]:
    """The health of every source that somebody may see."""
    states = {state.source: state for state in here.repository.polls.states()}
    only = principal.reach.sources
    return [
        Health(source.name, source.kind, source.campaign, source.enabled, states.get(source.name))
        for source in here.settings.sources
        if not only or source.name in only
    ]
