"""Relabelling many inquiries at once, after a look at what that would do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from triage.errors import Configuration, Usage
from triage.pipeline.reviewing import Preview, Relabelled
from triage.review.alike import MOST, Chosen, near, of_sender
from triage.store.accounts import Role
from triage.web.desk import Desk, Here
from triage.web.pages.review import labels, reviewing
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/bulk")

Reviewer = Annotated[Principal, require(Role.REVIEWER)]
Text = Annotated[str, Query(max_length=300)]


@router.get("")
def show(  # the form is the address, so that a look can be linked to
    request: Request,
    here: Here,
    principal: Reviewer,
    sender: Text = "",
    like: Text = "",
    label: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The form, and what it would do once it says which inquiries become what."""
    preview, problem = None, ""
    if (sender.strip() or like.strip()) and label:
        try:
            chosen = _chosen(here, principal, sender.strip(), like.strip())
            preview = reviewing(here).preview(chosen.rows, label, more=chosen.more)
        except Configuration as error:  # of which `Usage` is one
            problem = str(error)
    return _page(request, here, sender, like, label, preview=preview, problem=problem)


@router.post("")
def act(
    request: Request,
    here: Here,
    principal: Reviewer,
    inquiry: Annotated[list[str] | None, Form(max_length=MOST)] = None,
    label: Annotated[str, Form(max_length=40)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Relabel those that were looked at, each by a correction of its own."""
    desk, by = reviewing(here), principal.user.name
    seen = here.repository.listing.rows(inquiry or [], principal.reach)
    try:
        preview = desk.preview(seen, label)
        ids = [row.id for row in preview.changed]
        results = list(desk.relabel_all(ids, label, by, note.strip()))
    except Usage as error:
        return _page(request, here, "", "", label, problem=str(error))
    here.repository.audit.note(
        principal.actor,
        "review.relabelled",
        label,
        {"inquiries": [one.inquiry_id for one in results]},
    )
    return _page(request, here, "", "", label, results=results)


def _chosen(here: Desk, principal: Principal, sender: str, like: str) -> Chosen:
    if sender:
        return of_sender(here.repository, sender, here.settings.business.country, principal.reach)
    found = here.repository.archive.find(like)
    if len(found) != 1 or not here.repository.listing.rows(found, principal.reach):
        raise Usage(f"no inquiry {like!r}; give the id of one")
    return near(here.repository, found[0], principal.reach)


def _page(
    request: Request,
    here: Desk,
    sender: str,
    like: str,
    label: str,
    *,
    preview: Preview | None = None,
    results: list[Relabelled] | None = None,
    problem: str = "",
) -> Response:
    return render(
        request,
        "bulk.html",
        status=422 if problem else 200,
        sender=sender,
        like=like,
        label=label,
        labels=labels(here),
        preview=preview,
        results=results,
        problem=problem,
    )
