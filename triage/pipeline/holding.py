"""Which items came before their source was read at all: nobody is told of these by themselves.

Whoever connects a mailbox with years of mail wants to see what was missed, and not that leads of
years ago arrive as if they were new. So old mail is triaged, and its leads wait to be released.
"""

from __future__ import annotations

from datetime import timedelta

from triage.settings import Source
from triage.sources.base import Fetched
from triage.store.repository import Repository
from triage.types import SourceRef


class Holding:
    """Says of the items of one source why they are held, if so."""

    def __init__(self, settings: Source, repository: Repository) -> None:
        self._source = settings.name
        self._reach = timedelta(days=settings.forward_past_days)
        self._arrivals = repository.arrivals
        self._beginnings = repository.arrivals.beginnings(settings.name)
        if settings.kind != "imap" and "" not in self._beginnings:
            self._beginnings[""] = self._arrivals.begin(settings.name, "")

    def __call__(self, item: Fetched) -> str:
        """The reason, for people; empty where the item came later, or not long before."""
        folder = folder_of(item.ref)
        if folder not in self._beginnings:
            self._beginnings[folder] = self._arrivals.begin(self._source, folder)
        began = self._beginnings[folder]
        if item.received_at >= began - self._reach:
            return ""
        return (
            f"it came on {item.received_at.astimezone():%Y-%m-%d}, before "
            f"{f'{folder} of ' if folder else ''}{self._source} was first read on "
            f"{began.astimezone():%Y-%m-%d}"
        )


def folder_of(ref: SourceRef) -> str:
    """The mail folder that an item was seen in; files have none."""
    return ref.key.rsplit("/", 2)[0] if ref.kind == "imap" else ""
