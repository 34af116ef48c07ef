"""The JSON API: the same rights as the pages, by session or by token."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from triage.web.api import about, deliveries, inquiries, sources

ROUTERS: Final[tuple[APIRouter, ...]] = (
    about.router,
    inquiries.router,
    deliveries.router,
    sources.router,
)
