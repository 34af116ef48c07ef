"""One inquiry: what came, what was found in it, what became of it, and what a person says it is."""

from __future__ import annotations

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Form, HTTPException, Query, Request
from starlette.responses import FileResponse, RedirectResponse, Response

from classifiers.labels import LABELS
from triage.errors import TriageError, Usage
from triage.pipeline.stages import is_mail
from triage.signals.stated import CHOICES
from triage.store.accounts import Role
from triage.store.dossier import Dossier
from triage.store.records import Work
from triage.store.statements import holding
from triage.types import Inquiry
from triage.web import access
from triage.web.desk import Desk, Here
from triage.web.explanations import Explanation, by_model
from triage.web.pages.stating import PICKS
from triage.web.passages import Evidences, fields
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render
from triage.web.waves import drawn

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/inquiries/{inquiry_id}")

Number = Annotated[int, Query(ge=0, le=1000)]

Viewer = Annotated[Principal, require(Role.VIEWER)]
Reviewer = Annotated[Principal, require(Role.REVIEWER)]
_UNHEARD: Final = "Nobody is known to have agreed to this recording; it may not be heard."


@router.get("")
def show(
    request: Request, here: Here, principal: Viewer, inquiry_id: str, done: str = ""
) -> Response:
    """The page."""
    work = access.inquiry(here, principal, inquiry_id)
    dossier = access.dossier(here, principal, work.id)
    evidences = Evidences(dossier.qualification)
    mail = dossier.inquiry
    signals = dossier.qualification.signals if dossier.qualification else {}
    return render(
        request,
        "inquiry.html",
        work=work,
        dossier=dossier,
        inquiry=mail,
        subject=evidences.pieces(mail.subject, "subject") if mail else [],
        text=evidences.pieces(mail.text, "text") if mail and not dossier.transcript else [],
        parts_of={n: evidences.pieces(t, n) for n, t in fields(mail).items()} if mail else {},
        said=evidences.said(dossier.transcript) if dossier.transcript else [],
        signals=[(signal, evidences.quotes(name)) for name, signal in signals.items()],
        visible=_visible(here, principal, dossier),
        labels=[*LABELS, *(name for name in here.settings.taxonomy if name not in LABELS)],
        corrections=here.repository.corrections.of(work.id),
        explained=dossier.verdict is not None and by_model(dossier.verdict),
        playable=work.channel == "call" and not unheard(mail),
        stated=holding(here.repository.statements.of(work.id)),
        shown=set(signals),
        choices=CHOICES,
        picks=PICKS,
        recordings=len(mail.recordings) if mail and mail.voicemail else 1,
        done=done,
    )


@router.get("/explanation")
def explanation(request: Request, here: Here, principal: Viewer, inquiry_id: str) -> Response:
    """What made the label: a part of the page."""
    work = access.inquiry(here, principal, inquiry_id)
    verdict = here.repository.archive.verdict(work.id)
    found = here.explanations.of(here, work.id, verdict) if verdict else Explanation()
    return render(request, "explanation.html", words=found.words, fits=found.fits, verdict=verdict)


@router.get("/recording")
def recording(here: Here, principal: Viewer, inquiry_id: str, number: Number = 0) -> Response:
    """The recording as it came, or one of those a voicemail's mail brought; players ask for parts
    of it (`Range`).
    """
    work = access.inquiry(here, principal, inquiry_id)
    sha256, media_type = _sound(here, work, number)
    known = media_type.startswith(("audio/", "video/"))
    return FileResponse(
        here.repository.blobs.path(sha256),
        media_type=media_type if known else "application/octet-stream",
        headers={"cache-control": "private, no-store"},
    )


@router.get("/waveform")
def waveform(
    request: Request,
    here: Here,
    principal: Viewer,
    inquiry_id: str,
    number: Number = 0,
    plain: bool = False,
) -> Response:
    """A recording as a picture to be clicked, a part of a page. `plain`: without what the worker
    found in it.
    """
    work = access.inquiry(here, principal, inquiry_id)
    sha256, _ = _sound(here, work, number)
    archive = here.repository.archive
    heard = archive.transcript(work.id) if number == 0 else None
    try:
        peaks = here.waveforms.of(sha256)
    except TriageError as error:
        log.warning("no waveform", inquiry=work.id, error=str(error))
        return Response("", media_type="text/html")  # it takes the place of what was waiting
    found = archive.qualification(work.id) if heard and not plain else None
    silent = here.waveforms.silent(work.id, heard) if number == 0 else ()
    wave = drawn(peaks, heard, silent, found)
    return render(request, "waveform.html", wave=wave, name=f"{work.id}-{number}")


