"""Signed posts after Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery


class WebhookAdapter:
    """Posts the stored body as it is, signed by every secret of the destination."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. Raises `Configuration` where a secret cannot sign."""
        return client.send(
            destination,
            content=delivery.body.encode(),
            headers={"content-type": "application/json"}
            | signed(destination.signing_secrets, delivery.id, delivery.body),
        )


def signed(keys: Sequence[str], message_id: str, body: str) -> dict[str, str]:
    """The three headers of a message that is sent now."""
    at = datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(sign(key, message_id, at, body) for key in keys),
    }


def new_secret() -> str:
    """A signing secret as Standard Webhooks defines it: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at: datetime, body: str) -> str:
    """The `webhook-signature` value. `at` must be aware; the library takes any zone for UTC."""
    try:
        return Webhook(secret).sign(message_id, at.astimezone(UTC), body)
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
        raise Configuration(
            "a destination's secret must be `whsec_` and base64; `triage init` makes one"
        ) from error
