"""What is posted to a URL of the team's own: CloudEvents, and bodies after a template."""

from __future__ import annotations

import json
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from triage.delivery import cloudevents
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.delivery.webhook import signed
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery

_SIGNING = "whsec_"


def proof(destination: Destination, message_id: str, body: str) -> dict[str, str]:
    """Headers that say who sends: a `whsec_…` secret signs as Standard Webhooks does, any other is
    a bearer token. Without a secret, only the id.
    """
    token = destination.token
    if token.startswith(_SIGNING):
        return signed(destination.signing_secrets, message_id, body)
    if token:
        return {"webhook-id": message_id, "authorization": f"Bearer {token}"}
    return {"webhook-id": message_id}


class CloudEventsAdapter:
    """CloudEvents 1.0 over HTTP, in the destination's `mode`."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`."""
        compose = cloudevents.binary if destination.mode == "binary" else cloudevents.structured
        headers, body = compose(delivery)
        headers |= proof(destination, delivery.id, body)
        return client.send(destination, content=body.encode(), headers=headers)


class TemplateAdapter:
    """A body of the team's own making: a Jinja template over the event, in a sandbox."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. Raises `Configuration` where the template does not give a body."""
        body = rendered(delivery, destination)
        headers = {"content-type": destination.content_type}
        headers |= proof(destination, delivery.id, body)
        return client.send(destination, content=body.encode(), headers=headers)


def rendered(delivery: Delivery, destination: Destination) -> str:
    """The body. The template sees `id`, `type`, `timestamp`, `schema` and `data`."""
    what = f"destination {destination.name!r}: template"
    event = json.loads(delivery.body)
    try:
        body = _environment().from_string(_source(destination)).render(id=delivery.id, **event)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise Configuration(f"{what}: {error}") from error
    if "json" in destination.content_type:
        try:
            json.loads(body)
        except ValueError as error:
            raise Configuration(
                f"{what}: what comes out is not JSON ({error}); write values as "
                "{{ data.subject | tojson }}"
            ) from error
    return body


def _source(destination: Destination) -> str:
    if destination.template_file is None:
        return destination.template
    try:
        return destination.template_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Configuration(
            f"destination {destination.name!r}: template_file {destination.template_file}: {error}"
        ) from error


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    # What is stated is never markup here, and a misspelt name is an error rather than nothing.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