@router.get("/raw")
def raw(here: Here, principal: Reviewer, inquiry_id: str) -> Response:
    """The mail or recording as others may have it, as a file to be kept; browsers must not show
    it.
    """
    work = access.inquiry(here, principal, inquiry_id)
    inquiry = here.repository.archive.content(work.id)
    if (inquiry or work.channel == "call") and unheard(inquiry):
        raise HTTPException(403, _UNHEARD)
    try:
        content = here.exports.raw_copy(work.id)
    except Usage as error:
        raise HTTPException(403, str(error)) from error
    ending = "eml" if is_mail(work) else "recording"
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{work.id}.{ending}"'},
    )


@router.post("/label")
def label(
    here: Here,
    principal: Reviewer,
    inquiry_id: str,
    label: Annotated[str, Form(max_length=80)],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say what it is; it is forwarded or retracted at once."""
    work = access.inquiry(here, principal, inquiry_id)
    relabel(here, principal, work.id, label, note)
    return RedirectResponse(f"/inquiries/{work.id}?done=label", 303)


@router.post("/release")
def release(here: Here, principal: Reviewer, inquiry_id: str) -> Response:
    """Let what is held go its usual way."""
    work = access.inquiry(here, principal, inquiry_id)
    here.corrections.release(work.id, here.rulebook())
    here.repository.audit.note(principal.actor, "inquiry released", work.id)
    return RedirectResponse(f"/inquiries/{work.id}?done=release", 303)


@router.post("/acknowledge")
def acknowledge(here: Here, principal: Reviewer, inquiry_id: str) -> Response:
    """Say that one looks after it; nobody is alarmed about it any more."""
    work = access.inquiry(here, principal, inquiry_id)
    if here.repository.acknowledgements.acknowledge(work.id, principal.user.name):
        here.repository.audit.note(principal.actor, "lead acknowledged", work.id)
    return RedirectResponse(f"/inquiries/{work.id}?done=acknowledge", 303)


def relabel(here: Desk, principal: Principal, inquiry_id: str, label: str, note: str) -> None:
    """Correct an inquiry and log it. Raises `Usage` for an unknown label."""
    corrected = here.corrections.relabel(inquiry_id, label, by=principal.user.name, note=note)
    here.repository.audit.note(
        principal.actor,
        "inquiry labelled",
        inquiry_id,
        {"label": label, "outcome": corrected.decision.outcome, "events": len(corrected.events)},
    )


def _sound(here: Desk, work: Work, number: int) -> tuple[str, str]:
    """The sha256 and the media type of a recording that may be heard. Raises 403 or 404."""
    if work.channel != "call":
        raise HTTPException(404, "This inquiry is no call.")
    inquiry = here.repository.archive.content(work.id)
    if unheard(inquiry):
        raise HTTPException(403, _UNHEARD)
    if not is_mail(work):
        return work.sha256, work.media_type
    recordings = inquiry.recordings if inquiry else ()
    if number >= len(recordings):
        raise HTTPException(404, "This voicemail came without such a recording.")
    return recordings[number].sha256, recordings[number].media_type


def unheard(inquiry: Inquiry | None) -> bool:
    """Whether a call's recording may not be heard: nobody agreed to it, or that is not known yet,
    because nothing was read (None).
    """
    return inquiry is None or bool(inquiry.call and inquiry.call.withheld == "no-consent")


def _visible(here: Desk, principal: Principal, dossier: Dossier) -> set[str]:
    """Which of the other inquiries that belong to this one are within reach."""
    ids = [member.inquiry_id for member in dossier.conversation]
    ids += [row.id for row in (dossier.person.others if dossier.person else [])]
    return access.visible(here, principal, ids) - {dossier.work.id}
