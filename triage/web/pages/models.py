"""Models: which one decides, what was trained, how they compare, and switching between them.

Everybody may look; only administrators change anything. What is switched is audited by
`pipeline.learning`, in the transaction that switches.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from triage.errors import Usage
from triage.pipeline.learning import Changed
from triage.store.accounts import Role
from triage.store.drifts import Alarm
from triage.store.models import Model
from triage.web import figures
from triage.web.chores import Chore
from triage.web.desk import Desk, Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/models")

Viewer = Annotated[Principal, require(Role.VIEWER)]
Admin = Annotated[Principal, require(Role.ADMIN)]
Note = Annotated[str, Form(max_length=2000)]
Done = Annotated[str, Query(max_length=40)]
_SHADOWED: Final = 500


@router.get("")
def show(request: Request, here: Here, principal: Viewer, done: Done = "") -> Response:
    """All of it."""
    return _page(request, here, principal, done=done)


@router.post("/train")
def train(request: Request, here: Here, principal: Admin) -> Response:
    """Start a training; the page shows how it goes."""
    try:
        here.learning.start(principal.actor)
    except Usage as error:
        return _page(request, here, principal, str(error))
    return RedirectResponse("/models#training", 303)


@router.post("/cancel")
def cancel(
    request: Request,
    here: Here,
    principal: Admin,
    training: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """End a training that is under way."""
    try:
        here.learning.cancel(training, principal.actor)
    except Usage as error:
        return _page(request, here, principal, str(error))
    return RedirectResponse("/models#training", 303)


@router.post("/rollback")
def rollback(request: Request, here: Here, principal: Admin, note: Note = "") -> Response:
    """Let the model before decide again."""
    try:
        here.learning.rollback(principal.actor, note.strip())
    except Usage as error:
        return _page(request, here, principal, str(error))
    return RedirectResponse("/models?done=back", 303)


@router.get("/{name}")
def model(request: Request, here: Here, principal: Viewer, name: str) -> Response:
    """One model beside the one that decided when it was measured."""
    return _model_page(request, here, principal, _found(here, name))


@router.post("/{name}/promote")
def promote(
    request: Request,
    here: Here,
    principal: Admin,
    name: str,
    note: Note = "",
    force: Annotated[bool, Form()] = False,
) -> Response:
    """Let a model decide from now on."""
    found = _found(here, name)
    if force and not note.strip():
        return _model_page(
            request, here, principal, found,
            "say why it should decide although it did not pass; the note is kept",
        )  # fmt: skip
    try:
        here.learning.promote(name, principal.actor, note.strip(), force=force)
    except Usage as error:
        return _model_page(request, here, principal, found, str(error))
    return RedirectResponse("/models?done=promoted", 303)


@router.post("/{name}/shadow")
def shadow(here: Here, principal: Admin, name: str) -> Response:
    """Read what was settled last with this model too; the page shows what would change."""
    _found(here, name)
    here.chores.start(
        f"shadow:{name}", principal.user.name, lambda _: here.learning.shadow(name, _SHADOWED)
    )
    return RedirectResponse(f"/models/{quote(name, safe='')}#shadow", 303)


def _found(here: Desk, name: str) -> Model:
    for known in here.learning.models():
        if known.name_version == name:
            return known
    raise HTTPException(404, "There is no such model.")


def alarms(here: Desk, principal: Principal, *, ended: bool = False) -> list[Alarm]:
    """What is different about sources that somebody may see, now or (`ended`) before."""
    found, reach = here.repository.drifts.alarms(50, ended=ended), principal.reach
    return [alarm for alarm in found if reach.is_all or alarm.source in reach.sources]


def _page(
    request: Request, here: Desk, principal: Principal, problem: str = "", done: str = ""
) -> Response:
    learning = here.learning
    trainings, switches = learning.trainings(10), learning.switches(20)
    preview = learning.preview()
    return render(
        request,
        "models.html",
        status=422 if problem else 200,
        problem=problem,
        done=done,
        active=learning.active(),
        models=learning.models(),
        current=trainings[0] if trainings else None,
        trainings=trainings,
        switches=switches,
        preview=preview,
        least=here.settings.learning.least,
        wanted=figures.shares(preview.labels),
        alarms=alarms(here, principal),
        past_alarms=alarms(here, principal, ended=True)[:10],
        drift=here.settings.drift,
    )


def _model_page(
    request: Request, here: Desk, principal: Principal, found: Model, problem: str = ""
) -> Response:
    measured = found.figures
    chore = here.chores.get(f"shadow:{found.name_version}")
    return render(
        request,
        "model.html",
        status=422 if problem else 200,
        problem=problem,
        model=found,
        active=here.learning.active(),
        measured=measured,
        pairs=figures.pairs(measured),
        classes=figures.classes(measured),
        confusions=[
            (title, table)
            for title, side in (("This model", "after"), ("The one that decided", "before"))
            if (table := figures.confusion(measured.get(side)))
        ],
        chore=chore,
        changed=_within(here, principal, chore),
        shadowed=_SHADOWED,
    )


def _within(here: Desk, principal: Principal, chore: Chore | None) -> list[Changed]:
    """Of what would change, what one may see."""
    found: Any = chore.result if chore else None
    if not found:
        return []
    rows = here.repository.listing.rows([one.id for one in found], principal.reach)
    seen = {row.id for row in rows}
    return [one for one in found if one.id in seen]
