"""The application: pages, API, static files, and the shield around them."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from triage import __version__
from triage.web import api, problems
from triage.web.desk import Desk
from triage.web.pages import (
    account,
    bulk,
    deliveries,
    home,
    inbox,
    inquiry,
    label_errors,
    live,
    models,
    oidc,
    quarantine,
    reset,
    review,
    set_up,
    settings,
    sign_in,
    sources,
    stating,
    table,
    users,
)
from triage.web.shield import Shield
from triage.web.templating import STATIC

PAGES: Final[tuple[APIRouter, ...]] = (
    home.router,
    set_up.router,
    sign_in.router,
    oidc.router,
    reset.router,
    label_errors.router,
    review.router,
    bulk.router,
    inbox.router,
    table.router,
    inquiry.router,
    stating.router,
    live.router,
    deliveries.router,
    quarantine.router,
    sources.router,
    models.router,
    settings.router,
    account.router,
    users.router,
)
"""Every page; what people see is no part of the API's description."""

_ABOUT: Final = (
    "Inquiries and what became of them. Programs send `Authorization: Bearer …` with a token that "
    "a user of the console made; it sees what that user may see."
)


def create_app(desk: Desk) -> FastAPI:
    """The routes. `application` is what is to be served."""
    app = FastAPI(
        title="triage",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # `api.description` answers it
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.desk = desk
    problems.register(app)
    for page in PAGES:
        app.include_router(page, include_in_schema=False)
    for part in api.ROUTERS:
        app.include_router(part, prefix="/api")
    app.mount("/static", _Static(directory=STATIC), name="static")
    return app


def application(desk: Desk) -> ASGIApp:
    """What a server runs."""
    return Shield(create_app(desk), desk.settings.console)


class _Static(StaticFiles):
    """Files whose address changes with them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, to be kept where it was asked for by its version."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v=") and response.status_code == 200:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["cache-control"] = "no-cache"
        return response
