"""Links into the console that are signed and expire: whoever has one may look, for a while.

The signature covers the path and the time, so that a link opens one thing and cannot be prolonged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from triage.settings import Links


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Makes links below `url`. Where that is empty, no console is reachable and no link is made."""

    url: str
    secret: str
    valid: timedelta

    @classmethod
    def of(cls, settings: Links) -> LinkSigner:
        """As the settings say. Raises `Configuration` where a URL is set, but no secret."""
        secret = settings.signing_secret if settings.url else ""
        return cls(settings.url.rstrip("/"), secret, timedelta(days=settings.valid_days))

    def inquiry(self, inquiry_id: str, at: datetime) -> str | None:
        """A link to an inquiry that holds from `at` on; None where there is no console."""
        return self.link(f"/inquiries/{quote(inquiry_id, safe='')}", at)

    def link(self, path: str, at: datetime) -> str | None:
        """A link to `path` (from the root of the console, escaped)."""
        if not self.url:
            return None
        expires = str(int((at + self.valid).timestamp()))
        query = urlencode({"expires": expires, "signature": sign(path, expires, self.secret)})
        return f"{self.url}{path}?{query}"


def sign(path: str, expires: str, secret: str) -> str:
    """HMAC-SHA256 over path and time, base64url without padding."""
    digest = hmac.new(secret.encode(), f"{path}\n{expires}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def verify(path: str, query: Mapping[str, str], secret: str, now: datetime | None = None) -> bool:
    """Whether a request for `path` came by a link that was signed with `secret` and still holds.

    `path` and `query` are those of the request; what is missing or malformed is just not valid.
    """
    expires, signature = query.get("expires", ""), query.get("signature", "")
    if not (secret and expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return False
    if not hmac.compare_digest(sign(path, expires, secret).encode(), signature.encode()):
        return False
    return (now or datetime.now(UTC)).timestamp() < int(expires)
