"""Endpoints that behave as badly as real ones do."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from triage.demo.endpoint import Endpoint

_FAULTS = (
    # (share of the requests, what happens)
    (0.07, "500"),
    (0.03, "429"),
    (0.04, "accepted, then cut off"),
    (0.03, "accepted, then 503"),
    (0.03, "cut off"),
    (0.01, "hangs"),
)


class HostileEndpoint(Endpoint):
    """Is away a third of the time, and sometimes answers 500 after it has accepted a lead."""

    def __init__(self, secret: str, ledger: Path, chance: random.Random) -> None:
        super().__init__(secret, ledger)
        self._chance = chance
        self.hostile = True
        self.outages = 0

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """As the base class, with faults."""
        fault = self._chance.random() if self.hostile else 1.0
        if fault < 0.3:
            self.outages += 1
            return 503
        status = super().receive(headers, body)
        return 500 if fault < 0.45 else status


class ChaosEndpoint(Endpoint):
    """Does everything that an endpoint can do wrong, and is away now and then: refuses connections,
    drops those it has, and comes back on the same port.
    """

    def __init__(self, secret: str, ledger: Path, chance: random.Random, hang: float) -> None:
        super().__init__(secret, ledger)
        self._chance = chance
        self._hang = hang
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        self._over = threading.Event()
        self._weather = threading.Thread(target=self._come_and_go, daemon=True)
        self.hostile = True
        self.faults: Counter[str] = Counter()

    def __enter__(self) -> Self:
        super().__enter__()
        self._weather.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._over.set()
        self._weather.join()
        super().__exit__(*about)

    def restart(self, seconds: float) -> None:
        """Be away for a while: nobody listens, and every connection is dropped."""
        address = self._server.server_address
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._changing:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.faults["restarted"] += 1
        time.sleep(seconds)
        self._server = ThreadingHTTPServer(("127.0.0.1", int(address[1])), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _come_and_go(self) -> None:
        while not self._over.wait(self._chance.uniform(3, 7)):
            if self.hostile:
                self.restart(self._chance.uniform(0.3, 1.2))

    def _fault(self) -> str:
        if not self.hostile:
            return ""
        drawn = self._chance.random()
        for share, name in _FAULTS:
            drawn -= share
            if drawn < 0:
                self.faults[name] += 1
                return name
        return ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with endpoint._changing:
                    endpoint._open.add(self.connection)

            def finish(self) -> None:
                with endpoint._changing:
                    endpoint._open.discard(self.connection)
                with suppress(OSError):
                    super().finish()

            def do_POST(self) -> None:
                endpoint.respond(self)

            def handle(self) -> None:
                with suppress(OSError):  # whoever is killed hangs up
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request, or do something else with it."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        length = int(headers["content-length"])
        body = handler.rfile.read(length)
        if len(body) < length:  # whoever sent it was killed, or the connection was dropped
            handler.close_connection = True
            return
        fault = self._fault()
        if fault == "hangs":
            time.sleep(self._hang)
        status = 503
        if not fault or fault.startswith("accepted"):
            status = self.receive(headers, body)
        if fault.endswith("cut off"):
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response({"": status, "500": 500, "429": 429}.get(fault, 503))
        if fault == "429":
            handler.send_header("retry-after", self._pause())
        handler.send_header("content-length", "0")
        handler.end_headers()

    def _pause(self) -> str:
        """A second, told in one of the two ways that there are."""
        if self._chance.random() < 0.5:
            return "1"
        later = datetime.now(UTC) + timedelta(seconds=1)
        return format_datetime(later, usegmt=True)
