"""The HTTP client of every adapter: one request, guarded and bounded, and what was answered.

Retries are not made here: they are rows with a due time, so that they survive a restart.
"""

from __future__ import annotations

import base64
import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

import httpcore2
import httpx2

from triage import __version__
from triage.delivery.answer import Answer
from triage.delivery.guard import Deadline, GuardedBackend, Resolver, look_up
from triage.errors import Configuration
from triage.settings import Destination

_MAX_ANSWER = 64_000  # bytes of an answer that are read
_HEADER = re.compile(r"[\t\x20-\x7e]*")
_SECONDS = re.compile("[0-9]{1,12}")
_KEPT_OPEN = 4.0  # seconds; many servers close after five, and a try must not meet that


class HttpClient:
    """Sends requests for adapters; safe for several threads.

    Each destination has connections of its own: what one may connect to, another may not.
    """

    def __init__(self, resolve: Resolver = look_up) -> None:
        self._resolve = resolve
        self._lines: dict[Destination, _Line] = {}
        self._lock = threading.Lock()

    def send(
        self,
        destination: Destination,
        *,
        content: bytes,
        headers: Mapping[str, str],
        url: str = "",
        method: str = "POST",
    ) -> Answer:
        """One request to `url` (default: the destination's); any 2xx accepts, nothing else does.

        It takes `destination.timeout` seconds at most, from looking up the name to the answer's
        end. Redirects are not followed. Raises `Configuration` where the guard forbids the address,
        the URL is none, or a header is none.
        """
        line = self._line(destination)
        target, known = _target(url or destination.url, destination.name)
        sent = _sendable({**known, **headers}, destination.name)
        started = time.monotonic()
        status, error, retry_after, body = None, "", None, b""
        try:
            with (
                line.deadline.within(destination.timeout),
                line.pool.stream(method, target, content=content, headers=sent) as response,
            ):
                status = response.status
                retry_after = pause_asked(_header(response, b"retry-after"))
                body = _beginning(response)
        except httpcore2.TimeoutException:
            error = f"no answer within {destination.timeout:g} s"
        except httpcore2.LocalProtocolError:
            error = "the request is not HTTP"  # the library's words may repeat a secret
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as failure:
            error = f"{type(failure).__name__}: {failure}".rstrip(": ")
        # An answer that breaks off after its status line still is that answer.
        accepted = status is not None and 200 <= status < 300
        if status is not None and not accepted:
            redirect = ", a redirect, which is not followed" if 300 <= status < 400 else ""
            error = f"answered {status}{redirect}"
        elapsed = time.monotonic() - started
        return Answer(accepted, status, "" if accepted else error, elapsed, retry_after, body)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for line in self._lines.values():
                line.close()
            self._lines.clear()

    def _line(self, destination: Destination) -> _Line:
        with self._lock:
            if destination not in self._lines:
                self._lines[destination] = _open(destination, self._resolve)
            return self._lines[destination]


@dataclass(frozen=True, slots=True)
class _Line:
    """A destination's connections."""

    pool: httpcore2.ConnectionPool
    backend: GuardedBackend
    deadline: Deadline

    def close(self) -> None:
        self.pool.close()
        self.backend.close()


def _open(destination: Destination, resolve: Resolver) -> _Line:
    deadline = Deadline()
    backend = GuardedBackend(resolve, deadline, allow_private=destination.allow_private)
    pool = httpcore2.ConnectionPool(
        ssl_context=_context(destination.ca_file, destination.name),
        keepalive_expiry=_KEPT_OPEN,
        max_connections=None,  # the courier bounds what is under way
        network_backend=backend,
    )
    return _Line(pool, backend, deadline)


@lru_cache(maxsize=64)
def _context(ca_file: Path | None, name: str) -> ssl.SSLContext:
    """Verifies by name, against the system's authorities or the destination's own."""
    if ca_file is None:
        return httpx2.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # a file that is missing, or holds no certificate
        raise Configuration(f"destination {name!r}: ca_file {ca_file}: {error}") from error


@lru_cache(maxsize=256)
def _target(url: str, name: str) -> tuple[httpcore2.URL, dict[str, str]]:
    """Where a request goes, and the headers that follow from it. Raises `Configuration`.

    There are no redirects, proxies or cookies below: nothing leads a lead to somebody else.
    """
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise Configuration(
            f"destination {name!r}: its url is not one ({type(error).__name__})"
        ) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise Configuration(f"destination {name!r}: its url must begin with https:// and a host")
    headers = {"host": parsed.netloc.decode(), "user-agent": f"triage/{__version__}"}
    if parsed.userinfo:
        login = f"{parsed.username}:{parsed.password}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(login).decode()}"
    target = httpcore2.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )
    return target, headers


def _sendable(headers: Mapping[str, str], name: str) -> list[tuple[bytes, bytes]]:
    """Headers as bytes. Raises `Configuration`, without the value, which may be a secret."""
    found = []
    for header, value in headers.items():
        if not _HEADER.fullmatch(value):
            raise Configuration(
                f"destination {name!r}: {header} cannot be sent; a token must be one line of ASCII"
            )
        found.append((header.encode("ascii"), value.encode("ascii")))
    return found


def _header(response: httpcore2.Response, wanted: bytes) -> str | None:
    for name, value in response.headers:
        if name.lower() == wanted:
            return value.decode("latin-1")
    return None


def _beginning(response: httpcore2.Response) -> bytes:
    """What is read of an answer, so that the connection can be used again, within bounds."""
    read = bytearray()
    for chunk in response.iter_stream():
        read += chunk
        if len(read) > _MAX_ANSWER:
            break
    return bytes(read[:_MAX_ANSWER])


def pause_asked(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
