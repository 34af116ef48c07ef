"""The cookies of a session and of a sign-in. `__Host-` makes browsers take them by https
alone, from this host alone.
"""

from __future__ import annotations

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from triage.settings import Console

_NAME = "triage-session"
_HANDSHAKE = "triage-sign-in"


def name(settings: Console) -> str:
    """The cookie's name; on the own machine, without https, it has no prefix."""
    return _prefixed(_NAME, settings)


def read(request: Request, settings: Console) -> str:
    """The secret that a browser sent; empty where it sent none."""
    return request.cookies.get(name(settings), "")


def put(response: Response, settings: Console, secret: str) -> None:
    """Have the browser keep a session's secret, out of reach of scripts."""
    _set(response, settings, _NAME, secret, timedelta(hours=settings.session_hours))


def drop(response: Response, settings: Console) -> None:
    """Have the browser forget it."""
    _forget(response, settings, _NAME)


def read_handshake(request: Request, settings: Console) -> str:
    """The secret of the sign-in that was begun in a browser; empty where none was."""
    return request.cookies.get(_prefixed(_HANDSHAKE, settings), "")


def put_handshake(response: Response, settings: Console, secret: str, lasts: timedelta) -> None:
    """Have the browser keep the secret of a sign-in until it comes back from the provider."""
    _set(response, settings, _HANDSHAKE, secret, lasts)


def drop_handshake(response: Response, settings: Console) -> None:
    """Have the browser forget it."""
    _forget(response, settings, _HANDSHAKE)


def _prefixed(plain: str, settings: Console) -> str:
    return f"__Host-{plain}" if settings.is_secure else plain


def _set(response: Response, settings: Console, plain: str, secret: str, lasts: timedelta) -> None:
    response.set_cookie(
        _prefixed(plain, settings),
        secret,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def _forget(response: Response, settings: Console, plain: str) -> None:
    response.delete_cookie(
        _prefixed(plain, settings),
        path="/",
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )
