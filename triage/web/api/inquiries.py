"""Inquiries: listing, reading and labelling them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

from classifiers.labels import SignalName
from triage.pipeline.handing import SOURCE, Handed, hand_in
from triage.pipeline.stating import not_stated, state, taken_back
from triage.signals.stated import Words
from triage.store.accounts import Role
from triage.store.listing import Place, Wanted
from triage.store.records import HistoryEntry
from triage.store.statements import Statement
from triage.types import (
    Channel,
    Decision,
    Inquiry,
    Outcome,
    Qualification,
    Stage,
    Transcript,
    Verdict,
)
from triage.web import access
from triage.web.api.deliveries import DeliveryLine
from triage.web.api.problem import problems
from triage.web.desk import Desk, Here
from triage.web.pages.inquiry import relabel
from triage.web.pages.stating import restate
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter(prefix="/inquiries", tags=["inquiries"], responses=problems())

Viewer = Annotated[Principal, require(Role.VIEWER)]
Id = Annotated[str, Path(max_length=40)]


class InquiryLine(BaseModel):
    """One inquiry in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    channel: Channel
    source: str
    received_at: datetime
    settled_at: datetime | None
    stage: Stage
    sender: str
    subject: str
    label: str | None
    confidence: float | None
    outcome: str | None
    score: int | None
    grade: str | None
    held: str
    error: str


class InquiryList(BaseModel):
    """A page of inquiries, the newest first. `next` is the `after` of the next page."""

    items: list[InquiryLine]
    next: str | None


class InquiryDetail(BaseModel):
    """Everything known about an inquiry; null where a stage has no result yet."""

    id: str
    channel: Channel
    source: str
    campaign: str
    received_at: datetime
    stage: Stage
    held: str
    error: str
    content: Inquiry | None
    transcript: Transcript | None
    verdict: Verdict | None
    qualification: Qualification | None
    decision: Decision | None
    deliveries: list[DeliveryLine]
    history: list[HistoryEntry]


def _written(value: Any) -> Any:
    """A moment as it is described: a number is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


class Asked(BaseModel):
    """The filters of the list; `words` are searched for as in the console."""

    words: Annotated[str, Field(max_length=500)] = ""
    label: Annotated[str, Field(max_length=80)] = ""
    outcome: Outcome | None = None
    channel: Literal["email", "call"] | None = None
    source: Annotated[str, Field(max_length=40)] = ""
    campaign: Annotated[str, Field(max_length=400)] = ""
    stage: Stage | None = None
    since: Moment | None = None
    until: Moment | None = None
    after: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Label(BaseModel):
    """What somebody says an inquiry is: one of the nine labels, or an own one."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, Field(min_length=1, max_length=80)]
    note: Annotated[str, Field(max_length=2000)] = ""


class Passage(BaseModel):
    """Words of an inquiry: characters `start` to `end` of a field (of a call: of its transcript's
    text). With a `quote`, words that moved are found.
    """

    model_config = ConfigDict(extra="forbid")

    field: Literal["text", "subject", "signature", "forwarded", "quoted", "disclaimer"] = "text"
    start: Annotated[int, Field(ge=0, le=10_000_000)]
    end: Annotated[int, Field(ge=0, le=10_000_000)]
    quote: Annotated[str, Field(max_length=2000)] = ""


class Stated(BaseModel):
    """What somebody says about a signal: that these words state it, that it has another value, or
    with `not_stated` that nothing does.
    """

    model_config = ConfigDict(extra="forbid")

    signal: SignalName
    value: Annotated[str, Field(max_length=1000)] = ""
    words: Passage | None = None
    not_stated: bool = False


@router.get("")
def listed(here: Here, principal: Viewer, asked: Annotated[Asked, Query()]) -> InquiryList:
    """Inquiries, the newest first. Dates bound the arrival; `until` is left out."""
    wanted = Wanted(**asked.model_dump(exclude={"after", "limit"}))
    page = here.repository.listing.inquiries(
        wanted, principal.reach, after=Place.parse(asked.after), limit=asked.limit
    )
    return InquiryList(
        items=[InquiryLine.model_validate(row) for row in page.rows],
        next=str(page.next) if page.next else None,
    )


