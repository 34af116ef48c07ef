"""An endpoint as a customer would write one: checks every signature, answers a repeat calmly.

Written from the Standard Webhooks 1.0.0 text with the standard library alone, so that it is an
independent judge of what the worker sends. It keeps a ledger on disk, so that a second run of the
demo shows whether anything is sent twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

_TOLERANCE = 300  # seconds a timestamp may be off, so that an old message cannot be replayed
_MAX_BODY = 100_000


class Endpoint:
    """A web server on this machine that accepts leads. Use as a context manager."""

    def __init__(self, secret: str, ledger: Path) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._ledger = ledger
        self._lock = threading.Lock()
        self.accepted: dict[str, dict[str, Any]] = {}
        self.repeats = 0
        self.refused: list[str] = []
        if ledger.exists():
            for line in ledger.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self.accepted[entry["id"]] = entry["event"]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/leads"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """The status to answer: 204 accepted (again, for a repeat), 401 for a wrong signature."""
        problem = self._problem(headers, body)
        with self._lock:
            if problem:
                self.refused.append(problem)
                return 401
            message_id = headers["webhook-id"]
            if message_id in self.accepted:
                self.repeats += 1
                return 204
            event = json.loads(body)
            self.accepted[message_id] = event
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"id": message_id, "event": event}) + "\n")
        return 204

    def _problem(self, headers: dict[str, str], body: bytes) -> str:
        """What is wrong with a message; empty if it is genuine and fresh."""
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        if not message_id or not timestamp.isdigit():
            return "webhook-id or webhook-timestamp is missing"
        if abs(time.time() - int(timestamp)) > _TOLERANCE:
            return "the timestamp is too old or too new"
        signed = f"{message_id}.{timestamp}.".encode() + body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest())
        for candidate in headers.get("webhook-signature", "").split():
            version, _, signature = candidate.partition(",")
            if version == "v1" and hmac.compare_digest(signature.encode(), expected):
                return ""
        return "no signature fits"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length") or 0), _MAX_BODY)
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = endpoint.receive(headers, self.rfile.read(length))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet: the demo's table says what arrived."""

        return Handler
