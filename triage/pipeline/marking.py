"""Tells mailboxes what became of their mails, where that is wanted."""

from __future__ import annotations

import structlog

from triage.settings import ImapSource
from triage.sources.base import Markable, MarkOrder, Source
from triage.store.repository import Repository

log = structlog.get_logger(__name__)

_AT_ONCE = 500


def mark(source: Source, settings: ImapSource, repository: Repository) -> int:
    """Mark what is settled in one mailbox; returns how many mails were looked at.

    May be repeated, and be killed, at any time. Raises what the source raises.
    """
    if settings.write_back is None or not isinstance(source, Markable):
        return 0
    number = 0
    while found := repository.marks.due(source.name, settings.write_back.outcomes, _AT_ONCE):
        orders = [MarkOrder(due.sighting_id, due.key, due.outcome, due.previous) for due in found]
        results = []
        for order, result in source.mark(orders):
            results.append((order.sighting_id, order.outcome, result))
            if result not in {"done", "gone"}:
                log.warning("cannot mark", source=source.name, mail=order.key, problem=result)
        repository.marks.store(results)
        number += len(results)
        if len(found) < _AT_ONCE:
            break
    return number
