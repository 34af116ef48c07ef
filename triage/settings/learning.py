"""When and how the model learns from what people confirmed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from triage.settings.section import Section, Share


class Learning(Section):
    """When the model learns from what people confirmed.

    `at` (`HH:MM`, the machine's own time): every day, if `least_new` labels were confirmed since
    the last training; empty: only when asked for. `least`: labels without which nothing is learned.
    `hold_out`: the share that is never trained on, by which models are compared. `promote`: `ask`
    leaves a model that passed to a person, `auto` takes it at once. `threads`: what a training may
    use.
    """

    at: str = Field(default="", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")
    least: int = Field(default=60, ge=40)
    least_new: int = Field(default=50, ge=1)
    hold_out: Share = Field(default=0.25, ge=0.1, le=0.5)
    promote: Literal["ask", "auto"] = "ask"
    threads: int = Field(default=1, ge=1, le=64)
