"""Figures for Prometheus, counted where things happen and read over HTTP where that is set.

The names are a contract: docs/mailboxes.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from triage.errors import Configuration
from triage.settings import Metrics

Milestone = Literal["fetched", "classified", "settled", "delivered"]

REGISTRY: Final = CollectorRegistry()
_SINCE_ARRIVAL: Final = Histogram(
    "triage_since_arrival_seconds",
    "Seconds from the arrival of an inquiry until a milestone, backlogs left out",
    ["channel", "milestone"],
    buckets=(0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800, 7200),
    registry=REGISTRY,
)
_POLLS: Final = Counter(
    "triage_polls_total", "Polls of a source", ["source", "result"], registry=REGISTRY
)
_NEW: Final = Counter(
    "triage_items_total", "Items never seen before", ["source"], registry=REGISTRY
)
_WATCHES: Final = Gauge(
    "triage_watches", "Connections on which servers tell of arrivals", registry=REGISTRY
)
_SILENT: Final = Gauge(
    "triage_source_silent", "1 where a source is unusually silent", ["source"], registry=REGISTRY
)
_AUDITS: Final = Counter(
    "triage_opening_audits_total",
    "Calls whose opening would have settled them, read whole to see whether rightly",
    ["agrees", "lead"],
    registry=REGISTRY,
)

_DRIFT: Final = Gauge(
    "triage_drift",
    "1 where what a source brings differs from what it used to bring",
    ["source", "measure"],
    registry=REGISTRY,
)
_MIX: Final = Gauge(
    "triage_label_mix_psi",
    "Population stability index of the labels of a source, recent against reference days",
    ["source"],
    registry=REGISTRY,
)


def reached(milestone: Milestone, channel: str, arrived: datetime) -> None:
    """An inquiry that arrived then reaches a milestone now."""
    seconds = (datetime.now(UTC) - arrived).total_seconds()
    _SINCE_ARRIVAL.labels(channel, milestone).observe(max(0.0, seconds))


def polled(source: str, *, good: bool, new: int = 0) -> None:
    """A poll of a source ended."""
    _POLLS.labels(source, "ok" if good else "failed").inc()
    _NEW.labels(source).inc(new)


def watching(connections: int) -> None:
    """So many connections are watched."""
    _WATCHES.set(connections)


def silent(source: str, *, is_silent: bool) -> None:
    """Whether a source is unusually silent."""
    _SILENT.labels(source).set(int(is_silent))


def drifted(source: str, measure: str, *, is_loud: bool) -> None:
    """Whether a measure of a source raises an alarm."""
    _DRIFT.labels(source, measure).set(int(is_loud))


def mixed(source: str, index: float) -> None:
    """How far the labels of a source are from what they used to be (0: not at all)."""
    _MIX.labels(source).set(index)


def audited(*, agrees: bool, lead: bool) -> None:
    """A call that would have stopped early was read whole: whether its label stayed, and whether
    it is a lead after all.
    """
    _AUDITS.labels("yes" if agrees else "no", "yes" if lead else "no").inc()


@contextmanager
def served(settings: Metrics) -> Iterator[int | None]:
    """Answer scrapes while the block lasts, where `listen` is set; yields the port.

    Raises `Configuration` where the address cannot be listened on.
    """
    if not settings.listen:
        yield None
        return
    host, _, port = settings.listen.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry=REGISTRY)
    except (OSError, OverflowError) as error:
        raise Configuration(
            f"metrics.listen: cannot listen on {settings.listen}: {error}"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
