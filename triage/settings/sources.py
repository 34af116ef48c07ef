"""What every source has."""

from __future__ import annotations

from datetime import date

from pydantic import (
    Field,
)

from triage.settings.section import Name, Seconds, Section


class SourceBase(Section):
    """What every source has. `poll_every` in seconds; `campaign` is stored with its inquiries.

    `silent_after`: seconds without anything new after which that is an alarm; not set: twice the
    longest pause there was, at least 6 hours; 0: never.
    `since`: what arrived before that day is not read. `forward_past_days`: a lead that had arrived
    longer than that before its folder was first read is held, not forwarded by itself.
    """

    name: Name
    poll_every: Seconds = 30.0
    since: date | None = None
    forward_past_days: float = Field(default=3.0, ge=0, le=100_000)
    campaign: str = ""
    silent_after: float | None = Field(default=None, ge=0)
    enabled: bool = True
