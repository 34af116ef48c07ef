"""OpenID providers for tests: a certified one run by Node.js, and one that lies as it is told."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

HERE = Path(__file__).parent / "provider"
SECRET = "a secret of the console's alone"
BACK = "/sign-in/oidc/callback"


def installed() -> bool:
    """Whether Node.js and the provider are there; `tests/install-servers.sh oidc` installs both."""
    return shutil.which("node") is not None and (HERE / "node_modules" / "oidc-provider").is_dir()


def settings(issuer: str, **more: Any) -> dict[str, Any]:
    """`[console.oidc]` for one of the providers here."""
    return {
        "issuer": issuer,
        "client_id": "triage",
        "client_secret": SECRET,
        "title": "Example Works",
        "allow_private": True,
        "roles": {"triage-admins": "admin", "sales": "reviewer"},
    } | more


@contextmanager
def provider(accounts: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    """The certified one; the value is its issuer. `accounts`: login to claims."""
    environment = {"ACCOUNTS": json.dumps(accounts), "SECRET": SECRET, "PATH": os.environ["PATH"]}
    command = ["node", "--no-warnings", "server.mjs"]
    with subprocess.Popen(
        command, cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            issuer = process.stdout.readline().decode().strip()
            assert issuer, "the provider did not start"
            yield issuer
        finally:
            process.terminate()


def walk(browser: httpx2.Client, start: str, login: str) -> httpx2.Response:
    """Sign in at the certified provider as people do: its forms, until it sends the browser back.

    The value is the answer of the console to that, not followed further.
    """
    answer = browser.get(start)
    for _ in range(20):
        where = urljoin(str(answer.url), answer.headers.get("location", ""))
        if answer.url.path == BACK:
            return answer
        if answer.is_redirect:
            answer = browser.get(where)
            continue
        prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
        action = re.search(r'action="([^"]+)"', answer.text)
        if prompt is None or action is None:
            return answer
        form = {"prompt": prompt[1]}
        if prompt[1] == "login":
            form |= {"login": login, "password": "any"}
        answer = browser.post(urljoin(str(answer.url), unescape(action[1])), data=form)
    raise AssertionError("the provider sends the browser in circles")


def _by_secret(claims: Mapping[str, Any], secret: str | bytes) -> str:
    header = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    body = b".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    key = secret.encode() if isinstance(secret, str) else secret
    return b".".join((body, _encoded(hmac.digest(key, body, "sha256")))).decode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@dataclass
class Liar:
    """A provider that signs what it is told. `claims` replace those of its ID tokens; None leaves
    one out.
    """

    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] | None = None  # what UserInfo says
    algorithm: str = "RS256"
    key: Any = None  # another one than it publishes
    raw: str | None = None  # instead of an ID token
    status: int = 200
    codes: dict[str, str] = field(default_factory=dict)  # code to nonce
    seen: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.own_key = rsa.generate_private_key(65537, 2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def honest(self) -> None:
        """Tell the truth again."""
        self.claims, self.profile, self.algorithm = {}, None, "RS256"
        self.key, self.raw, self.status = None, None, 200

    def sent(self, where: str, code: str = "code") -> dict[str, str]:
        """What the console asked for; the code that it is given stands for it."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        self.codes[code] = asked["nonce"]
        return asked

    def token(self, nonce: str) -> str:
        if self.raw is not None:
            return self.raw
        now = int(time.time())
        stated = {
            "iss": self.issuer, "sub": "subject-1", "aud": "triage", "exp": now + 300, "iat": now,
            "nonce": nonce, "email": "eve@example.org", "email_verified": True,
            "groups": ["sales"],
        } | self.claims  # fmt: skip
        stated = {name: value for name, value in stated.items() if value is not None}
        if self.algorithm == "none":
            return jwt.encode(stated, "", "none")
        if self.algorithm == "HS256":  # by hand: the library refuses what attackers do
            return _by_secret(stated, self.key)
        key = self.key or self.own_key
        return jwt.encode(stated, key, self.algorithm, headers={"kid": "one"})

    def answer(self, path: str, form: Mapping[str, str]) -> Any:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/me",
            } | self.metadata
        if path == "/jwks":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.own_key.public_key(), as_dict=True)
            return {"keys": [public | {"kid": "one", "use": "sig"}]}
        if path == "/me":
            return self.profile or {}
        self.seen.append(dict(form))
        nonce = self.codes.pop(form.get("code", ""), None)
        if nonce is None:
            return {"error": "invalid_grant"}
        return {"access_token": "token", "token_type": "Bearer", "id_token": self.token(nonce)}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(liar.answer(self.path, {}))

            def do_POST(self) -> None:
                sent = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                self._say(liar.answer(self.path, {name: v[0] for name, v in sent.items()}))

            def _say(self, found: Any) -> None:
                body = json.dumps(found).encode()
                status = 400 if isinstance(found, dict) and "error" in found else liar.status
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
