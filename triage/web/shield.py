"""What stands before every request and on every answer, whichever page it is for.

Requests for a strange host are refused (DNS rebinding), and so is whatever another site makes a
browser send (CSRF): an unsafe method must come from a page of ours, as `Sec-Fetch-Site` or `Origin`
says. Programs bring a token instead of a cookie, which no browser adds by itself. `Server-Timing`
says how long an answer took here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.settings import Console, is_local
from triage.web import problems

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LARGEST: Final = 2_000_000  # bytes of a request; mail and recordings come by other ways
_TOO_LARGE: Final = f"A request may have {_LARGEST:,} bytes at most."
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, errors and files among them."""


class Shield:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Console) -> None:
        self._app = app
        self._own = {settings.host, settings.listen.rpartition(":")[0].strip("[]")}
        self._secure = settings.is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through and add the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, begin = _Bounded(receive), time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._harden(headers)
                headers["server-timing"] = f"app;dur={(time.perf_counter() - begin) * 1e3:.1f}"
            await send(message)

        if refusal := self._refusal(scope):
            response = problems.answer(Request(scope), *refusal)
            await response(scope, receive, answer)
            return
        await self._app(scope, body, answer)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            return 400, (
                "This console does not answer to that name. Whoever runs it can set "
                "console.public_url to the address that people type."
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _LARGEST:
            return 413, _TOO_LARGE
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return 400, "An address cannot hold a NUL."
        if scope["method"] in _SAFE or is_program(headers):
            return None
        if not self._from_our_page(headers):
            return 403, "This request did not come from a page of the console. Go back and repeat."
        return None

    def _is_ours(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        return is_local(name) or name in self._own

    def _from_our_page(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = urlsplit(headers.get("origin", ""))
        return bool(origin.netloc) and origin.netloc == headers.get("host")

    def _harden(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("cache-control", "no-store")
        if self._secure:
            headers["strict-transport-security"] = "max-age=31536000"


def is_program(headers: Mapping[str, str]) -> bool:
    """Whether a request brings a token. Its cookies, if it has any, count for nothing."""
    return headers.get("authorization", "")[:7].lower() == "bearer "


class _Bounded:
    """`receive`, up to a number of bytes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = _LARGEST

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _TOO_LARGE)
        return message
