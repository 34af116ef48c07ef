"""The review queue: one inquiry at a time, by keyboard or by buttons.

With a script, parts of the page come and go (`X-Part: 1`); without one, every act is a form that
leads to the next inquiry. What an inquiry was taken for, and why it is asked about, is nowhere in
what is sent: nobody can tell an audit from a doubt.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, BackgroundTasks, Form, Header, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from classifiers.labels import LABELS
from triage.errors import Usage
from triage.pipeline.reviewing import Reviewing
from triage.review.figures import figures
from triage.review.queue import Queue
from triage.store.accounts import Role
from triage.store.waiting import MOST
from triage.web.desk import Desk, Here
from triage.web.pages.inquiry import unheard
from triage.web.pages.stating import PICKS, said_by
from triage.web.passages import Evidences
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/review")

Reviewer = Annotated[Principal, require(Role.REVIEWER)]
Admin = Annotated[Principal, require(Role.ADMIN)]
Part = Annotated[bool, Header(alias="x-part")]
Ids = Annotated[list[str] | None, Query(max_length=200)]
KEYS: Final = {
    "lead": "l", "support": "u", "solicitation": "o", "spam": "s", "personal": "p", "misdial": "m",
    "job_applicant": "a", "internal": "i", "irrelevant": "r",
}  # fmt: skip
"""The key of each of the nine labels; own labels have the digits."""


def reviewing(here: Desk) -> Reviewing:
    """What reviewers do."""
    return Reviewing(Queue(here.settings.review, here.repository), here.corrections)


def labels(here: Desk) -> list[dict[str, str]]:
    """Every label with its key; a tenth own label has none."""
    own = list(here.settings.taxonomy)
    named = [{"name": label, "key": KEYS[label]} for label in LABELS]
    digits = [str(number) for number in range(1, 10)] + [""] * len(own)
    return named + [
        {"name": label, "key": key} for label, key in zip(own, digits[: len(own)], strict=True)
    ]


@router.get("")
def page(request: Request, here: Here, principal: Reviewer) -> Response:
    """The page, with the first inquiry on it."""
    return _page(request, here, principal)


@router.get("/figures")
def show_figures(request: Request, here: Here, _: Admin) -> Response:
    """What reviews say. For administrators alone: whoever reviews could tell audits by it."""
    return render(request, "review_figures.html", found=figures(here.repository))


@router.get("/waiting")
def waiting(here: Here, principal: Reviewer) -> Response:
    """How many wait, as a number."""
    queue = reviewing(here).queue
    queue.refresh()
    number = queue.waiting(principal.user.name, principal.reach)
    return Response(_count(number), media_type="text/plain")


@router.post("/next")
def following(request: Request, here: Here, principal: Reviewer, skip: Ids = None) -> Response:
    """The next inquiry but for those on the screen already; 204: nothing waits."""
    desk = reviewing(here)
    found = desk.queue.next(principal.user.name, skip or (), principal.reach)
    return _part(request, here, principal, found)


@router.post("/undo")
def undo(
    request: Request,
    here: Here,
    principal: Reviewer,
    expected: Annotated[str, Form(max_length=60)] = "",
    part: Part = False,
) -> Response:
    """Take back what one said last; its inquiry is on the screen again. `expected`: the inquiry
    that it must be about; else another window of the same reviewer was quicker.
    """
    last = here.repository.reviews.last(principal.user.name)
    if last and expected in {"", last.inquiry_id}:
        _within_reach(here, principal, last.inquiry_id)
    try:
        found = reviewing(here).undo(principal.user.name, expected)
    except Usage as error:
        return _refused(request, here, principal, error, part=part or bool(expected))
    if found:
        here.repository.audit.note(principal.actor, "review.undone", found)
    return _part(request, here, principal, found) if part else RedirectResponse("/review", 303)


@router.post("/{inquiry_id}")
def label(
    request: Request,
    here: Here,
    principal: Reviewer,
    inquiry_id: str,
    tasks: BackgroundTasks,
    label: Annotated[str, Form(max_length=40)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
    part: Part = False,
) -> Response:
    """Say what an inquiry is; it acts at once."""
    _within_reach(here, principal, inquiry_id)
    by = principal.user.name
    try:
        reviewing(here).label(inquiry_id, label, by, note.strip(), later=tasks.add_task)
    except Usage as error:
        return _refused(request, here, principal, error, part=part)
    here.repository.audit.note(principal.actor, "review.labelled", inquiry_id, {"label": label})
    return Response(status_code=204) if part else RedirectResponse("/review", 303)


@router.post("/{inquiry_id}/skip")
def skip(here: Here, principal: Reviewer, inquiry_id: str, part: Part = False) -> Response:
    """Leave an inquiry for later, or for somebody else."""
    _within_reach(here, principal, inquiry_id)
    reviewing(here).queue.put_off(inquiry_id, principal.user.name)
    return Response(status_code=204) if part else RedirectResponse("/review", 303)


@router.post("/{inquiry_id}/back")
def back(request: Request, here: Here, principal: Reviewer, inquiry_id: str) -> Response:
    """An inquiry that was skipped after all; 204 where somebody else has it now."""
    _within_reach(here, principal, inquiry_id)
    held = reviewing(here).queue.take(inquiry_id, principal.user.name)
    return _part(request, here, principal, inquiry_id if held else None)


def _part(request: Request, here: Desk, principal: Principal, found: str | None) -> Response:
    item = _item(here, principal, found)
    if item is None:
        return Response(status_code=204)
    return render(request, "review_item.html", item=item, labels=labels(here))


def _item(here: Desk, principal: Principal, inquiry_id: str | None) -> dict[str, Any] | None:
    """What a reviewer is shown: what arrived, what they said of it, and nothing of what the worker
    or others made of it.
    """
    inquiry = here.repository.archive.content(inquiry_id) if inquiry_id else None
    if inquiry is None:
        return None
    transcript = here.repository.archive.transcript(inquiry.id)
    here.corrections.foresee(inquiry.id)
    return {
        "inquiry": inquiry,
        "transcript": transcript,
        "said": Evidences(None).said(transcript) if transcript else [],
        "playable": inquiry.channel == "call" and not unheard(inquiry),
        "recordings": len(inquiry.recordings) if inquiry.voicemail else 1,
        "mine": said_by(here, inquiry.id, principal.user.name),
    }


def _within_reach(here: Desk, principal: Principal, inquiry_id: str) -> None:
    if not here.repository.listing.rows([inquiry_id], principal.reach):
        raise HTTPException(404, "There is no such inquiry.")


def _page(request: Request, here: Desk, principal: Principal, problem: str = "") -> Response:
    queue, by = reviewing(here).queue, principal.user.name
    return render(
        request,
        "review.html",
        status=422 if problem else 200,
        item=_item(here, principal, queue.next(by, reach=principal.reach)),
        waiting=_count(queue.waiting(by, principal.reach)),
        labels=labels(here),
        picks=PICKS,
        problem=problem,
    )


def _count(number: int) -> str:
    return f"{number}+" if number >= MOST else str(number)


def _refused(
    request: Request, here: Desk, principal: Principal, error: Usage, *, part: bool
) -> Response:
    if part:
        return Response(str(error), status_code=409, media_type="text/plain")
    return _page(request, here, principal, str(error))
