"""Which adapter serves which kind of destination."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from triage.delivery.adapter import Adapter
from triage.delivery.adapters.chat import SlackAdapter, TeamsAdapter
from triage.delivery.adapters.hubspot import HubSpotAdapter
from triage.delivery.adapters.lines import LinesAdapter
from triage.delivery.adapters.mail import MailAdapter
from triage.delivery.adapters.posted import CloudEventsAdapter, TemplateAdapter
from triage.delivery.adapters.salesforce import SalesforceAdapter
from triage.delivery.webhook import WebhookAdapter
from triage.errors import Configuration

ADAPTERS: Final[Mapping[str, Adapter]] = MappingProxyType(
    {
        "webhook": WebhookAdapter(),
        "cloudevents": CloudEventsAdapter(),
        "smtp": MailAdapter(),
        "slack": SlackAdapter(),
        "teams": TeamsAdapter(),
        "hubspot": HubSpotAdapter(),
        "salesforce": SalesforceAdapter(),
        "template": TemplateAdapter(),
        "file": LinesAdapter(),
    }
)


def adapter_of(kind: str) -> Adapter:
    """The adapter of a `Destination.kind`. Raises `Configuration` where there is none."""
    try:
        return ADAPTERS[kind]
    except KeyError:
        raise Configuration(
            f"no destination of kind {kind!r} is possible; choose one of {', '.join(ADAPTERS)}"
        ) from None
