"""Which adapter serves which kind of destination."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from triage.delivery.adapter import Adapter
from triage.delivery.webhook import WebhookAdapter
from triage.errors import Configuration

ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType({"webhook": WebhookAdapter()})


def adapter_of(kind: str) -> Adapter:
    """The adapter of a `Destination.kind`. Raises `Configuration` where there is none."""
    try:
        return ADAPTERS[kind]
    except KeyError:
        raise Configuration(
            f"no destination of kind {kind!r} is possible; choose one of {', '.join(ADAPTERS)}"
        ) from None
