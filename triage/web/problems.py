"""What somebody gets who cannot get what they asked for: a page, or JSON for programs."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException as Refused
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import compile_path

from triage.errors import Configuration, Permanent, Transient, Usage
from triage.web.templating import render

log = structlog.get_logger(__name__)

API = "/api/"


class SignInNeeded(HTTPException):
    """Nobody is signed in; `to` is the page where that can be mended."""

    def __init__(self, to: str) -> None:
        super().__init__(401, "Sign in first.", {"www-authenticate": "Bearer"})
        self.to = to


def register(app: FastAPI) -> None:
    """Answer every error of an application."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in (Usage, Transient, Permanent, Configuration):
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(Exception, _unexpected)


def answer(request: Request, status: int, text: str) -> Response:
    """An error in the form that was asked for. `text` is for people."""
    title = HTTPStatus(status).phrase
    if request.url.path.startswith(API):
        return JSONResponse({"status": status, "title": title, "detail": text}, status)
    return render(request, "problem.html", status=status, title=title, text=text)


def _sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)  # noqa: S101 - what it is registered for
    if request.url.path.startswith(API):
        return _refused(request, error)
    back = request.url.path if request.method == "GET" else "/"
    if request.url.query and request.method == "GET":
        back += f"?{request.url.query}"
    to = error.to if back == "/" else f"{error.to}?next={quote(back, safe='')}"
    if "hx-request" in request.headers:  # a part of a page must not become the sign-in page
        return Response(status_code=204, headers={"hx-redirect": error.to})
    return RedirectResponse(to, 303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - what it is registered for
    plain = HTTPStatus(error.status_code).phrase == error.detail
    response = answer(request, error.status_code, "" if plain else error.detail)
    response.headers.update(error.headers or {})
    if error.status_code == 405:  # the framework names those of the first route alone
        response.headers["allow"] = ", ".join(_methods(request))
    return response


def _methods(request: Request) -> list[str]:
    """What may be done at an address, by every route that it has."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and compile_path(str(route.path))[0].match(request.url.path):
            found |= set(route.methods)
    return sorted(found)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    said = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'][1:]) or 'body'}: {problem['msg']}"
        for problem in error.errors()
    )
    return answer(request, 422, said)


def _known(request: Request, error: Exception) -> Response:
    """Our own errors: their messages are written for people."""
    if isinstance(error, Usage):
        return answer(request, 422, str(error))
    if isinstance(error, Permanent):
        return answer(request, 422, f"This cannot be had: {error}.")
    log.warning("a request failed", path=request.url.path, error=str(error))
    if isinstance(error, Transient):
        response = answer(request, 503, "The database or the disk is busy; try again shortly.")
        response.headers["retry-after"] = "5"
        return response
    return answer(request, 500, str(error))


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return answer(request, 500, "Something went wrong; the worker's log says what.")
