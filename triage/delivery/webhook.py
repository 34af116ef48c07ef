"""Posts a signed event once, after Standard Webhooks 1.0.0, and says what came of it.

Retries are not made here: they are rows with a due time, so that they survive a restart.
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from triage import __version__
from triage.errors import Configuration

_MAX_ANSWER = 64_000  # bytes of an answer that are read; nothing of it is needed


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said. `retry_after` in seconds, where it asked for a pause."""

    accepted: bool
    status: int | None
    error: str
    duration_s: float
    retry_after: float | None = None


class WebhookClient:
    """Keeps connections to the endpoints open; safe for several threads."""

    def __init__(self) -> None:
        self._client = httpx2.Client(
            follow_redirects=False,  # a redirect could carry a lead to somebody else
            headers={"user-agent": f"triage/{__version__}", "content-type": "application/json"},
        )

    def post(self, url: str, secret: str, message_id: str, body: str, timeout: float) -> Answer:
        """Sign and send `body` under `message_id`; any 2xx accepts, everything else does not.

        `timeout` is in seconds, for connecting and for every wait for the other side. Raises
        `Configuration` where the secret cannot sign.
        """
        started = time.monotonic()
        at = datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": sign(secret, message_id, at, body),
        }
        status, error, retry_after = None, "", None
        try:
            with self._client.stream(
                "POST", url, content=body.encode(), headers=headers, timeout=timeout
            ) as response:
                status = response.status_code
                retry_after = _retry_after(response.headers.get("retry-after"))
                _drain(response, started + timeout)
        except httpx2.TimeoutException:
            error = f"no answer within {timeout:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as failure:  # a wrong host name
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        # An answer that breaks off after its status line still is that answer.
        accepted = status is not None and 200 <= status < 300
        if status is not None and not accepted:
            error = f"answered {status}"
        elapsed = time.monotonic() - started
        return Answer(accepted, status, "" if accepted else error, elapsed, retry_after)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


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


def _drain(response: httpx2.Response, deadline: float) -> None:
    """Read the answer so that the connection can be used again, within bounds."""
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > _MAX_ANSWER or time.monotonic() > deadline:
            return


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