class HandedIn(BaseModel):
    """What somebody wrote on a website, say. `id`: repeated with it, a call changes nothing."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    name: Annotated[str, Field(max_length=200)] = ""
    email: EmailStr | None = None
    phone: Annotated[str, Field(max_length=60)] = ""
    subject: Annotated[str, Field(max_length=500)] = ""
    campaign: Annotated[str, Field(max_length=200)] = ""
    id: Annotated[str, Field(max_length=100)] = ""
    fields: Annotated[dict[str, str], Field(max_length=50)] = {}


class Taken(BaseModel):
    """The inquiry that it became. `new`: it was not handed in before."""

    id: str
    new: bool


@router.post("", status_code=202)
def hand_over(
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER, "ingest")],
    handed: HandedIn,
) -> Taken:
    """Hand an inquiry in. It is safe when this answers, and triaged as a mail is."""
    if not principal.reach.covers(SOURCE, handed.campaign):
        raise HTTPException(403, f"This needs a user who sees the source {SOURCE}.")
    values = handed.model_dump() | {"email": handed.email or ""}
    inquiry_id, new = hand_in(here.repository, Handed(**values))
    if new:
        here.repository.audit.note(principal.actor, "inquiry handed in", inquiry_id)
    return Taken(id=inquiry_id, new=new)


@router.get("/{inquiry_id}", responses=problems(404))
def one(here: Here, principal: Viewer, inquiry_id: Id) -> InquiryDetail:
    """One inquiry with all that was found."""
    return _detail(here, principal, inquiry_id)


@router.post("/{inquiry_id}/label", responses=problems(404))
def label(
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER)],
    inquiry_id: Id,
    said: Label,
) -> InquiryDetail:
    """Say what it is; it is forwarded or retracted at once. Repeating it changes nothing else."""
    work = access.inquiry(here, principal, inquiry_id)
    relabel(here, principal, work.id, said.label, said.note)
    return _detail(here, principal, work.id)


@router.get("/{inquiry_id}/signals", responses=problems(404))
def statements(here: Here, principal: Viewer, inquiry_id: Id) -> list[Statement]:
    """What people said that it states, in order; what was taken back is among it."""
    work = access.inquiry(here, principal, inquiry_id)
    return here.repository.statements.of(work.id)


@router.post("/{inquiry_id}/signals", responses=problems(404))
def say(
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER)],
    inquiry_id: Id,
    said: Stated,
) -> InquiryDetail:
    """Say what a signal is. Score and grade follow, and whoever knows the lead is told."""
    work = access.inquiry(here, principal, inquiry_id)
    by = principal.user.name
    if said.not_stated:
        act = not_stated(said.signal, by)
    else:
        words = Words(**said.words.model_dump()) if said.words else None
        act = state(here.settings, said.signal, by, words, said.value.strip())
    restate(here, principal, work.id, act)
    return _detail(here, principal, work.id)


@router.delete("/{inquiry_id}/signals/{signal}", responses=problems(404))
def take_back(
    here: Here,
    principal: Annotated[Principal, require(Role.REVIEWER)],
    inquiry_id: Id,
    signal: SignalName,
) -> InquiryDetail:
    """Take back what was said last about a signal."""
    work = access.inquiry(here, principal, inquiry_id)
    restate(here, principal, work.id, taken_back(signal, principal.user.name))
    return _detail(here, principal, work.id)


def _detail(here: Desk, principal: Principal, inquiry_id: str) -> InquiryDetail:
    work = access.inquiry(here, principal, inquiry_id)
    dossier = access.dossier(here, principal, work.id)
    return InquiryDetail(
        id=work.id,
        channel=work.channel,
        source=work.ref.source,
        campaign=work.campaign,
        received_at=work.received_at,
        stage=work.stage,
        held=work.held,
        error=work.error,
        content=dossier.inquiry,
        transcript=dossier.transcript,
        verdict=dossier.verdict,
        qualification=dossier.qualification,
        decision=dossier.decision,
        deliveries=[DeliveryLine.model_validate(delivery) for delivery in dossier.deliveries],
        history=dossier.history,
    )
