"""The provider: what it says of itself, where people are sent, and what it says of them.

Its answers are believed where its key signed them, for us, for this sign-in, and now.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.errors import Configuration, Transient, Usage
from triage.settings import Destination, Oidc, is_local
from triage.store.handshakes import Begun, Handshake

log = structlog.get_logger(__name__)

_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
"""Only those where nobody but the provider can sign; never `none`, never a shared secret."""
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_KEPT: Final = 3600.0  # seconds that what the provider says of itself holds
_PAUSE: Final = 5.0  # seconds after a failure in which nobody else waits for the next one
_ANEW: Final = 30.0  # seconds after which an unknown key is worth another look
_LEEWAY: Final = 60  # seconds that clocks may differ
_LONGEST_SUBJECT: Final = 255  # OpenID Connect Core, section 2
_BAD: Final = "it could not be told who you are; begin again"


class Provider:
    """One provider, asked when somebody signs in; safe for several threads."""

    def __init__(self, settings: Oidc, client: HttpClient) -> None:
        self.settings = settings
        self._client = client
        self._line = Destination(
            name="console-oidc",
            url=settings.issuer,
            timeout=settings.timeout,
            allow_private=settings.allow_private,
            ca_file=settings.ca_file,
        )
        self._lock = threading.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._failed: tuple[float, Transient | Configuration] | None = None

    def address(self, begun: Begun, redirect: str) -> str:
        """Where a browser is sent to sign in. Raises `Transient` or `Configuration`."""
        asked = begun.handshake
        found: str = prepare_grant_uri(
            self.metadata()["authorization_endpoint"],
            client_id=self.settings.client_id,
            response_type="code",
            redirect_uri=redirect,
            scope=" ".join(self.settings.scopes),
            state=begun.state,
            nonce=asked.nonce,
            code_challenge=create_s256_code_challenge(asked.verifier),
            code_challenge_method="S256",
        )
        return found

    def claims(
        self, handshake: Handshake, code: str, issuer: str, redirect: str
    ) -> Mapping[str, Any]:
        """What the provider says of whoever came back with a code. `issuer`: who sent them, where
        that was said (RFC 9207).

        Raises `Usage` where the sign-in is worth nothing, `Transient` or `Configuration` where the
        provider is at fault.
        """
        known = self.metadata()
        stated = known.get("authorization_response_iss_parameter_supported") is True
        if handshake.issuer != self.settings.issuer or (
            (issuer or stated) and issuer != self.settings.issuer
        ):
            log.warning("sign-in refused", reason="the answer is another provider's")
            raise Usage("another provider answered than was asked; begin again")
        granted = self._granted(known["token_endpoint"], code, handshake.verifier, redirect)
        claims = self._identified(granted, handshake.nonce)
        return {**self._more(known, granted, claims), **claims}

    def sign_out_address(self, back: str) -> str:
        """Where somebody ends their session at the provider; empty where that is not known."""
        if self._metadata is None:  # nobody signed in by it since the start: it is not asked
            return ""
        where = self._metadata[1].get("end_session_endpoint")
        if not isinstance(where, str) or not self._is_safe(where):
            return ""
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0)."""
        with self._lock:
            if self._metadata and time.monotonic() - self._metadata[0] < _KEPT:
                return self._metadata[1]
            if self._failed and time.monotonic() - self._failed[0] < _PAUSE:
                raise type(self._failed[1])(str(self._failed[1]))
            try:
                found = self._described()
            except (Transient, Configuration) as failure:
                self._failed = (time.monotonic(), failure)
                raise
            self._metadata = (time.monotonic(), found)
            return found

    def _described(self) -> Mapping[str, Any]:
        where = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = self._json(self._ask(where))
        if found.get("issuer") != self.settings.issuer:
            raise Configuration(
                f"console.oidc.issuer: {where} is about {found.get('issuer')!r}; set issuer to "
                "exactly what the provider calls itself"
            )
        for name in _NEEDED:
            if not isinstance(found.get(name), str) or not self._is_safe(found[name]):
                raise Configuration(f"console.oidc.issuer: {where} names no usable {name}")
        return found

    def _granted(self, where: str, code: str, verifier: str, redirect: str) -> Mapping[str, Any]:
        """The tokens for a code."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        sent = {"code": code, "code_verifier": verifier, "client_id": self.settings.client_id}
        if secret := self.settings.secret:
            known = self.metadata().get("token_endpoint_auth_methods_supported")
            if isinstance(known, list) and "client_secret_basic" not in known:
                sent["client_secret"] = secret
            else:
                login = f"{quote(self.settings.client_id, '')}:{quote(secret, '')}"
                headers["authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        body = prepare_token_request("authorization_code", redirect_uri=redirect, **sent)
        answer = self._ask(where, headers, body)
        if not answer.accepted:
            said = self._json(answer).get("error")
            if said == "invalid_grant":
                log.warning("sign-in refused", reason="the provider does not take the code")
                raise Usage("this sign-in was used already or took too long; begin again")
            raise Configuration(
                f"console.oidc: {where} refuses this console ({said}); correct client_id and "
                "client_secret, or what is registered there"
            )
        return self._json(answer)

    def _identified(self, granted: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token (OpenID Connect Core, section 3.1.3.7)."""
        try:
            token = self._verified(str(granted.get("id_token", "")))
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                {
                    "nonce": nonce,
                    "client_id": self.settings.client_id,
                    "access_token": granted.get("access_token"),
                },
            )
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("sign-in refused", reason=f"ID token: {error}")
            raise Usage(_BAD) from None
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            log.warning("sign-in refused", reason="ID token: no usable sub")
            raise Usage(_BAD)
        return dict(claims)

    def _verified(self, token: str) -> jwt.Token:
        """The token, where a key of the provider signed it. Raises `JoseError` or `ValueError`."""
        try:
            return jwt.decode(token, self._known_keys(0), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # they change keys now and then
            return jwt.decode(token, self._known_keys(_ANEW), algorithms=_ALGORITHMS)

    def _known_keys(self, renew_after: float) -> KeySet:
        """The provider's keys; looked at anew after an hour, or after so many seconds."""
        where = self.metadata()["jwks_uri"]
        with self._lock:
            if self._keys and time.monotonic() - self._keys[0] < (renew_after or _KEPT):
                return self._keys[1]
            told = self._json(self._ask(where)).get("keys")
            signing = [
                key
                for key in (told if isinstance(told, list) else [])
                if isinstance(key, dict) and key.get("use", "sig") == "sig"
                and key.get("kty") != "oct"
            ]  # fmt: skip
            try:
                keys = KeySet.import_key_set({"keys": signing})
            except (JoseError, ValueError, KeyError) as error:
                raise Configuration(f"console.oidc: {where} has no usable keys: {error}") from error
            self._keys = (time.monotonic(), keys)
            return keys

    def _more(
        self, known: Mapping[str, Any], granted: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What only the UserInfo endpoint says; many tell there alone what scopes ask for."""
        where, token = known.get("userinfo_endpoint"), granted.get("access_token")
        wanted = {"email", self.settings.name_claim, self.settings.role_claim.partition(".")[0]}
        if wanted <= claims.keys() or not isinstance(where, str) or not self._is_safe(where):
            return {}
        answer = self._ask(where, {"authorization": f"Bearer {token}"})
        told = self._json(answer) if answer.accepted else {}
        if told and told.get("sub") != claims["sub"]:
            log.warning("sign-in refused", reason="UserInfo is about somebody else")
            raise Usage(_BAD)
        return told

    def _ask(
        self, where: str, headers: Mapping[str, str] | None = None, form: str | None = None
    ) -> Answer:
        answer = self._client.send(
            self._line,
            url=where,
            method="GET" if form is None else "POST",
            content=(form or "").encode(),
            headers={"accept": "application/json", **(headers or {})},
        )
        if answer.status is None or answer.status >= 500 or answer.status == 429:
            raise Transient(f"console.oidc: {where}: {answer.error}")
        return answer

    def _json(self, answer: Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Transient(f"console.oidc: the provider answered {answer.status}, not in JSON")
        return found

    def _is_safe(self, where: str) -> bool:
        """Whether an address of the provider's may be used: https, or on this machine as it is."""
        parts = urlsplit(where)
        if parts.scheme == "https":
            return bool(parts.hostname)
        plain = self.settings.issuer.startswith("http:")
        return parts.scheme == "http" and plain and is_local(parts.hostname or "")
