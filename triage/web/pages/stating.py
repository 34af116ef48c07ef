"""What people say that an inquiry states: from the page of an inquiry, and from the review queue.

With a script (`X-Part: 1`) the answer is the part that lists what the user said; without one, the
page of the inquiry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Header, Request
from starlette.responses import RedirectResponse, Response

from classifiers.labels import SIGNALS, SignalName
from triage.errors import Usage
from triage.pipeline.stating import Say, not_stated, state, taken_back
from triage.signals.stated import Words
from triage.store.accounts import Role
from triage.store.statements import Statement, holding
from triage.web import access
from triage.web.desk import Desk, Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter(prefix="/inquiries/{inquiry_id}/signals")

Reviewer = Annotated[Principal, require(Role.REVIEWER)]
Part = Annotated[bool, Header(alias="x-part")]


@dataclass(frozen=True, slots=True)
class Choice:
    """What selected words can be said to be. The `key` is pressed together with the shift key."""

    signal: SignalName
    value: str
    title: str
    key: str

    @property
    def id(self) -> str:
        """As it comes back in a form."""
        return f"{self.signal}:{self.value}" if self.value else self.signal


PICKS: Final = (
    Choice("contact_name", "", "contact name", "N"),
    Choice("company", "", "company", "C"),
    Choice("role", "", "role", "R"),
    Choice("phone", "", "phone", "P"),
    Choice("email", "", "email", "E"),
    Choice("location", "", "location", "L"),
    Choice("company_size", "", "company size", "S"),
    Choice("budget", "", "budget", "B"),
    Choice("timeline", "", "timeline", "T"),
    Choice("product_interest", "", "product interest", "I"),
    Choice("decision_maker", "yes", "decides", "D"),
    Choice("decision_maker", "no", "does not decide", "X"),
    Choice("readiness", "ready", "ready to buy", "Y"),
    Choice("readiness", "evaluating", "compares offers", "V"),
    Choice("readiness", "researching", "only looks around", "G"),
)


@router.post("")
def say(
    request: Request,
    here: Here,
    principal: Reviewer,
    inquiry_id: str,
    choice: Annotated[str, Form(max_length=80)] = "",
    value: Annotated[str, Form(max_length=1000)] = "",
    absent: Annotated[str, Form(max_length=80)] = "",
    field: Annotated[str, Form(max_length=40)] = "",
    start: Annotated[int, Form(ge=0)] = 0,
    end: Annotated[int, Form(ge=0)] = 0,
    quote: Annotated[str, Form(max_length=2000)] = "",
    part: Part = False,
) -> Response:
    """Say that a signal is stated by some words (`choice`, as `name` or `name:value`), that it has
    another value, or that it was not stated (`absent`).
    """

    def act(by: str) -> Say:
        if absent:
            return not_stated(absent, by)
        name, _, chosen = choice.partition(":")
        # A form sends line ends as two characters, and offsets count one.
        words = Words(field, start, end, quote.replace("\r\n", "\n")) if field else None
        return state(here.settings, name, by, words, value.strip() or chosen)

    return _answered(request, here, principal, inquiry_id, act, part=part)


@router.post("/undo")
def undo(
    request: Request,
    here: Here,
    principal: Reviewer,
    inquiry_id: str,
    signal: Annotated[str, Form(max_length=80)],
    part: Part = False,
) -> Response:
    """Take back what was said last about a signal."""

    def act(by: str) -> Say:
        return taken_back(signal, by)

    return _answered(request, here, principal, inquiry_id, act, part=part)


def restate(here: Desk, principal: Principal, inquiry_id: str, say: Say) -> None:
    """Act on what somebody says, and log it. Raises `Usage` where it cannot be."""
    here.corrections.restate(inquiry_id, say, here.rulebook)
    last = here.repository.statements.of(inquiry_id)[-1]
    what = "signal taken back" if last.undoes else "signal corrected"
    here.repository.audit.note(principal.actor, what, inquiry_id, {"signal": last.name})


def said_by(here: Desk, inquiry_id: str, name: str) -> list[Statement]:
    """What somebody says that holds, in the order of the signals."""
    held = holding(here.repository.statements.of(inquiry_id))
    return [held[signal] for signal in SIGNALS if signal in held and held[signal].by == name]


def _answered(
    request: Request,
    here: Desk,
    principal: Principal,
    inquiry_id: str,
    act: Callable[[str], Say],
    *,
    part: bool,
) -> Response:
    work = access.inquiry(here, principal, inquiry_id)
    try:
        restate(here, principal, work.id, act(principal.user.name))
    except Usage as error:
        if not part:
            raise
        return Response(str(error), status_code=409, media_type="text/plain")
    if not part:
        return RedirectResponse(f"/inquiries/{work.id}?done=signal#h-signals", 303)
    mine = said_by(here, work.id, principal.user.name)
    return render(request, "mine.html", mine=mine)
