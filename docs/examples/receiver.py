"""A receiver of leads: checks every signature, and answers a repeat without acting twice.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_… python receiver.py [PORT] [LEDGER]

It listens on 127.0.0.1 and keeps what it accepted in LEDGER, an SQLite file. Put it behind a server
that speaks TLS, and put your own work where `handle` is.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY = 100_000


def handle(event: dict[str, Any]) -> None:
    """Your own work. Be quick: what takes longer than the sender waits is sent again."""
    data = event["data"]
    print(event["type"], data["inquiry_id"], data.get("refers_to") or "", flush=True)  # noqa: T201


class Receiver(BaseHTTPRequestHandler):
    """One request. 204 accepts, anything else makes the sender try again."""

    protocol_version = "HTTP/1.1"
    webhook: Webhook
    ledger: str

    def do_POST(self) -> None:
        """Verify first, on the bytes as they came; then act, once for each id."""
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            event = self.webhook.verify(body, {k.lower(): v for k, v in self.headers.items()})
        except WebhookVerificationError:
            self._answer(401)
            return
        # The id and the work belong into one transaction: a crash in between leaves neither.
        with sqlite3.connect(self.ledger, timeout=10) as database:
            new = database.execute(
                "INSERT INTO events VALUES (?, ?) ON CONFLICT DO NOTHING",
                (self.headers["webhook-id"], json.dumps(event)),
            ).rowcount
            if new:
                handle(event)
        database.close()
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet: `handle` says what happens."""


def main() -> None:
    """Listen until stopped."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    Receiver.ledger = sys.argv[2] if len(sys.argv) > 2 else "events.db"
    Receiver.webhook = Webhook(os.environ["WEBHOOK_SECRET"])
    with sqlite3.connect(Receiver.ledger) as database:
        database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, event TEXT)")
    database.close()
    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
