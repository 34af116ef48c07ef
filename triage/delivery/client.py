"""The HTTP client of every adapter: one request, guarded and bounded, and what was answered.

Retries are not made here: they are rows with a due time, so that they survive a restart.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore2
import httpx2

from triage import __version__
from triage.delivery.answer import Answer
from triage.delivery.guard import Deadline, GuardedBackend, Resolver, look_up
from triage.errors import Configuration
from triage.settings import Destination

_MAX_ANSWER = 64_000  # bytes of an answer that are read
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
        end. Redirects are not followed. Raises `Configuration` where the guard forbids the address
        or the URL is none.
        """
        line = self._line(destination)
        started = time.monotonic()
        status, error, retry_after, body = None, "", None, b""
        try:
            with (
                line.deadline.within(destination.timeout),
                line.client.stream(
                    method, url or destination.url, content=content, headers=dict(headers)
                ) as response,
            ):
                status = response.status_code
                retry_after = pause_asked(response.headers.get("retry-after"))
                body = _beginning(response)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, UnicodeError) as failure:
            raise Configuration(
                f"destination {destination.name!r}: its url is not one ({type(failure).__name__})"
            ) from None
        except (httpx2.TimeoutException, httpcore2.TimeoutException):
            error = f"no answer within {destination.timeout:g} s"
        except (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.ProtocolError) as failure:
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

    client: httpx2.Client
    backend: GuardedBackend
    deadline: Deadline

    def close(self) -> None:
        self.client.close()
        self.backend.close()


class _Transport(httpx2.BaseTransport):
    """httpcore's pool over the guarded backend, which httpx's own transport does not take."""

    def __init__(self, backend: GuardedBackend, context: ssl.SSLContext) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, keepalive_expiry=_KEPT_OPEN, network_backend=backend
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it and return the answer, its body still to be read."""
        target = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=target.raw_scheme,
                    host=target.raw_host,
                    port=target.port,
                    target=target.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), request=request
        )

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    """An answer's body, read as it comes."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _open(destination: Destination, resolve: Resolver) -> _Line:
    deadline = Deadline()
    backend = GuardedBackend(resolve, deadline, allow_private=destination.allow_private)
    client = httpx2.Client(
        transport=_Transport(backend, _context(destination)),
        follow_redirects=False,  # a redirect could carry a lead to somebody else
        trust_env=False,  # nor may a proxy or a .netrc that nobody thought of
        timeout=None,  # the deadline bounds every wait
        headers={"user-agent": f"triage/{__version__}"},
    )
    return _Line(client, backend, deadline)


def _context(destination: Destination) -> ssl.SSLContext:
    """Verifies by name, against the system's authorities or the destination's own."""
    if destination.ca_file is None:
        return httpx2.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=destination.ca_file)
    except OSError as error:  # a file that is missing, or holds no certificate
        raise Configuration(
            f"destination {destination.name!r}: ca_file {destination.ca_file}: {error}"
        ) from error


def _beginning(response: httpx2.Response) -> bytes:
    """What is read of an answer, so that the connection can be used again, within bounds."""
    read = bytearray()
    for chunk in response.iter_raw():
        read += chunk
        if len(read) > _MAX_ANSWER:
            break
    return bytes(read[:_MAX_ANSWER])


def pause_asked(value: str | None) -> float | None:
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
