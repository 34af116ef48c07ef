"""Finds what a request names, within the reach of whoever asks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from fastapi import HTTPException

from triage.store.dossier import Dossier, collect
from triage.store.records import HistoryEntry, Work
from triage.web.desk import Desk
from triage.web.principal import Principal


def inquiry(here: Desk, principal: Principal, inquiry_id: str) -> Work:
    """The row of an inquiry. Raises 404 where there is none, and where it is out of reach: the
    answer must not tell which.
    """
    work = here.repository.worklist.get(inquiry_id)
    if work is None or not principal.reach.covers(work.ref.source, work.campaign):
        raise HTTPException(404, "There is no such inquiry, or you may not see it.")
    return work


def delivery(here: Desk, principal: Principal, delivery_id: str) -> str:
    """The id of the inquiry that a delivery is about; raises 404 as `inquiry` does."""
    inquiry_id = here.repository.listing.delivery(delivery_id)
    work = here.repository.worklist.get(inquiry_id) if inquiry_id else None
    if work is None or not principal.reach.covers(work.ref.source, work.campaign):
        raise HTTPException(404, "There is no such delivery, or you may not see it.")
    return work.id


def dossier(here: Desk, principal: Principal, inquiry_id: str) -> Dossier:
    """All about an inquiry that is within reach. Of the inquiries that its label was recalled from,
    those elsewhere are left out.
    """
    found = collect(here.repository, inquiry_id)
    recalled = {name for entry in found.history for name in entry.detail.get("like", ())}
    if found.verdict:
        recalled |= set(found.verdict.recalled)
    hidden = recalled - visible(here, principal, recalled)
    if not hidden:
        return found
    verdict = found.verdict and replace(
        found.verdict,
        recalled=tuple(name for name in found.verdict.recalled if name not in hidden),
    )
    history = [_without(entry, hidden) for entry in found.history]
    return replace(found, verdict=verdict, history=history)


def visible(here: Desk, principal: Principal, ids: Collection[str]) -> set[str]:
    """Which of these inquiries are within reach."""
    works = here.repository.worklist.rows(list(ids)) if ids else {}
    return {
        name
        for name, work in works.items()
        if principal.reach.covers(work.ref.source, work.campaign)
    }


def _without(entry: HistoryEntry, hidden: Collection[str]) -> HistoryEntry:
    if "like" not in entry.detail:
        return entry
    like = [name for name in entry.detail["like"] if name not in hidden]
    return replace(entry, detail={**entry.detail, "like": like})
