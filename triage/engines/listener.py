"""Answers acknowledgement links: a small web server inside the worker, off unless asked for.

A link is signed and expires (see `delivery.links`). Opening it changes nothing, because mail
scanners and chat previews open links too: it shows a button, and only the button acknowledges.
Programs post to the link and ask for JSON.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import structlog

from triage.delivery import links
from triage.errors import Configuration
from triage.settings import Settings
from triage.store.repository import Repository

log = structlog.get_logger(__name__)

_PREFIX: Final = "/acknowledge/"
_MAX_FORM: Final = 4_000  # bytes; a name fits
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Lead</title>
<body style="font: 1.1rem sans-serif; max-width: 30rem; margin: 4rem auto; padding: 0 1rem">
<p>{text}</p>{form}</body></html>"""
_FORM: Final = """<form method="post"><p><label>Your name
<input name="by" maxlength="80"></label></p><p><button>I look after it</button></p></form>"""


@contextmanager
def listening(settings: Settings, repository: Repository) -> Iterator[int | None]:
    """Answer links while the block lasts, where `acknowledge.listen` is set; yields the port.

    Raises `Configuration` where the address cannot be listened on or links have no secret.
    """
    where = settings.acknowledge.listen
    if not where:
        yield None
        return
    host, _, port = where.rpartition(":")
    secret = settings.links.signing_secret
    try:
        server = _Server((host.strip("[]"), int(port)), repository, secret)
    except (OSError, OverflowError) as error:
        raise Configuration(f"acknowledge.listen: cannot listen on {where}: {error}") from error
    thread = threading.Thread(target=server.serve_forever, name="listener", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """With what its handlers need."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], repository: Repository, secret: str) -> None:
        super().__init__(address, _Handler)
        self.repository = repository
        self.secret = secret


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds for a request to come
    server_version = "triage"
    sys_version = ""

    def do_GET(self) -> None:
        if inquiry_id := self._asked():
            known = self.server.repository.acknowledgements.get(inquiry_id)
            if known:
                self._answer(200, f"{known.by} looks after this lead.", "acknowledged")
            else:
                self._answer(200, "Nobody looks after this lead yet.", "open", _FORM)

    def do_POST(self) -> None:
        by = self._name()
        if not (inquiry_id := self._asked()):
            return
        try:
            first = self.server.repository.acknowledgements.acknowledge(inquiry_id, by)
        except KeyError:
            self._answer(404, "This lead is not known any more.", "unknown")
            return
        known = self.server.repository.acknowledgements.get(inquiry_id)
        who = known.by if known else by
        log.info("acknowledged", inquiry=inquiry_id, first=first)
        text = "Thank you." if first else f"{who} looks after this lead already."
        self._answer(200, text, "acknowledged")

    def _asked(self) -> str:
        """The inquiry of a valid link; else answers, and returns nothing."""
        target = urlsplit(self.path)
        query = dict(parse_qsl(target.query))
        name = unquote(target.path.removeprefix(_PREFIX))
        if target.path.startswith(_PREFIX) and links.verify(target.path, query, self.server.secret):
            return name
        self._answer(403, "This link is not valid, or not any more.", "refused")
        return ""

    def _name(self) -> str:
        size = self.headers.get("content-length") or "0"
        length = int(size) if size.isascii() and size.isdigit() else 0
        form = self.rfile.read(min(length, _MAX_FORM)).decode("utf-8", "replace")
        told = parse_qs(form).get("by", [""])[0].strip()
        return told[:80] or "somebody, by link"

    def _answer(self, status: int, text: str, state: str, form: str = "") -> None:
        plain = "application/json" in self.headers.get("accept", "")
        page = _PAGE.format(text=escape(text), form=form)
        body = (json.dumps({"state": state, "text": text}) if plain else page).encode()
        self.send_response(status)
        kind = "application/json" if plain else "text/html; charset=utf-8"
        for name, value in (
            ("content-type", kind),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", _POLICY),
            ("connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet: a request line holds a signature."""
