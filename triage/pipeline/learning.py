"""The model learns from what people confirmed: trained beside the worker, compared with the one
that decides, promoted and taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from triage.settings import Settings
from triage.store.audit import Actor
from triage.store.models import Model, Switch, Training
from triage.store.repository import Repository


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """What a training would learn from now. `labels` counts by label (own labels by their names),
    `people` by who said so; `new` were said since the last training began (`last`). `why` is empty
    where it is enough, else says what is missing.
    """

    items: int
    labels: Mapping[str, int]
    people: Mapping[str, int]
    new: int
    last: datetime | None
    why: str

    @property
    def enough(self) -> bool:
        """Whether a training can be started."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Seen:
    """What an inquiry is, and what becomes of it. `confidence` is its label's probability."""

    label: str
    outcome: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Changed:
    """An inquiry that a candidate would label or decide otherwise than the model that decides now.

    `said`: the label that a person gave it; empty where nobody did.
    """

    id: str
    received_at: datetime
    sender: str
    subject: str
    before: Seen
    after: Seen
    said: str = ""


class Learning:
    """What people do with models. `by` is a name, or the account it is audited under."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self.settings = settings
        self.repository = repository

    def models(self) -> list[Model]:
        """All known models, the newest first."""
        raise NotImplementedError

    def active(self) -> Model:
        """The model that decides now."""
        raise NotImplementedError

    def switches(self, limit: int = 50) -> list[Switch]:
        """From which model to which, the newest first."""
        raise NotImplementedError

    def trainings(self, limit: int = 50) -> list[Training]:
        """Trainings, the newest first. One whose process ended without a word has failed."""
        raise NotImplementedError

    def training(self, training_id: str) -> Training | None:
        """One training, as it is now."""
        raise NotImplementedError

    def preview(self) -> SnapshotSummary:
        """What a training would learn from now, and whether that is enough."""
        raise NotImplementedError

    def start(self, by: str | Actor) -> str:
        """Train in a process of its own; returns the training's id at once.

        Raises `Usage` where one is running or too few labels are confirmed.
        """
        raise NotImplementedError

    def cancel(self, training_id: str, by: str | Actor) -> None:
        """End a training that is under way. Raises `Usage` where it is not."""
        raise NotImplementedError

    def promote(
        self, name_version: str, by: str | Actor, note: str = "", *, force: bool = False
    ) -> Switch:
        """Let a model decide, in every worker, from its next batch on.

        Raises `Usage` where the gate refused it or never saw it, unless that is forced, and always
        where its folder is not intact or there is no such model.
        """
        raise NotImplementedError

    def rollback(self, by: str | Actor, note: str = "") -> Switch:
        """Let the model before decide again. Raises `Usage` where there is none that is intact."""
        raise NotImplementedError

    def shadow(self, name_version: str, limit: int = 500) -> list[Changed]:
        """Which of the inquiries that were settled last (`limit` of them) another model would label
        or decide otherwise, both reading them now. Raises `Usage` where it cannot be loaded.
        """
        raise NotImplementedError
