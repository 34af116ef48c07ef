"""When what arrives counts as different from what used to arrive."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from triage.settings.section import Section, Share


class Drift(Section):
    """Alarms about sources that changed; see docs/drift.md.

    The last `recent_days` are compared with the `reference_days` before them, for sources with
    `least` inquiries in each. `chance`: how likely one look through all sources may raise a false
    alarm. `shift`: the least change that matters, as a difference of shares.
    """

    enabled: bool = True
    recent_days: int = Field(default=7, ge=1, le=90)
    reference_days: int = Field(default=28, ge=2, le=365)
    least: int = Field(default=40, ge=20)
    chance: Annotated[float, Field(gt=0, le=0.2)] = 0.001
    shift: Share = 0.1
