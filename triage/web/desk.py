"""What every page works with, put together by `wiring` and carried by the application."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from classifiers.model import Classifier
from triage.pipeline.corrections import Corrections
from triage.pipeline.exports import Exports
from triage.pipeline.learning import Learning
from triage.pipeline.replay import Replay
from triage.pipeline.waveforms import Waveforms
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.store.repository import Repository
from triage.web.chores import Chores
from triage.web.explanations import Explanations
from triage.web.oidc import Provider


def _new_code() -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    drawn = "".join(secrets.choice(letters) for _ in range(20))
    return "-".join(drawn[start : start + 5] for start in range(0, 20, 5))


@dataclass(frozen=True, slots=True)
class Desk:
    """The store, the settings, and what acts on inquiries. `classifier` and `rulebook` are loaded
    when first asked for. `provider`: where people can sign in, too.

    `code` is what whoever sets the console up has to know: it is shown where the worker runs.
    """

    settings: Settings
    repository: Repository
    corrections: Corrections
    replay: Replay
    exports: Exports
    classifier: Callable[[], Classifier]
    rulebook: Callable[[], Rulebook]
    learning: Learning
    waveforms: Waveforms
    provider: Provider | None = None
    explanations: Explanations = field(default_factory=Explanations)
    chores: Chores = field(default_factory=Chores)
    code: str = field(default_factory=_new_code, repr=False)

    def knows(self, code: str) -> bool:
        """Whether somebody typed the set-up code, in any case of letters."""
        typed = code.strip().upper().encode("utf-8", "replace")
        return hmac.compare_digest(typed, self.code.encode())


def desk(request: Request) -> Desk:
    """The desk of the application that a request reached."""
    found: Desk = request.app.state.desk
    return found


Here = Annotated[Desk, Depends(desk)]
