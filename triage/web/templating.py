"""Pages from templates. Everything is escaped; nothing in a template may be marked safe."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from triage import __version__
from triage.web import menu

STATIC: Final = Path(__file__).parent / "static"
_TEMPLATES: Final = Path(__file__).parent / "templates"


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. Templates see `values`, `principal` (None: nobody), `here` (the path) and `menu`."""
    principal = getattr(request.state, "principal", None)
    page = _environment().get_template(template)
    text = page.render(
        principal=principal,
        here=request.url.path,
        menu=menu.of(principal),
        **values,
    )
    return HTMLResponse(text, status)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"static": static, "version": __version__}
    environment.filters |= {
        "ago": ago, "stamp": stamp, "iso": iso, "day": day,
        "percent": percent, "clock": clock, "size": size, "named": named,
    }  # fmt: skip
    return environment


@cache
def static(name: str) -> str:
    """The address of a file in `static/`; it changes with the file, so that it may be kept."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


def ago(moment: datetime | None) -> str:
    """How long ago, in words: `12 s`, `5 min`, `3 h`, `2 d`; or in how long."""
    if moment is None:
        return "never"
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= length:
            said = f"{abs(seconds) / length:.0f} {unit}"
            break
    else:
        said = f"{abs(seconds):.0f} s"
    return f"{said} ago" if seconds >= 0 else f"in {said}"


def stamp(moment: datetime | None) -> str:
    """A moment in the time of the machine that the worker runs on."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else ""


def iso(moment: datetime) -> str:
    """A moment for `<time datetime>`."""
    return moment.isoformat(timespec="seconds")


def day(moment: datetime | None) -> str:
    """A day for `<input type="date">`; empty for none."""
    return f"{moment.astimezone():%Y-%m-%d}" if moment else ""


def named(sender: str) -> str:
    """Who a sender is, in a list: the name where there is one, else the address."""
    name, bracket, _ = sender.rpartition(" <")
    return name.strip() if bracket and name.strip() else sender


def percent(share: float | None) -> str:
    """A share in words that never round doubt away: 99.6 % stays below 100 %."""
    if share is None:
        return ""
    rounded = round(share * 100)
    if rounded == 100 and share < 1:
        return f"{min(share * 100, 99.9):.1f} %"
    return f"{rounded} %"


def clock(seconds: float) -> str:
    """A place in a recording: `0:07`, `12:30`, `1:02:03`."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def size(number: int) -> str:
    """A number of bytes: `812 B`, `4.2 kB`, `3.1 MB`."""
    for length, unit in ((1_000_000, "MB"), (1000, "kB")):
        if number >= length:
            return f"{number / length:.1f} {unit}"
    return f"{number} B"
