"""Stated values to a `Call`, and several of these to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from triage.intake.calls import values
from triage.intake.calls.layouts import NONE, Layout
from triage.settings import Calls
from triage.types import Call, Direction, Withheld

_CLIPPED: Final = 200  # characters of one value
_FILLED: Final = tuple(
    f.name for f in fields(Call) if f.name not in {"sources", "withheld", "consent"}
)


_NOTHING: Final = Call()


@dataclass(frozen=True, slots=True)
class Told:
    """What one source (`name:freepbx`, `sidecar`, `cdr:line 7`) said; `problems` in words."""

    source: str
    call: Call = _NOTHING
    stated: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def told(
    source: str,
    stated: Mapping[str, str],
    *,
    zone: tzinfo,
    country: str,
    layout: Layout = NONE,
    start: datetime | None = None,
) -> Told:
    """Understand values. `start`: of the call, where it is known already."""
    problems: list[str] = []

    def understood(name: str, what: str, read: Callable[[str], Any]) -> Any:
        text = stated.get(name, "")[:_CLIPPED]
        value = read(text) if text else None
        if text and value is None:
            problems.append(f"{source}: {name} {text!r} is no {what} and was not used")
        return value

    if start is not None:
        start = values.aware(start, zone)
    caller, dialled = stated.get("caller", "")[:_CLIPPED], stated.get("dialled", "")[:_CLIPPED]
    number = values.number(caller, country)
    call = Call(
        caller=number,
        caller_name=stated.get("name", "")[:_CLIPPED] or ("" if number else caller),
        dialled=values.number(dialled, country),
        direction=_direction(stated.get("direction", ""), layout),
        agent=stated.get("agent", "")[:_CLIPPED],
        started_at=start or understood("start", "time", lambda text: values.moment(text, zone)),
        duration_s=understood("duration", "length of time", values.seconds),
        consent=_consent(source, stated.get("consent", ""), problems),
        id=stated.get("id", "")[:_CLIPPED],
        group=stated.get("group", "")[:_CLIPPED],
        campaign=stated.get("campaign", "")[:_CLIPPED],
    )
    call = layout.finish(call, stated)
    if call != _NOTHING:
        call = replace(call, sources=(source,))
    return Told(source, call, stated, tuple(problems))


def joined(calls: Iterable[Call]) -> Call:
    """One call of several: what the first that knows it says. A single refusal is a refusal."""
    whole = _NOTHING
    for call in calls:
        known = {
            name: getattr(call, name)
            for name in _FILLED
            if getattr(whole, name) in {None, ""} and getattr(call, name) not in {None, ""}
        }
        both = (whole.consent, call.consent)
        agreed = False if False in both else True if True in both else None
        whole = replace(whole, **known, consent=agreed, sources=(*whole.sources, *call.sources))
    return _completed(whole)


def withheld(call: Call, rules: Calls) -> Withheld | None:
    """Why a call may not be transcribed; None where it may."""
    if call.consent is False or (rules.require_consent and call.consent is None):
        return "no-consent"
    if call.direction == "outbound" and "outbound" in rules.skip:
        return "outbound-call"
    if call.direction == "internal" and "internal" in rules.skip:
        return "internal-call"
    return None


def _completed(call: Call) -> Call:
    """With what follows from the numbers: extensions are inside, everything else is not."""
    direction, caller, dialled = call.direction, call.caller, call.dialled
    if direction is None and values.is_number(caller) and values.is_number(dialled):
        inside = (values.is_extension(caller), values.is_extension(dialled))
        found: Mapping[Sequence[bool], Direction] = {
            (True, False): "outbound",
            (False, True): "inbound",
            (True, True): "internal",
        }
        direction = found.get(inside)
    return replace(call, direction=direction, group=call.group or call.id)


def _direction(stated: str, layout: Layout) -> Direction | None:
    word = stated.strip().lower()
    if word in layout.directions:
        return layout.directions[word]
    return values.direction(stated)


def _consent(source: str, stated: str, problems: list[str]) -> bool | None:
    if not stated:
        return None
    agreed = values.consent(stated)
    if agreed is None:
        problems.append(
            f"{source}: consent {stated[:_CLIPPED]!r} is neither yes nor no, and counts as no"
        )
        return False
    return agreed
