"""Signed posts to real servers on this machine, and what their answers mean."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient, pause_asked
from triage.delivery.schedule import next_wait
from triage.delivery.webhook import WebhookAdapter, new_secret, sign
from triage.errors import Configuration
from triage.settings import DeliveryRules, Destination
from triage.types import Delivery, DeliveryState

Behaviour = Callable[[BaseHTTPRequestHandler, bytes], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], str]]:
    """Starts servers that behave as told; yields a function that gives their URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(behaviour: Behaviour) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                behaviour(self, body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/hook"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def post(
    client: HttpClient, url: str, secret: str, message_id: str, body: str, timeout: float
) -> Answer:
    """One try, as the courier makes it."""
    moment = datetime.now(UTC)
    delivery = Delivery(
        message_id, "inq_1", "crm", "lead.qualified", body, 0, DeliveryState.PENDING, moment
    )
    destination = Destination.model_validate(
        {"name": "crm", "url": url, "secret": secret, "timeout": timeout, "allow_private": True}
    )
    return WebhookAdapter().send(delivery, destination, client)


def answering(status: int, **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", "0")
        handler.end_headers()

    return behave


def test_the_reference_library_verifies_what_is_sent(
    serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    secret, seen = new_secret(), []

    def check(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append(Webhook(secret).verify(body, dict(handler.headers.items())))
        answering(204)(handler, body)

    body = json.dumps({"type": "lead.qualified", "data": {"name": "Łukasz"}}, ensure_ascii=False)
    answer = post(client, serve(check), secret, "msg_1", body, 5)
    assert answer.accepted
    assert seen == [json.loads(body)]


def test_while_secrets_change_every_one_of_them_verifies(
    serve: Callable[[Behaviour], str], client: HttpClient, tmp_path: Path
) -> None:
    new, old, older = new_secret(), new_secret(), new_secret()
    seen: list[dict[str, str]] = []

    def check(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append(dict(handler.headers.items()))
        answering(204)(handler, body)

    file = tmp_path / "secrets"
    file.write_text(f"{new}\n{old}\n")
    destination = Destination.model_validate(
        {
            "name": "crm", "url": serve(check), "secret_file": file, "previous_secrets": [older],
            "allow_private": True,
        }
    )  # fmt: skip
    assert destination.signing_secrets == (new, old, older)
    moment = datetime.now(UTC)
    delivery = Delivery("msg_1", "inq_1", "crm", "e", '{"a": 1}', 0, DeliveryState.PENDING, moment)
    assert WebhookAdapter().send(delivery, destination, client).accepted
    (headers,) = seen
    assert len(headers["webhook-signature"].split()) == 3
    for secret in (new, old, older):
        assert Webhook(secret).verify('{"a": 1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify('{"a": 1}', headers)


def test_the_signature_does_not_depend_on_the_zone_of_the_time() -> None:
    secret = new_secret()
    utc = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    elsewhere = utc.astimezone(timezone(timedelta(hours=-5)))
    assert sign(secret, "msg_1", utc, "{}") == sign(secret, "msg_1", elsewhere, "{}")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!"])
def test_a_secret_that_cannot_sign_is_a_matter_of_settings(secret: str) -> None:
    with pytest.raises(Configuration, match="whsec_"):
        sign(secret, "msg_1", datetime.now(UTC), "{}")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_accepts(
    status: int, serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    assert post(client, serve(answering(status)), new_secret(), "m", "{}", 5).accepted


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 429, 500, 503])
def test_everything_else_does_not(
    status: int, serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    answer = post(
        client, serve(answering(status, location="http://127.0.0.1:1/")), new_secret(), "m", "{}", 5
    )
    redirect = ", a redirect, which is not followed" if status == 301 else ""
    assert not answer.accepted
    assert (answer.status, answer.error) == (status, f"answered {status}{redirect}")


def test_a_pause_that_is_asked_for_is_understood(
    serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    answer = post(client, serve(answering(429, retry_after="7")), new_secret(), "m", "{}", 5)
    assert answer.retry_after == 7
    later = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    answer = post(client, serve(answering(503, retry_after=later)), new_secret(), "m", "{}", 5)
    assert answer.retry_after == pytest.approx(90, abs=3)
    answer = post(client, serve(answering(503, retry_after="soon")), new_secret(), "m", "{}", 5)
    assert answer.retry_after is None


def test_a_silent_endpoint_costs_no_more_than_the_timeout(
    serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    started = time.monotonic()
    url = serve(lambda *_: time.sleep(3))
    answer = post(client, url, new_secret(), "m", "{}", 0.3)
    assert time.monotonic() - started < 2
    assert not answer.accepted
    assert "0.3 s" in answer.error


def test_nobody_listening_is_an_answer_too(client: HttpClient) -> None:
    answer = post(client, "http://127.0.0.1:1/", new_secret(), "m", "{}", 2)
    assert (answer.accepted, answer.status) == (False, None)
    assert answer.error


def test_an_endless_answer_is_not_read_to_its_end(
    serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    def endless(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 10_000)
        except OSError:
            pass

    assert post(client, serve(endless), new_secret(), "m", "{}", 5).accepted


def test_the_schedule_ends_in_a_dead_letter_and_obeys_pauses() -> None:
    rules = DeliveryRules(schedule=(5, 300), jitter=0.1)
    refused = Answer(accepted=False, status=500, error="answered 500", duration_s=0.1)
    first, second = next_wait(rules, 1, refused), next_wait(rules, 2, refused)
    assert first is not None
    assert second is not None
    assert 4.5 <= first.total_seconds() <= 5.5
    assert 270 <= second.total_seconds() <= 330
    assert next_wait(rules, 3, refused) is None
    busy = Answer(accepted=False, status=429, error="", duration_s=0.1, retry_after=60)
    asked = next_wait(rules, 1, busy)
    assert asked is not None
    assert asked.total_seconds() == 60


@pytest.mark.parametrize(
    "value",
    ["inf", "nan", "1e20", "9" * 30, "-5", "soon", f"Thu, 1 Jan 1970 {'9' * 20}:00:00 GMT"],
)
def test_a_pause_that_is_none_is_ignored(value: str) -> None:
    assert pause_asked(value) is None


def test_an_accepting_answer_with_a_mad_pause_is_accepted(
    serve: Callable[[Behaviour], str], client: HttpClient
) -> None:
    def mad(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("retry-after", f"Thu, 1 Jan 1970 {'9' * 20}:00:00 GMT")
        handler.send_header("content-length", "0")
        handler.end_headers()

    target = Destination(name="crm", url=serve(mad), allow_private=True)
    assert client.send(target, content=b"{}", headers={}).accepted


@pytest.mark.parametrize("token", ["first-key\nsecond-key", "schlüssel-key"])
def test_a_token_that_no_header_takes_is_not_repeated(
    serve: Callable[[Behaviour], str], client: HttpClient, token: str
) -> None:
    url = serve(lambda handler, _body: handler.send_error(500))
    target = Destination(name="crm", url=url, allow_private=True)
    with pytest.raises(Configuration, match="one line of ASCII") as raised:
        client.send(target, content=b"{}", headers={"authorization": f"Bearer {token}"})
    assert "key" not in str(raised.value)


def test_a_host_that_is_no_name_is_a_matter_of_settings(client: HttpClient) -> None:
    target = Destination(name="crm", url=f"https://{'a' * 70}.example/")
    with pytest.raises(Configuration, match="no name that can be looked up"):
        client.send(target, content=b"{}", headers={})
