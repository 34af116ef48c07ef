"""Where a delivery may connect to: public addresses; private ones where its destination says so.

Names are looked up here, every address is checked, and the connection goes to the address that was
checked: a name that points elsewhere a moment later (DNS rebinding) changes nothing. TLS still
verifies the certificate by the name. Whatever notation the address has in the URL, what counts is
what it resolves to.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from contextlib import contextmanager
from ipaddress import (
    IPv4Address,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

import httpcore2

from triage.errors import Configuration, Transient

Resolver = Callable[[str, int], Sequence[str]]
"""(host, port) to addresses as text; raises `OSError` where the name is not known."""

_METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google Cloud, Azure, Oracle, DigitalOcean, OpenStack
        "169.254.170.2",  # AWS ECS tasks
        "169.254.170.23",  # AWS EKS pods
        "fd00:ec2::254",  # AWS by IPv6
        "fd00:ec2::23",  # AWS EKS pods by IPv6
        "fd20:ce::254",  # Google Cloud by IPv6
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's host agent, though the address is public
        "192.0.0.192",  # Oracle Cloud, older
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052
_COMPATIBLE: Final = IPv6Network("::/96")  # RFC 4291, deprecated, still routed by some
_SHARED: Final = ip_network("100.64.0.0/10")  # behind a carrier's NAT, RFC 6598
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")  # RFC 8215


def why_not(address: str, *, allow_private: bool) -> str:
    """Why a connection to an address is refused, in words; empty where it may be made.

    Cloud metadata services are never a destination, whatever is allowed: they give credentials to
    whoever asks.
    """
    found = ip_address(address.partition("%")[0])  # a zone says which interface, not who
    forms = [found, *_embedded(found)]
    if any(form in _METADATA for form in forms):
        return "a cloud's metadata service"
    for form in forms:
        if form.is_multicast or form.is_unspecified or _is_reserved(form):
            return "no address of a single machine"
    if allow_private:
        return ""
    for form in forms:
        if kind := _private_kind(form):
            return kind
    return ""


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_reserved(address: IPv4Address | IPv6Address) -> bool:
    # The standard library calls embedded forms reserved too; those are judged by what they embed.
    return isinstance(address, IPv4Address) and (
        address.is_reserved or address in ip_network("0.0.0.0/8")
    )


def _private_kind(address: IPv4Address | IPv6Address) -> str:
    if address.is_loopback:
        return "this machine itself"
    if address.is_link_local:
        return "a link-local address"
    if address in _SHARED:
        return "an address behind a carrier's NAT"
    if address in _LOCAL_NAT64 or address.is_private:
        # Embedded forms count as private in some versions; their IPv4 part is judged by itself.
        return "" if any(_embedded(address)) else "a private address"
    if isinstance(address, IPv6Address) and address.is_site_local:
        return "a private address"
    return ""


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a host, as the system knows it, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Deadline(threading.local):
    """When the try that this thread makes must be over; monotonic seconds."""

    at: float = float("inf")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The thread's try may take so long."""
        self.at = time.monotonic() + seconds
        try:
            yield
        finally:
            self.at = float("inf")

    def left(self, wanted: float | None) -> float:
        """Seconds for one wait: what is wanted, but no more than is left of the whole try."""
        left = self.at - time.monotonic()
        return max(0.001, left if wanted is None else min(wanted, left))


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections for the HTTP client: looks up, checks, connects to what was checked."""

    def __init__(self, resolve: Resolver, deadline: Deadline, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._deadline = deadline
        self._allow_private = allow_private
        self._plain = httpcore2.SyncBackend()
        # The system's resolver cannot be told when to give up, so it is waited for from outside.
        self._resolvers = ThreadPoolExecutor(4, "resolver")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first permitted address that takes one.

        Raises `Configuration` where no address of the host is permitted.
        """
        failure: Exception | None = None
        for address in self._permitted(host, port, timeout):
            try:
                stream = self._plain.connect_tcp(
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _TimedStream(stream, self._deadline)
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """Not for deliveries."""
        raise Configuration("a destination cannot be a socket of this machine")

    def close(self) -> None:
        """Wait for no look-up any more."""
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    def _permitted(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            looking = self._resolvers.submit(self._resolve, host, port)
            addresses = looking.result(self._deadline.left(timeout))
        except TooLate:
            raise httpcore2.ConnectTimeout(f"looking up {host} took too long") from None
        except UnicodeError as error:
            raise Configuration(f"{host} is no name that can be looked up: {error}") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host}: {error.strerror or error}") from error
        refused = {
            address: why_not(address, allow_private=self._allow_private) for address in addresses
        }
        permitted = [address for address, reason in refused.items() if not reason]
        if refused and not permitted:
            address, reason = next(iter(refused.items()))
            hint = "" if self._allow_private else "; `allow_private = true` permits private ones"
            raise Configuration(f"{host} is {address}, {reason}: nothing is sent there{hint}")
        return permitted


def reach(
    host: str, port: int, *, allow_private: bool, timeout: float, resolve: Resolver = look_up
) -> None:
    """Connect and hang up, as a delivery would connect. Raises `Configuration` where the guard
    forbids it, `Transient` where nobody answers.
    """
    deadline = Deadline()
    backend = GuardedBackend(resolve, deadline, allow_private=allow_private)
    try:
        with deadline.within(timeout):
            backend.connect_tcp(host, port).close()
    except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
        raise Transient(f"{host}:{port}: {error}") from error
    finally:
        backend.close()


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the whole try: an endpoint that answers one byte at a
    time is no exception.
    """

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _TimedStream(secured, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
