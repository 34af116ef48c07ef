"""Serves the console from a thread, beside the worker or alone."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from triage.errors import Configuration
from triage.web.app import application
from triage.web.desk import Desk

_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the console answers: `url` is what people type, `port` the one listened on.

    `set_up_url` is the page for the first user, with its code; empty where there is a user.
    """

    url: str
    port: int
    set_up_url: str


@contextmanager
def serving(desk: Desk) -> Iterator[Address]:
    """Answer requests while the block lasts. Raises `Configuration` where nothing can listen."""
    settings = desk.settings.console
    listener = _listener(settings.listen)
    port: int = listener.getsockname()[1]
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # we log ourselves
    config = uvicorn.Config(
        application(desk),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="console", daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        host = settings.listen.rpartition(":")[0]
        url = settings.public_url.rstrip("/") or f"http://{host}:{port}"
        fresh = not desk.repository.accounts.any()
        yield Address(url, port, f"{url}/set-up?code={desk.code}" if fresh else "")
    finally:
        server.should_exit = True
        thread.join(timeout=_START_SECONDS)
        listener.close()
        if desk.provider:
            desk.provider.close()


def _listener(where: str) -> socket.socket:
    host, _, port = where.rpartition(":")
    bare = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in bare else socket.AF_INET
        return socket.create_server((bare, int(port)), family=family)
    except (OSError, OverflowError) as error:
        raise Configuration(f"console.listen: cannot listen on {where}: {error}") from error


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise Configuration("the console did not start; the log says why")
        time.sleep(0.01)
