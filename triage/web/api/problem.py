"""What the API answers when it cannot do what was asked."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel


class Problem(BaseModel):
    """An error. `detail` is for people: what is wrong, and what to do."""

    status: int
    title: str
    detail: str


_MEANINGS: Final = {
    400: "What came is no request that can be read.",
    401: "No session and no token, or one that ended.",
    403: "The role or the token's scope does not cover it.",
    404: "There is no such thing, or it is out of reach.",
    413: "The request is too large.",
    422: "The request is wrong.",
    429: "Too many tries.",
    503: "The database is busy.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers, for a route's description; some are always possible."""
    always = {400, 401, 403, 413, 422, 503}
    return {
        status: {"model": Problem, "description": _MEANINGS[status]}
        for status in sorted({*always, *statuses})
    }
