"""Labels that people gave and that are probably wrong: take the proposed one, or keep."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Usage
from triage.pipeline.label_errors import LabelErrors
from triage.store.accounts import Role
from triage.store.doubts import Doubt
from triage.training.mislabelled import LEAST
from triage.web.desk import Desk, Here
from triage.web.pages.inquiry import unheard
from triage.web.passages import Evidences
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/review/errors")

Reviewer = Annotated[Principal, require(Role.REVIEWER)]
Ids = Annotated[list[str] | None, Query(max_length=200)]
LOOK: Final = "label errors"


@router.get("")
def show(
    request: Request,
    here: Here,
    principal: Reviewer,
    skip: Ids = None,
    answered: Annotated[Literal["", "taken", "kept"], Query()] = "",
    of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The surest one but for those that were skipped, with both labels."""
    return _page(request, here, principal, skip or [], answered=answered, of=of)


@router.post("/look")
def look(here: Here, principal: Reviewer) -> Response:
    """Go through all confirmed labels now; takes minutes where there are thousands."""
    errors, by = LabelErrors(here.corrections), principal.user.name
    here.chores.start(LOOK, by, lambda tell: errors.look(by, tell))
    here.repository.audit.note(principal.actor, "labels looked through")
    return RedirectResponse("/review/errors", 303)


@router.post("/{inquiry_id}/take")
def take(
    request: Request, here: Here, principal: Reviewer, inquiry_id: str, skip: Ids = None
) -> Response:
    """Give it the label that is proposed; it acts at once."""
    return _answer(request, here, principal, inquiry_id, skip or [], kept=False)


@router.post("/{inquiry_id}/keep")
def keep(
    request: Request, here: Here, principal: Reviewer, inquiry_id: str, skip: Ids = None
) -> Response:
    """Stay with what was said; nobody is asked again."""
    return _answer(request, here, principal, inquiry_id, skip or [], kept=True)


def answer(here: Desk, principal: Principal, inquiry_id: str, *, kept: bool) -> Doubt:
    """Act on an answer, and audit it. Raises `Usage` where nothing is in doubt any more."""
    if not here.repository.listing.rows([inquiry_id], principal.reach):
        raise HTTPException(404, "There is no such inquiry.")
    errors, by = LabelErrors(here.corrections), principal.user.name
    doubt = here.repository.doubts.of(inquiry_id)
    if kept:
        errors.keep(inquiry_id, by)
    else:
        errors.take(inquiry_id, by)
    assert doubt is not None  # noqa: S101 - it was answered
    detail = {"was": doubt.label, "proposed": doubt.proposed}
    action = "review.label_kept" if kept else "review.label_taken"
    here.repository.audit.note(principal.actor, action, inquiry_id, detail)
    return doubt


def _answer(
    request: Request,
    here: Desk,
    principal: Principal,
    inquiry_id: str,
    skip: list[str],
    *,
    kept: bool,
) -> Response:
    try:
        answer(here, principal, inquiry_id, kept=kept)
    except Usage as error:
        return _page(request, here, principal, skip, problem=str(error))
    what = "kept" if kept else "taken"
    skipped = "".join(f"&skip={each}" for each in skip)
    return RedirectResponse(f"/review/errors?answered={what}&of={inquiry_id}{skipped}", 303)


def _page(
    request: Request,
    here: Desk,
    principal: Principal,
    skip: list[str],
    *,
    answered: str = "",
    of: str = "",
    problem: str = "",
) -> Response:
    doubts, reach = here.repository.doubts, principal.reach
    found = doubts.open(reach, skip=skip, limit=1)
    doubt = found[0] if found else None
    return render(
        request,
        "label_errors.html",
        status=422 if problem else 200,
        doubt=doubt,
        item=_item(here, doubt),
        alike=here.repository.listing.rows(doubt.alike, reach) if doubt else [],
        number=doubts.count(reach),
        last=doubts.last(),
        answers=doubts.answers(),
        chore=here.chores.get(LOOK),
        skip=skip,
        answered=answered,
        of=of,
        least=LEAST,
        problem=problem,
    )


def _item(here: Desk, doubt: Doubt | None) -> dict[str, Any] | None:
    inquiry = here.repository.archive.content(doubt.inquiry_id) if doubt else None
    if inquiry is None:
        return None
    said = here.repository.corrections.of(inquiry.id)
    transcript = here.repository.archive.transcript(inquiry.id)
    return {
        "inquiry": inquiry,
        "transcript": transcript,
        "said": Evidences(None).said(transcript) if transcript else [],
        "playable": inquiry.channel == "call" and not unheard(inquiry),
        "recordings": len(inquiry.recordings) if inquiry.voicemail else 1,
        "labelled": said[-1] if said else None,
    }
