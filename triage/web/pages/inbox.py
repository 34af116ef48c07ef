"""All inquiries, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from classifiers.labels import LABELS
from triage.store.accounts import Role
from triage.store.listing import Place, Wanted
from triage.types import Outcome, Stage
from triage.web.desk import Desk, Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter()

PAGE = 50


def _day(text: Any) -> Any:
    """Midnight of a day, by the worker's clock; an empty field of a form is none."""
    if not isinstance(text, str):
        return text
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


Day = Annotated[datetime | None, BeforeValidator(_day)]


def _empty(value: Any) -> Any:
    return value or None


class Filters(BaseModel):
    """The filters of the list, as in its address; days are in the worker's time zone."""

    words: Annotated[str, Field(max_length=500)] = ""
    label: str = ""
    outcome: Annotated[Outcome | None, BeforeValidator(_empty)] = None
    channel: Annotated[Literal["email", "call"] | None, BeforeValidator(_empty)] = None
    source: str = ""
    campaign: str = ""
    stage: Annotated[Stage | None, BeforeValidator(_empty)] = None
    since: Day = None
    until: Day = None
    after: str = ""

    @property
    def wanted(self) -> Wanted:
        """For the store; the last day is meant too."""
        until = self.until + timedelta(days=1) if self.until else None
        chosen = self.model_dump(exclude={"after", "until"})
        return Wanted(**chosen, until=until)

    def query(self, **changed: str) -> str:
        """The address of the list with some of it changed."""
        plain = dict(self.fields(words=True)) | changed
        return urlencode({name: value for name, value in plain.items() if value})

    def fields(self, *, words: bool = False) -> list[tuple[str, str]]:
        """What is filtered, as the fields of a form; `words`: what is searched for too."""
        left_out = {"after"} if words else {"after", "words"}
        return [
            (name, f"{value.astimezone():%Y-%m-%d}" if isinstance(value, datetime) else str(value))
            for name, value in self.model_dump(exclude=left_out).items()
            if value
        ]

    @property
    def any(self) -> bool:
        """Whether something is filtered."""
        return bool(self.query())


@router.get("/inquiries")
def show(
    request: Request,
    here: Here,
    principal: Annotated[Principal, require(Role.VIEWER)],
    filters: Annotated[Filters, Query()],
) -> Response:
    """A page of the list."""
    changes = here.repository.listing.changes()  # before the list: nothing in between is missed
    page = here.repository.listing.inquiries(
        filters.wanted, principal.reach, after=Place.parse(filters.after), limit=PAGE
    )
    return render(
        request,
        "inbox.html",
        page=page,
        filters=filters,
        labels=LABELS,
        outcomes=list(Outcome),
        stages=list(Stage),
        sources=_sources(here, principal),
        campaigns=_campaigns(here, principal),
        changes=changes,
    )


def _sources(here: Desk, principal: Principal) -> list[str]:
    named = [source.name for source in here.settings.sources]
    return list(principal.reach.sources) or named


def _campaigns(here: Desk, principal: Principal) -> list[str]:
    named = dict.fromkeys(source.campaign for source in here.settings.sources if source.campaign)
    return list(principal.reach.campaigns) or list(named)
