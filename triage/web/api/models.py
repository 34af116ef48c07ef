"""Models: the one that decides, the others, trainings, switching, and what drifted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from triage.errors import Usage
from triage.pipeline.learning import Changed
from triage.store.accounts import Role
from triage.store.models import Model, Training
from triage.web.api.problem import problems
from triage.web.desk import Desk, Here
from triage.web.pages.models import alarms
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter(prefix="/models", tags=["models"], responses=problems())

Viewer = Annotated[Principal, require(Role.VIEWER)]
Admin = Annotated[Principal, require(Role.ADMIN)]
Name = Annotated[str, Path(max_length=120)]


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ModelOut(_Row):
    """What is known of a model. `figures` is what the gate measured; `passed` null: nothing yet."""

    name_version: str
    created_at: datetime
    origin: str
    sha256: str
    training: str | None
    state: str
    passed: bool | None
    reasons: list[str]
    figures: dict[str, Any]


class TrainingOut(_Row):
    """A training; `progress`, `snapshot` and `result` are as docs/learning.md has them."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    by: str
    state: str
    progress: dict[str, Any]
    snapshot: dict[str, Any]
    result: dict[str, Any]
    error: str
    model: str | None


class SwitchOut(_Row):
    """From `at` on `to` decided instead of `instead_of`."""

    at: datetime
    by: str
    instead_of: str = Field(validation_alias="from_")
    to: str
    why: str
    note: str


class PreviewOut(_Row):
    """What a training would learn from now; `why` says what is missing where it is not enough."""

    items: int
    labels: dict[str, int]
    people: dict[str, int]
    new: int
    last: datetime | None
    why: str
    enough: bool


class SeenOut(_Row):
    """What an inquiry is, and what becomes of it."""

    label: str
    outcome: str
    confidence: float


class ChangedOut(_Row):
    """An inquiry that another model would label or decide otherwise."""

    id: str
    received_at: datetime
    sender: str
    subject: str
    before: SeenOut
    after: SeenOut
    said: str


class AlarmOut(_Row):
    """Something about a source is different."""

    source: str
    measure: str
    label: str
    text: str
    detail: dict[str, Any]
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None


class Started(BaseModel):
    """The training that was started."""

    id: str


class Why(BaseModel):
    """Why somebody switches; `force`: although the gate did not pass it."""

    note: str = Field(default="", max_length=2000)


class Promotion(Why):
    """The same, for a model that is to decide."""

    force: bool = False


@router.get("")
def listed(here: Here, _: Viewer) -> list[ModelOut]:
    """Every known model, the newest first."""
    return [_model(model) for model in here.learning.models()]


@router.get("/active")
def active(here: Here, _: Viewer) -> ModelOut:
    """The model that decides now."""
    return _model(here.learning.active())


@router.get("/preview")
def preview(here: Here, _: Viewer) -> PreviewOut:
    """What a training would learn from now."""
    return PreviewOut.model_validate(here.learning.preview())


@router.get("/switches")
def switches(
    here: Here, _: Viewer, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[SwitchOut]:
    """Which model decided when, the newest switch first."""
    return [SwitchOut.model_validate(one) for one in here.learning.switches(limit)]


@router.get("/drift")
def drift(here: Here, principal: Viewer, *, ended: bool = False) -> list[AlarmOut]:
    """What is different about sources now, or (`ended`) no longer is."""
    return [AlarmOut.model_validate(one) for one in alarms(here, principal, ended=ended)]


@router.get("/trainings")
def trainings(
    here: Here, _: Viewer, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[TrainingOut]:
    """Trainings, the newest first."""
    return [TrainingOut.model_validate(one) for one in here.learning.trainings(limit)]


@router.post("/trainings", status_code=202)
def train(here: Here, principal: Admin) -> Started:
    """Start a training from what people confirmed; it goes on beside the worker."""
    return Started(id=here.learning.start(principal.actor))


@router.get("/trainings/{training_id}", responses=problems(404))
def training(
    here: Here, _: Viewer, training_id: Annotated[str, Path(max_length=60)]
) -> TrainingOut:
    """One training, as it is now."""
    return TrainingOut.model_validate(_training(here, training_id))


@router.post("/trainings/{training_id}/cancel", responses=problems(404))
def cancel(
    here: Here, principal: Admin, training_id: Annotated[str, Path(max_length=60)]
) -> TrainingOut:
    """End a training that is under way."""
    _training(here, training_id)
    here.learning.cancel(training_id, principal.actor)
    return TrainingOut.model_validate(_training(here, training_id))


@router.post("/active/rollback")
def rollback(here: Here, principal: Admin, body: Why | None = None) -> SwitchOut:
    """Let the model before decide again."""
    note = body.note if body else ""
    return SwitchOut.model_validate(here.learning.rollback(principal.actor, note))


@router.get("/{name}", responses=problems(404))
def one(here: Here, _: Viewer, name: Name) -> ModelOut:
    """One model with its figures."""
    return _model(_found(here, name))


@router.post("/{name}/promote", responses=problems(404))
def promote(here: Here, principal: Admin, name: Name, body: Promotion | None = None) -> SwitchOut:
    """Let a model decide from now on. What the gate did not pass needs `force` and a note."""
    _found(here, name)
    asked = body or Promotion()
    if asked.force and not asked.note.strip():
        raise Usage("say in `note` why it should decide although it did not pass")
    done = here.learning.promote(name, principal.actor, asked.note, force=asked.force)
    return SwitchOut.model_validate(done)


@router.get("/{name}/shadow", responses=problems(404))
def shadow(
    here: Here,
    principal: Admin,
    name: Name,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ChangedOut]:
    """Which of the inquiries that were settled last it would label or decide otherwise. Both models
    read them while one waits: about a second for ten.
    """
    _found(here, name)
    found: list[Changed] = here.learning.shadow(name, limit)
    rows = here.repository.listing.rows([one.id for one in found], principal.reach)
    seen = {row.id for row in rows}
    return [ChangedOut.model_validate(one) for one in found if one.id in seen]


def _model(model: Model) -> ModelOut:
    figures = dict(model.figures)
    return ModelOut(
        name_version=model.name_version,
        created_at=model.created_at,
        origin=model.origin,
        sha256=model.sha256,
        training=model.training,
        state=model.state,
        passed=figures.get("passed"),
        reasons=list(figures.get("reasons", [])),
        figures=figures,
    )


def _found(here: Desk, name: str) -> Model:
    for known in here.learning.models():
        if known.name_version == name:
            return known
    raise HTTPException(404, "There is no such model.")


def _training(here: Desk, training_id: str) -> Training:
    found = here.learning.training(training_id)
    if found is None:
        raise HTTPException(404, "There is no such training.")
    return found
