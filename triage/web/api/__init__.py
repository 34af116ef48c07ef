"""The JSON API: the same rights as the pages, by session or by token."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from triage.web.api import about, deliveries, inquiries, label_errors, models, sources

ROUTERS: Final[tuple[APIRouter, ...]] = (
    about.router,
    inquiries.router,
    deliveries.router,
    sources.router,
    label_errors.router,
    models.router,
)
