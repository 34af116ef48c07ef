"""The session's cookie. `__Host-` makes browsers take it by https alone, from this host alone."""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from triage.settings import Console

_NAME = "triage-session"


def name(settings: Console) -> str:
    """The cookie's name; on the own machine, without https, it has no prefix."""
    return f"__Host-{_NAME}" if settings.is_secure else _NAME


def read(request: Request, settings: Console) -> str:
    """The secret that a browser sent; empty where it sent none."""
    return request.cookies.get(name(settings), "")


def put(response: Response, settings: Console, secret: str) -> None:
    """Have the browser keep a session's secret, out of reach of scripts."""
    response.set_cookie(
        name(settings),
        secret,
        max_age=int(timedelta(hours=settings.session_hours).total_seconds()),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def drop(response: Response, settings: Console) -> None:
    """Have the browser forget it."""
    response.delete_cookie(
        name(settings), path="/", secure=settings.is_secure, httponly=True, samesite="lax"
    )
