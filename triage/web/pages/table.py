"""The list of inquiries as a file for spreadsheets (CSV, RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from triage.store.accounts import Role
from triage.store.listing import Page
from triage.store.records import Listed
from triage.web.desk import Desk, Here
from triage.web.pages.inbox import Filters
from triage.web.principal import Principal
from triage.web.rights import require

router = APIRouter()

COLUMNS: Final = (
    "id", "received_at", "settled_at", "channel", "source", "campaign", "stage", "sender",
    "subject", "label", "confidence", "outcome", "score", "grade", "held", "error",
)  # fmt: skip
_WRITTEN_BY_OTHERS: Final = frozenset({"sender", "subject"})
_AT_ONCE: Final = 500
_MARK: Final = "\ufeff"  # without it Excel takes UTF-8 for something else
# What spreadsheets take for the beginning of a formula, the wide forms of Japanese among them.
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@router.get("/inquiries.csv")
def export(
    here: Here,
    principal: Annotated[Principal, require(Role.VIEWER)],
    filters: Annotated[Filters, Query()],
) -> Response:
    """All that the list would show, page after page, masked as what leaves is."""
    first = _page(here, principal, filters, None)  # what is wrong is said before anything is sent
    asked = {name: value for name, value in filters.fields(words=True) if value}
    here.repository.audit.note(principal.actor, "list exported", "", asked)
    return StreamingResponse(
        _lines(here, principal, filters, first),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="inquiries.csv"'},
    )


def harmless(value: object) -> str:
    """A cell that no spreadsheet computes: what could begin a formula is made text by `'`."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _lines(
    here: Desk, principal: Principal, filters: Filters, first: Page[Listed]
) -> Iterator[str]:
    yield _MARK + _written([COLUMNS])
    page = first
    while True:
        yield _written(_cells(here, row) for row in page.rows)
        if page.next is None:
            return
        page = _page(here, principal, filters, page)


def _page(
    here: Desk, principal: Principal, filters: Filters, before: Page[Listed] | None
) -> Page[Listed]:
    return here.repository.listing.inquiries(
        filters.wanted, principal.reach, after=before.next if before else None, limit=_AT_ONCE
    )


def _cells(here: Desk, row: Listed) -> list[str]:
    mask = here.exports.discretion.outgoing.text
    return [
        harmless(mask(getattr(row, name)) if name in _WRITTEN_BY_OTHERS else getattr(row, name))
        for name in COLUMNS
    ]


def _written(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
