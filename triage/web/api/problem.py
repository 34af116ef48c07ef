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
    401: "No session and no token, or one that ended.",
    403: "The role or the token's scope does not cover it.",
    404: "There is no such thing, or it is out of reach.",
    422: "The request is wrong.",
    429: "Too many tries.",
    503: "The database is busy.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These answers, for a route's description; 401, 403, 422 and 503 are always possible."""
    return {
        status: {"model": Problem, "description": _MEANINGS[status]}
        for status in sorted({401, 403, 422, 503, *statuses})
    }
