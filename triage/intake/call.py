"""What is known about a call recording becomes the inquiry that its transcript will belong to."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from triage.intake.calls import values
from triage.intake.calls.reader import CallReader, Known
from triage.types import Inquiry, Party, SourceRef


def read_call(
    *,
    inquiry_id: str,
    ref: SourceRef,
    received_at: datetime,
    sidecar: str = "",
    duration_s: float,
    campaign: str = "",
    known: Known | None = None,
) -> Inquiry:
    """The inquiry of a recording that lasts `duration_s` seconds; it has no text yet.

    `known`: what name, sidecar and records say; without it, what they say to somebody without
    settings. The sender is the other party: who called, and of an outbound call who was called.
    Every flat field of the sidecar is kept as metadata. Never raises.
    """
    known = known or _without_settings().of("").read(ref.key, sidecar)
    call = known.call
    caller = _party(call.caller, call.caller_name)
    dialled = _party(call.dialled)
    sender, called = (dialled, caller) if call.is_outbound else (caller, dialled)
    return Inquiry(
        id=inquiry_id,
        ref=ref,
        channel="call",
        received_at=received_at,
        sender=sender,
        recipients=(called,) if called != Party() else (),
        metadata=known.fields,
        call=call,
        campaign=call.campaign or campaign,
        duration_s=duration_s,
        warnings=known.problems,
    )


@cache
def _without_settings() -> CallReader:
    return CallReader()


def _party(stated: str, name: str = "") -> Party:
    """What is no number (`anonymous`, a name) is kept as a name."""
    if values.is_number(stated):
        return Party(name=name, phone=stated)
    return Party(name=name or stated)
