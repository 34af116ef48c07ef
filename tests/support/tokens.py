"""A token server: grants, rotates, lets expire and revokes; and answers the mail server."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt


class TokenServer:
    """Tokens for users, over HTTP. `life`: seconds that an access token holds.

    Refresh tokens work once: each answer brings another, and using an old one revokes them all, as
    careful servers do.
    """

    def __init__(self, *, life: float = 3600.0, secret: str = "", public_key: str = "") -> None:
        self.life = life
        self.secret = secret
        self.public_key = public_key
        self.asked: Counter[str] = Counter()
        self.away = False
        self.approved: str | None = None  # who typed the code
        self._lock = threading.Lock()
        self._access: dict[str, tuple[str, float]] = {}
        self._refresh: dict[str, str] = {}
        self._used: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def expire(self) -> None:
        """Every access token ends now, whatever its holder was told."""
        with self._lock:
            self._access.clear()

    def revoke(self) -> None:
        """Everything that was granted is worth nothing."""
        with self._lock:
            self._access.clear()
            self._refresh.clear()

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            if path == "/introspect":
                user, ends = self._access.get(form.get("token", ""), ("", 0.0))
                active = bool(user) and ends > time.time()
                return 200, {"active": str(active).lower(), "username": user}
            if self.away:
                return 503, {}
            if path == "/device":
                self.asked["device"] += 1
                return 200, {
                    "device_code": "device-1",
                    "user_code": "WXYZ-1234",
                    "verification_uri": f"{self.url}/activate",
                    "expires_in": 30,
                    "interval": 0.05,
                }
            return self._token(form)

    def _token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        kind = form.get("grant_type", "").rpartition(":")[2]
        self.asked[kind] += 1
        if self.secret and kind != "jwt-bearer" and form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client"}
        if kind == "jwt-bearer":
            return self._assertion(form)
        if kind == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        if kind == "client_credentials":
            return 200, self._grant(form.get("scope", ""), refreshable=False)
        if self.approved is None or self.asked[kind] < 3:  # people take their time
            return 400, {"error": "authorization_pending"}
        return 200, self._grant(self.approved, refreshable=True)

    def _assertion(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            claims = jwt.decode(
                form["assertion"], self.public_key, ["RS256"], audience=f"{self.url}/token"
            )
        except jwt.PyJWTError as error:
            return 400, {"error": "invalid_grant", "error_description": str(error)}
        return 200, self._grant(claims["sub"], refreshable=False)

    def _refreshed(self, token: str) -> tuple[int, dict[str, Any]]:
        if token in self._used:  # somebody stole it, or somebody forgot to keep the new one
            self._refresh.clear()
            self._access.clear()
        user = self._refresh.pop(token, None)
        if user is None:
            return 400, {"error": "invalid_grant", "error_description": "token is not valid"}
        self._used.add(token)
        return 200, self._grant(user, refreshable=True)

    def _grant(self, user: str, *, refreshable: bool) -> dict[str, Any]:
        access = secrets.token_urlsafe(24)
        self._access[access] = (user, time.time() + self.life)
        granted: dict[str, Any] = {
            "access_token": access, "token_type": "Bearer", "expires_in": self.life,
        }  # fmt: skip
        if refreshable:
            granted["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh[granted["refresh_token"]] = user
        return granted

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                sent = parse_qs(self.rfile.read(length).decode())
                form = {name: values[0] for name, values in sent.items()}
                status, answer = server.answer(self.path, form)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
