"""A gate in front of the tests' S3 server that asks for a session token, as Amazon's does.

The server itself knows no keys that end. What comes with the token of now is signed anew with the
server's own keys and passed on; everything else is told what Amazon tells.
"""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.s3server import S3Server

_EXPIRED = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>ExpiredToken</Code>'
    b"<Message>The provided token has expired.</Message></Error>"
)
_PASSED = {"if-match", "range"}


class S3Gate:
    """`token` is the one that holds now; after `left` more requests (None: never) it ends, and
    `following` holds.
    """

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.token = self.following = "first"
        self.left: int | None = None
        self.refused = 0
        self._lock = threading.Lock()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._httpd.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    def takes(self, token: str) -> bool:
        """Whether a request with this token is let through."""
        with self._lock:
            if self.left == 0:
                self.token, self.left = self.following, None
            good = token == self.token
            if good and self.left is not None:
                self.left -= 1
            self.refused += not good
            return good

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if not gate.takes(self.headers.get("x-amz-security-token", "")):
                    self._answer(400, {"content-type": "application/xml"}, _EXPIRED)
                    return
                kept = {n: v for n, v in self.headers.items() if n.lower() in _PASSED}
                asked = AWSRequest(self.command, gate.server.url + self.path, headers=kept)
                keys = Credentials(gate.server.access_key, gate.server.secret)
                SigV4Auth(keys, "s3", "us-east-1").add_auth(asked)
                there = http.client.HTTPConnection("127.0.0.1", gate.server.port, timeout=10)
                there.request(self.command, self.path, headers=dict(asked.headers.items()))
                found = there.getresponse()
                self._answer(found.status, dict(found.getheaders()), found.read())
                there.close()

            do_HEAD = do_GET  # noqa: N815 - as the library calls it

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                lengths = {"content-length", "transfer-encoding", "connection"}
                for name, value in headers.items():
                    if name.lower() not in lengths or self.command == "HEAD":
                        self.send_header(name, value)
                if self.command != "HEAD":
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
