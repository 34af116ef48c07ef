"""Which models there are, which of them decides, and what was trained. All times aware, in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Origin = Literal["shipped", "configured", "trained", "imported"]
State = Literal["candidate", "refused", "active", "retired", "damaged"]
Why = Literal["promoted", "rolled back", "forced"]
TrainingState = Literal["waiting", "running", "done", "refused", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model. `sha256` is its manifest's, `training` the one that made it.

    `figures` is what the gate measured: `passed` (bool), `reasons` (why not, in words), and the
    rest as `pipeline.gate` describes it; empty where it was not measured.
    """

    name_version: str
    created_at: datetime
    origin: Origin
    sha256: str
    training: str | None
    state: State
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """From `at` on `to` decided instead of `from_`."""

    id: int
    at: datetime
    by: str
    from_: str
    to: str
    why: Why
    note: str


@dataclass(frozen=True, slots=True)
class Training:
    """One training. `progress` has `phase` (`snapshot`, `training`, `measuring`, `done`), `share`
    (0 to 1), `seconds_left` (or None), and while a network is fine-tuned `epoch`, `epochs`, `step`,
    `steps` and `loss`. `snapshot` has `items`, `labels`, `people`, `sources` (counts of each),
    `held_out`, `sha256` and `taken_at`; `result` has `method`, `why` and the gate's figures;
    `error` says why it failed or was refused; `model` is what it made.
    """

    id: str
    started_at: datetime
    ended_at: datetime | None
    by: str
    state: TrainingState
    progress: Mapping[str, Any]
    snapshot: Mapping[str, Any]
    result: Mapping[str, Any]
    error: str
    model: str | None

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self.state in {"waiting", "running"}
