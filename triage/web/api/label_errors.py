"""Labels that people gave and that are probably wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from triage.store.accounts import Role
from triage.store.doubts import Doubt
from triage.web import access
from triage.web.api.problem import problems
from triage.web.desk import Desk, Here
from triage.web.pages.label_errors import answer
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter(prefix="/label-errors", tags=["review"], responses=problems())

Reviewer = Annotated[Principal, require(Role.REVIEWER)]


class DoubtOut(BaseModel):
    """A confirmed label that is probably wrong, and what it should be. `sure`: of the two labels,
    how likely the proposed one is; `alike`: inquiries that people gave that one.
    """

    model_config = ConfigDict(from_attributes=True)

    inquiry_id: str
    label: str
    proposed: str
    sure: float
    why: str
    alike: list[str]


class Answer(BaseModel):
    """Take what is proposed, or keep what was said."""

    answer: Literal["take", "keep"]


@router.get("")
def listed(
    here: Here, principal: Reviewer, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[DoubtOut]:
    """What the last look found and nobody answered yet, the surest first."""
    found = here.repository.doubts.open(principal.reach, limit=limit)
    return _shown(here, principal, found)


@router.post("/{inquiry_id}", responses=problems(404))
def answered(
    here: Here,
    principal: Reviewer,
    inquiry_id: Annotated[str, Path(max_length=60)],
    body: Answer,
) -> DoubtOut:
    """Answer a doubt; taking the proposed label acts at once, as any correction does."""
    done = answer(here, principal, inquiry_id, kept=body.answer == "keep")
    return _shown(here, principal, [done])[0]


def _shown(here: Desk, principal: Principal, doubts: Sequence[Doubt]) -> list[DoubtOut]:
    """Without the ids of inquiries that are out of reach."""
    near = access.visible(here, principal, {name for one in doubts for name in one.alike})
    return [
        DoubtOut.model_validate(
            replace(one, alike=tuple(name for name in one.alike if name in near))
        )
        for one in doubts
    ]
